"""TLS and login over real connections: servers on 127.0.0.1 with certificates of the tests' own."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from deployer.errors import DeployerError, RegistryError
from deployer.record import Record
from deployer.registry.client import RegistryClient
from deployer.registry.connection.tls_context import TrustStore, installed
from deployer.registry.connection.tls_faults import HandshakeFailure, tls_fault
from deployer.registry.login.credentials import Credentials
from deployer.registry.protocol.place import Place
from tests.support.certificates import Certified, certificate, make_ca, now
from tests.support.fake_registry import Asked, FakeRegistry, Reply, serving
from tests.support.raw_server import sending
from tests.support.tls_server import TlsServer, redirecting, refusing, tls_server
from tests.unit.registry.connection.test_transport import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAY = timedelta(days=1)


@dataclass
class Site:
    """A registry with one user behind TLS, and a home folder on a client of it."""

    folder: Path
    signer: Certified
    fake: FakeRegistry
    server: TlsServer
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def certs(self) -> Path:
        return self.folder / "home/.docker/certs.d" / self.server.address

    def install(self, signer: Certified | None = None, folder: Path | None = None) -> Path:
        target = (folder or self.certs) / "ca.crt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((signer or self.signer).pem)
        return target

    def client(self, scheme: str = "http", **given: object) -> RegistryClient:
        return RegistryClient(f"{scheme}://{self.server.address}", self.environment, **given)  # type: ignore[arg-type]

    def failure(self, scheme: str = "http", **given: object) -> DeployerError:
        with self.client(scheme, **given) as client, pytest.raises(DeployerError) as caught:
            client.catalog()
        return caught.value


@contextmanager
def site(
    folder: Path,
    made: Certified | None = None,
    *,
    plain: Callable[[TlsServer], bytes] = redirecting,
    clients: Certified | None = None,
    chain: bytes = b"",
) -> Iterator[Site]:
    signer = make_ca()
    made = made or certificate("127.0.0.1", "localhost", signer=signer)
    files = made.write(folder / "server", chain=chain)
    if clients is not None:
        (folder / "clients.crt").write_bytes(clients.pem)
    fake = FakeRegistry(user=("ann", "s3cret"))
    with (
        serving(fake.answer) as port,
        tls_server(*files, port, plain=plain, clients=folder / "clients.crt" if clients else None) as server,
    ):
        found = Site(folder, made.signer or signer, fake, server)
        found.environment = {"HOME": str(folder / "home"), **signed_in(folder, (server.address, "ann:s3cret"))}
        yield found


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


# --- trust -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [".docker/certs.d", ".config/docker/certs.d", ".config/containers/certs.d"], ids=lambda text: text[1:]
)
def test_an_installed_ca_is_trusted(tls: Site, place: str) -> None:
    tls.install(folder=tls.folder / "home" / place / tls.server.address)
    with tls.client("https") as client:
        assert client.catalog() == ()
    assert tls.fake.asked[-1].headers["authorization"].startswith("Basic ")


def test_the_deployments_own_ca_is_trusted(tls: Site) -> None:
    file = tls.install(folder=tls.folder / "deployment")
    with tls.client("https", ca=file) as client:
        assert client.catalog() == ()


def test_a_ca_for_another_address_is_not(tls: Site) -> None:
    tls.install(folder=tls.folder / "home/.docker/certs.d/127.0.0.1:1")
    assert "a CA that this machine does not trust" in tls.failure("https").message
    assert tls.fake.asked == []


def test_a_ca_that_made_an_intermediate_one_is_enough(tmp_path: Path) -> None:
    root = make_ca("Root")
    between = make_ca("Between", signer=root)
    with site(tmp_path, certificate("127.0.0.1", signer=between), chain=between.pem) as tls:
        tls.install(root)
        with tls.client() as client:
            assert client.catalog() == ()


def test_an_intermediate_ca_is_trusted_without_its_root(tmp_path: Path) -> None:
    between = make_ca("Between", signer=make_ca("Root"))
    with site(tmp_path, certificate("127.0.0.1", signer=between)) as tls:
        tls.install(between)
        with tls.client() as client:
            assert client.catalog() == ()


def test_our_own_certificate_is_shown_where_one_is_installed(tmp_path: Path) -> None:
    people = make_ca("People")
    with site(tmp_path, clients=people) as tls:
        tls.install()
        wanted = tls.failure()
        assert wanted.message == f"{tls.server.address} requires a client certificate."
        assert f"certs.d/{tls.server.address}/client.cert" in wanted.advice[0]
        ours = certificate("ann", signer=people, common_name="ann", use=ExtendedKeyUsageOID.CLIENT_AUTH)
        (tls.certs / "client.cert").write_bytes(ours.pem)
        (tls.certs / "client.key").write_bytes(ours.key_pem)
        with tls.client() as client:
            assert client.catalog() == ()
        assert "ann" in tls.server.shown


def test_files_of_no_use_are_named_where_the_connection_fails(tls: Site) -> None:
    tls.install().write_text("no certificate\n")
    (tls.certs / "client.cert").write_bytes(tls.signer.pem)
    error = tls.failure()
    assert f"{tls.certs / 'ca.crt'} cannot be used as a CA" in "\n".join(error.advice)
    assert f"{tls.certs / 'client.cert'} with client.key cannot be used" in "\n".join(error.advice)


def test_an_encrypted_key_asks_nobody_for_its_password(tls: Site) -> None:
    tls.install()
    (tls.certs / "client.cert").write_bytes(tls.signer.pem)
    (tls.certs / "client.key").write_bytes(tls.signer.locked_key_pem(b"secret"))
    with tls.client() as client:
        assert client.catalog() == ()


# --- what the registry speaks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [redirecting, refusing])
def test_asked_in_plain_a_registry_with_tls_is_asked_in_tls(
    tmp_path: Path, plain: Callable[[TlsServer], bytes]
) -> None:
    with site(tmp_path, plain=plain) as tls:
        file = tls.install(folder=tmp_path / "deployment")
        with tls.client(ca=file) as client:
            assert client.catalog() == ()
            assert client.place.url == f"https://{tls.server.address}"
            client.each(lambda _: client.ping(), range(20))
        assert len(tls.server.plain) == 1
        assert b"uthorization" not in tls.server.plain[0]


@pytest.mark.parametrize("act", [lambda client: client.put_blob("a", b"x"), lambda client: client.catalog()])
def test_what_writes_is_sent_on_too(tls: Site, act: Callable[[RegistryClient], object]) -> None:
    file = tls.install(folder=tls.folder / "deployment")
    with tls.client(ca=file) as client:
        act(client)
    assert len(tls.server.plain) == 1


def test_many_threads_are_told_at_once_and_none_logs_in_in_plain(tls: Site) -> None:
    file = tls.install(folder=tls.folder / "deployment")
    with tls.client(ca=file) as client:
        client.each(lambda _: client.ping(), range(100))
    assert not any(b"uthorization" in asked for asked in tls.server.plain)


def test_with_an_installed_ca_nothing_is_asked_in_plain(tls: Site) -> None:
    tls.install()
    with tls.client() as client:
        client.catalog()
    assert tls.server.plain == []


def test_an_upload_that_is_sent_on_in_plain_goes_in_tls(tls: Site) -> None:
    tls.install()

    def before(asked: Asked) -> Reply | None:
        if asked.method != "POST" or "authorization" not in asked.headers:
            return None
        return Reply(202, b"", {"Location": f"http://{tls.server.address}/v2/a/blobs/uploads/1"})

    tls.fake.before = before
    with tls.client() as client:
        client.put_blob("a", b"x")
    assert tls.server.plain == []


def test_a_redirect_from_tls_to_plain_is_not_followed_there(tls: Site) -> None:
    tls.install()
    tls.fake.before = lambda asked: Reply(307, b"", {"Location": f"http://{tls.server.address}/v2/_catalog"})
    assert "redirects endlessly" in tls.failure().message
    assert tls.server.plain == []


def test_a_401_from_elsewhere_gets_no_login(tmp_path: Path) -> None:
    stranger = FakeRegistry(user=("ann", "s3cret"))
    fake = FakeRegistry()
    with serving(stranger.answer) as elsewhere, serving(fake.answer) as port:
        fake.before = lambda asked: Reply(307, b"", {"Location": f"http://127.0.0.1:{elsewhere}/v2/_catalog"})
        environment = signed_in(tmp_path, (f"127.0.0.1:{port}", "ann:s3cret"))
        client = RegistryClient(f"http://127.0.0.1:{port}", environment)
        with (
            client,
            pytest.raises(
                DeployerError, match=f"redirects to http://127.0.0.1:{elsewhere}, which requires a separate login"
            ),
        ):
            client.catalog()
    assert all("authorization" not in asked.headers for asked in (*fake.asked, *stranger.asked))


# --- faults ----------------------------------------------------------------------------------------------------------


def test_an_unknown_ca_gets_no_password(tls: Site) -> None:
    error = tls.failure()
    assert "a CA that this machine does not trust" in error.message
    assert "deployer sends no password to it" in error.message
    assert f"certs.d/{tls.server.address}/ca.crt" in error.advice[1]
    assert "certificate verify failed" in error.original
    assert tls.fake.asked == []


@pytest.mark.parametrize("name", ["Test CA", "Another"])
def test_a_ca_that_was_replaced(tls: Site, name: str) -> None:
    file = tls.install(make_ca(name))
    error = tls.failure()
    assert f"was not issued by the CA that is installed for it, {file}: the registry has a new" in error.message
    assert error.advice[0] == f"If the registry was set up again, the file is out of date: rm {file}"
    # By its name it may be a new CA, or one of which the server does not send the certificate.
    assert ("the server does not send the certificate of CN=Test CA" in error.message) is (name == "Another")
    elsewhere = unknown(TrustStore((file,)))
    assert elsewhere.message.endswith(f"{file}: the registry has a new CA, or another server is answering.")
    assert "deployer configure-daemon --host reg --port 5000" in elsewhere.advice[0]


def test_a_server_that_does_not_send_the_intermediate_certificate(tmp_path: Path) -> None:
    root = make_ca("Root")
    with site(tmp_path, certificate("127.0.0.1", signer=make_ca("Middle", signer=root))) as tls:
        tls.install(root)
        error = tls.failure()
    assert "or the server does not send the certificate of CN=Middle, which issued it." in error.message
    assert "add the certificate of CN=Middle" in error.advice[-1]


@pytest.mark.parametrize("is_installed", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "registry.example"])
def test_a_new_ca_of_the_deployment_of_this_machine_or_another_server_in_its_place(
    tls: Site, host: str, is_installed: bool
) -> None:
    file = tls.install(make_ca(), tls.folder / "deployment")
    port = int(tls.server.address.rpartition(":")[2])
    file.with_name("address.json").write_bytes(Record(host, port).content)
    shown = tls.install(make_ca()) if is_installed else file
    error = tls.failure(ca=file)
    assert f", {shown}: the registry has a new CA, or another server is answering." in error.message
    assert error.advice[:2] == (
        "deployer status   (compares the CAs)",
        "If it has a new CA: deployer up   (records it)",
    )
    assert error.advice[2] == f"If it has your own certificate: rm {shown}"


def test_the_deployment_of_this_machine_under_a_public_name(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_bytes(make_ca().pem)
    file.with_name("address.json").write_bytes(Record("reg", 5000).content)
    for known in ((), (tmp_path / "installed.crt",)):
        error = unknown(TrustStore(known, deployed=file))
        assert "the registry has a new CA, or another server is answering." in error.message
        assert error.advice[1] == "If it has a new CA: deployer up   (records it)"
        assert error.advice[2].endswith("deployer configure-daemon --host reg --port 5000")


@pytest.mark.parametrize("record", [Record("other", 5000), Record("127.0.0.1", 1)])
def test_a_deployment_of_this_machine_with_another_address_is_not_meant(tls: Site, record: Record) -> None:
    file = tls.install(make_ca(), tls.folder / "deployment")
    file.with_name("address.json").write_bytes(record.content)
    for error in (tls.failure(ca=file), unknown(TrustStore(deployed=file))):
        assert "was issued by a CA that this machine does not trust" in error.message
        assert not any("deployer up" in one for one in error.advice)


def test_a_damaged_file_of_the_deployments_own_ca(tls: Site) -> None:
    file = tls.install(make_ca(), tls.folder / "deployment")
    file.write_bytes(file.read_bytes()[:100])
    error = tls.failure(ca=file)
    assert error.message == f"The certificate of this deployment's own CA, {file}, is damaged."
    assert error.advice[0] == "deployer up   (writes it again)"


def test_an_unknown_ca_on_another_machine() -> None:
    error = unknown(TrustStore())
    assert error.message == "The certificate of reg:5000 was issued by a CA that this machine does not trust."
    assert error.advice[0] == "deployer configure-daemon --host reg --port 5000"
    assert error.advice[1].endswith("--ca FILE")


def unknown(trust: TrustStore) -> DeployerError:
    """What is said of another machine's certificate, as OpenSSL tells an unknown CA."""
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code = 20
    return tls_fault(cause, Place.of("https://reg:5000"), HandshakeFailure(trust, None, now()), str(cause))


