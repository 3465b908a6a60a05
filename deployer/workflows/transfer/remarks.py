"""What changes the meaning of the user's `docker push` and `docker pull`, reported before they begin."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from deployer.engine.environment import names_an_engine
from deployer.host.daemon.process import is_elsewhere
from deployer.workflows.checks import engine_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployer.engine.engine import Engine
    from deployer.settings.model import Settings

_PLATFORM = "DOCKER_DEFAULT_PLATFORM"
_TRUST = "DOCKER_CONTENT_TRUST"
_TRUST_SERVER = "DOCKER_CONTENT_TRUST_SERVER"
# Go's strconv.ParseBool; docker/cli (cli/command/cli_options.go) takes any other text for a yes.
_NO = {"0", "f", "F", "false", "False", "FALSE"}


class Transfer(Enum):
    """The direction; its value is the command's name."""

    PUSH = "push"
    PULL = "pull"


def remarks(
    transfer: Transfer, settings: Settings, engine: Engine, environment: Mapping[str, str], platform: str = ""
) -> tuple[str, ...]:
    """One sentence for each variable or context that changes what the command does.

    `platform` is the one that its user asked for, "" for none. Raises PreflightError if the engine
    takes no image of this registry's address, and EngineError.
    """
    if ":" in settings.host:
        engine_options.check_name(settings, engine.system.version())
    return tuple(_remarks(transfer, settings, engine, environment, platform))


def _remarks(
    transfer: Transfer, settings: Settings, engine: Engine, environment: Mapping[str, str], platform: str = ""
) -> Iterator[str]:
    default = environment.get(_PLATFORM, "")
    if default and not platform and transfer is Transfer.PULL:
        yield f"{_PLATFORM} is set: Docker pulls for the platform {default}."
    trust = environment.get(_TRUST, "")
    if trust and trust not in _NO:
        server = environment.get(_TRUST_SERVER) or f"https://{settings.address}"
        what = (
            f"pull only tags that the Notary server {server} has signed"
            if transfer is Transfer.PULL
            else f"sign each tag after the push, with the Notary server {server}"
        )
        yield (
            f"{_TRUST} is set: Docker clients before version 29 {what}. To turn this off for one command: "
            f"{_TRUST}=0 deployer {transfer.value} …"
        )
    if settings.is_loopback and names_an_engine(environment):
        endpoint = engine.system.endpoint()
        if is_elsewhere(endpoint):
            yield (
                f"The Docker engine is on another machine ({endpoint}): {settings.address} refers to that "
                "machine, not this one."
            )
