from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host import names
from deployer.host.daemon.kind import EngineKind
from deployer.host.daemon.process import Machine
from deployer.host.programs import Finished
from deployer.rendering import snippets
from deployer.workflows.trust import insecure
from deployer.workflows.trust.engine_view import EngineView
from tests.support.written import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"
LOOPBACK = "127.0.0.0/8"
NOW = datetime(2026, 1, 2, 12, 30, 59, tzinfo=UTC)


@dataclass(frozen=True)
class ManifestSummary:
    version: str = "28.5.2"
    kind: EngineKind = EngineKind.SYSTEM
    endpoint: str = "unix:///srv/docker.sock"


@dataclass(frozen=True)
class Trusted:
    hosts: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = (LOOPBACK,)


@dataclass
class World:
    """A machine with one dockerd; a signal makes it take over what `after_reload` says."""

    root: Path
    facts: ManifestSummary | None = field(default_factory=ManifestSummary)
    trusted: Trusted = field(default_factory=Trusted)
    after_reload: Trusted | None = None
    arguments: tuple[str, ...] = ()
    unavailable_reason: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    signals: list[tuple[int, int]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    validation: Finished | None = None
    help: str = ""
    polls_needed: int = 0

    @property
    def file(self) -> Path:
        return self.root / "daemon.json"

    def signal(self, pid: int, number: int) -> None:
        self.signals.append((pid, number))

    def registries(self) -> Trusted:
        if self.signals and self.after_reload and len(self.slept) >= self.polls_needed:
            return self.after_reload
        return self.trusted

    def run(self, command: object) -> Finished:
        if self.validation is None:
            return Finished(0, self.help)
        return Finished(0, "--validate") if "--help" in str(command) else self.validation

    @property
    def machine(self) -> Machine:
        process = self.root / "proc" / "7"
        process.mkdir(parents=True, exist_ok=True)
        (process / "comm").write_text("dockerd")
        words = ("dockerd", "--config-file", str(self.file), *self.arguments)
        (process / "cmdline").write_text("\0".join(words))
        (self.root / "sbin").mkdir(exist_ok=True)
        (self.root / "sbin" / "dockerd").touch(mode=0o755)
        return Machine(
            environment=self.environment,
            platform="linux",
            processes=self.root / "proc",
            pid_file=self.root / "none.pid",
            owner=lambda path: 7,
            run=self.run,
            signal=self.signal,
            program_folders=(str(self.root / "sbin"),),
        )

    @property
    def engine(self) -> EngineView:
        return EngineView(self.facts, self.registries, self.unavailable_reason)

    def plan(self, *, remove: bool = False, file: Path | None = None, address: str = ADDRESS) -> insecure.DaemonPlan:
        request = insecure.DaemonRequest(address, snippets.daemon_snippet(address), remove, file)
        return insecure.plan(request, self.machine, self.engine)

    def apply(self, plan: insecure.DaemonPlan) -> insecure.DaemonOutcome:
        return insecure.apply(plan, self.machine, self.engine, lambda: NOW, self.slept.append)

    def go(self, *, remove: bool = False, file: Path | None = None, address: str = ADDRESS) -> insecure.DaemonOutcome:
        return self.apply(self.plan(remove=remove, file=file, address=address))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, after_reload=Trusted(hosts=(ADDRESS,)))


def test_the_entry_is_added_and_the_daemon_reads_it(world: World) -> None:
    world.file.write_text('{"debug": true}')
    outcome = world.go()
    assert world.file.read_text() == '{"debug": true, "insecure-registries": ["192.168.100.2:5000"]}'
    assert world.signals == [(7, signal.SIGHUP)]
    assert outcome.reloaded == "kill -HUP 7"
    assert (outcome.effective, outcome.accepted, outcome.problem, outcome.advice) == (True, True, "", ())
    assert outcome.backup is not None
    assert outcome.backup.read_text() == '{"debug": true}'