def test_a_certificate_with_another_fault_is_said_to_have_it() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code, cause.verify_message = 26, "unsuitable certificate purpose"
    error = tls_fault(cause, Place.of("https://r:443"), HandshakeFailure(TrustStore(), None, now()), "")
    assert error.message == "The certificate of r:443 is not trusted: unsuitable certificate purpose."


def test_an_expired_certificate(tmp_path: Path) -> None:
    signer = make_ca()
    ended = now() - DAY
    with site(tmp_path, certificate("127.0.0.1", signer=signer, begins=now() - 9 * DAY, ends=ended)) as tls:
        tls.install()
        error = tls.failure()
    assert f"expired on {ended:%Y-%m-%d %H:%M} UTC; this machine's clock says {now():%Y-%m-%d}" in error.message
    assert "timedatectl" in error.advice[0]
    assert "deployer up" in error.advice[1]


def test_an_expired_ca(tmp_path: Path) -> None:
    signer = make_ca(begins=now() - 9 * DAY, ends=now() - DAY)
    with site(tmp_path, certificate("127.0.0.1", signer=signer)) as tls:
        tls.install()
        error = tls.failure()
    assert error.message.startswith(f"The CA that issued the certificate of {tls.server.address} has expired")
    assert "deployer configure-daemon" in error.advice[1]


