from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.tls import places
from deployer.tls.places import ClientPaths, TrustTarget

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"
CRI = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n'
CRI_3 = 'version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n'


@pytest.fixture
def client_paths(tmp_path: Path) -> ClientPaths:
    """A machine without programs, and an ordinary user of it."""
    (tmp_path / "bin").mkdir()
    environment = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}
    return ClientPaths(environment, tmp_path, is_root=False, platform="linux")


@pytest.fixture(autouse=True)
def no_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PROGRAM_FOLDERS", "/nowhere")


def install(client_paths: ClientPaths, program: str) -> None:
    (client_paths.root / "bin" / program).touch(mode=0o755)


def test_docker(client_paths: ClientPaths) -> None:
    assert (
        places.docker_system(TrustTarget(client_paths, ADDRESS)).file
        == client_paths.root / f"etc/docker/certs.d/{ADDRESS}/ca.crt"
    )
    desktop = places.docker_desktop(TrustTarget(client_paths, ADDRESS))
    assert desktop.file == client_paths.home / f".docker/certs.d/{ADDRESS}/ca.crt"
    assert "docker desktop restart" in desktop.remark
    rootless = places.docker_rootless(TrustTarget(client_paths, ADDRESS), client_paths.environment)
    assert rootless.file == client_paths.home / f".config/docker/certs.d/{ADDRESS}/ca.crt"
    elsewhere = places.docker_rootless(
        TrustTarget(client_paths, ADDRESS), {**client_paths.environment, "XDG_CONFIG_HOME": "/x"}
    )
    assert str(elsewhere.file).startswith("/x/docker/certs.d/")
    assert not places.has_docker(client_paths)
    install(client_paths, "dockerd")
    assert places.has_docker(client_paths)


@pytest.mark.parametrize("program", ["podman", "skopeo", "buildah"])
def test_podman(client_paths: ClientPaths, program: str) -> None:
    assert places.podman(TrustTarget(client_paths, ADDRESS)) is None
    install(client_paths, program)
    own = places.podman(TrustTarget(client_paths, ADDRESS))
    assert own is not None
    assert own.file == client_paths.home / f".config/containers/certs.d/{ADDRESS}/ca.crt"
    everyones = places.podman(TrustTarget(replace(client_paths, is_root=True), ADDRESS))
    assert everyones is not None
    assert everyones.file == client_paths.root / f"etc/containers/certs.d/{ADDRESS}/ca.crt"


def containerd_file(client_paths: ClientPaths) -> str | None:
    place = places.containerd(TrustTarget(client_paths, ADDRESS))
    if place is None:
        return None
    assert place.hosts == place.file.with_name("hosts.toml")
    return str(place.file.relative_to(client_paths.root))


def test_containerd_by_itself(client_paths: ClientPaths) -> None:
    assert containerd_file(client_paths) is None
    (client_paths.root / "etc/containerd/certs.d").mkdir(parents=True)
    assert containerd_file(client_paths) == f"etc/containerd/certs.d/{ADDRESS}/ca.crt"
    (client_paths.root / "etc/containerd/certs.d").rmdir()
    install(client_paths, "nerdctl")
    assert containerd_file(client_paths) == f"etc/containerd/certs.d/{ADDRESS}/ca.crt"
    (client_paths.home / ".config/containerd").mkdir(parents=True)
    assert containerd_file(client_paths) == f"home/.config/containerd/certs.d/{ADDRESS}/ca.crt"


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
def test_containerd_for_kubernetes(client_paths: ClientPaths, config: str, folder: str | None, remarked: bool) -> None:
    (client_paths.root / "etc/containerd").mkdir(parents=True)
    (client_paths.root / "etc/containerd/config.toml").write_text(config)
    # Beside Docker alone, only a folder that is named counts.
    assert containerd_file(client_paths) == (folder and f"{folder}/{ADDRESS}/ca.crt" if not remarked else None)
    install(client_paths, "kubelet")
    assert containerd_file(client_paths) == (folder and f"{folder}/{ADDRESS}/ca.crt")
    place = places.containerd(TrustTarget(client_paths, ADDRESS))
    assert bool(place and place.remark) is remarked
