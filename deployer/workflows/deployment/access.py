"""Login and access rules: what is kept of them, and how a running frontend learns of a change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.values import ContainerState
from deployer.engine.values import running as of_running
from deployer.errors import ConfigurationError, EngineError, HostError
from deployer.host.files import PRIVATE, read_if_there
from deployer.layout import ACCESS_FOLDER, USERS_IN_FORCE, Service
from deployer.permissions import expectations
from deployer.rendering.deployment import Certificate, RenderInputs
from deployer.settings.access import named_users
from deployer.settings.values.account import parse
from deployer.settings.values.checks import EVERYONE
from deployer.workflows.deployment import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account

# Caddy's own, inside its container: what it has loaded, as JSON.
_CONFIGURATION = "http://127.0.0.1:2019/config/"
_USER = re.compile(r'"username":"([^"]*)"')
_OPEN = "Anyone who can reach the registry can then pull, push and delete."
_ASKED = "If no login is wanted: run `deployer up` on a terminal and answer its question; --yes does not answer it."
# `--force`, so that certificates are read again too, whose files' names stay the same.
_RELOAD = ("caddy", "reload", "--force", "--config", "/etc/deployer/Caddyfile", "--adapter", "caddyfile")


def accounts_of(deployment: Deployment) -> tuple[Account, ...]:
    """The users of a deployment. Raises HostError if their file is damaged."""
    content = read_if_there(deployment.users_file)
    if content is not None and deployment.users_file.stat().st_mode & 0o077:
        # Put there by hand, or restored from somewhere.
        deployment.users_file.chmod(PRIVATE)
    accounts, bad = parse((content or b"").decode(errors="replace"))
    if bad:
        raise HostError(
            f"{deployment.users_file} is damaged: "
            + "; ".join(f"line {one.number}: {one.reason}" for one in bad)
            + ".",
            ("Correct those lines, or remove them and add the users again: deployer user add NAME",),
        )
    return accounts


def lost_users(deployment: Deployment, kept: tuple[Account, ...]) -> int:
    """How many users the frontend lets in though none is kept, their file being lost or emptied.

    A user who put it back from a backup without them, or lost it to a power cut, does not mean the registry to be
    open to everyone. Raises HostError.
    """
    if kept:
        return 0
    in_force = (read_if_there(deployment.directory / USERS_IN_FORCE) or b"").splitlines()
    # The last line is the user whom everyone is taken for who is none, see deployer.rendering.rules.
    return max(0, sum(1 for line in in_force if line.strip()) - 1)


def are_files_missing(deployment: Deployment, containers: Iterable[ServiceContainer]) -> bool:
    """Whether there are containers of a deployment whose files are gone, those of its users among them."""
    return any(containers) and not (deployment.directory / ACCESS_FOLDER).is_dir()


def users_in_frontend(engine: Engine, containers: Iterable[ServiceContainer]) -> int:
    """How many users a running frontend lets in, by what it has loaded, its files being gone; 0 if no one can tell."""
    try:
        # One of them is no one, as in the file.
        return max(0, len(names_in_frontend(engine, containers)) - 1)
    except EngineError:
        return 0


def names_in_frontend(engine: Engine, containers: Iterable[ServiceContainer]) -> frozenset[str]:
    """The names of the users that a running frontend has loaded, none if none runs. Raises EngineError."""
    frontend = of_running(containers, Service.FRONTEND)
    if frontend is None:
        return frozenset()
    loaded = engine.containers.execute(frontend.id, "wget", "-q", "-O", "-", _CONFIGURATION)
    return frozenset(_USER.findall(loaded))


@dataclass(frozen=True)
class LostLogin:
    """That users who get in today would be forgotten, and with them that there is a login; and what to do instead."""

    warning: str
    advice: tuple[str, ...]


def lost_login(
    engine: Engine, deployment: Deployment, accounts: tuple[Account, ...], containers: tuple[ServiceContainer, ...]
) -> Iterator[LostLogin]:
    """Say where an `up` would open a registry with users to everyone, their files being lost. Raises HostError."""
    if accounts:
        return
    lost = lost_users(deployment, accounts)
    if lost:
        yield LostLogin(
            f"Login will be turned off: {deployment.users_file} has no users, but the running registry has "
            f"{lost}. To put them back instead, see `deployer user list`. {_OPEN}",
            ("deployer user list   (shows how to put the users back)", _ASKED),
        )
    elif are_files_missing(deployment, containers):
        lost = users_in_frontend(engine, containers)
        restore = f"To keep them, restore {deployment.directory} from a backup."
        advice = ("deployer down", "Then, with backups: deployer restore TARGET", _ASKED)
        if lost:
            users = "1 user" if lost == 1 else f"{lost} users"
            yield LostLogin(
                f"Login will be turned off: the deployment's files and {users} are missing. {restore} {_OPEN}",
                advice,
            )
        elif of_running(containers, Service.FRONTEND) is None:
            gone = f"The deployment's files are missing. If there were users, they are missing too. {restore} {_OPEN}"
            yield LostLogin(gone, advice)


def render_inputs(settings: Settings, deployment: Deployment) -> RenderInputs:
    """Everything kept beside the settings that the rendered files hold. Raises HostError."""
    tls = settings.tls
    own = Certificate(_read(tls.certificate), _read(tls.key)) if tls.is_own else None
    secret = files.secret_of(deployment) or "0" * 64
    return RenderInputs(secret, accounts_of(deployment), own, _read(tls.authority) if tls.authority else None)


def check(settings: Settings, accounts: tuple[Account, ...]) -> None:
    """Make sure that the rules' users exist, and that passwords do not cross a network in the clear.

    Raises ConfigurationError.
    """
    known = {account.name for account in accounts}
    problems = (
        f"{place}: "
        + (
            "there are no users yet: deployer user add NAME"
            if name in EVERYONE
            else f"no such user '{name}': deployer user add {name}"
        )
        for place, name in named_users(settings.access, settings.groups, settings.expect)
        if name not in known and not (name in EVERYONE and known)
    )
    unknown = tuple(dict.fromkeys(problems))
    if unknown:
        raise ConfigurationError("The settings of access name users that do not exist:", problems=unknown)
    unmet = expectations.failures(settings, has_users=bool(accounts))
    if unmet:
        raise ConfigurationError(
            "The access rules do not say what `expect` says:", problems=tuple(map(expectations.sentence, unmet))
        )
    if accounts:
        refuse_unencrypted(settings)


def refuse_unencrypted(settings: Settings) -> None:
    """Refuse login without TLS on a host that others reach, unless the settings say `tls: off`.

    Raises ConfigurationError.
    """
    if settings.is_loopback or settings.tls.is_on or settings.tls.is_off:
        return
    raise ConfigurationError(
        f"Passwords would be sent to {settings.host} unencrypted, because there is no TLS.",
        (
            "Set `tls: internal` in deployer.yaml (or DEPLOYER_TLS=internal).",
            "If you trust the network, set `tls: off`.",
        ),
    )


def exposure(settings: Settings, accounts: tuple[Account, ...]) -> str:
    """What others than those who were let in can do from other machines, in a sentence; "" for nothing."""
    if settings.is_loopback:
        return ""
    where = f"port {settings.port} on {', '.join(settings.bind_addresses) or 'every address of this machine'}"
    if not accounts:
        return f"No login is required: anyone who can reach {where} can push, pull and delete."
    said = [
        f"Anyone who can reach {where} can {', '.join(rule.allow)} {', '.join(rule.repositories)} without login."
        for rule in settings.access
        if rule.is_for_everyone
    ]
    if not settings.tls.is_on:
        said.append(f"Passwords and images are sent unencrypted between the clients and {where}.")
    return " ".join(said)


def exposure_of(settings: Settings, deployment: Deployment) -> str:
    """The same for a deployment's users. Raises HostError if their file is damaged."""
    return exposure(settings, accounts_of(deployment))


def reload_frontend(engine: Engine, deployment: Deployment, *, for_now: bool = False) -> bool:
    """Let a running frontend read its files again, dropping no connection; return whether one runs.

    One that is paused continues with what it has, and the mark stays; `for_now`: the mark stays as well, as what it
    reads is to be undone. Raises EngineError.
    """
    frontends = [found for found in engine.containers.of_project(deployment.name) if found.service == Service.FRONTEND]
    running = [container for container in frontends if container.is_running]
    for container in running:
        try:
            engine.containers.execute(container.id, *_RELOAD)
        except EngineError as error:
            raise EngineError(
                "The frontend did not apply the users, rules or certificates; it still uses the previous ones.",
                ("deployer up", "deployer logs frontend"),
                error.original,
            ) from error
    if not for_now and all(container.state is not ContainerState.PAUSED for container in frontends):
        deployment.reload_pending_file.unlink(missing_ok=True)
    return bool(running)


def _read(path: str) -> bytes:
    content = read_if_there(Path(path))
    if content is None:
        raise HostError(f"`tls` refers to {path}, but there is no such file.")
    return content
