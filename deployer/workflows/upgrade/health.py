"""Whether a deployment works: the services' health checks, and a test push and pull that are removed again."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployer.errors import EngineError, UpgradeFailed
from deployer.host import passwords
from deployer.host.files import PRIVATE, read_if_there, write_atomically
from deployer.layout import GRANTS, Service
from deployer.rendering import grants
from deployer.rendering.rules import user_files
from deployer.rendering.templates import File
from deployer.settings.access import AccessRule
from deployer.settings.values.account import Account
from deployer.storage.removal import StorageRemoval
from deployer.workflows.deployment import access
from deployer.workflows.upgrade.round_trip import FOLDER, CheckImage, Login, round_trip
from deployer.workflows.users.in_force import MARK_OF_CHECK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upkeep.maintenance import Upkeep

_POLL_SECONDS = 0.2
# Low: for a password that no one could guess, and that is valid for a second.
_COST = passwords.USUAL_COSTS[0]


def check(stack: Stack, work: Upkeep, deadline: float) -> None:
    """Make sure that all services are healthy, and that a push and a pull succeed; they leave nothing behind.

    `deadline` is of `time.monotonic`. Raises UpgradeFailed or EngineError.
    """
    _wait_for_health(stack, deadline)
    image = CheckImage.new()
    try:
        with _let_in(stack) as login:
            round_trip(stack.settings, image, login)
    finally:
        _remove(work, image)


def _wait_for_health(stack: Stack, deadline: float) -> None:
    """Run each service's health check until it succeeds: the engine may not run it again for a while."""
    containers = stack.engine.containers.of_project(stack.deployment.name)
    for container in containers:
        if container.service not in set(Service):
            continue
        while True:
            try:
                stack.engine.containers.check_health(container.id)
                break
            except EngineError as error:
                if time.monotonic() >= deadline:
                    raise UpgradeFailed(
                        f"The service {container.service} is not healthy.",
                        (f"deployer logs {container.service}",),
                        error.original or error.message,
                    ) from error
                time.sleep(_POLL_SECONDS)


@contextmanager
def _let_in(stack: Stack) -> Iterator[Login | None]:
    """A user for the test if login is required, who may do nothing else and is removed at the end.

    After a kill, the next command makes the frontend read the kept users again, without this one.
    """
    accounts = access.accounts_of(stack.deployment)
    if not accounts:
        yield None
        return
    login = Login(f"{FOLDER}-{secrets.token_hex(8)}", secrets.token_urlsafe(32))
    account = Account(login.name, passwords.hashed(login.password, _COST))
    wanted = (*user_files(stack.settings, (*accounts, account)), *_with_rule(stack, login))
    before = [File(one.path, read_if_there(stack.deployment.directory / one.path) or b"", one.mode) for one in wanted]
    # Without `marks.begun`: a failed test is not a failed change of the users.
    write_atomically(stack.deployment.reload_pending_file, MARK_OF_CHECK.encode(), PRIVATE)
    try:
        _put(stack, wanted, for_now=True)
        yield login
    finally:
        _put(stack, before, for_now=False)


def _with_rule(stack: Stack, login: Login) -> tuple[File, ...]:
    """The rules in effect with one for the user of the test; none if there are none.

    Not those of the settings, which may differ from what is deployed.
    """
    in_effect = read_if_there(stack.deployment.directory / GRANTS)
    if not in_effect:
        return ()
    rule = AccessRule((login.name,), (f"{FOLDER}/*",), ("pull", "push"))
    return (File(GRANTS, in_effect + grants.written((rule,))),)


def _put(stack: Stack, wanted: Iterable[File], *, for_now: bool) -> None:
    for file in wanted:
        write_atomically(stack.deployment.directory / file.path, file.content, file.mode)
    access.reload_frontend(stack.engine, stack.deployment, for_now=for_now)


def _remove(work: Upkeep, image: CheckImage) -> None:
    """Remove the image from the storage again, and what an interrupted test left behind.

    Writes continue: nobody else pushes to these repositories, or has blobs with such random content.
    """
    now = work.storage.snapshot()
    left = tuple(name for name in now.repositories if name.startswith(f"{FOLDER}/"))
    blobs = tuple(one for one in image.blobs if one in now.blobs)
    removal = StorageRemoval(repositories=left, blobs=blobs)
    if removal.is_empty:
        return
    work.remove(removal)
    if not now.interrupted_removals:
        # Else it tells the next gc or prune what an earlier, interrupted one was to remove.
        work.storage.empty()
