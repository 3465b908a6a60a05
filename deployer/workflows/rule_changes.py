"""What the access rules of the settings would give and take, compared with those that the registry runs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer import layout
from deployer.engine.values import running
from deployer.errors import EngineError, StorageError
from deployer.host.files import read_if_there
from deployer.layout import Service
from deployer.permissions.difference import Repository, RuleChange, changes
from deployer.rendering import grants
from deployer.storage.access import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment
    from deployer.settings.access import AccessRule
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account

RECENT_DAYS = 7
_DAY = 86400


@dataclass(frozen=True)
class RulesInEffect:
    """The rules that a deployment runs with: None if it was never brought up, or another version wrote them."""

    is_deployed: bool
    rules: tuple[AccessRule, ...] | None


def in_effect(deployment: Deployment) -> RulesInEffect:
    """Read the rules that the frontend reads. Raises HostError."""
    content = read_if_there(deployment.directory / layout.GRANTS)
    return RulesInEffect(content is not None, None if content is None else grants.rules_in(content))


def compare(
    before: RulesInEffect,
    settings: Settings,
    accounts: tuple[Account, ...],
    existing: Callable[[], tuple[Repository, ...] | None],
    now: datetime,
) -> tuple[RuleChange, ...]:
    """What `up` would change for whom; nothing if the rules in effect are not known. Raises ConfigurationError.

    `existing` looks for the repositories with images, if there is a difference.
    """
    after = settings.user_rules
    if before.rules is None or before.rules == after:
        return ()
    return changes(before.rules, after, accounts, existing(), int(now.timestamp()) - RECENT_DAYS * _DAY)


def existing(engine: Engine, containers: Iterable[ServiceContainer]) -> tuple[Repository, ...] | None:
    """The repositories with images, by the storage of the running registry; None if it cannot be read."""
    registry = running(containers, Service.REGISTRY)
    if registry is None:
        return None
    try:
        found = Storage(engine, registry.id).snapshot().repositories
    except (EngineError, StorageError):
        # How many there are is only shown.
        return None
    return tuple(
        Repository(name, max((tag.pushed for tag in one.tags.values()), default=0))
        for name, one in found.items()
        if one.revisions
    )
