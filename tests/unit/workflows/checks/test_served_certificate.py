"""What is said of a certificate of the user's own: of the one that is served, and of what `up` would serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deployer.layout import OWN_CERTIFICATE, OWN_KEY
from deployer.paths import Deployment
from deployer.settings.model import Settings, TlsSettings
from deployer.workflows.checks import served_certificate
from tests.support.certificates import DAY, Certified, certificate, make_ca, now

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.workflows.finding import Finding

HOST = "registry.example"
RENEW = "Renew it: put the new certificate in {0}/server.crt and its key in {0}/server.key, then: deployer up"
ROOT = make_ca()
GOOD = certificate(HOST, signer=ROOT)
RENEWED = certificate(HOST, signer=ROOT, ends=now() + 700 * DAY)
SOON = certificate(HOST, signer=ROOT, ends=now() + 3 * DAY + DAY / 2)
EXPIRED = certificate(HOST, signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY)


@dataclass
class Case:
    folder: Path

    @property
    def deployment(self) -> Deployment:
        return Deployment("registry", self.folder / "deployment")

    @property
    def settings(self) -> Settings:
        tls = TlsSettings(certificate=str(self.folder / "server.crt"), key=str(self.folder / "server.key"))
        return Settings(host=HOST, port=5000, tls=tls)

    def serve(self, made: Certified, *, chain: bytes = b"") -> None:
        file, key = self.deployment.directory / OWN_CERTIFICATE, self.deployment.directory / OWN_KEY
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made.pem + chain)
        key.write_bytes(made.key_pem)

    def findings(self) -> list[Finding]:
        return list(served_certificate.findings(self.settings, self.deployment, now()))

    def only(self, served: Certified, kept: Certified) -> Finding:
        self.serve(served)
        kept.write(self.folder)
        [found] = self.findings()
        return found


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_what_is_served_and_valid_needs_nothing(case: Case) -> None:
    GOOD.write(case.folder)
    assert case.findings() == [], "nothing is deployed yet"
    case.serve(GOOD)
    assert case.findings() == []


def test_an_expired_one_is_told_with_what_renews_it(case: Case) -> None:
    found = case.only(EXPIRED, EXPIRED)
    assert found.state == "wrong"
    assert found.sentence.startswith(f"The certificate of {HOST}:5000 expired on ")
    assert found.advice == (
        RENEW.format(case.folder),
        "If this machine's clock is wrong, set it: timedatectl",
    )


def test_a_renewed_file_is_applied_by_up(case: Case) -> None:
    until = f"{RENEWED.certificate.not_valid_after_utc:%Y-%m-%d}"
    applies = f"deployer up   (applies the renewed certificate in {case.folder}/server.crt, until {until})"
    found = case.only(EXPIRED, RENEWED)
    assert (found.state, found.advice[0]) == ("wrong", applies)
    found = case.only(SOON, RENEWED)
    assert (found.state, found.advice) == ("note", (applies,))
    found = case.only(GOOD, RENEWED)
    assert (found.state, found.advice) == ("note", (applies,))
    assert "has another certificate than the one that is served" in found.sentence


def test_one_that_expires_soon_is_a_remark(case: Case) -> None:
    found = case.only(SOON, SOON)
    ends = f"{SOON.certificate.not_valid_after_utc:%Y-%m-%d}"
    assert (found.state, found.sentence) == ("note", f"The certificate of {HOST}:5000 expires in 3 days, on {ends}.")
    assert found.advice[0].startswith("Renew it: put the new certificate in ")
    # So does one whose intermediate CA does.
    middle = make_ca("Middle", signer=ROOT, ends=now() + 3 * DAY + DAY / 2)
    case.serve(certificate(HOST, signer=middle), chain=middle.pem)
    assert [one.state for one in case.findings()] == ["note"]


def test_a_renewal_that_is_half_done_keeps_nothing_from_being_ready(case: Case) -> None:
    key = f"The key {case.folder}/server.key does not belong to the certificate {case.folder}/server.crt."
    GOOD.write(case.folder)
    case.serve(GOOD)
    (case.folder / "server.crt").write_bytes(RENEWED.pem)
    [found] = case.findings()
    assert found.state == "note"
    assert found.sentence == f"{key} The registry serves the one that it has, but `deployer up` will fail."
    assert served_certificate.refusal_of_file(case.settings, case.deployment, now()) == key
    case.serve(SOON)
    [found] = case.findings()
    assert found.sentence.startswith("The certificate of registry.example:5000 expires in 3 days")
    assert found.advice[0] == key
    assert found.advice[-1] == "Then: deployer up"
    case.serve(EXPIRED)
    [found] = case.findings()
    assert (found.state, found.advice[0]) == ("wrong", key)


def test_files_that_are_gone_are_a_remark(case: Case) -> None:
    case.serve(GOOD)
    [found] = case.findings()
    assert found.state == "note"
    assert "there is no such file" in found.sentence


def test_one_for_another_name_is_told(case: Case) -> None:
    found = case.only(certificate("other.example", signer=ROOT), GOOD)
    assert found.state == "wrong"
    assert f"is not for '{HOST}': it is for other.example" in found.sentence
    assert found.advice[0].startswith("deployer up   (applies ")


def test_one_that_is_not_valid_yet_is_told(case: Case) -> None:
    early = certificate(HOST, signer=ROOT, begins=now() + DAY)
    found = case.only(early, early)
    assert found.state == "wrong"
    assert "is not valid before" in found.sentence


def test_a_damaged_copy_is_written_again_by_up(case: Case) -> None:
    GOOD.write(case.folder)
    case.serve(GOOD)
    (case.deployment.directory / OWN_CERTIFICATE).write_bytes(b"x")
    [found] = case.findings()
    assert (found.state, found.advice) == ("wrong", ("deployer up   (writes it again)",))
