"""The real Docker client and ours before the same config.json: which credentials does each send?"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.errors import DeployerError
from deployer.registry.client import RegistryClient
from tests.support.fake_registry import Reply, refused, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def packed(text: str | bytes) -> str:
    """The text as an `auth`."""
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def keeps(username: str, secret: str) -> str:
    """The script of a helper that has this login for every server."""
    return f"cat >/dev/null; echo '{json.dumps({'ServerURL': 'x', 'Username': username, 'Secret': secret})}'"


@dataclass
class SideBySide:
    """A registry that takes any login and records it, and a home whose environment both clients get."""

    port: int
    home: Path
    seen: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "DOCKER_CONFIG": str(self.home / "docker"), "PATH": f"{self.home}/bin:{PATH}"}
        return {key: value for key, value in {**own, **self.variables}.items() if value}

    def answer(self, _method: str, path: str, headers: Mapping[str, str], _body: bytes) -> Reply:
        sent = headers.get("Authorization", "")
        if not sent:
            reply = refused(401, "UNAUTHORIZED", message="authentication required", detail={"why": "nobody"})
            return Reply(401, reply.body, {**reply.headers, "WWW-Authenticate": 'Basic realm="registry"'})
        scheme, _, value = sent.partition(" ")
        self.seen.append(base64.b64decode(value).decode() if scheme == "Basic" else sent)
        return Reply(200, b"{}") if path == "/v2/" else refused(404, "MANIFEST_UNKNOWN", detail={"Tag": "y"})

    def write(self, content: Any) -> None:
        """Write config.json: bytes and text as they are, all else as JSON; `{A}` stands for the address."""
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        data = text if isinstance(text, bytes) else text.encode()
        (self.home / "docker").mkdir(exist_ok=True)
        (self.home / "docker" / "config.json").write_bytes(data.replace(b"{A}", self.address.encode()))

    def program(self, name: str, script: str, folder: str = "bin") -> None:
        """Put a shell script onto the PATH."""
        path = self.home / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def docker(self, *before: str) -> str:
        """The credentials that `docker pull` sends, "" for none; `before` are words that run the client."""
        self.seen.clear()
        host = {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {}
        done = subprocess.run(
            [*before, "docker", "pull", "--quiet", f"{self.address}/x:y"],
            env={**self.environment, **host},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        # So that a client that fails for another reason does not look like one that is logged out.
        ended = "manifest unknown" if self.seen else r"no basic auth|authentication required"
        assert any(words in done.stderr for words in ended.split("|")), done.stderr
        return self._sent

    def ours(self) -> tuple[str, DeployerError | None]:
        """The credentials that our client sends, "" for none, and the error that it ends with."""
        self.seen.clear()
        try:
            with RegistryClient(f"http://{self.address}", self.environment) as client:
                client.ping()
        except DeployerError as error:
            return self._sent, error
        return self._sent, None

    @property
    def _sent(self) -> str:
        (sent,) = set(self.seen) or {""}
        return sent


@contextmanager
def side_by_side(home: Path) -> Iterator[SideBySide]:
    """Serve the registry; the home is an empty folder."""
    made = SideBySide(0, home)
    with serving(made.answer) as port:
        made.port = port
        yield made
