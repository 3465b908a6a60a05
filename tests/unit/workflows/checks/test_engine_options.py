from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.engine.values import EngineFacts
from deployer.errors import PreflightError
from deployer.host.daemon.kind import EngineKind
from deployer.settings.model import RegistrySettings, Settings, TlsMode, TlsSettings
from deployer.workflows.checks import engine_options

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = EngineFacts("28.5.2", "Debian", EngineKind.SYSTEM, "unix:///var/run/docker.sock", "/var/lib/docker")
ROOTLESS = replace(PLAIN, kind=EngineKind.ROOTLESS)
ACME = Settings(host="registry.example", port=8443, tls=TlsSettings(mode=TlsMode.ACME))


@pytest.fixture
def rootlesskit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that listens for a rootless engine, without the capability that low ports need."""
    program = tmp_path / "rootlesskit"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    privileged = tmp_path / "first"
    privileged.write_text("1024\n")
    monkeypatch.setattr(engine_options, "_PRIVILEGED", privileged)
    return program


@pytest.mark.parametrize("settings", [Settings(port=443), Settings(port=1023), ACME])
def test_a_rootless_engine_and_a_low_port_are_refused_by_name(settings: Settings, rootlesskit: Path) -> None:
    with pytest.raises(PreflightError, match="rootless and cannot listen on port") as caught:
        engine_options.refuse(settings, ROOTLESS)
    assert "--port 5000" in caught.value.advice[0]
    assert str(rootlesskit) in caught.value.advice[1]


@pytest.mark.parametrize("port", [1024, 5000])
def test_a_rootless_engine_and_a_high_port_will_do(port: int, rootlesskit: Path) -> None:
    engine_options.refuse(Settings(port=port), ROOTLESS)


def test_where_the_machine_or_the_program_allows_low_ports_they_will_do(
    rootlesskit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getxattr", lambda *_: b"cap_net_bind_service")
    engine_options.refuse(Settings(port=443), ROOTLESS)
    monkeypatch.undo()
    engine_options.refuse(Settings(port=443), PLAIN)


def test_the_machines_own_first_port_counts(rootlesskit: Path, tmp_path: Path) -> None:
    (tmp_path / "first").write_text("80\n")
    engine_options.refuse(Settings(port=443), ROOTLESS)
    (tmp_path / "first").write_text("6000\n")
    with pytest.raises(PreflightError) as caught:
        engine_options.refuse(Settings(), ROOTLESS)
    assert "--port 6000" in caught.value.advice[0]


@pytest.mark.parametrize("below", ["", "docker/registry/v2"])
def test_images_of_another_user_are_refused_with_a_rootless_engine(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path / below)
    settings = Settings(registry=RegistrySettings(data=str(tmp_path)))
    with pytest.raises(PreflightError, match="has no permission to write to") as caught:
        engine_options.refuse(settings, ROOTLESS)
    assert "chown" in caught.value.advice[0]
    engine_options.refuse(settings, PLAIN)


def test_a_directory_that_is_still_to_be_made_will_do(tmp_path: Path) -> None:
    engine_options.refuse(Settings(registry=RegistrySettings(data=str(tmp_path / "none"))), ROOTLESS)


@pytest.mark.parametrize("host", ["::1", "fd00::5"])
@pytest.mark.parametrize(("version", "takes"), [("20.10.24+dfsg1", False), ("23.0.0", True), ("28.5.2", True)])
def test_an_ipv6_address_is_told_by_up_and_refused_by_push(host: str, version: str, takes: bool) -> None:
    settings = Settings(host=host)
    said = engine_options.remarks(settings, replace(PLAIN, version=version))
    assert bool(said) is not takes
    if takes:
        engine_options.check_name(settings, version)
        return
    assert version in said[0]
    with pytest.raises(PreflightError, match="does not accept IPv6 addresses"):
        engine_options.check_name(settings, version)


@pytest.mark.parametrize("host", ["localhost", "192.168.1.5", "registry.example"])
def test_other_addresses_are_taken_by_every_engine(host: str) -> None:
    engine_options.check_name(Settings(host=host), "20.10.24")
    assert engine_options.remarks(Settings(host=host), replace(PLAIN, version="20.10.24")) == ()


@pytest.mark.parametrize(("runtime", "told"), [("runc", False), ("crun", False), ("runsc", True), ("kata-fc", True)])
def test_a_runtime_that_shares_no_sockets_is_told(runtime: str, told: bool) -> None:
    said = engine_options.remarks(Settings(), replace(PLAIN, runtime=runtime))
    assert bool(said) is told
