"""The registry by itself and behind nginx, set as its documentation sets them."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from deployer.host.files import PRIVATE, write_atomically
from deployer.layout import STORAGE
from deployer.rendering.snippets import BASE_IMAGE
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILES = Path(__file__).with_suffix("")
_READY_SECONDS = 30
_HTPASSWD = (
    "REGISTRY_AUTH=htpasswd",
    "REGISTRY_AUTH_HTPASSWD_REALM=Registry",
    "REGISTRY_AUTH_HTPASSWD_PATH=/etc/peer/users",
)
_TLS = ("REGISTRY_HTTP_TLS_CERTIFICATE=/etc/peer/certificate.pem", "REGISTRY_HTTP_TLS_KEY=/etc/peer/key.pem")


@dataclass(frozen=True)
class Documented:
    """The peers' addresses: open to everyone, asking for a password, and over TLS."""

    registry: str
    registry_signed_in: str
    registry_tls: str
    nginx: str
    nginx_signed_in: str
    nginx_tls: str


@contextmanager
def documented(folder: Path, registry_image: str, users: bytes) -> Iterator[Documented]:
    """Run them, with these lines of an htpasswd file; everything is removed at the end.

    The images that they keep lie in memory, so that no disk is measured.
    """
    folder.mkdir()
    write_atomically(folder / "users", users, PRIVATE)
    _make_certificate(folder)
    name = f"deployer-bench-peers-{os.getpid()}"
    with ExitStack() as undo:
        peers = _Peers(name, folder, undo)
        registry = peers.run_registry("registry", registry_image)
        signed_in = peers.run_registry("signed-in", registry_image, *_HTPASSWD)
        encrypted = peers.run_registry("tls", registry_image, *_TLS)
        nginx = peers.run_nginx()
        found = Documented(
            f"http://{registry}:5000", f"http://{signed_in}:5000", f"https://{encrypted}:5000",
            f"http://{nginx}:5000", f"http://{nginx}:5001", f"https://{nginx}:5443",
        )  # fmt: skip
        for address in vars(found).values():
            _wait_for(address)
        yield found


def address_of(container: str) -> str:
    """A container's own address: reached without the engine's proxy, which would be measured too."""
    networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return docker("inspect", "--format", networks, container).strip()


@dataclass(frozen=True)
class _Peers:
    """Their own network, and what runs in it."""

    name: str
    folder: Path
    undo: ExitStack

    def __post_init__(self) -> None:
        self._undo("network", "rm", self.name)
        docker("network", "create", self.name)

    def run_registry(self, alias: str, image: str, *variables: str) -> str:
        """Run a registry with these variables; return its address."""
        settings = [word for variable in variables for word in ("--env", variable)]
        command = ("--entrypoint", "registry", *settings, image, "serve", "/etc/documented/registry.yaml")
        return self._run(alias, "--mount", f"type=tmpfs,destination={STORAGE}", *command)

    def run_nginx(self) -> str:
        """Run nginx, from an image made here; return its address."""
        self._undo("image", "rm", self.name)
        docker(
            "build", "--quiet", "--tag", self.name, "--build-arg", f"BASE={BASE_IMAGE}", "-",
            stdin=(_FILES / "nginx.Dockerfile").read_bytes(),
        )  # fmt: skip
        return self._run("nginx", self.name)

    def _run(self, alias: str, *words: str) -> str:
        container = f"{self.name}-{alias}"
        mounts = ("--volume", f"{_FILES}:/etc/documented:ro", "--volume", f"{self.folder}:/etc/peer:ro")
        self._undo("rm", "--force", "--volumes", container)
        docker(
            "run", "--detach", "--name", container, "--network", self.name, "--network-alias", alias, *mounts, *words
        )
        return address_of(container)

    def _undo(self, *words: str) -> None:
        self.undo.callback(docker, *words, check=False)


def _make_certificate(folder: Path) -> None:
    """A certificate of the kind that Caddy's own CA issues: ECDSA on P-256."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with httpx.Client(base_url=address, trust_env=False, verify=False) as client:
        while True:
            try:
                if client.get("/v2/").status_code in {200, 401}:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise SystemExit(f"{address} does not answer.")
            time.sleep(0.1)