def test_a_certificate_of_the_future(tmp_path: Path) -> None:
    begins = now() + DAY
    with site(tmp_path, certificate("127.0.0.1", signer=make_ca(), begins=begins)) as tls:
        tls.install()
        error = tls.failure()
    assert f"is not valid before {begins:%Y-%m-%d %H:%M} UTC; this machine's clock says" in error.message


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("reg.example", "10.0.0.1"), "it is for reg.example, 10.0.0.1."),
        ((), "it has no host names."),
        (tuple(f"r{number}" for number in range(8)), "it is for r0, r1, r2, r3, r4, r5 and 2 more."),
    ],
)
def test_a_certificate_for_another_name(tmp_path: Path, names: tuple[str, ...], told: str) -> None:
    with site(tmp_path, certificate(*names, signer=make_ca(), common_name="127.0.0.1")) as tls:
        tls.install()
        error = tls.failure()
    assert error.message == f"The certificate of {tls.server.address} is not for '127.0.0.1': {told}"


def test_a_name_in_the_subject_alone_is_none_as_for_docker(tmp_path: Path) -> None:
    with site(tmp_path, certificate(signer=make_ca(), common_name="localhost")) as tls:
        file = tls.install(folder=tmp_path / "deployment")
        client = RegistryClient(f"https://localhost:{tls.server.port}", tls.environment, ca=file)
        with client, pytest.raises(RegistryError, match="is not for 'localhost': it has no host names"):
            client.catalog()