def test_a_proxys_password_beside_the_entry_is_not_shown(world: World) -> None:
    world.file.write_text('{\n  "proxies": {"https-proxy": "http://ann:s3cret@proxy:3128"}\n}\n')
    plan = world.plan()
    assert "proxy:3128" in plan.diff
    assert "s3cret" not in plan.diff
    world.apply(plan)
    assert "ann:s3cret@" in world.file.read_text()


def test_planning_alone_changes_nothing(world: World) -> None:
    world.file.write_text("{}")
    plan = world.plan()
    assert plan.changes
    assert f'+{{"insecure-registries": ["{ADDRESS}"]}}' in plan.diff
    assert world.file.read_text() == "{}"
    assert sorted(entry.name for entry in world.root.iterdir()) == ["daemon.json", "proc", "sbin"]
    assert world.signals == []


def test_the_second_run_changes_nothing_and_does_not_reload(world: World) -> None:
    world.go()
    world.trusted = Trusted(hosts=(ADDRESS,))
    before = written(world.file)
    again = world.go()
    assert not again.plan.changes
    assert again.effective is True
    assert again.reloaded == ""
    assert again.backup is None
    assert len(world.signals) == 1
    assert written(world.file) == before


def test_a_file_that_the_daemon_has_not_read_yet_is_reloaded(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"]}}')
    outcome = world.go()
    assert not outcome.plan.changes
    assert world.signals == [(7, signal.SIGHUP)]
    assert outcome.effective is True


@pytest.mark.parametrize(
    ("listed", "present"),
    [
        (ADDRESS, ADDRESS),
        (f"http://{ADDRESS}", f"http://{ADDRESS}"),
        ("192.168.0.0/16", "192.168.0.0/16"),
        ("192.168.100.7/24", "192.168.100.7/24"),
        # Docker compares a name with its port, so neither of these counts for it.
        ("192.168.100.2", ""),
        ("192.168.100.2:5001", ""),
        ("192.168.200.0/24", ""),
    ],
)
def test_what_counts_as_listed(world: World, listed: str, present: str) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{listed}"]}}')
    plan = world.plan()
    assert plan.present == present
    assert plan.changes is not bool(present)


def test_a_name_is_looked_up_for_a_network_as_docker_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"reg.internal": ("fd00::1", "172.17.0.1")}
    monkeypatch.setattr(names, "addresses", lambda name: known.get(name, ()))
    content = '{"insecure-registries": ["172.17.0.0/16"]}'
    world.file.write_text(content)
    world.trusted = Trusted((), ("172.17.0.0/16",))
    assert world.plan(address="reg.internal:5000").present == "172.17.0.0/16"
    assert world.go(address="reg.internal:5000").accepted is True
    assert world.plan(address="other.internal:5000").changes
    assert insecure.accepts(world.trusted, "reg.internal:5000")
    # On another machine the name may have other addresses.
    assert not insecure.accepts(world.trusted, "reg.internal:5000", is_here=False)
    other = world.root / "other.json"
    other.write_text(content)
    assert world.plan(address="reg.internal:5000", file=other).changes


def test_what_a_name_has_here() -> None:
    assert "127.0.0.1" in names.addresses("localhost")
    assert names.addresses("127.0.0.9") == ("127.0.0.9",)
    assert names.addresses("a..b") == ()


def test_a_slow_reload_is_waited_for(world: World) -> None:
    world.polls_needed = 3
    assert world.go().effective is True
    assert len(world.slept) == 3


def test_a_reload_without_effect_of_a_file_that_was_checked_means_a_restart(world: World) -> None:
    world.after_reload, world.validation = None, Finished(0, "configuration OK")
    outcome = world.go()
    assert outcome.effective is False
    assert outcome.problem.startswith("a restart is needed, because it reloaded the file")
    assert outcome.advice == (f"sudo kill 7, and then start it again: sudo dockerd --config-file {world.file}",)
    assert 0 < sum(world.slept) <= 10


def test_a_restart_is_not_advised_for_a_file_that_docker_may_have_rejected(world: World) -> None:
    world.after_reload = None
    for _ in ("changed", "as it is"):
        outcome = world.go()
        assert (outcome.effective, outcome.validated) == (False, False)
        assert "it probably rejected the file when it reloaded it, and would then not start" in outcome.problem
        assert outcome.advice == (
            "See the log of dockerd (process 7).",
            "Do not restart Docker until the cause is found and corrected.",
        )


