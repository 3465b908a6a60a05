from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from deployer.errors import ConfigurationError, DeployerError, HostError
from deployer.tls import certificate as reading
from deployer.tls.own_certificate import OwnCertificate, check_own
from tests.support.certificates import DAY, Certified, certificate, make_ca, now

if TYPE_CHECKING:
    from pathlib import Path

HOST = "registry.example"
ROOT = make_ca()


def own(folder: Path, made: Certified | None = None, *, host: str = HOST, chain: bytes = b"") -> OwnCertificate:
    made = made or certificate(HOST, signer=ROOT)
    return check_own(*made.write(folder, chain=chain), host, now(), ROOT.pem)


def refused(folder: Path, made: Certified | None = None, *, host: str = HOST, chain: bytes = b"") -> str:
    with pytest.raises(ConfigurationError) as caught:
        own(folder, made, host=host, chain=chain)
    return caught.value.message


def refused_files(certificate: Path, key: Path) -> DeployerError:
    with pytest.raises(DeployerError) as caught:
        check_own(certificate, key, HOST, now())
    return caught.value


def test_what_a_certificate_says_is_what_openssl_says(tmp_path: Path) -> None:
    made = certificate(HOST, "192.0.2.7", "2001:db8::7", signer=ROOT)
    facts = reading.describe(made.pem)
    path, _ = made.write(tmp_path)
    printed = openssl(tmp_path, "x509", "-in", str(path), "-noout", "-fingerprint", "-sha256").decode()
    assert printed.strip().lower() == f"sha256 fingerprint={facts.fingerprint}".lower()
    assert facts.fingerprint == facts.fingerprint.upper() == made.fingerprint
    assert (facts.subject, facts.issuer) == ("CN=server", "CN=Test CA")
    assert facts.names == (HOST, "192.0.2.7", "2001:db8::7")
    assert (facts.is_ca, facts.is_root) == (False, False)
    assert facts.not_before < now() < facts.not_after
    root = reading.describe(ROOT.pem)
    assert (root.is_ca, root.is_root, root.names) == (True, True, ())
    assert reading.describe_der(made.certificate.public_bytes(serialization.Encoding.DER)) == facts


def test_words_of_a_certificate_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in reading.describe(make_ca("a\x1b[2Jb").pem).subject


def test_what_is_no_certificate_is_said() -> None:
    for content in (b"", b"<html>", ROOT.key_pem):
        with pytest.raises(HostError, match="no certificate in PEM"):
            reading.describe(content)
    with pytest.raises(HostError, match="cannot be read"):
        reading.describe(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(HostError, match="cannot be read"):
        reading.describe_der(b"x")
    assert len(reading.describe_all(ROOT.pem + ROOT.pem)) == 2
    assert reading.bare(b"# words\n" + ROOT.pem + b"more") == ROOT.pem


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("a.example", "a.example", True),
        ("A.Example", "a.example", True),
        ("a.example", "b.a.example", False),
        ("*.example", "a.example", True),
        ("*.example", "b.a.example", False),
        ("*.example", "example", False),
        ("*", "example", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("*.0.2.7", "192.0.2.7", False),
        ("2001:db8::7", "2001:db8:0::7", True),
    ],
)
def test_names(name: str, host: str, covered: bool) -> None:
    assert reading.describe(certificate(name).pem).covers(host) is covered


def test_an_address_as_a_dns_name_or_as_common_name_covers_nothing() -> None:
    assert not reading.describe(certificate(common_name=HOST).pem).covers(HOST)


@pytest.mark.parametrize("form", ["{}", "SHA256 Fingerprint={}", "sha256:{}", " {}\n"])
def test_fingerprints_in_any_form(form: str) -> None:
    for text in (ROOT.fingerprint, ROOT.fingerprint.lower(), ROOT.fingerprint.replace(":", "")):
        assert reading.fingerprint_of(form.format(text)) == ROOT.fingerprint


@pytest.mark.parametrize("text", ["", "AA:BB", "g" * 64, "a" * 63, "a" * 65])
def test_what_is_no_fingerprint(text: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 fingerprint"):
        reading.fingerprint_of(text)


def test_a_good_certificate_of_ones_own(tmp_path: Path) -> None:
    made = certificate(HOST, signer=ROOT)
    found = own(tmp_path, made)
    assert found == OwnCertificate((HOST,), made.certificate.not_valid_after_utc, made.fingerprint, ())
    middle = make_ca("Middle", signer=ROOT)
    assert own(tmp_path, certificate(HOST, signer=middle), chain=middle.pem).warnings == ()
    assert own(tmp_path, certificate("192.0.2.7", signer=ROOT), host="192.0.2.7").warnings == ()


def openssl(folder: Path, *words: str, content: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], cwd=folder, input=content, capture_output=True, check=True).stdout


