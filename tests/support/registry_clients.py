"""The programs that people reach a registry with, as one user each, on a machine that trusts the registry's CA.

Each has its own words for the same things, as far as it can do them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tests.support.archive import archive
from tests.support.run import PATIENCE_SECONDS
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Answer:
    """How a command ended, and all that it printed."""

    done: bool
    words: str


@dataclass(frozen=True)
class Client:
    """One program of one user, with its own credentials in `folder`."""

    name: ClassVar[str]
    actions: ClassVar[tuple[str, ...]]
    signed_out: ClassVar[str] = "{}"

    folder: Path
    address: str
    ca: Path

    def __post_init__(self) -> None:
        (self.folder / "certificates").mkdir(parents=True)
        shutil.copy(self.ca, self.folder / "certificates" / "ca.crt")
        self.credentials.write_text(self.signed_out)

    @property
    def credentials(self) -> Path:
        return self.folder / "config.json"

    def keep(self, user: str, password: str) -> None:
        """Be logged in from now on."""
        assert self.login(user, password).done

    def login(self, user: str, password: str) -> Answer:
        raise NotImplementedError

    def push(self, repository: str, tag: str) -> Answer:
        """Push an image that is nowhere yet."""
        raise NotImplementedError

    def pull(self, repository: str, tag: str) -> Answer:
        raise NotImplementedError

    def delete(self, repository: str, tag: str, digest: str) -> Answer:
        """Delete the image of this tag and digest."""
        raise NotImplementedError

    def catalog(self) -> Answer:
        raise NotImplementedError

    def page(self) -> Answer:
        raise NotImplementedError

    def _run(self, *command: str, stdin: str = "", variables: Mapping[str, str] | None = None) -> Answer:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, cwd=self.folder,
            timeout=PATIENCE_SECONDS, env={**os.environ, **(variables or {})},
        )  # fmt: skip
        return Answer(done.returncode == 0, done.stdout + done.stderr)


class Docker(Client):
    """Docker's own client and engine. The engine takes any certificate of a loopback address."""

    name = "docker"
    actions = ("login", "push", "pull")

    def login(self, user: str, password: str) -> Answer:
        return self._docker("login", "--username", user, "--password-stdin", self.address, stdin=password)

    def push(self, repository: str, tag: str) -> Answer:
        image = f"{self.address}/{repository}:{tag}"
        docker("import", "-", image, stdin=archive(1000))
        try:
            return self._docker("push", image)
        finally:
            docker("image", "rm", image)

    def pull(self, repository: str, tag: str) -> Answer:
        image = f"{self.address}/{repository}:{tag}"
        try:
            return self._docker("pull", image)
        finally:
            docker("image", "rm", image, check=False)

    def _docker(self, *words: str, stdin: str = "") -> Answer:
        return self._run("docker", *words, stdin=stdin, variables={"DOCKER_CONFIG": str(self.folder)})


class Skopeo(Client):
    """Debian's skopeo; it checks the certificate."""

    name = "skopeo"
    actions = ("login", "push", "pull", "delete")

    def login(self, user: str, password: str) -> Answer:
        words = ("--username", user, "--password-stdin", self.address)
        return self._run("skopeo", "login", *self._trusting(), *words, stdin=password)

    def push(self, repository: str, tag: str) -> Answer:
        (self.folder / "image.tar").write_bytes(saved_image(self.address))
        image = f"docker://{self.address}/{repository}:{tag}"
        return self._run("skopeo", "copy", *self._trusting("dest-"), "docker-archive:image.tar", image)

    def pull(self, repository: str, tag: str) -> Answer:
        image = f"docker://{self.address}/{repository}:{tag}"
        return self._run("skopeo", "copy", *self._trusting("src-"), image, "dir:pulled")

    def delete(self, repository: str, tag: str, digest: str) -> Answer:
        return self._run("skopeo", "delete", *self._trusting(), f"docker://{self.address}/{repository}:{tag}")

    def _trusting(self, side: str = "") -> tuple[str, ...]:
        credentials = f"--{side}authfile" if side else "--authfile"
        return credentials, "config.json", f"--{side}cert-dir", "certificates", f"--{side}tls-verify=true"