def test_a_list_that_is_not_in_the_file_goes_with_a_restart(world: World) -> None:
    world.file.write_text('{"debug": true}')
    world.trusted, world.after_reload = Trusted((ADDRESS,)), None
    outcome = world.go(remove=True)
    assert outcome.problem == (
        "a restart is needed, because Docker keeps the list that it has when the file names none"
    )
    assert outcome.advice[0].startswith("sudo kill 7, and then start it again")


def test_a_file_that_dockerd_rejects_as_it_is_is_told(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"], "bip": "x"}}')
    world.validation = Finished(1, "invalid CIDR address")
    with pytest.raises(HostError, match=r"dockerd rejects .*daemon\.json, and would not start with it"):
        world.go()
    assert world.signals == []


OLD = "      --debug\n  -H, --host list\n      --log-opt map\n"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{\n  "foo": 1\n}', '2:3: "foo" is not a known key of this Docker version'),
        ("\ufeff{}", "1:1: the file begins with a byte order mark"),
        ('{"insecure-registries": ["a:1",\n "172.17.0.1:1/"]}', '2:2: "insecure-registries" lists "172.17.0.1:1/"'),
        ('{"Insecure-Registries": ["a:1"]}', '1:2: "Insecure-Registries" differs from "insecure-registries" in case'),
        ('{"log-opts": {}, "config-file": ""}', '1:18: "config-file" is also given on dockerd\'s command line'),
    ],
)
def test_what_an_old_dockerd_would_not_start_with_is_named_with_its_place(
    world: World, content: str, place: str
) -> None:
    world.file.write_text(content)
    world.help = OLD
    with pytest.raises(HostError) as caught:
        world.plan()
    assert f"{world.file}:{place}" in caught.value.message
    assert caught.value.advice == ("Correct it and run the command again. The file was not changed.",)
    assert world.file.read_text() == content
    # Nothing to remove, so it is no matter to this command.
    assert not world.plan(remove=True).changes


