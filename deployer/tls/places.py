"""Where this machine's container tools look for the CA that a registry's certificate is from."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.host import programs
from deployer.paths import config_home, home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CA_NAME = "ca.crt"
HOSTS_NAME = "hosts.toml"

_PROGRAM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
_CRI = frozenset({"cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images"})


def _run(command: Sequence[str]) -> None:
    programs.run(command, "Updating the system trust store")


@dataclass(frozen=True)
class ClientPaths:
    """This machine's files and programs; a test replaces `root` with its own folder."""

    environment: Mapping[str, str]
    root: Path = Path("/")
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    platform: str = sys.platform
    run: Callable[[Sequence[str]], None] = _run

    def has(self, *names: str) -> bool:
        """Whether one of these programs is here."""
        path = f"{self.environment.get('PATH', os.defpath)}:{_PROGRAM_FOLDERS}"
        return any(shutil.which(name, path=path) for name in names)

    @property
    def home(self) -> Path:
        """The user's own folder."""
        return home(self.environment)


@dataclass(frozen=True)
class TrustTarget:
    """A registry's address, HOST:PORT, and the machine that is to trust it."""

    paths: ClientPaths
    address: str


@dataclass(frozen=True)
class CertificatePlace:
    """Where one tool looks: the file for the CA, the file that names it if needed, and a remark."""

    client: str
    file: Path
    hosts: Path | None = None
    remark: str = ""


def docker_system(target: TrustTarget) -> CertificatePlace:
    """Where Docker Engine looks, at each connection (docs.docker.com, "Verify repository client with certificates")."""
    return CertificatePlace("Docker", target.paths.root / "etc/docker/certs.d" / target.address / CA_NAME)


def docker_rootless(target: TrustTarget, environment: Mapping[str, str]) -> CertificatePlace:
    """Where an engine looks that runs as an ordinary user, with this environment."""
    return CertificatePlace("Docker", config_home(environment) / "docker/certs.d" / target.address / CA_NAME)


def docker_desktop(target: TrustTarget) -> CertificatePlace:
    """Where Docker Desktop looks, when it starts."""
    return CertificatePlace(
        "Docker",
        target.paths.home / ".docker/certs.d" / target.address / CA_NAME,
        remark="Docker Desktop reads it when it starts: docker desktop restart",
    )


def has_docker(client_paths: ClientPaths) -> bool:
    """Whether Docker is on this machine, running or not."""
    return client_paths.has("docker", "dockerd") or (client_paths.root / "etc/docker").is_dir()


def podman(target: TrustTarget) -> CertificatePlace | None:
    """Where podman, skopeo and buildah look (containers-certs.d(5)); None if none of them is here."""
    if not target.paths.has("podman", "skopeo", "buildah"):
        return None
    return podman_system(target) if target.paths.is_root else podman_own(target)


def podman_system(target: TrustTarget) -> CertificatePlace:
    """Where podman looks, anyone who runs it."""
    return CertificatePlace("podman", target.paths.root / "etc/containers/certs.d" / target.address / CA_NAME)


def podman_own(target: TrustTarget) -> CertificatePlace:
    """Where podman looks first, for this user alone."""
    return CertificatePlace("podman", target.paths.home / ".config/containers/certs.d" / target.address / CA_NAME)


def containerd(target: TrustTarget) -> CertificatePlace | None:
    """Where containerd looks; None if it is not used by itself, only by Docker.

    It is where nerdctl is here, its folder is, or Kubernetes is and its part is left on: a
    distribution's configuration leaves it on beside Docker alone (containerd, docs/hosts.md,
    docs/cri/config.md).
    """
    own = config_home(target.paths.environment) / "containerd"
    if not target.paths.is_root and target.paths.has("nerdctl") and own.is_dir():
        return _containerd_place(own / "certs.d", target.address)
    usual = target.paths.root / "etc/containerd/certs.d"
    config = target.paths.root / "etc/containerd/config.toml"
    settings = _toml(config)
    enabled = settings is not None and not _CRI & set(settings.get("disabled_plugins") or ())
    serves_kubernetes = enabled and target.paths.has("kubelet", "crictl")
    named = _config_path(settings or {}) if enabled else ""
    if not (serves_kubernetes or named or usual.is_dir() or target.paths.has("nerdctl")):
        return None
    if named:
        return _containerd_place(target.paths.root / named.lstrip("/"), target.address)
    remark = ""
    if serves_kubernetes:
        remark = f"Kubernetes may ignore it: {config} does not set config_path to the directory {usual}"
    return _containerd_place(usual, target.address, remark)


def _containerd_place(folder: Path, address: str, remark: str = "") -> CertificatePlace:
    return CertificatePlace("containerd", folder / address / CA_NAME, folder / address / HOSTS_NAME, remark)


def _toml(path: Path) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _config_path(settings: Mapping[str, Any]) -> str:
    """The first of the folders that containerd's configuration names, "" if it names none."""
    plugins = settings.get("plugins")
    for name in _CRI:
        section = plugins.get(name) if isinstance(plugins, dict) else None
        registry = section.get("registry") if isinstance(section, dict) else None
        path = registry.get("config_path") if isinstance(registry, dict) else None
        if isinstance(path, str) and path.startswith("/"):
            return path.split(":")[0]
    return ""
