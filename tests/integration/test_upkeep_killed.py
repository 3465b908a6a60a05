"""Upkeep commands cut off at any moment: nothing is lost, writes continue, and the next run completes it."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.content import build_image, push_artifact, push_image, push_index
from tests.support.cut_off import (
    Kept,
    begin,
    finish,
    gate,
    helpers,
    kill_all,
    started,
    state,
    wait_until,
    writes_pass,
)
from tests.support.pulling import delete_manifest, pulls_whole
from tests.support.registry_content import OCI, push, sha256
from tests.support.stack import DeployedStack, docker
from tests.support.stored import HOUR, IMAGES, Stored, age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.warm import Warm

GC = ("gc", "--untagged", "--yes")
PRUNE = ("prune", "old*", "--keep", "2", "--yes")
REMOVAL = ("delete", "--repository", "gone", "--yes")
COMMANDS = pytest.mark.parametrize("command", [GC, PRUNE, REMOVAL], ids=["gc", "prune", "delete"])
STAYING = ("app:1", "app:2", "multi:1", "old:5", "old:6", "gone/below:1", "gone-not:1")


@dataclass
class Scene:
    """A registry with the same content before each run."""

    kept: Kept
    client: httpx.Client
    ends: dict[tuple[str, ...], dict[str, bytes]]
    process: Warm | None = None

    @property
    def stored(self) -> Stored:
        return self.kept.stored

    @property
    def stack(self) -> DeployedStack:
        return self.kept.stored.stack

    def undisturbed(self, command: tuple[str, ...]) -> dict[str, bytes]:
        """What a command leaves that nothing disturbs; all is as before it again."""
        if command not in self.ends:
            self.begin_again()
            self.stack.deployer(*command, check=True)
            self.ends[command] = state(self.stored)
        self.begin_again()
        return self.ends[command]

    def begin_again(self) -> None:
        """Let nothing of another run be there."""
        for helper in helpers(self.stack):
            docker("container", "rm", "--force", helper, check=False)
        self.kept.put_back()

    def start(self, command: tuple[str, ...]) -> Warm:
        return begin(self.stack, *command)

    def taken(self) -> bool:
        """Whether something has been taken out of the storage, in this run or one before it."""
        return not self.stored.tag("old", "1").exists()

    def start_until(self, command: tuple[str, ...], reached: Callable[[Scene], bool]) -> Warm:
        """Start a command, and return when it has come that far, or has ended."""
        process = self.process = self.start(command)
        wait_until(lambda: reached(self) or process.poll() is not None)
        return process

    def answers(self) -> bool:
        try:
            return self.client.get("/v2/").status_code == 200
        except httpx.TransportError:
            return False

    def taking(self) -> bool:
        """Whether something has been taken out of the storage, and not been deleted yet."""
        return any(self.stored.disk.glob(".deployer-removed/*/*"))

    def expect_all_well(self) -> None:
        """Without any other command: writes pass, nothing is left running, and every image is whole."""
        assert writes_pass(self.client)
        assert wait_until(lambda: not gate(self.stack)), gate(self.stack)
        assert wait_until(lambda: not helpers(self.stack)), left_helpers(self.stack)
        self.expect_whole()

    def expect_whole(self) -> None:
        assert [name for name in STAYING if not pulls_whole(self.client, *name.split(":"))] == []

    def expect_same_end(self, command: tuple[str, ...]) -> None:
        """Run again, the command leaves what an undisturbed one does."""
        done = self.stack.deployer(*command)
        if command == REMOVAL and done.returncode:
            assert "No repository named 'gone'" in done.stderr
            self.stack.deployer("gc", "--yes", check=True)
            left = state(self.stored)
            self.undisturbed(command)
            ended = self.stack.deployer(*command, check=True)
            assert ended.returncode == 0
            self.stack.deployer("gc", "--yes", check=True)
            assert left == state(self.stored)
        else:
            assert done.returncode == 0, done.stderr
            assert state(self.stored) == self.undisturbed(command)
        self.expect_whole()


@pytest.fixture(scope="module")
def scene(make_stack: Callable[..., DeployedStack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    stack = make_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
    stack.lasting = True
    stack.up()
    stored = Stored(stack)
    with stack.client as client:
        fill(stored, client)
        made = Scene(Kept.of(stored, tmp_path_factory.mktemp("kept") / "images"), client, {})
        yield made
        made.begin_again()
    stack.remove()


def left_helpers(stack: DeployedStack) -> str:
    """How the helper containers are that should be gone."""
    return docker("container", "ls", "--all", "--filter", f"label=deployer.upkeep={stack.directory}")


def helper_starts(scene: Scene) -> bool:
    """Whether the engine's client has been told to start the helper."""
    return any(b"\0run\0" in words for words in started(scene.process.pid)) if scene.process else False