class Podman(Client):
    """Debian's podman, with its own storage; it checks the certificate."""

    name = "podman"
    actions = ("login", "push", "pull", "catalog")

    def login(self, user: str, password: str) -> Answer:
        words = ("--username", user, "--password-stdin", self.address)
        return self._podman("login", *self._trusting(), *words, stdin=password)

    def push(self, repository: str, tag: str) -> Answer:
        image = f"{self.address}/{repository}:{tag}"
        (self.folder / "files.tar").write_bytes(archive(1000))
        assert self._podman("import", "files.tar", image).done
        return self._podman("push", *self._trusting(), image)

    def pull(self, repository: str, tag: str) -> Answer:
        return self._podman("pull", *self._trusting(), f"{self.address}/{repository}:{tag}")

    def catalog(self) -> Answer:
        # Its search reads the catalog; alone of its commands it has no --cert-dir.
        words = ("search", "--authfile", "config.json", "--tls-verify=true", f"{self.address}/")
        return self._podman(*words, variables={"SSL_CERT_FILE": str(self.ca)})

    @staticmethod
    def _trusting() -> tuple[str, ...]:
        return "--authfile", "config.json", "--cert-dir", "certificates", "--tls-verify=true"

    def _podman(self, *words: str, stdin: str = "", variables: Mapping[str, str] | None = None) -> Answer:
        own = ("--root", "root", "--runroot", "run", "--storage-driver", "vfs")
        return self._run("podman", *own, *words, stdin=stdin, variables=variables)


class Curl(Client):
    """curl on the registry's own API; it checks the certificate."""

    name = "curl"
    actions = ("login", "push", "pull", "delete", "catalog", "page")
    signed_out = ""

    def keep(self, user: str, password: str) -> None:
        self.credentials.write_text(_curl_line(user, password))

    def login(self, user: str, password: str) -> Answer:
        return self._curl("/v2/", "--config", "-", stdin=_curl_line(user, password))

    def push(self, repository: str, tag: str) -> Answer:
        # An index of nothing is the whole of what a push sends last, and needs no layers.
        content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"for": tag}})
        put = ("--request", "PUT", "--header", f"Content-Type: {INDEX}", "--data", content)
        return self._curl(f"/v2/{repository}/manifests/{tag}", *put)

    def pull(self, repository: str, tag: str) -> Answer:
        return self._curl(f"/v2/{repository}/manifests/{tag}")

    def delete(self, repository: str, tag: str, digest: str) -> Answer:
        return self._curl(f"/v2/{repository}/manifests/{digest}", "--request", "DELETE")

    def catalog(self) -> Answer:
        return self._curl("/v2/_catalog")

    def page(self) -> Answer:
        return self._curl("/")

    def _curl(self, path: str, *words: str, stdin: str = "") -> Answer:
        reading = ("--config", self.credentials.name, "--cacert", "certificates/ca.crt", "--noproxy", "*")
        telling = ("--silent", "--show-error", "--fail-with-body")
        return self._run("curl", "--disable", *reading, *telling, *words, f"https://{self.address}{path}", stdin=stdin)


def _curl_line(user: str, password: str) -> str:
    """The line of curl's configuration; there, backslashes and quotes are escaped."""
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'user = "{user}:{escaped}"\n'


def saved_image(address: str) -> bytes:
    """A new small image, as `docker save` writes it."""
    name = f"{address}/saved:1"
    docker("import", "-", name, stdin=archive(1000))
    try:
        return subprocess.run(["docker", "save", name], check=True, capture_output=True).stdout
    finally:
        docker("image", "rm", name)
