"""TLS on the one port: the registry's own CA, an ACME server's certificates, and plain HTTP that comes by."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support import certificates
from tests.support.cut_off import wait_until
from tests.support.registry_content import image, push
from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import client_of, write_users
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.certificates import Certified

NAME = "registry.example"


def presented(
    stack: DeployedStack, name: str | None, *, trusted: Path | None, port: int | None = None
) -> dict[str, object]:
    """The certificate that a client is shown which asks for a name, or for none; verified where a CA is given."""
    context = ssl.create_default_context(cafile=str(trusted)) if trusted else ssl._create_unverified_context()
    context.check_hostname = bool(trusted and name)
    # An address is never sent as a name (RFC 6066, section 3).
    with (
        socket.create_connection((stack.bind, port or stack.port), timeout=PATIENCE_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=name) as secure,
    ):
        return dict(secure.getpeercert() or {})


def names_in(certificate: dict[str, object]) -> set[str]:
    return {value for _, value in certificate["subjectAltName"]}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def named(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """A registry for a name that is not this machine's own, listening here alone."""
    stack = make_stack(DEPLOYER_HOST=NAME, DEPLOYER_BIND="127.0.0.1", DEPLOYER_TLS="internal")
    write_users(stack, ["anna"])
    stack.up()
    yield stack
    stack.remove()