def test_keys_of_every_kind_are_taken(tmp_path: Path) -> None:
    request = ("req", "-x509", "-out", "c", "-subj", "/CN=x", "-addext", f"subjectAltName=DNS:{HOST}")
    for kind in (["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["ed25519"]):
        openssl(tmp_path, *request, "-newkey", *kind, "-nodes", "-keyout", "k")
        assert check_own(tmp_path / "c", tmp_path / "k", HOST, now()).names == (HOST,)
    key = tmp_path / "old"
    key.touch(mode=0o600)
    key.write_bytes(openssl(tmp_path, "ecparam", "-name", "prime256v1", "-genkey"))
    assert key.read_bytes().startswith(b"-----BEGIN EC PARAMETERS")
    openssl(tmp_path, *request, "-key", "old")
    assert check_own(tmp_path / "c", key, HOST, now()).names == (HOST,)


def test_what_should_be_told(tmp_path: Path) -> None:
    soon = certificate(HOST, signer=ROOT, ends=now() + 3 * DAY)
    assert own(tmp_path, soon).warnings == (
        f"The certificate expires in 3 days, on {soon.certificate.not_valid_after_utc:%Y-%m-%d}.",
    )
    assert "within a day" in own(tmp_path, certificate(HOST, signer=ROOT, ends=now() + DAY / 2)).warnings[0]
    [alone] = own(tmp_path, certificate(HOST)).warnings
    assert "self-signed, which this system does not trust" in alone
    [private] = own(tmp_path, certificate(HOST, signer=make_ca("Private"))).warnings
    assert "from CN=Private" in private
    # A CA of the same name with another key is another CA.
    assert own(tmp_path, certificate(HOST, signer=make_ca())).warnings != ()


def test_a_file_without_the_intermediate_certificate(tmp_path: Path) -> None:
    middle = make_ca("Middle", signer=ROOT)
    made = certificate(HOST, signer=middle)
    [told] = own(tmp_path, made).warnings
    assert "from CN=Middle, which this system does not trust; it must be installed on every client." in told
    assert f"{tmp_path / 'server.crt'} has only the server certificate: if CN=Middle is an intermediate CA" in told
    assert "fullchain.pem" in told
    [told] = own(tmp_path, made, chain=ROOT.pem).warnings
    assert f"{tmp_path / 'server.crt'} does not have the certificate of CN=Middle" in told
    private = make_ca("Private")
    middle = make_ca("Middle", signer=private)
    [told] = own(tmp_path, certificate(HOST, signer=middle), chain=middle.pem).warnings
    assert told.endswith("from CN=Private, which this system does not trust; it must be installed on every client.")
    # In whatever order they are.
    made = certificate(HOST, signer=middle)
    assert own(tmp_path, made, chain=private.pem + middle.pem).warnings == (told,)


def test_dates(tmp_path: Path) -> None:
    assert "expired on" in refused(tmp_path, certificate(HOST, begins=now() - 9 * DAY, ends=now() - DAY))
    assert "this machine's clock says" in refused(tmp_path, certificate(HOST, begins=now() + DAY))
    old = make_ca("Old", signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY)
    assert "certificate 2 in it, expired on" in refused(tmp_path, certificate(HOST, signer=old), chain=old.pem)


def test_names_of_ones_own(tmp_path: Path) -> None:
    assert "has no subject alternative name" in refused(tmp_path, certificate(common_name=HOST))
    assert f"is for other.example, not for {HOST}" in refused(tmp_path, certificate("other.example"))
    assert "not for 192.0.2.7" in refused(tmp_path, certificate(HOST), host="192.0.2.7")


def test_a_certificate_for_clients_is_refused(tmp_path: Path) -> None:
    made = certificate(HOST, signer=ROOT, use=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert "is not for servers" in refused(tmp_path, made)


def test_the_order_of_the_chain(tmp_path: Path) -> None:
    made = certificate(HOST, signer=ROOT)
    path, key = made.write(tmp_path)
    path.write_bytes(ROOT.pem + made.pem)
    assert "are in the wrong order: the server certificate is number 2" in refused_files(path, key).message


def test_files(tmp_path: Path) -> None:
    made = certificate(HOST)
    path, key = made.write(tmp_path)
    missing = refused_files(tmp_path / "none", key)
    assert isinstance(missing, ConfigurationError)
    assert f"tls.certificate refers to {tmp_path / 'none'}, but there is no such file." in missing.message
    assert "tls.key refers to" in refused_files(path, tmp_path / "none").message
    assert "is a directory" in refused_files(tmp_path, key).message
    assert "contains a private key and no certificate" in refused_files(key, key).message
    both = tmp_path / "both"
    both.write_bytes(made.pem + made.key_pem)
    assert "also contains a private key" in refused_files(both, key).message
    binary = tmp_path / "binary"
    binary.write_bytes(made.certificate.public_bytes(serialization.Encoding.DER))
    assert "contains no certificate in PEM" in refused_files(binary, key).message
    assert refused_files(binary, key).advice == (f"openssl x509 -inform DER -in {binary} -out {binary}.pem",)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert "cannot be read" in refused_files(damaged, key).message
    path.chmod(0o600)
    assert "contains no private key in PEM" in refused_files(path, path).message


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, key = certificate(HOST).write(tmp_path)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("deployer.tls.own_certificate.read_whole", refuse)
    assert isinstance(refused_files(path, key), HostError)


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_key_for_everyone_is_refused(tmp_path: Path, mode: int) -> None:
    path, key = certificate(HOST).write(tmp_path)
    key.chmod(mode)
    error = refused_files(path, key)
    assert "Every user of this machine can read or change the key" in error.message
    assert error.advice == (f"chmod 600 {key}",)


def test_a_key_that_does_not_serve(tmp_path: Path) -> None:
    made = certificate(HOST)
    path, key = made.write(tmp_path)
    key.write_bytes(certificate(HOST).key_pem)
    assert "does not belong to the certificate" in refused_files(path, key).message
    key.write_bytes(made.locked_key_pem(b"secret"))
    assert "protected with a passphrase" in refused_files(path, key).message
    rsa = openssl(tmp_path, "genrsa", "2048")
    openssl(tmp_path, "rsa", "-aes128", "-traditional", "-passout", "pass:x", "-out", str(key), content=rsa)
    assert b"Proc-Type: 4,ENCRYPTED" in key.read_bytes()
    assert "protected with a passphrase" in refused_files(path, key).message
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    error = refused_files(path, key)
    assert "cannot be read" in error.message
    assert error.original == ""
