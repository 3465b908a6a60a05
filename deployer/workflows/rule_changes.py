"""What the access rules of the settings would give and take, compared with those that the registry runs with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
    """The `content` of what the frontend reads of rules, None if the deployment was never brought up."""

    content: bytes | None

    @cached_property
    def rules(self) -> tuple[AccessRule, ...] | None:
        """The rules; None if there are none to know: never brought up, or written by another version."""
        return None if self.content is None else grants.rules_in(self.content)


def in_effect(deployment: Deployment) -> RulesInEffect:
    """Read the rules that the frontend reads. Raises HostError."""
    return RulesInEffect(read_if_there(deployment.directory / layout.GRANTS))


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
