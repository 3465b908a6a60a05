"""What `down` removes and what it leaves, by who made it and who uses it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from deployer.engine.client import Client
from deployer.engine.compose import Compose
from deployer.engine.engine import Engine
from deployer.engine.inventory import Container, Inventory, Network, Volume, Wanted, WantedVolume
from deployer.errors import EngineError
from deployer.paths import Deployment
from deployer.record import Owned, Resource, ResourceKind
from deployer.rendering import snippets
from deployer.settings.model import RegistrySettings, Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.removal import down, down_plan
from deployer.workflows.removal.down_plan import DownPlan, ToRemove
from deployer.workflows.removal.stopping import remove_containers
from tests.support.fake_engine import FakeContainers, FakeEngine, NoClient, service_container

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from deployer.engine.values import Project

FOLDER = "/home/me/registry"
ANONYMOUS = "0123456789abcdef" * 4
NOBODYS = Container("id", "other", "", "", "", "", frozenset(), frozenset(), frozenset())
OURS = replace(NOBODYS, name="registry-registry-1", project="registry", directory=FOLDER)


def volume(name: str, project: str = "", driver: str = "local", **options: str) -> Volume:
    return Volume(name, project, driver, options, {})


def asked_for(name: str, *, external: bool = False) -> Wanted:
    return Wanted((WantedVolume(name, is_external=external, driver="", options={}, labels={}),))


def look(
    there: Inventory, wanted: Wanted | None = None, owned: Owned | None = None, *, unrecorded: bool = False
) -> down_plan._Seen:
    images = Resource(ResourceKind.VOLUME, "registry_data")
    return down_plan._Seen(there, wanted or Wanted(), owned or Owned(), FOLDER, images, unrecorded)


def only(found: Iterable[ToRemove | str]) -> ToRemove | str:
    listed = list(found)
    assert len(listed) == 1
    return listed[0]


@pytest.mark.parametrize(
    ("found", "wanted", "owned", "told"),
    [
        # What the deletion finds by its label, by what the files ask for, and by what is remembered.
        (volume("registry_data", "registry"), Wanted(), {"made"}, ""),
        (volume("registry_data", "registry"), Wanted(), {"found"}, "existed before `up`"),
        (volume("registry_data", "registry"), Wanted(), set(), "possibly not created by `up`"),
        (volume("registry_data"), asked_for("registry_data"), set(), "existed before `up`"),
        (volume("registry_data"), Wanted(), {"found"}, "existed before `up`"),
        (volume("registry_data", "other"), asked_for("registry_data"), {"made"}, "existed before `up`"),
        (
            volume("registry_data", "registry", device="/srv"),
            Wanted(),
            {"made"},
            "its content is in another place: /srv",
        ),
        (volume("registry_data", "registry", "nfs"), Wanted(), {"made"}, "its content is in another place: driver nfs"),
    ],
)
def test_a_volume_goes_with_what_is_known_of_it(found: Volume, wanted: Wanted, owned: set[str], told: str) -> None:
    made, before = (
        frozenset({Resource(ResourceKind.VOLUME, found.name)} if key in owned else set()) for key in ("made", "found")
    )
    going = only(look(Inventory("registry", volumes=(found,)), wanted, Owned(made, before)).volumes())
    assert isinstance(going, ToRemove)
    assert (going.name, going.remark) == ("registry_data", told)
    assert going.was_found == ("`up`" in told)


def test_before_anything_was_remembered_the_label_tells() -> None:
    there = Inventory("registry", volumes=(volume("registry_data", "registry"),))
    going = only(look(there, unrecorded=True).volumes())
    assert isinstance(going, ToRemove)
    assert going.remark == ""


@pytest.mark.parametrize(
    ("there", "wanted", "reason"),
    [
        (Inventory("registry", volumes=(volume("mine", "registry"),)), asked_for("mine", external=True), "external"),
        (
            Inventory("registry", (replace(OURS, volumes=frozenset({"mine"})),), (volume("mine"),)),
            Wanted(),
            "does not belong",
        ),
        (
            Inventory("registry", (replace(NOBODYS, volumes=frozenset({"mine"})),), (volume("mine", "registry"),)),
            asked_for("mine"),
            "used by the container other",
        ),
    ],
)
def test_a_volume_of_others_stays_and_that_is_told(there: Inventory, wanted: Wanted, reason: str) -> None:
    kept = only(look(there, wanted).volumes())
    assert isinstance(kept, str)
    assert kept.startswith("volume mine (")
    assert reason in kept


def test_a_volume_without_a_name_goes_with_the_container_that_had_it() -> None:
    there = Inventory("registry", (replace(OURS, volumes=frozenset({ANONYMOUS})),), (volume(ANONYMOUS),))
    going = only(look(there).volumes())
    assert isinstance(going, ToRemove)
    assert going.remark == ""


def test_a_volume_without_a_name_that_stays_is_told_with_its_place() -> None:
    places = frozenset({(ANONYMOUS, "/anonymous"), ("registry_data", "/var/lib/registry")})
    container = replace(OURS, service="registry", volumes=frozenset(name for name, _ in places), places=places)
    others = replace(container, project="other", name="others")
    there = Inventory("registry", (container, others), (volume(ANONYMOUS), volume("registry_data", "registry")))
    (left,) = there.anonymous
    assert str(left) == f"/anonymous of registry-registry-1 (volume {ANONYMOUS})"
    assert DownPlan((), (), loses_images=False, anonymous=there.anonymous).needs_yes
    assert not DownPlan((), (), loses_images=False).needs_yes


@dataclass
class Stopping(FakeContainers):
    """The registry runs, the frontend has ended; what is asked of them is kept."""

    done: list[tuple[str, ...]] = field(default_factory=list)

    def stop(self, containers: Iterable[str]) -> None:
        self.done.append(("stop", *containers))

    def remove(self, containers: Iterable[str]) -> None:
        self.done.append(("rm", *containers))


class Stopped(FakeEngine):
    """What is asked of an engine whose registry runs."""

    def __init__(self, failure: EngineError | None = None) -> None:
        self.done: list[tuple[str, ...]] = []
        done = self.done

        class Hooks(Compose):
            def stop(self, project: Project, services: Sequence[str], *, grace: int | None = None) -> None:
                done.append(("compose stop", *services))
                if failure:
                    raise failure

        super().__init__(containers=Stopping(done=done), compose=Hooks(NoClient()))


GOING = (service_container("frontend", "exited"), service_container("registry", "running"))


@pytest.mark.parametrize("hooks", [{"registry"}, {"frontend"}, set()])
def test_compose_stops_a_running_service_with_hooks_before_anything_is_removed(tmp_path: Path, hooks: set[str]) -> None:
    engine = Stopped()
    stack = Stack(Settings(), Deployment("registry", tmp_path), engine)
    remove_containers(stack, GOING, frozenset(hooks), lambda _: None)
    by_compose = [("compose stop", "frontend", "registry")] if "registry" in hooks else []
    assert engine.done == [
        *by_compose,
        ("stop", "id of frontend"),
        ("stop", "id of registry"),
        ("rm", "id of frontend", "id of registry"),
    ]


def test_a_hook_that_fails_keeps_everything(tmp_path: Path) -> None:
    engine = Stopped(EngineError("registry hook exited with status 3"))
    stack = Stack(Settings(), Deployment("registry", tmp_path), engine)
    with pytest.raises(EngineError, match=r"registry hook exited with status 3\. Nothing was removed") as caught:
        remove_containers(stack, GOING, frozenset({"registry"}), lambda _: None)
    assert str(tmp_path / "compose.override.yaml") in caught.value.advice[0]
    assert engine.done == [("compose stop", "frontend", "registry")]


def test_our_own_helper_keeps_no_volume() -> None:
    helper = replace(NOBODYS, helper_of=FOLDER, volumes=frozenset({"registry_data"}))
    there = Inventory("registry", (helper,), (volume("registry_data", "registry"),))
    assert isinstance(only(look(there).volumes()), ToRemove)


def test_a_network_with_anothers_container_stays() -> None:
    network = Network("id", "registry_default", "registry")
    busy = replace(NOBODYS, networks=frozenset({"registry_default"}))
    assert isinstance(only(look(Inventory("registry", (), (), (network,))).networks(unknown=True)), ToRemove)
    kept = only(look(Inventory("registry", (busy,), (), (network,))).networks(unknown=True))
    assert kept == "network registry_default (used by the container other)"
    foreign = replace(network, project="other")
    assert list(look(Inventory("registry", (), (), (foreign,))).networks(unknown=True)) == []


def test_a_network_that_only_carries_the_label_goes_with_a_yes_alone() -> None:
    network = Network("id", "registry_other", "registry")
    there = Inventory("registry", (), (), (network,))
    kept = only(look(there).networks(unknown=False))
    assert str(kept).startswith("network registry_other (possibly not created by `up`;")
    asked = only(look(there).networks(unknown=True))
    assert isinstance(asked, ToRemove)
    assert asked.was_found
    made = Owned(made=frozenset({Resource(ResourceKind.NETWORK, network.name)}))
    used = Inventory("registry", (replace(OURS, networks=frozenset({network.name})),), (), (network,))
    for known in (look(there, owned=made), look(there, unrecorded=True), look(used)):
        assert isinstance(only(known.networks(unknown=False)), ToRemove)


def test_only_what_deployer_wrote_goes_from_its_folder(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path / "registry")
    written = ("registry/config.yaml", "frontend/Caddyfile", "frontend/gate/closed", "frontend/.Caddyfile.a1b2c3d4")
    beside = ("users", ".users.a1b2c3d4", "compose.yaml", ".lock")
    mine = ("registry/mine.tar", "frontend/page/mine.html", "notes", "compose.override.yaml", "registry/.mine.a1b2c3d4")
    for path in (*written, *beside, *mine):
        file = deployment.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("content")
    owned = Owned(files=frozenset({"registry/config.yaml", "frontend/Caddyfile", "compose.yaml"}))
    deployment.owned_file.write_bytes(owned.content)
    stack = Stack(Settings(), deployment, Engine(Client({})))
    found = list(down_plan._files(stack))
    going = [one.name for one in found if isinstance(one, ToRemove)]
    assert set(going) == {*written, *beside, "owned.json"}
    assert all(one.kind is ResourceKind.FILE for one in found if isinstance(one, ToRemove))
    assert found[-1] == f"3 files in {deployment.directory} that deployer did not write"
    # Interrupted anywhere, what reports about the rest is there to the end.
    assert going[-3:] == ["compose.yaml", "owned.json", ".lock"]


def test_what_leads_to_the_backups_stays_and_that_is_told(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path / "registry")
    files = (deployment.backup_password_file, deployment.backups_file, deployment.drill_results_file)
    for file in (*files, deployment.runs_directory / "1.log", deployment.upkeep_state_file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("content")
    found = list(down_plan._files(Stack(Settings(), deployment, Engine(Client({})))))
    assert [one.partition(" (")[0] for one in found if isinstance(one, str)] == list(map(str, files))
    going = [one.name for one in found if isinstance(one, ToRemove)]
    assert going == ["frontend/upkeep/state.json", "runs/1.log"]


def test_a_changed_override_file_stays_and_that_is_told(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    stack = Stack(Settings(), deployment, Engine(Client({})))
    deployment.override_file.write_bytes(snippets.override().content)
    assert [one.name for one in down_plan._files(stack) if isinstance(one, ToRemove)] == ["compose.override.yaml"]
    deployment.override_file.write_text("services: {}\n")
    assert list(down_plan._files(stack)) == [f"{deployment.override_file} (changed by you; the next `up` uses it)"]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"", 0),
        (b"# comment\n\nann:HASH\nbob:HASH\n", 2),
        (b"ann:HASH\nsomething damaged\n", 1),
        (b"ann:HASH\n\xff\xfe\n", 1),
    ],
)
def test_users_are_counted_and_not_the_lines_of_their_file(tmp_path: Path, content: bytes, count: int) -> None:
    deployment = Deployment("registry", tmp_path)
    assert down_plan._count_users(deployment) == 0
    deployment.users_file.write_bytes(content.replace(b"HASH", b"$2y$10$" + b"a" * 53))
    assert down_plan._count_users(deployment) == count


def test_a_file_that_was_changed_since_is_another(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("one")
    before = down_plan._state(file)
    assert down_plan._state(file) == before
    file.write_text("one and two")
    assert down_plan._state(file) != before


def test_a_compose_file_of_the_users_own_stays(tmp_path: Path) -> None:
    """Written there before the first `up`."""
    deployment = Deployment("registry", tmp_path)
    deployment.compose_file.write_text("services: {mine: {image: mine}}\n")
    found = list(down_plan._files(Stack(Settings(), deployment, Engine(Client({})))))
    assert found == [f"1 file in {tmp_path} that deployer did not write"]


@pytest.mark.parametrize("is_link", [False, True])
def test_of_empty_folders_only_deployers_own_go(tmp_path: Path, *, is_link: bool) -> None:
    root = tmp_path / "registry"
    if is_link:
        (tmp_path / "disk").mkdir()
        root.symlink_to(tmp_path / "disk")
    for path in ("registry", "frontend/gate", "frontend/page/assets", "data/docker/_uploads", "mine/empty"):
        (root / path).mkdir(parents=True)
    (root / "frontend/away").symlink_to(tmp_path)
    settings = Settings(registry=RegistrySettings(data=str(root / "data")))
    down._remove_empty_folders(Stack(settings, Deployment("registry", root), Engine(Client({}))))
    left = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    assert left == {"frontend", "frontend/away", "data", "data/docker", "data/docker/_uploads", "mine", "mine/empty"}


def test_a_link_to_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "registry").symlink_to(tmp_path / "disk")
    deployment = Deployment("registry", tmp_path / "registry")
    down._remove_empty_folders(Stack(Settings(), deployment, Engine(Client({}))))
    assert (tmp_path / "registry").is_symlink()
