from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.tls import places
from deployer.tls.places import ClientPaths

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"
CRI = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n'
CRI_3 = 'version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n'


@pytest.fixture
def ground(tmp_path: Path) -> ClientPaths:
    """A machine without programs, and an ordinary user of it."""
    (tmp_path / "bin").mkdir()
    environment = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}
    return ClientPaths(environment, tmp_path, is_root=False, platform="linux")


@pytest.fixture(autouse=True)
def no_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PROGRAM_FOLDERS", "/nowhere")


def install(ground: ClientPaths, program: str) -> None:
    (ground.root / "bin" / program).touch(mode=0o755)


def test_docker(ground: ClientPaths) -> None:
    assert places.docker_system(ground, ADDRESS).file == ground.root / f"etc/docker/certs.d/{ADDRESS}/ca.crt"
    desktop = places.docker_desktop(ground, ADDRESS)
    assert desktop.file == ground.home / f".docker/certs.d/{ADDRESS}/ca.crt"
    assert "docker desktop restart" in desktop.remark
    rootless = places.docker_rootless(ADDRESS, ground.environment)
    assert rootless.file == ground.home / f".config/docker/certs.d/{ADDRESS}/ca.crt"
    elsewhere = places.docker_rootless(ADDRESS, {**ground.environment, "XDG_CONFIG_HOME": "/x"})
    assert str(elsewhere.file).startswith("/x/docker/certs.d/")
    assert not places.has_docker(ground)
    install(ground, "dockerd")
    assert places.has_docker(ground)


@pytest.mark.parametrize("program", ["podman", "skopeo", "buildah"])
def test_podman(ground: ClientPaths, program: str) -> None:
    assert places.podman(ground, ADDRESS) is None
    install(ground, program)
    own = places.podman(ground, ADDRESS)
    assert own is not None
    assert own.file == ground.home / f".config/containers/certs.d/{ADDRESS}/ca.crt"
    everyones = places.podman(replace(ground, is_root=True), ADDRESS)
    assert everyones is not None
    assert everyones.file == ground.root / f"etc/containers/certs.d/{ADDRESS}/ca.crt"


def containerd_file(ground: ClientPaths) -> str | None:
    place = places.containerd(ground, ADDRESS)
    if place is None:
        return None
    assert place.hosts == place.file.with_name("hosts.toml")
    return str(place.file.relative_to(ground.root))


def test_containerd_by_itself(ground: ClientPaths) -> None:
    assert containerd_file(ground) is None
    (ground.root / "etc/containerd/certs.d").mkdir(parents=True)
    assert containerd_file(ground) == f"etc/containerd/certs.d/{ADDRESS}/ca.crt"
    (ground.root / "etc/containerd/certs.d").rmdir()
    install(ground, "nerdctl")
    assert containerd_file(ground) == f"etc/containerd/certs.d/{ADDRESS}/ca.crt"
    (ground.home / ".config/containerd").mkdir(parents=True)
    assert containerd_file(ground) == f"home/.config/containerd/certs.d/{ADDRESS}/ca.crt"


@pytest.mark.parametrize(
    ("config", "folder", "remarked"),
    [
        ('disabled_plugins = ["cri"]\n', None, False),
        ('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', None, False),
        ('version = 3\ndisabled_plugins = ["io.containerd.cri.v1.images"]\n', None, False),
        ("not = TOML = at all", None, False),
        (CRI, "etc/containerd/certs.d", True),
        (f'{CRI}registry.config_path = "/etc/containerd/certs.d"\n', "etc/containerd/certs.d", False),
        (f'{CRI_3}config_path = "/etc/hosts.d:/etc/docker/certs.d"\n', "etc/hosts.d", False),
        (f'{CRI}registry.config_path = ""\n', "etc/containerd/certs.d", True),
        ('version = 2\nplugins = "x"\n', "etc/containerd/certs.d", True),
    ],
)
def test_containerd_for_kubernetes(ground: ClientPaths, config: str, folder: str | None, remarked: bool) -> None:
    (ground.root / "etc/containerd").mkdir(parents=True)
    (ground.root / "etc/containerd/config.toml").write_text(config)
    # Beside Docker alone, only a folder that is named counts.
    assert containerd_file(ground) == (folder and f"{folder}/{ADDRESS}/ca.crt" if not remarked else None)
    install(ground, "kubelet")
    assert containerd_file(ground) == (folder and f"{folder}/{ADDRESS}/ca.crt")
    place = places.containerd(ground, ADDRESS)
    assert bool(place and place.remark) is remarked
