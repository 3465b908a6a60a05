"""What doctor looks for around an engine: contexts, plugins, options, addresses, proxies and clocks."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployer.engine.report import AddressPool, EngineReport, Plugin, plugins_of
from deployer.engine.resources import Networks
from deployer.engine.system import EngineInfo
from deployer.engine.values import InsecureRegistries
from deployer.errors import LateAnswer
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.checks import preflight
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis import (
    client_findings,
    clock_findings,
    option_findings,
    proxy_findings,
    reachability_findings,
)
from deployer.workflows.diagnosis.examined import Examined
from tests.support.fake_engine import FACTS, FakeContainers, FakeEngine, FakeSystem
from tests.support.fake_registry import Reply, serving
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from deployer.workflows.finding import Finding

NOW = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)
POOLS = [{"Base": "10.9.0.0/16", "Size": 17}]


@dataclass
class Told(FakeSystem):
    """What an engine reports about itself."""

    answer: dict[str, Any] = field(default_factory=dict)
    found: tuple[Plugin, ...] = ()

    def info(self) -> EngineInfo:
        return EngineInfo(self.facts, EngineReport.of(self.answer), InsecureRegistries((), ()))

    def plugins(self) -> tuple[Plugin, ...]:
        return self.found


class Telling(FakeEngine):
    """An engine that reports about itself what a test puts in, and that has no containers."""

    def __init__(
        self,
        *,
        info: Mapping[str, Any] | None = None,
        found: tuple[Plugin, ...] = (),
        subnets: tuple[str, ...] = ("172.17.0.0/16",),
        **facts: str,
    ) -> None:
        told = Told(facts=replace(FACTS, **facts), answer=dict(info or {}), found=found)  # type: ignore[arg-type]
        super().__init__(system=told, containers=FakeContainers())

        class Given(Networks):
            def subnets(self) -> tuple[str, ...]:
                return subnets

        self.networks = Given(self.client)


@dataclass
class Machine:
    folder: Path

    def told(
        self,
        look: Callable[[Examined], Iterator[Finding]],
        engine: Telling | None = None,
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> list[Finding]:
        variables = {"HOME": str(self.folder), **(environment or {})}
        deployment = Deployment.of("registry", variables)
        stack = Stack(settings or Settings(), deployment, engine or Telling(), now=lambda: NOW)
        return list(look(Examined(stack, variables, named=False)))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(preflight, "check_disk", lambda *_: None)
    for family in (clock_findings, reachability_findings):
        monkeypatch.setattr(family, "_PATIENCE_SECONDS", PATIENCE_SECONDS)
    return Machine(tmp_path)


# -- what chooses the engine


@pytest.mark.parametrize(
    ("environment", "current", "words", "advice"),
    [
        ({"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "b"}, "", "uses tcp://a:1, not the", "unset DOCKER_C"),
        ({"DOCKER_HOST": "tcp://a:1"}, "mine", "uses it instead of the context mine", "unset DOCKER_HOST"),
        ({"DOCKER_CONTEXT": "b"}, "mine", "DOCKER_CONTEXT is set to b", "unset DOCKER_CONTEXT"),
    ],
)
def test_what_is_set_and_does_not_count(
    machine: Machine, environment: dict[str, str], current: str, words: str, advice: str
) -> None:
    (machine.folder / ".docker").mkdir()
    (machine.folder / ".docker/config.json").write_text(f'{{"currentContext": "{current}"}}')
    [found] = machine.told(client_findings.choice, environment=environment)
    assert (found.state, words in found.sentence) == ("note", True), found
    assert found.advice[0].startswith(advice)


@pytest.mark.parametrize(
    ("environment", "config"),
    [
        ({}, '{"currentContext": "mine"}'),
        ({"DOCKER_HOST": "tcp://a:1"}, "{}"),
        ({"DOCKER_HOST": "tcp://a:1"}, "{damaged"),
    ],
)
def test_one_choice_alone_is_no_finding(machine: Machine, environment: dict[str, str], config: str) -> None:
    (machine.folder / ".docker").mkdir()
    (machine.folder / ".docker/config.json").write_text(config)
    assert machine.told(client_findings.choice, environment=environment) == []


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{"experimental": true}', "some versions of Docker read no password from it: 'experimental' must be a string"),
        ('{"psFormat": 5}', "and Docker reads no password from it: 'psFormat' must be a string"),
        ('{"experimental": "enabled"}', ""),
        ("{damaged", ""),
    ],
)
def test_a_value_of_the_wrong_type_in_dockers_configuration_is_noted(machine: Machine, config: str, told: str) -> None:
    (machine.folder / ".docker").mkdir()
    (machine.folder / ".docker/config.json").write_text(config)
    found = machine.told(client_findings.logins)
    assert [(one.state, told in one.sentence) for one in found] == ([("note", True)] if told else [])


# -- plugins


def test_plugins_are_told_as_docker_info_tells_them() -> None:
    told = {"Plugins": [
        {"Name": "compose", "Path": "/home/a/docker-compose", "Err": "exec format error", "ShadowedPaths": ["/usr/x"]},
        {"Name": "buildx", "Path": "/usr/b", "Version": "v0.20.0", "Err": {}},
        {"Name": "scout", "Path": "/usr/s", "Version": "v1"},
    ]}  # fmt: skip
    compose, buildx, scout = plugins_of(told)
    assert compose == Plugin("compose", "", "/home/a/docker-compose", "exec format error", ("/usr/x",))
    assert buildx.error == "it does not respond like a plugin"
    assert scout.error == ""


def test_a_compose_plugin_that_does_not_run_is_wrong_and_what_it_hides_is_named(machine: Machine) -> None:
    broken = Plugin("compose", "", "/home/a/docker-compose", "exec format error", ("/usr/x/docker-compose",))
    [found] = machine.told(client_findings.examine, Telling(found=(broken,)))
    assert found.state == "wrong"
    assert "It hides /usr/x/docker-compose." in found.sentence
    assert found.advice[0].startswith("mv /home/a/docker-compose /home/a/docker-compose.old")
    assert found.original == "/home/a/docker-compose: exec format error"


def test_other_plugins_are_the_users_own_affair(machine: Machine) -> None:
    broken = Plugin("buildx", "", "/usr/b", "exit status 3", ())
    [found] = machine.told(client_findings.examine, Telling(found=(broken, Plugin("scout", "v1", "/usr/s", "", ()))))
    assert (found.state, "not needed by deployer" in found.sentence) == ("note", True)


def test_several_compose_plugins_are_told(machine: Machine) -> None:
    several = Plugin("compose", "v2.40.3", "/home/a/docker-compose", "", ("/usr/x/docker-compose",))
    [found] = machine.told(client_findings.examine, Telling(found=(several,)))
    assert "/home/a/docker-compose (v2.40.3) is used, /usr/x/docker-compose is not" in found.sentence


def test_an_engine_that_takes_no_ipv6_name_hides_no_plugin(machine: Machine) -> None:
    """The name itself is told with the engine's options."""
    broken = Plugin("buildx", "", "/usr/b", "exit status 3", ())
    engine, settings = Telling(found=(broken,), version="20.10.24"), Settings(host="::1")
    assert machine.told(option_findings.examine, engine, settings=settings)[0].state == "wrong"
    [found] = machine.told(client_findings.examine, engine, settings=settings)
    assert "The Docker plugin buildx cannot be run" in found.sentence