def helper_created(scene: Scene) -> bool:
    return bool(helpers(scene.stack))


def draining(scene: Scene) -> bool:
    return "draining" in gate(scene.stack)


def closed(scene: Scene) -> bool:
    return "closed" in gate(scene.stack)


def taking(scene: Scene) -> bool:
    """Whether something has been taken out of the storage, and not been deleted yet."""
    return scene.taking()


def opened_again(scene: Scene) -> bool:
    return scene.taking() and not gate(scene.stack)


MOMENTS = (helper_created, draining, closed, taking)


def fill(stored: Stored, client: httpx.Client) -> None:
    """Something of everything that stays and goes, all of it pushed three hours ago."""
    push_image(client, "app", "1", layers=("base", "one"))
    push_image(client, "app", "2", layers=("base", "superseded"))
    push_image(client, "app", "2", layers=("base", "two"))
    push_index(client, "multi", "1", attestations=True)
    deleted = push_image(client, "deleted", "1", layers=("base", "deleted"))
    delete_manifest(client, "deleted", deleted.digest)
    for number in range(1, 7):
        made = build_image(layers=("base", f"old {number}"), created=f"2024-06-{number:02}T00:00:00Z", media=OCI)
        push(client, "old", str(number), made)
        if number == 1:
            push_artifact(client, "old", made.digest.replace(":", "-") + ".sig", content=b"signature")
    for repository in ("gone", "gone/below", "gone-not"):
        for tag in ("1", "2"):
            push_image(client, repository, tag, layers=("base", f"{repository}:{tag}"))
    for number in range(600):
        content = f"garbage {number}".encode()
        file = stored.blob(sha256(content))
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    stored.age()
    upload = stored.repository("app") / "_uploads" / "0e6c9f1a-7f43-4dcb-9d26-3f8f3c9b2a01"
    upload.mkdir(parents=True)
    (upload / "data").write_bytes(b"of an upload that the registry never removes")
    for path in (upload / "data", upload):
        age(path, 9 * 24 * HOUR)


# -- deployer itself


@COMMANDS
def test_killed_again_and_again(scene: Scene, command: tuple[str, ...]) -> None:
    """Each time a little later."""
    scene.undisturbed(command)
    for since in (helper_starts, *MOMENTS, opened_again):
        process = scene.start_until(command, since)
        process.kill()
        finish(process)
        scene.expect_all_well()
    scene.expect_same_end(command)


@COMMANDS
@pytest.mark.parametrize("since", [closed, taking])
def test_killed_at_its_work(scene: Scene, command: tuple[str, ...], since: Callable[[Scene], bool]) -> None:
    scene.undisturbed(command)
    process = scene.start_until(command, since)
    process.kill()
    finish(process)
    scene.expect_all_well()
    scene.expect_same_end(command)


def test_killed_with_all_that_it_started(scene: Scene) -> None:
    """As a service manager does: the engine's client is gone as well."""
    scene.undisturbed(GC)
    process = scene.start_until(GC, closed)
    kill_all(process)
    finish(process)
    scene.expect_all_well()
    scene.expect_same_end(GC)


def test_killed_with_all_that_it_started_while_the_helper_starts(scene: Scene) -> None:
    """Its client is killed too, between making the container and starting it: the next command clears it away."""
    scene.undisturbed(GC)
    for since in (helper_starts, helper_created):
        process = scene.start_until(GC, since)
        kill_all(process)
        finish(process)
        scene.stored.stack.deployer("status", check=True)
        scene.expect_all_well()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ended_politely_again_and_again(scene: Scene, sent: signal.Signals) -> None:
    scene.undisturbed(PRUNE)
    for since in MOMENTS:
        process = scene.start_until(PRUNE, since)
        process.send_signal(sent)
        code, said = finish(process)
        assert code == 130, (since, said)
        assert "Error" not in said
        scene.expect_all_well()
        if scene.taken():
            break
    scene.expect_same_end(PRUNE)


# -- what it works with


@pytest.mark.parametrize("victim", ["helper", "registry", "frontend"])
@pytest.mark.parametrize("since", [helper_created, closed])
def test_a_container_killed(scene: Scene, victim: str, since: Callable[[Scene], bool]) -> None:
    scene.undisturbed(GC)
    process = scene.start_until(GC, since)
    container = f"{scene.stack.name}-upkeep" if victim == "helper" else scene.stack.containers()[victim]
    docker("kill", container, check=False)
    code, said = finish(process)
    if victim != "helper":
        docker("start", container)
        assert wait_until(scene.answers)
    assert code in {0, 1}
    assert len(re.findall(r"^Error: ", said, re.MULTILINE)) == code, said
    assert "Traceback" not in said
    scene.expect_all_well()
    scene.expect_same_end(GC)