def alert(description: int) -> bytes:
    return bytes((21, 3, 3, 0, 2, 2, description))


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (80, "has no certificate for '127.0.0.1', or not yet."),
        (112, "has no certificate for '127.0.0.1', or not yet."),
        (116, "requires a client certificate."),
        (40, "could not agree on TLS settings."),
        (70, "could not agree on TLS settings."),
    ],
)
def test_a_handshake_that_the_server_ends(description: int, words: str) -> None:
    with sending(alert(description)) as server:
        client = RegistryClient(f"https://{server.address}", {})
        with client, pytest.raises(RegistryError) as caught:
            client.catalog()
    assert caught.value.message.endswith(words)


def test_a_handshake_that_ends_without_a_word() -> None:
    with sending(b"") as server:
        client = RegistryClient(f"https://{server.address}", {})
        with client, pytest.raises(RegistryError, match="closed the connection during the TLS handshake"):
            client.catalog()


def test_a_plain_registry_asked_in_tls(tmp_path: Path) -> None:
    fake = FakeRegistry()
    with serving(fake.answer) as port:
        with RegistryClient(f"https://127.0.0.1:{port}", {}) as client, pytest.raises(RegistryError) as caught:
            client.catalog()
        assert caught.value.message == f"127.0.0.1:{port} does not use HTTPS, but deployer connected with HTTPS."
        assert "tls: off" in caught.value.advice[0]
    assert fake.asked == []