def test_up_prints_the_fingerprint_of_the_ca(named: DeployedStack) -> None:
    der = ssl.PEM_cert_to_DER_cert((named.directory / "ca.crt").read_text())
    plain = hashlib.sha256(der).hexdigest().upper()
    fingerprint = ":".join(plain[index : index + 2] for index in range(0, 64, 2))
    said = named.deployer("up", "--yes", check=True)
    assert f"CA:       SHA-256 {fingerprint}" in said.stdout
    assert json.loads(named.deployer("up", "--yes", "--json", check=True).stdout)["authority_sha256"] == fingerprint
    assert fingerprint in named.deployer("status", check=True).stdout
    with httpx.Client(verify=False, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        served = client.get(f"https://127.0.0.1:{named.port}/.well-known/deployer/ca.crt")
    assert served.text == (named.directory / "ca.crt").read_text()


@pytest.mark.parametrize("path", ["ca.crt/../root.key", "root.key", "ca.crt/", "../local/root.key", "%2e%2e/root.key"])
def test_only_the_certificate_is_handed_out(named: DeployedStack, path: str) -> None:
    with httpx.Client(verify=False, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        answer = client.get(f"https://127.0.0.1:{named.port}/.well-known/deployer/{path}")
    assert "PRIVATE KEY" not in answer.text
    assert answer.status_code in {401, 404, 308} or answer.text == (named.directory / "ca.crt").read_text()


@pytest.mark.parametrize("name", [NAME, "localhost"])
def test_a_client_that_gives_a_name_is_shown_that_one_s_certificate(named: DeployedStack, name: str) -> None:
    assert names_in(presented(named, name, trusted=named.directory / "ca.crt")) == {name}


def test_a_client_that_gives_no_name_is_shown_the_host_s(named: DeployedStack) -> None:
    assert names_in(presented(named, None, trusted=named.directory / "ca.crt")) == {NAME}


def test_a_client_that_gives_another_name_learns_which_it_is(named: DeployedStack) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        presented(named, "other.example", trusted=named.directory / "ca.crt")


def test_an_address_as_host_is_in_the_certificate(make_stack: Callable[..., DeployedStack]) -> None:
    stack = make_stack(DEPLOYER_HOST="127.0.0.9", DEPLOYER_TLS="internal")
    stack.up()
    try:
        found = presented(stack, "127.0.0.9", trusted=stack.directory / "ca.crt")
        assert found["subjectAltName"] == (("IP Address", "127.0.0.9"),)
    finally:
        stack.remove()


def test_plain_http_on_the_port_is_sent_to_https(named: DeployedStack) -> None:
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        answer = client.get(f"http://127.0.0.1:{named.port}/v2/", headers={"Host": f"{NAME}:{named.port}"})
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://{NAME}:{named.port}/v2/"


def test_the_ca_survives_down_and_up_and_goes_with_the_volumes(fresh_stack: DeployedStack) -> None:
    secure = {"DEPLOYER_TLS": "internal"}
    write_users(fresh_stack, ["anna"])
    fresh_stack.deployer("up", "--yes", environment=secure, check=True)
    first = (fresh_stack.directory / "ca.crt").read_bytes()
    with client_of(fresh_stack, "anna") as client:
        push(client, "kept", "1", image("kept"))
    fresh_stack.deployer("down", "--yes", environment=secure, check=True)
    fresh_stack.deployer("up", "--yes", environment=secure, check=True)
    assert (fresh_stack.directory / "ca.crt").read_bytes() == first
    with client_of(fresh_stack, "anna") as client:
        assert client.get("/v2/kept/tags/list").json()["tags"] == ["1"]
    plain = fresh_stack.deployer("down", "--volumes", "--dry-run", environment={"DEPLOYER_TLS": "off"}, check=True)
    assert "CA" not in plain.stderr, "the next `up` creates none"
    gone = fresh_stack.deployer("down", "--volumes", "--yes", environment=secure, check=True)
    assert "ca.crt" not in [path.name for path in fresh_stack.directory.rglob("*")], gone.stdout
    assert "The registry's own CA is removed too" in gone.stderr
    assert "users      1 user and their passwords: will be removed" in gone.stdout
    assert not (fresh_stack.directory / "users").exists()
    fresh_stack.deployer("up", "--yes", environment=secure, check=True)
    assert (fresh_stack.directory / "ca.crt").read_bytes() != first


def test_a_lost_ca_and_lost_users_are_asked_about_before_others_take_their_place(fresh_stack: DeployedStack) -> None:
    secure = {"DEPLOYER_TLS": "internal"}
    write_users(fresh_stack, ["anna", "bert"])
    fresh_stack.deployer("up", "--yes", environment=secure, check=True)
    shutil.rmtree(fresh_stack.directory)
    missed = fresh_stack.deployer("status", environment=secure)
    assert f"The deployment's files are missing from {fresh_stack.directory}, and with them 2 users" in missed.stdout
    listed = fresh_stack.deployer("user", "list", environment=secure)
    assert (listed.returncode, listed.stdout) == (1, "")
    assert "and with them 2 users who can still log in" in listed.stderr
    for flags in ([], ["--yes"]):
        refused = fresh_stack.deployer("up", *flags, environment=secure)
        assert refused.returncode == 1
        assert "Login will be turned off: the deployment's files and 2 users are missing." in refused.stderr
        assert "Run the command again with --yes." not in refused.stderr
    assert not (fresh_stack.directory / "compose.yaml").exists()
    assert httpx.get(f"https://{fresh_stack.bind}:{fresh_stack.port}/v2/", verify=False).status_code == 401

    # Removed on purpose, it begins again without users.
    fresh_stack.deployer("down", "--yes", environment=secure, check=True)
    fresh_stack.deployer("up", "--yes", environment=secure, check=True)
    first = (fresh_stack.directory / "ca.crt").read_bytes()
    fresh_stack.deployer("down", "--yes", environment=secure, check=True)
    docker("volume", "rm", f"{fresh_stack.name}_frontend")
    for left in (first, None):
        refused = fresh_stack.deployer("up", environment=secure)
        assert refused.returncode == 1
        assert f"The registry's own CA was lost with the volume {fresh_stack.name}_frontend." in refused.stderr
        assert ("(SHA-256 " in refused.stderr) is (left is not None)
        if left:
            assert (fresh_stack.directory / "ca.crt").read_bytes() == left
            (fresh_stack.directory / "ca.crt").unlink()


def test_another_ca_than_the_recorded_one_is_said_until_up_records_it(named: DeployedStack) -> None:
    """As after its volume was emptied: Caddy makes a new one when it starts, whoever starts it."""
    recorded, frontend = (named.directory / "ca.crt").read_bytes(), named.containers()["frontend"]
    old = json.loads(named.deployer("up", "--yes", "--json", check=True).stdout)["authority_sha256"]
    docker("exec", frontend, "sh", "-c", "rm -rf /data/caddy")
    docker("restart", frontend)
    assert wait_until(lambda: named.deployer("up", "--dry-run", "--json").returncode == 0)
    for command in ("status", "doctor"):
        done = named.deployer(command)
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert f"The registry's own CA is another one than before: the volume {named.name}_frontend" in said
        assert f"(SHA-256 {old})" in said
        assert f"docker restart {named.name}-frontend-1" in said
    assert (named.directory / "ca.crt").read_bytes() == recorded
    refused = named.deployer("catalog", environment={"DEPLOYER_HOST": "localhost"})
    assert "the registry has a new CA, or another server is answering." in refused.stderr
    assert "If it has a new CA: deployer up" in refused.stderr
    done = named.deployer("up", "--yes", check=True)
    assert f"(SHA-256 {old})" in done.stderr
    assert (named.directory / "ca.crt").read_bytes() != recorded
    assert named.deployer("status").returncode == 0
    assert old not in named.deployer("up", "--yes", check=True).stderr


def test_upkeep_closes_the_gate_of_a_registry_with_tls(named: DeployedStack) -> None:
    with client_of(named, "anna") as anna:
        anna.base_url = httpx.URL(f"https://localhost:{named.port}")
        for words in ("old", "new"):
            push(anna, "left", "1", image(words))
    time.sleep(1.1)
    done = named.deployer("gc", "--untagged", "--yes", "--older-than", "1s", check=True)
    assert "Freed" in done.stdout + done.stderr


# -- your own certificate


@pytest.fixture
def own(fresh_stack: DeployedStack, tmp_path: Path) -> tuple[DeployedStack, Certified]:
    """A deployment whose deployer.yaml names a certificate of the user's own, not yet up, and its CA."""
    ca = certificates.make_ca()
    certificates.certificate(NAME, signer=ca).write(tmp_path)
    fresh_stack.folder.mkdir(parents=True, exist_ok=True)
    tls = {"certificate": str(tmp_path / "server.crt"), "key": str(tmp_path / "server.key")}
    settings = {"host": NAME, "bind": "127.0.0.1", "tls": tls}
    (fresh_stack.folder / "deployer.yaml").write_text(json.dumps(settings))
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    return fresh_stack, ca


def test_one_s_own_certificate_is_served_and_read_again_without_a_restart(
    own: tuple[DeployedStack, Certified], tmp_path: Path
) -> None:
    stack, ca = own
    brought_up = stack.deployer("up", "--yes", check=True)
    assert "which this system does not trust; it must be installed on every client." in brought_up.stderr
    first = presented(stack, NAME, trusted=tmp_path / "ca.pem")
    assert names_in(first) == {NAME}
    assert "nothing to change" in stack.deployer("up", "--yes", check=True).stderr
    before = docker("inspect", "--format", "{{.State.StartedAt}}", stack.containers()["frontend"])
    certificates.certificate(NAME, signer=ca).write(tmp_path)
    assert "frontend: reload" in stack.deployer("up", "--yes", check=True).stderr
    second = presented(stack, NAME, trusted=tmp_path / "ca.pem")
    assert second["serialNumber"] != first["serialNumber"]
    assert docker("inspect", "--format", "{{.State.StartedAt}}", stack.containers()["frontend"]) == before
    assert f"TLS, with the certificate {tmp_path / 'server.crt'}, until 20" in stack.deployer("status").stdout
    key = stack.directory / "frontend" / "tls" / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    shown = stack.deployer("render", check=True).stdout + stack.deployer("render", "--json", check=True).stdout
    assert "PRIVATE KEY" not in shown


def test_a_certificate_that_clients_would_refuse_stops_up(own: tuple[DeployedStack, Certified], tmp_path: Path) -> None:
    stack, ca = own
    certificates.certificate("other.example", signer=ca).write(tmp_path)
    refused = stack.deployer("up", "--yes")
    assert refused.returncode == 2
    assert f"is for other.example, not for {NAME}" in refused.stderr
    certificates.certificate(NAME, signer=ca).write(tmp_path)
    (tmp_path / "server.key").chmod(0o644)
    refused = stack.deployer("up", "--yes")
    assert refused.returncode == 2
    assert f"chmod 600 {tmp_path / 'server.key'}" in refused.stderr
    assert stack.containers() == {}
    assert not (stack.directory / "compose.yaml").exists()


# -- ACME


@contextmanager
def acme_server(folder: Path, name: str, program: str) -> Iterator[str]:
    """Caddy as an ACME server at `acme.test`, on its own network; gives the network's name."""
    folder.mkdir()
    (folder / "Caddyfile").write_text(
        "{\n\tskip_install_trust\n}\nhttps://acme.test {\n\ttls internal\n\tacme_server\n}\n"
    )
    network = f"{name}-acme"
    docker("network", "create", network)
    try:
        docker(
            "run", "--detach", "--name", network, "--network", network, "--network-alias", "acme.test",
            "--volume", f"{folder}:/etc/acme:ro", "--entrypoint", "caddy", program,
            "run", "--config", "/etc/acme/Caddyfile", "--adapter", "caddyfile",
        )  # fmt: skip
        root = "/data/caddy/pki/authorities/local/root.crt"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := docker("exec", network, "cat", root, check=False)):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        (folder / "root.crt").write_text(found)
        yield network
    finally:
        docker("rm", "--force", "--volumes", network, check=False)
        docker("network", "rm", network, check=False)


@pytest.mark.parametrize("port", [5443, 443])
def test_a_certificate_comes_from_an_acme_server(
    stack: DeployedStack, fresh_stack: DeployedStack, tmp_path: Path, port: int
) -> None:
    program = docker("inspect", "--format", "{{.Config.Image}}", stack.containers()["frontend"]).strip()
    # Its own address, if nothing else has the port that the ACME server checks.
    place = f"127.0.0.{port % 200}"
    taken = {"DEPLOYER_TLS": "acme", "DEPLOYER_HOST": "registry.acme.test", "DEPLOYER_BIND": place}
    if port != 443:
        with socket.create_server((place, 80)):
            refused = fresh_stack.deployer("up", "--yes", environment=taken)
        assert refused.returncode == 1
        assert "Port 80 is already in use by" in refused.stderr
        assert "an ACME server needs it to check that you own registry.acme.test" in refused.stderr
    with acme_server(tmp_path / "acme", fresh_stack.name, program) as network:
        fresh_stack.directory.mkdir(parents=True)
        aliases = {"default": {}, "acme": {"aliases": ["registry.acme.test"]}}
        override = {
            "services": {"frontend": {"networks": aliases}},
            "networks": {"acme": {"external": True, "name": network}},
        }
        (fresh_stack.directory / "compose.override.yaml").write_text(json.dumps(override))
        tls = {
            "mode": "acme", "email": "me@acme.test", "directory": "https://acme.test/acme/local/directory",
            "authority": str(tmp_path / "acme" / "root.crt"),
        }  # fmt: skip
        settings = {"host": "registry.acme.test", "port": port, "bind": place, "tls": tls}
        (fresh_stack.folder / "deployer.yaml").write_text(json.dumps(settings))
        secured = DeployedStack(fresh_stack.folder, fresh_stack.name, port, {"DEPLOYER_BIND": place})
        try:
            brought_up = secured.deployer("up", "--yes")
            assert brought_up.returncode == 0, brought_up.stderr
            found = presented(secured, "registry.acme.test", trusted=tmp_path / "acme" / "root.crt", port=port)
            assert names_in(found) == {"registry.acme.test"}
            assert "Page:     https://registry.acme.test" in brought_up.stdout
            assert "TLS, with an ACME certificate" in secured.deployer("status", check=True).stdout
        finally:
            secured.deployer("down", "--volumes", "--yes")