def test_what_changes_a_push_or_pull_is_told_once(machine: Machine) -> None:
    [found] = machine.told(client_findings.examine, environment={"DOCKER_DEFAULT_PLATFORM": "linux/arm64"})
    assert "linux/arm64" in found.sentence


# -- options of the engine


def test_options_that_matter_are_told(machine: Machine) -> None:
    info = {
        "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
        "LiveRestoreEnabled": True,
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    }
    [found] = machine.told(option_findings.examine, Telling(info=info))
    assert found.state == "ok"
    assert "userns-remap" in found.sentence
    assert "live-restore" in found.sentence
    assert "containerd's image store" in found.sentence


def test_an_ordinary_engine_needs_no_words(machine: Machine) -> None:
    info = {
        "SecurityOptions": ["name=seccomp"],
        "Warnings": ["WARNING: No swap limit support"],
        "DriverStatus": [["a", "b"]],
    }
    assert machine.told(option_findings.examine, Telling(info=info)) == []


def test_a_rootless_engine_that_ends_with_its_user(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    lingering = machine.folder / "linger"
    monkeypatch.setattr(option_findings, "_LINGERING", lingering)
    engine = Telling(info={"SecurityOptions": ["name=rootless"]})
    lingering.mkdir()
    wrong = machine.told(option_findings.examine, engine, {"USER": "ann"})[-1]
    assert (wrong.state, wrong.advice) == ("wrong", ("sudo loginctl enable-linger ann",))
    (lingering / "ann").touch()
    assert [one.state for one in machine.told(option_findings.examine, engine, {"USER": "ann"})] == ["ok"]


@pytest.mark.parametrize(
    ("warning", "words"),
    [
        ("WARNING: API is accessible on http://0.0.0.0:2375 without encryption.", "open to the network"),
        ("[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption.", "open to the network"),
        ("WARNING: IPv4 forwarding is disabled", "IPv4 forwarding is off"),
    ],
)
def test_warnings_that_matter_to_a_registry(machine: Machine, warning: str, words: str) -> None:
    [found] = machine.told(option_findings.examine, Telling(info={"Warnings": [warning]}))
    assert (found.state, words in found.sentence) == ("wrong", True)


@pytest.mark.parametrize(
    ("pools", "taken", "free"),
    [
        ((AddressPool("10.9.0.0/16", 17),), ("10.9.0.0/17", "10.9.128.0/17"), False),
        ((AddressPool("10.9.0.0/16", 17),), ("10.9.0.0/17",), True),
        ((AddressPool("10.9.0.0/16", 24),), ("10.0.0.0/8",), False),
        ((AddressPool("10.9.0.0/16", 24), AddressPool("10.10.0.0/24", 24)), ("10.9.0.0/16",), True),
        ((AddressPool("fd00::/64", 64), AddressPool("10.9.0.0/24", 24)), ("10.9.0.0/24", "fd00::/64"), False),
        (option_findings._DEFAULT_POOLS, ("172.16.0.0/12",), True),
        (option_findings._DEFAULT_POOLS, ("172.16.0.0/12", "192.168.0.0/16"), False),
    ],
)
def test_ranges_of_addresses(pools: tuple[AddressPool, ...], taken: tuple[str, ...], free: bool) -> None:
    assert option_findings.has_free_range(pools, taken) is free


def test_addresses_that_are_used_up(machine: Machine) -> None:
    engine = Telling(info={"DefaultAddressPools": POOLS}, subnets=("10.9.0.0/17", "10.9.128.0/17"))
    [found] = machine.told(option_findings.examine, engine)
    assert found.state == "wrong"
    assert found.advice[0].startswith("docker network ls --filter dangling=true")
    assert not any("prune" in advice for advice in found.advice)


@dataclass
class FullDisk:
    f_files: int = 1000
    f_favail: int = 3


def test_a_disk_that_takes_no_more_files(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployer.workflows.diagnosis.option_findings.os.statvfs", lambda _path: FullDisk())
    [found] = machine.told(option_findings.examine)
    assert (found.state, "is out of inodes" in found.sentence) == ("wrong", True)
    # An engine elsewhere has another machine's disk.
    assert machine.told(option_findings.examine, Telling(endpoint="tcp://192.0.2.1:2375")) == []


def test_an_engine_that_takes_no_ipv6_address_in_a_name(machine: Machine) -> None:
    six = Settings(host="::1")
    [found] = machine.told(option_findings.examine, Telling(version="20.10.24"), settings=six)
    assert (found.state, "does not accept IPv6 addresses" in found.sentence) == ("wrong", True)
    assert found.advice
    assert machine.told(option_findings.examine, Telling(), settings=six) == []


def test_a_runtime_under_which_services_do_not_meet(machine: Machine) -> None:
    [found] = machine.told(option_findings.examine, Telling(runtime="runsc"))
    assert (found.state, "runsc" in found.sentence) == ("note", True)


# -- proxies


OUTSIDE = Settings(host="registry.example", port=5000)


@pytest.mark.parametrize(
    ("theirs", "environment", "words"),
    [
        (
            {"HttpProxy": "http://u:secret@proxy:3128"},
            {},
            ["The Docker engine connects to registry.example:5000 through"],
        ),
        ({"HttpProxy": "http://proxy:3128", "NoProxy": "registry.example"}, {}, []),
        ({"HttpProxy": "http://proxy:3128", "NoProxy": "*"}, {}, []),
        ({"HttpsProxy": "http://proxy:3128"}, {}, []),
        (
            {},
            {"HTTP_PROXY": "http://u:secret@proxy:3128"},
            ["Requests to registry.example:5000 go through"],
        ),
        ({}, {"HTTPS_PROXY": "http://proxy:3128"}, ["the Docker engine has none"]),
        ({"HttpsProxy": "http://proxy:3128"}, {"HTTPS_PROXY": "http://proxy:3128"}, []),
        ({}, {}, []),
    ],
)
def test_proxies(machine: Machine, theirs: dict[str, str], environment: dict[str, str], words: list[str]) -> None:
    found = machine.told(proxy_findings.examine, Telling(info=theirs), environment, OUTSIDE)
    assert len(found) == len(words)
    for one, part in zip(found, words, strict=True):
        assert (one.state, part in one.sentence) == ("note", True), one
        assert "secret" not in str(one)


def test_this_machines_own_registry_is_behind_no_proxy(machine: Machine) -> None:
    info = {"HttpProxy": "http://proxy:3128"}
    assert machine.told(proxy_findings.examine, Telling(info=info), {"HTTP_PROXY": "http://proxy:3128"}) == []


# -- clocks


@pytest.mark.parametrize(("ahead", "wrong"), [(0, False), (90, False), (3600, True), (-86400, True)])
def test_the_engines_clock(machine: Machine, ahead: int, wrong: bool) -> None:
    time = (NOW + timedelta(seconds=ahead)).isoformat().replace("+00:00", ".36724253Z")
    found = machine.told(clock_findings.engine, Telling(info={"SystemTime": time}))
    assert [one.state for one in found] == (["wrong"] if wrong else [])
    assert not wrong or "The clock of the Docker engine says" in found[0].sentence


@pytest.mark.parametrize("time", ["", "nonsense", "2026-11-29T05:00:00"])
def test_an_engine_that_tells_no_time(machine: Machine, time: str) -> None:
    assert machine.told(clock_findings.engine, Telling(info={"SystemTime": time})) == []


def test_a_clock_that_was_set_back_is_seen_by_the_files(machine: Machine) -> None:
    file = Deployment.of("registry", {"HOME": str(machine.folder)}).compose_file
    file.parent.mkdir(parents=True)
    file.touch()
    os.utime(file, (NOW.timestamp() + 7200,) * 2)
    [found] = machine.told(clock_findings.engine)
    assert (found.state, "deployer wrote files at 2026-11-29 07:00" in found.sentence) == ("wrong", True)
    os.utime(file, (NOW.timestamp(),) * 2)
    assert machine.told(clock_findings.engine) == []


@pytest.mark.parametrize(
    ("date", "wrong"),
    [
        ("Sun, 29 Nov 2026 05:01:00 GMT", False),
        ("Sun, 29 Nov 2026 08:00:00 GMT", True),
        ("Thu, 01 Jan 1970 00:00:07 GMT", True),
        ("yesterday", False),
        ("", False),
    ],
)
def test_the_registrys_clock(machine: Machine, date: str, wrong: bool) -> None:
    headers = {"Docker-Distribution-API-Version": "registry/2.0", **({"Date": date} if date else {})}
    with serving(lambda *_: Reply(200, b"{}", headers)) as port:
        found = machine.told(clock_findings.registry, settings=Settings(port=port))
    assert [one.state for one in found] == (["wrong"] if wrong else [])


def test_a_registry_that_does_not_answer_has_no_clock(machine: Machine) -> None:
    assert machine.told(clock_findings.registry, settings=Settings(host="127.0.0.1", port=1)) == []


def test_a_registry_that_never_answers_is_waited_for_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability_findings, "_PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(clock_findings, "_PATIENCE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(host="127.0.0.1", port=silent.getsockname()[1])
        with pytest.raises(LateAnswer, match="did not respond within 2 seconds"):
            machine.told(reachability_findings.examine, settings=settings)
        assert machine.told(clock_findings.registry, settings=settings) == []