def test_a_registry_that_lost_its_tls_gets_nothing(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "s3cret"))
    with serving(fake.answer) as port:
        folder = tmp_path / f".docker/certs.d/127.0.0.1:{port}"
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(make_ca().pem)
        environment = {"HOME": str(tmp_path), **signed_in(tmp_path, (f"127.0.0.1:{port}", "ann:s3cret"))}
        with RegistryClient(f"http://127.0.0.1:{port}", environment) as client, pytest.raises(RegistryError) as caught:
            client.catalog()
    assert f"does not use HTTPS, but a CA is installed for it, {folder / 'ca.crt'}" in caught.value.message
    assert caught.value.advice == (f"If it was turned off: rm {folder / 'ca.crt'}",)
    assert fake.asked == []


def test_a_registry_elsewhere_that_lost_its_tls(tmp_path: Path) -> None:
    cause = ssl.SSLError(1, "wrong version number")
    cause.reason = "WRONG_VERSION_NUMBER"
    trust = TrustStore((tmp_path / "ca.crt",))
    error = tls_fault(cause, Place.of("https://reg:5000"), HandshakeFailure(trust, None, now()), "")
    assert error.advice == ("If it was turned off: deployer configure-daemon --host reg --port 5000 --remove",)


def test_the_systems_store_is_not_loaded_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded() -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(ssl, "create_default_context", loaded)
    fake = FakeRegistry()
    with serving(fake.answer) as port, RegistryClient(f"http://127.0.0.1:{port}", {}) as client:
        assert client.catalog() == ()


# --- login ---------------------------------------------------------------------------------------------------------


def test_given_credentials_stand_in_place_of_the_saved_ones(tls: Site) -> None:
    file = tls.install(folder=tls.folder / "deployment")
    tls.environment.update(signed_in(tls.folder, (tls.server.address, "bob:other")))
    with tls.client(ca=file, credentials=Credentials("ann", "s3cret")) as client:
        client.ping()
    error = tls.failure(ca=file, credentials=Credentials("ann", "wr0ng"))
    assert error.message == f"The registry at {tls.server.address} rejected the password for 'ann'."
    assert "wr0ng" not in f"{error}{error.advice}{error.original}"


# --- what is installed -----------------------------------------------------------------------------------------------


def test_every_place_of_docker_and_podman_is_looked_into(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    places = (
        "etc/docker/certs.d",
        "config/docker/certs.d",
        "home/.docker/certs.d",
        "etc/containers/certs.d",
        "home/.config/containers/certs.d",
    )
    for place in places:
        for name in ("reg:443", "reg", "other"):
            folder = tmp_path / place / name
            folder.mkdir(parents=True)
            (folder / "a.crt").touch()
            (folder / "ca.crt.old").touch()
    (tmp_path / "etc/docker/certs.d/reg/x.cert").touch()
    found = installed(Place.of("https://reg"), environment, root=tmp_path)
    assert found.ca_files == tuple(tmp_path / place / name / "a.crt" for place in places for name in ("reg:443", "reg"))
    assert [tuple(file.name for file in pair) for pair in found.own] == [("x.cert", "x.key")]
    assert installed(Place.of("https://reg:5000"), environment, root=tmp_path) == TrustStore()


def test_a_folder_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "etc/docker/certs.d/reg:5000"

    def closed(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(13, "Permission denied")
        return iter(())

    monkeypatch.setattr(type(tmp_path), "iterdir", closed)
    found = installed(Place.of("http://reg:5000"), {"HOME": str(tmp_path)}, root=tmp_path)
    assert not found.expects_tls
    assert found.context()[1] == (f"{folder} cannot be read by this user.",)
