"""What is in the way of `up`, told before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deployer.engine.compose import Compose
from deployer.engine.values import EngineFacts
from deployer.errors import EngineError, EngineUnavailable, PreflightError
from deployer.host.daemon.kind import EngineKind
from deployer.paths import Deployment
from deployer.record import Resource, ResourceKind
from deployer.settings.model import RegistrySettings, Settings
from deployer.workflows.checks import preflight
from tests.support.fake_engine import ENDPOINT, FakeEngine, FakeSystem, NoClient, service_container
from tests.support.run import free_port
from tools.machine import versions


def facts_of(engine_version: str = "28.5.2", compose: str = "2.40.3", place: str = ENDPOINT) -> EngineFacts:
    return EngineFacts(engine_version, "Debian", EngineKind.SYSTEM, place, "/", compose_version=compose)


def engine_of(engine_version: str = "28.5.2", compose: str = "2.40.3", place: str = ENDPOINT) -> FakeEngine:
    return FakeEngine(system=FakeSystem(facts=facts_of(engine_version, compose, place)))


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "28.5.2", "29.0.0-rc.1", "20.10.0"])
def test_an_engine_of_the_last_years_will_do(version: str) -> None:
    assert preflight.check_engine(engine_of(engine_version=version)).version == version


@pytest.mark.parametrize("version", ["19.03.15", "1.13.1", "20.9"])
def test_an_old_engine_is_told_with_its_version(version: str) -> None:
    with pytest.raises(EngineUnavailable, match=rf"is version {version}; deployer needs 20\.10 or newer"):
        preflight.check_engine(engine_of(engine_version=version))


@pytest.mark.parametrize("version", ["1.29.2", "2.0.1", "2.7.0"])
def test_an_old_compose_is_told_with_the_oldest_that_will_do(version: str) -> None:
    with pytest.raises(EngineUnavailable, match=rf"Docker Compose is version {version}; deployer needs 2\.8 or newer"):
        preflight.check_engine(engine_of(compose=version))


@pytest.mark.parametrize("version", ["2.8.0", "2.17.3", "2.26.1-4", "5.0.0"])
def test_a_compose_with_all_options_that_are_used_will_do(version: str) -> None:
    preflight.check_engine(engine_of(compose=version))


def test_the_tools_of_make_install_a_compose_that_will_do() -> None:
    assert versions.OLDEST_COMPOSE == preflight.OLDEST_COMPOSE


def test_versions_without_a_number_will_do() -> None:
    assert preflight.check_engine(engine_of(engine_version="dev", compose="dev")).version == "dev"


@pytest.mark.parametrize(
    ("printed", "reason"),
    [("Segmentation fault\n", "Segmentation fault"), ("", "it gave no reason"), ("a\nbad plugin.\n", "bad plugin")],
)
def test_a_compose_that_does_not_run_is_named(printed: str, reason: str) -> None:
    class Broken(Compose):
        def version(self) -> str:
            raise EngineError("Docker failed.", original=printed)

    with pytest.raises(EngineUnavailable, match=f"Docker's Compose plugin cannot be run: {reason}\\.") as caught:
        preflight.check_engine(FakeEngine(system=FakeSystem(facts=facts_of(compose="")), compose=Broken(NoClient())))
    assert caught.value.advice[0].startswith("docker compose version")


@pytest.mark.parametrize("place", ["ssh://me@server", "tcp://203.0.113.7:2375", "tcp://docker.example:2376"])
def test_an_engine_elsewhere_cannot_read_our_files(place: str) -> None:
    with pytest.raises(PreflightError, match="is on another machine"):
        preflight.check_engine(engine_of(place=place))


@pytest.mark.parametrize("place", ["npipe:////./pipe/docker_engine", "tcp://127.0.0.1:2375", "tcp://localhost:2375"])
def test_an_engine_here_by_another_way_will_do(place: str) -> None:
    preflight.check_engine(engine_of(place=place))


def test_a_full_disk_is_told_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE_BYTES", 2**62)
    settings = Settings()
    with pytest.raises(PreflightError, match=r"The disk for deployer's files is full: .* MiB left") as raised:
        preflight.check_disk(settings, facts_of(), Deployment("registry", tmp_path / "none" / "registry"), None, ())
    assert [line.partition(" ")[0] for line in raised.value.advice] == ["df"]


@pytest.mark.parametrize(
    ("storage", "place"),
    [
        (Resource(ResourceKind.DIRECTORY, "/mnt/elsewhere"), "/mnt/elsewhere"),
        (Resource(ResourceKind.VOLUME, "other"), "/var/lib/docker"),
        (None, "/srv/images"),
    ],
)
def test_the_disk_is_that_of_the_images_wherever_an_override_puts_them(storage: Resource | None, place: str) -> None:
    settings = Settings(registry=RegistrySettings(data="/srv/images"))
    facts = replace(facts_of(), data_directory="/var/lib/docker")
    assert preflight.folder_of_images(settings, facts, storage) == Path(place)


@pytest.mark.parametrize("state", ["running", "exited"])
def test_a_full_disk_is_freed_by_gc_if_there_is_a_registry(state: str) -> None:
    containers = (service_container("registry", state),)
    (advice,) = preflight.free_space(containers, is_deployed=True)
    assert advice.startswith("deployer gc   (")


def test_after_down_gc_is_advised_only_after_up_and_up_only_after_space() -> None:
    first, then = preflight.free_space((service_container("frontend", "running"),), is_deployed=True)
    assert first.startswith("Free at least 100 MiB there in some other way")
    assert then == "Then: deployer up; deployer gc   (frees the space of deleted images)"


def test_a_file_system_that_is_no_disk_is_not_called_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    facts = replace(facts_of(), data_directory=str(tmp_path))
    monkeypatch.setattr(preflight, "LEAST_FREE_BYTES", 1)
    preflight.check_disk(Settings(), facts, Deployment("registry", Path("/proc/none/registry")), None, ())


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PreflightError, match="Cannot create the directory for pushed images"):
        preflight.make_data_directory(tmp_path / "file")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_the_plan_refuses_a_data_directory_that_up_could_not_make(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PreflightError, match="Cannot create the directory for pushed images"):
        preflight.check_data_directory(tmp_path / place)
    preflight.check_data_directory(tmp_path / "new" / "below")
    assert not (tmp_path / "new").exists()


def test_a_free_port_passes() -> None:
    preflight.check_port(Settings(port=free_port()), engine_of())


def test_a_paused_container_is_named_with_what_ends_that() -> None:
    running, paused = (service_container("registry", state) for state in ("running", "paused"))
    preflight.check_paused((running,))
    with pytest.raises(PreflightError, match=r"The container registry-registry-1 is paused\.") as caught:
        preflight.check_paused((running, paused))
    assert caught.value.advice == ("docker unpause registry-registry-1",)
