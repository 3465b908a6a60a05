"""The certificate of the registry's own CA, as it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.engine.inventory import Inventory, Volume, Wanted, WantedVolume
from deployer.paths import Deployment
from deployer.record import Record, Release
from deployer.settings.model import Settings, TlsMode, TlsSettings
from deployer.workflows.deployment import ca
from deployer.workflows.deployment.stack import Stack
from tests.support.certificates import make_ca as made
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path


def test_a_certificate_has_a_fingerprint(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    assert ca.fingerprint(deployment) == ""
    deployment.ca_file.write_bytes(made().pem)
    assert len(ca.fingerprint(deployment)) == 95


@pytest.mark.parametrize("left", [0, 1, 100, -60, -1])
def test_one_that_was_truncated_has_none_and_is_so_written_again(tmp_path: Path, left: int) -> None:
    deployment = Deployment("registry", tmp_path)
    pem = made().pem.strip()
    deployment.ca_file.write_bytes(pem[:left])
    assert ca.fingerprint(deployment) == ""


def test_one_that_is_something_else_has_none(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    deployment.ca_file.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert ca.fingerprint(deployment) == ""
    deployment.ca_file.write_bytes(b"\xff\xfe")
    assert ca.fingerprint(deployment) == ""


@pytest.mark.parametrize(
    ("tls", "is_served"),
    [
        (TlsSettings(TlsMode.INTERNAL), True),
        (TlsSettings(TlsMode.OFF), False),
        (TlsSettings(), False),
        (TlsSettings(certificate="/tls/server.crt", key="/tls/server.key"), False),
        (TlsSettings(TlsMode.ACME), False),
    ],
)
def test_a_ca_that_no_certificate_comes_from_any_more_is_no_loss(
    tmp_path: Path, tls: TlsSettings, is_served: bool
) -> None:
    stack = Stack(Settings(tls=tls), Deployment("registry", tmp_path), FakeEngine())
    assert not ca.is_served(stack)
    stack.deployment.ca_file.write_bytes(made().pem)
    assert ca.is_served(stack) == is_served


WANTED = Wanted(volumes=(WantedVolume("registry_frontend", False, "", {}, {}),))
KEPT = Inventory("registry", volumes=(Volume("registry_frontend", "registry", "local", {}, {}),))


def test_a_lost_ca_is_known_by_its_certificate_or_by_an_up_that_came_to_its_end(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    nothing = Inventory("registry")
    deployment.record_file.write_bytes(Record("localhost", 5000, {"mode": "internal"}).content)
    # An `up` that did not come to its end has served none.
    assert list(ca.lost(deployment, WANTED, nothing)) == []
    deployment.release_file.write_bytes(Release().content)
    (said,) = ca.lost(deployment, WANTED, nothing)
    assert "was lost with the volume registry_frontend" in said
    assert "SHA-256" not in said
    assert list(ca.lost(deployment, WANTED, KEPT)) == []
    deployment.record_file.write_bytes(Record("localhost", 5000, {}).content)
    assert list(ca.lost(deployment, WANTED, nothing)) == []
    deployment.ca_file.write_bytes(made().pem)
    (said,) = ca.lost(deployment, WANTED, nothing)
    assert ca.fingerprint(deployment) in said
