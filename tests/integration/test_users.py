"""Users of a running registry: each change counts at once, nothing is restarted, nothing in progress is dropped."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.stack import DeployedStack

FIRST, SECOND = "correct horse battery staple", 'Übung macht: den "$Meister" {env.HOME}'

_CUT_OFF = """
import os, signal, sys
from deployer.cli.main import main
from deployer.workflows.users import in_force
in_force.apply = lambda stack: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def own(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    made = make_stack()
    made.up()
    yield made
    made.remove()


@pytest.fixture
def stack(own: DeployedStack) -> Iterator[DeployedStack]:
    """The deployment, open; its containers are the same at the end."""
    before = _started(own)
    yield own
    for line in (own.directory / "users").read_text().splitlines():
        own.deployer("user", "remove", line.partition(":")[0], "--open", "--yes", check=True)
    own.deployer("up", "--yes", check=True)
    assert _started(own) == before


def _started(stack: DeployedStack) -> str:
    return docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *sorted(stack.containers().values()))


def user(stack: DeployedStack, *words: str, password: str = FIRST) -> subprocess.CompletedProcess[str]:
    with_password = words[0] in {"add", "password"}
    options = ["--cost", "10", "--password-stdin"] if with_password else []
    return stack.deployer("user", *words, *options, stdin=f"{password}\n", check=True)


def status(stack: DeployedStack, *sign_in: str) -> int:
    with stack.client as client:
        auth = httpx.BasicAuth(sign_in[0].encode(), sign_in[1].encode()) if sign_in else None
        return client.get("/v2/", auth=auth).status_code


def test_each_change_counts_at_once(stack: DeployedStack) -> None:
    assert status(stack) == 200
    added = user(stack, "add", "ann")
    assert "Applied to the running registry; nothing was restarted" in added.stderr
    assert (status(stack), status(stack, "ann", FIRST), status(stack, "ann", SECOND)) == (401, 200, 401)
    user(stack, "add", "bob", password=SECOND)
    assert (status(stack, "ann", FIRST), status(stack, "bob", SECOND), status(stack, "bob", FIRST)) == (200, 200, 401)
    user(stack, "password", "ann", password=SECOND)
    assert (status(stack, "ann", FIRST), status(stack, "ann", SECOND)) == (401, 200)
    user(stack, "remove", "bob", "--yes")
    assert (status(stack, "bob", SECOND), status(stack, "ann", SECOND)) == (401, 200)
    user(stack, "remove", "ann", "--yes", "--open")
    assert status(stack) == 200


def test_an_import_counts_at_once(stack: DeployedStack) -> None:
    user(stack, "add", "ann")
    line = (stack.directory / "users").read_text()
    user(stack, "remove", "ann", "--yes", "--open")
    (stack.folder / "htpasswd").write_text(line.replace("$2b$", "$2y$") + "old:$apr1$a$b\n")
    refused = stack.deployer("user", "import", "htpasswd")
    assert refused.returncode == 1
    assert "line 2" in refused.stderr
    assert status(stack) == 200
    user(stack, "import", "htpasswd", "--skip")
    assert (status(stack), status(stack, "ann", FIRST)) == (401, 200)


def test_what_a_killed_command_kept_the_next_one_puts_in_effect(stack: DeployedStack) -> None:
    user(stack, "add", "ann")
    words = ["user", "password", "ann", "--cost", "10", "--password-stdin"]
    done = subprocess.run(
        [sys.executable, "-c", _CUT_OFF, *words],
        input=SECOND.encode(), env=stack.environment, cwd=stack.folder, check=False,
    )  # fmt: skip
    assert done.returncode == -9
    assert status(stack, "ann", FIRST) == 200
    repeated = stack.deployer("user", "add", "ann")
    assert repeated.returncode == 1
    assert "`deployer user password ann` was interrupted. Check whether it took effect" in repeated.stderr
    assert (status(stack, "ann", FIRST), status(stack, "ann", SECOND)) == (401, 200)


def test_an_upload_in_progress_goes_on_while_its_user_is_removed(stack: DeployedStack) -> None:
    user(stack, "add", "ann")
    user(stack, "add", "bob")
    removed = threading.Event()

    def content() -> Iterator[bytes]:
        yield b"first half, "
        user(stack, "remove", "bob", "--yes")
        removed.set()
        yield b"second half"

    auth = httpx.BasicAuth("bob", FIRST)
    with stack.client as client:
        place = client.post("/v2/team/app/blobs/uploads/", auth=auth)
        assert place.status_code == 202
        # The body is a stream that cannot be sent twice: the login goes along at once.
        sent = client.patch(place.headers["Location"], content=content(), auth=auth)
        assert removed.is_set()
        assert sent.status_code == 202, sent.text
        assert sent.headers["Range"] == "0-22"
        assert client.get("/v2/", auth=auth).status_code == 401