def test_removing_is_refused_where_docker_would_not_read_the_file_again(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"], "foo": 1}}')
    world.help = OLD
    with pytest.raises(HostError, match='1:49: "foo" is not a known key of this Docker version'):
        world.plan(remove=True)


def test_what_only_this_dockerd_does_not_know_is_no_matter_in_another_file(world: World) -> None:
    world.help = OLD
    other = world.root / "other.json"
    other.write_text('\ufeff{"foo": 1, "config-file": ""}')
    assert world.plan(file=other).changes
    other.write_text('{"insecure-registries": [""]}')
    with pytest.raises(HostError, match='1:26: "insecure-registries" lists "", which is blank'):
        world.plan(file=other)


def test_whether_the_file_can_be_checked_is_known_before(world: World) -> None:
    assert world.plan().unvalidated == "this dockerd cannot check it (--validate came with Docker 23.0)"
    world.validation = Finished(0, "configuration OK")
    assert world.plan().unvalidated == ""


@pytest.mark.parametrize(
    ("version", "restart"),
    [
        ("20.10.24+dfsg1", False),
        ("23.0.0", True),
        ("23.0.6", True),
        ("23.0.7", False),
        ("24.0.0", True),
        ("24.0.1", False),
        ("28.5.2", False),
        ("master", False),
    ],
)
def test_versions_that_forget_beside_mirrors_are_not_reloaded(world: World, version: str, restart: bool) -> None:
    world.file.write_text('{"registry-mirrors": ["https://mirror.example"]}')
    world.facts = ManifestSummary(version=version)
    outcome = world.go()
    assert outcome.effective is not restart
    assert bool(world.signals) is not restart
    if restart:
        assert f"Docker {version} forgets" in outcome.problem


def test_without_mirrors_those_versions_are_reloaded(world: World) -> None:
    world.facts = ManifestSummary(version="23.0.5")
    world.file.write_text('{"registry-mirrors": []}')
    assert world.go().effective is True


def test_without_an_engine_the_file_is_written_all_the_same(world: World) -> None:
    world.facts, world.unavailable_reason = None, "No Docker engine is running on this machine."
    world.environment["DOCKER_HOST"] = "unix:///srv/docker.sock"
    outcome = world.go()
    assert ADDRESS in world.file.read_text()
    assert (outcome.plan.step, outcome.plan.reason) == ("start", "No Docker engine is running on this machine.")
    assert outcome.effective is None
    assert world.signals == []


def test_desktop_cannot_be_signalled(world: World) -> None:
    world.facts = ManifestSummary(kind=EngineKind.DESKTOP)
    world.environment["HOME"] = str(world.root)
    outcome = world.go()
    assert outcome.plan.file.path == world.root / ".docker" / "daemon.json"
    assert outcome.effective is False
    assert outcome.advice[0].startswith("docker desktop restart")
    assert world.signals == []


def test_in_wsl_the_file_of_desktop_is_on_the_windows_side(world: World) -> None:
    world.facts = ManifestSummary(kind=EngineKind.DESKTOP)
    world.environment["WSL_DISTRO_NAME"] = "Debian"
    with pytest.raises(HostError, match="Windows side") as caught:
        world.plan()
    assert "--file /mnt/c/Users" in caught.value.advice[0]
    assert world.plan(file=world.root / "named.json").changes


def test_an_engine_on_another_machine_has_its_file_there(world: World) -> None:
    world.facts = ManifestSummary(endpoint="tcp://build.example:2376")
    with pytest.raises(HostError, match=r"another machine \(tcp://build.example:2376\)"):
        world.plan()
    outcome = world.go(file=world.file)
    assert ADDRESS in world.file.read_text()
    assert outcome.effective is None
    assert world.signals == []


def test_another_file_than_the_engines_is_written_and_nobody_is_told(world: World) -> None:
    other = world.root / "other.json"
    outcome = world.go(file=other)
    assert ADDRESS in other.read_text()
    assert not world.file.exists()
    assert world.signals == []
    assert outcome.effective is None
    assert str(world.file) in outcome.plan.reason


def test_a_link_to_the_engines_file_is_the_engines_file(world: World) -> None:
    world.file.write_text("{}")
    link = world.root / "link.json"
    link.symlink_to(world.file)
    assert world.go(file=link).effective is True


def test_a_daemon_that_cannot_be_seen_is_not_signalled(world: World) -> None:
    outcome = world.apply(replace(world.plan(), daemon=None))
    assert outcome.effective is False
    assert "is not visible" in outcome.problem
    assert outcome.advice == ("sudo systemctl reload docker",)


def test_a_daemon_that_may_not_be_signalled_leaves_the_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(pid: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(world, "signal", forbid)
    outcome = world.go()
    assert ADDRESS in world.file.read_text()
    assert outcome.effective is False
    assert "Operation not permitted" in outcome.problem
    assert outcome.advice == ("sudo kill -HUP 7",)


def test_a_flag_on_the_command_line_forbids_the_key(world: World) -> None:
    world.arguments = ("--insecure-registry", "a:1")
    world.file.write_text("{}")
    with pytest.raises(HostError, match="started with --insecure-registry a:1") as caught:
        world.plan()
    assert caught.value.advice[0] == f"Add it where dockerd is started: --insecure-registry {ADDRESS}"
    assert world.file.read_text() == "{}"


@pytest.mark.parametrize("flag", [ADDRESS, "192.168.0.0/16"])
def test_a_flag_that_covers_the_address_is_enough(world: World, flag: str) -> None:
    world.arguments = (f"--insecure-registry={flag}",)
    world.trusted = Trusted(hosts=(ADDRESS,))
    outcome = world.go()
    assert not outcome.plan.changes
    assert outcome.plan.present == flag
    assert not world.file.exists()


def test_a_flag_is_not_removed_from_the_file(world: World) -> None:
    world.arguments = ("--insecure-registry", ADDRESS)
    with pytest.raises(HostError) as caught:
        world.plan(remove=True)
    assert caught.value.advice[0].startswith("Remove it where dockerd is started")


def test_what_dockerd_would_refuse_is_not_written(world: World) -> None:
    world.validation = Finished(1, "unable to configure")
    world.file.write_text('{"wrong": 1}')
    with pytest.raises(HostError, match="rejects"):
        world.go()
    assert world.file.read_text() == '{"wrong": 1}'
    assert list(world.root.glob("daemon.json.backup-*")) == []
    assert world.signals == []


@pytest.mark.parametrize(("validation", "validated"), [(Finished(0, "configuration OK"), True), (None, False)])
def test_whether_dockerd_checked_the_file_is_told(world: World, validation: Finished | None, validated: bool) -> None:
    world.validation = validation
    assert world.go().validated is validated


def test_a_broken_file_is_refused_with_its_place(world: World) -> None:
    world.file.write_text('{\n  "debug": true, // mine\n}')
    with pytest.raises(HostError, match=r"daemon.json:2:18: a comment starts here"):
        world.plan()


def test_removing_leaves_an_empty_list(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"]}}')
    world.trusted, world.after_reload = Trusted(hosts=(ADDRESS,)), Trusted()
    outcome = world.go(remove=True)
    assert world.file.read_text() == '{"insecure-registries": []}'
    assert (outcome.effective, outcome.accepted, outcome.loopback_lost) == (True, False, False)


def test_removing_what_is_not_there_changes_nothing(world: World) -> None:
    world.file.write_text('{"insecure-registries": ["a:1"]}')
    outcome = world.go(remove=True)
    assert not outcome.plan.changes
    assert outcome.effective is True
    assert world.signals == []


def test_removing_beside_a_network_says_that_docker_still_accepts_it(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["192.168.0.0/16", "{ADDRESS}"]}}')
    world.trusted = Trusted((ADDRESS,), ("192.168.0.0/16", LOOPBACK))
    world.after_reload = Trusted((), ("192.168.0.0/16", LOOPBACK))
    outcome = world.go(remove=True)
    assert (outcome.effective, outcome.accepted) == (True, True)


def test_losing_local_registries_by_adding_is_told(world: World) -> None:
    world.after_reload = Trusted((ADDRESS,), ())
    assert world.go().loopback_lost is True
    world.trusted = world.after_reload
    assert world.go().loopback_lost is False


def test_losing_local_registries_by_removing_is_told(world: World) -> None:
    world.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"]}}')
    world.trusted, world.after_reload = Trusted((ADDRESS,), ()), Trusted((), ())
    assert world.go(remove=True).loopback_lost is True


@pytest.mark.parametrize(
    ("address", "trusted", "expected"),
    [
        ("localhost:5000", Trusted(), True),
        ("registry.localhost:5000", Trusted(), True),
        ("127.0.0.9:5000", Trusted(), True),
        ("[::1]:5000", Trusted(), False),
        ("[::1]:5000", Trusted((), (LOOPBACK, "::1/128")), True),
        ("localhost:5000", Trusted((), ()), False),
        ("localhost:5000", Trusted(("localhost:5000",), ()), False),
    ],
)
def test_whether_a_local_registry_needs_an_entry_is_asked_of_the_engine(
    world: World, address: str, trusted: Trusted, expected: bool
) -> None:
    world.trusted = trusted
    assert insecure.needs_no_entry(address, world.engine) is expected
    world.facts = None
    assert insecure.needs_no_entry(address, world.engine) is True


def test_an_engine_is_not_asked_when_none_answers(world: World) -> None:
    def fail() -> Trusted:
        raise AssertionError("asked")

    world.facts = None
    world.environment["DOCKER_HOST"] = "unix:///srv/docker.sock"
    asked: Callable[[], Trusted] = fail
    engine = EngineView(None, asked, "Silence.")
    request = insecure.DaemonRequest(ADDRESS, snippets.daemon_snippet(ADDRESS))
    plan = insecure.plan(request, world.machine, engine)
    assert insecure.apply(plan, world.machine, engine, lambda: NOW, world.slept.append).effective is None
