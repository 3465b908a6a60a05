"""A client machine across a wire from a registry with a CA of its own."""

from __future__ import annotations

import json
import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.archive import archive
from tests.support.certificates import make_ca
from tests.support.client_machine import SERVER, client_machine
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.dockerd import Dockerd
    from tests.support.stack import DeployedStack


@pytest.fixture
def client() -> Iterator[Dockerd]:
    with client_machine(own_files=True) as made:
        made.start()
        yield made


@pytest.fixture
def server(client: Dockerd, make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """A registry on this machine; the client's end of the wire has to be there first."""
    stack = make_stack(DEPLOYER_HOST=SERVER, DEPLOYER_TLS="internal")
    yield stack
    stack.remove()


def entering(client: Dockerd) -> list[str]:
    spaces = f"/proc/{client.pid}/ns"
    return ["nsenter", f"--net={spaces}/net", f"--mount={spaces}/mnt", f"--wd={client.folder}"]


def on_client(client: Dockerd, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a program where the client's daemon runs: in its network, seeing its files."""
    enter = [
        "nsenter",
        f"--net=/proc/{client.pid}/ns/net",
        f"--mount=/proc/{client.pid}/ns/mnt",
        f"--wd={client.folder}",
    ]
    # These variables would have programs look for the system's CAs elsewhere than the system does.
    environment = {key: value for key, value in client.environment.items() if not key.startswith(("SSL_", "CURL_"))}
    done = subprocess.run([*enter, *words], input=stdin, env=environment, capture_output=True, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass
class Trusting:
    """The client, on its way to trust the server."""

    client: Dockerd
    server: DeployedStack

    @property
    def address(self) -> str:
        return f"{SERVER}:{self.server.port}"

    @property
    def file(self) -> Path:
        return self.client.folder / "own/etc/docker/certs.d" / self.address / "ca.crt"

    def configure(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = self.server.command("configure-daemon", "--host", SERVER, "--port", str(self.server.port), *words)
        done = on_client(self.client, *command)
        assert done.returncode == code, f"{words}\n{done.stdout}{done.stderr}"
        return done

    def push(self, *, works: bool) -> None:
        done = on_client(self.client, "docker", "push", f"{self.address}/centos:7-git")
        assert (done.returncode == 0) is works, done.stdout + done.stderr
        assert works or "x509" in done.stderr + done.stdout

    def diagnosis(self) -> str:
        """What doctor says, each sentence with the state before it."""
        command = self.server.command("doctor", "--json", "--host", SERVER, "--port", str(self.server.port))
        found = json.loads(on_client(self.client, *command).stdout)
        return "\n".join(f"{one['state']}: {one['sentence']}" for one in found)

    def curl(self) -> int:
        return on_client(self.client, "curl", "--silent", "--fail", f"https://{self.address}/v2/").returncode


@pytest.fixture
def trusting(client: Dockerd, server: DeployedStack) -> Trusting:
    server.up()
    made = Trusting(client, server)
    imported = on_client(client, "docker", "import", "-", f"{made.address}/centos:7-git", stdin=archive(1000))
    assert imported.returncode == 0, imported.stderr
    return made


def shown_fingerprint(trusting: Trusting) -> str:
    """What is shown if no one can be asked; it is what openssl says of the server's own file."""
    asked = trusting.configure(code=1)
    assert "Cannot prompt: there is no terminal" in asked.stderr
    shown = re.search(r"SHA-256: +(\S+)", asked.stdout)
    assert shown is not None
    kept = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", trusting.server.directory / "ca.crt"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert kept.strip().lower() == f"sha256 fingerprint={shown[1]}".lower()
    return shown[1]


def test_a_ca_is_installed_replaced_and_removed(trusting: Trusting) -> None:
    trusting.push(works=False)
    assert "wrong: The Docker engine does not trust" in trusting.diagnosis()
    fingerprint = shown_fingerprint(trusting)
    assert "(new)" in trusting.configure("--dry-run").stdout
    wrong = trusting.configure("--fingerprint", "0" * 64, code=1)
    assert fingerprint in wrong.stderr
    assert "00:00:00" in wrong.stderr
    assert not trusting.file.exists()

    trusting.configure("--fingerprint", fingerprint.replace(":", "").lower())
    assert trusting.file.read_bytes() == (trusting.server.directory / "ca.crt").read_bytes()
    assert trusting.file.stat().st_mode & 0o777 == 0o644
    trusting.push(works=True)
    assert "ok: Docker trusts" in trusting.diagnosis()
    assert "nothing to do" in trusting.configure().stdout

    # One that does not fit any more: both fingerprints, and the old one stays beside.
    other = make_ca("Another")
    trusting.file.write_bytes(other.pem)
    trusting.push(works=False)
    assert "did not sign the certificate that" in trusting.diagnosis()
    done = trusting.configure("--yes")
    assert other.fingerprint in done.stdout
    assert fingerprint in done.stdout
    assert "The fingerprint was not compared" in done.stderr
    [backup] = trusting.file.parent.glob("ca.crt.backup-*")
    assert backup.read_bytes() == other.pem
    trusting.push(works=True)

    removed = trusting.configure("--remove")
    assert "backup-" in removed.stderr
    assert not trusting.file.exists()
    trusting.push(works=False)
    assert not json.loads(trusting.configure("--remove", "--json").stdout)["changed"]


def test_the_whole_system_trusts_it(trusting: Trusting) -> None:
    assert trusting.curl() == 60
    trusting.configure("--yes")
    assert trusting.curl() == 60
    trusting.configure("--system")
    assert trusting.curl() == 0
    assert "system already trusts" in trusting.configure().stdout
    wrong = trusting.configure("--fingerprint", "0" * 64, code=1)
    assert "00:00:00" in wrong.stderr

    assert json.loads(trusting.configure("--remove", "--json").stdout)["changed"]
    assert trusting.curl() == 60
    assert not list((trusting.client.folder / "own/usr/local/share/ca-certificates").glob("deployer-*"))
    assert not trusting.file.parent.exists()


@contextmanager
def containerd(client: Dockerd) -> Iterator[Callable[[str], subprocess.CompletedProcess[str]]]:
    """A containerd beside the client's daemon, which pulls an image."""
    socket = client.folder / "containerd.sock"
    places = ["--address", str(socket), "--root", str(client.folder / "c"), "--state", str(client.folder / "s")]
    with (client.folder / "containerd.log").open("wb") as log:
        process = subprocess.Popen([*entering(client), "containerd", *places], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not socket.exists():
            assert time.monotonic() < deadline, (client.folder / "containerd.log").read_text()
            time.sleep(0.1)
        yield lambda image: on_client(
            client,
            *("ctr", "--address", str(socket), "images", "pull", "--snapshotter", "native"),
            *("--hosts-dir", "/etc/containerd/certs.d", image),
        )
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_containerd_takes_it_too(trusting: Trusting) -> None:
    trusting.configure("--yes")
    trusting.push(works=True)
    (trusting.client.folder / "own/etc/containerd/certs.d").mkdir()
    image = f"{trusting.address}/centos:7-git"
    with containerd(trusting.client) as pull:
        refused = pull(image)
        assert refused.returncode != 0
        assert "x509" in refused.stderr, refused.stderr
        trusting.configure()
        done = pull(image)
        assert done.returncode == 0, done.stderr


def test_plain_http_where_a_ca_is_installed_is_refused(client: Dockerd, server: DeployedStack) -> None:
    server.up()
    here = ("--host", SERVER, "--port", str(server.port))
    command = server.command("configure-daemon", *here)
    assert on_client(client, *command, "--yes").returncode == 0
    server.settings = {"DEPLOYER_HOST": SERVER, "DEPLOYER_TLS": "off"}
    server.up()
    refused = on_client(client, *command)
    assert refused.returncode == 1
    assert "but used HTTPS before" in refused.stderr
    assert client.trusted() == set()
    assert on_client(client, *command, "--remove").returncode == 0
    done = on_client(client, *command, "--yes")
    assert done.returncode == 0, done.stderr
    assert "nothing is encrypted" in done.stderr
    assert client.trusted() == {f"{SERVER}:{server.port}"}
    # And back again: with a CA, Docker is to verify.
    server.settings = {"DEPLOYER_HOST": SERVER, "DEPLOYER_TLS": "internal"}
    server.up()
    done = on_client(client, *command, "--yes")
    assert done.returncode == 0, done.stderr
    assert client.trusted() == set()
