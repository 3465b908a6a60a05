"""What the copy of a drill has of a backup, and what it never has: the way to the real deployment, and out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.errors import BackupError
from deployer.host import passwords
from deployer.paths import Deployment
from deployer.rendering import snippets
from deployer.rendering.deployment import RenderInputs, ServiceImages, render_deployment
from deployer.settings.model import Page, TlsMode
from deployer.settings.values import account
from deployer.workflows.backup.archive import About, Archive, Kept
from deployer.workflows.deployment import ca
from deployer.workflows.drill.copy import Copy, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

HASH = "$2b$04$" + "a" * 53
USERS = f"ann:{HASH}\nbob:{HASH}\n".encode()
DEPLOYMENT = Deployment("registry-drill-000000", Path("/drills/registry-drill-000000"))


def frontend(certificate: bytes = b"the CA") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(f"./{ca.IN_FRONTEND}")
        entry.size = len(certificate)
        archive.addfile(entry, io.BytesIO(certificate))
    return packed.getvalue()


def copy_of(settings: str = "", files: Mapping[Kept, bytes] | None = None, *, with_secrets: bool = True) -> Copy:
    about = About("registry", "localhost", 5000, {}, with_secrets)
    found = {Kept.SETTINGS: f"name: registry\n{settings}".encode(), **(files or {})}
    return Copy.of(Origin.read(Archive(about, found)), DEPLOYMENT, 5007)


def compose_file(copy: Copy) -> str:
    rendered = render_deployment(copy.settings, ServiceImages("registry", "caddy"), RenderInputs("0" * 64))
    return next(one.content for one in rendered if one.path == "compose.yaml").decode()


def test_the_directory_port_and_address_of_the_real_one_are_not_used() -> None:
    copy = copy_of(
        "host: registry.example.com\nport: 443\nbind: 192.168.1.5\ntls: internal\n"
        "registry: {data: /srv/images, reserve: 50%}"
    )
    text = compose_file(copy)
    assert "/srv/images" not in text
    assert "127.0.0.1:5007:5000" in text
    assert "192.168.1.5" not in text
    assert (copy.settings.name, copy.settings.host) == (DEPLOYMENT.name, "registry.example.com")
    # The answer to an upload that is begun is that of the rules, however full the disk is.
    assert copy.settings.registry.reserve == "off"


def test_the_users_own_compose_file_is_left_out_and_nothing_restarts() -> None:
    own = b"services: {registry: {volumes: ['/srv:/srv'], networks: [prod]}}\n"
    copy = copy_of(files={Kept.OVERRIDE: own})
    assert copy.archive.files[Kept.OVERRIDE] == snippets.drill_override()
    assert copy.files[DEPLOYMENT.override_file] is Kept.OVERRIDE
    assert copy.origin.left_out == ("compose.override.yaml",)
    assert copy_of(files={Kept.OVERRIDE: snippets.override().content}).origin.left_out == ()


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ("tls: off", TlsMode.OFF),
        ("tls: internal", TlsMode.INTERNAL),
        ("host: registry.example.com\ntls: {mode: acme, email: ann@example.com}", TlsMode.INTERNAL),
        ("tls: {certificate: cert.pem, key: key.pem}", TlsMode.INTERNAL),
    ],
)
def test_no_certificate_is_requested_or_checked_elsewhere(settings: str, mode: TlsMode) -> None:
    tls = copy_of(settings).settings.tls
    assert (tls.mode, tls.certificate, tls.email, tls.directory) == (mode, "", "", "")


def test_the_ca_is_that_of_the_backup_and_what_acme_gave_stays_out() -> None:
    inside = copy_of("tls: internal", {Kept.FRONTEND: frontend()})
    assert inside.origin.ca == b"the CA"
    assert Kept.FRONTEND in inside.archive.files
    acme = copy_of("host: registry.example.com\ntls: acme", {Kept.FRONTEND: frontend()})
    assert acme.origin.ca is None
    assert Kept.FRONTEND not in acme.archive.files
    assert acme.origin.left_out == ("the ACME certificate",)


def test_a_page_of_its_own_is_left_out() -> None:
    copy = copy_of("frontend: {page: joxit}")
    assert copy.settings.frontend.page is Page.NONE
    assert copy.origin.left_out == ("the page",)


def test_a_user_that_the_copy_alone_has_may_pull_everything_and_the_others_stay() -> None:
    copy = copy_of("access: [{users: [ann], allow: [push]}]", {Kept.USERS: USERS})
    assert copy.visitor is not None
    accounts, bad = account.parse(copy.archive.files[Kept.USERS].decode())
    assert not bad
    own = next(one for one in accounts if one.name == copy.visitor.name)
    assert passwords.matches(copy.visitor.password, own.hash)
    assert {one.name: one.hash for one in accounts if one is not own} == {"ann": HASH, "bob": HASH}
    *rules, last = copy.settings.access
    assert [rule.users for rule in rules] == [("ann",)]
    assert (last.users, last.repositories, last.allow) == ((copy.visitor.name,), ("*",), ("pull",))
    assert copy.visitor.password not in repr(copy)


def test_without_rules_or_users_none_are_added() -> None:
    assert copy_of(files={Kept.USERS: USERS}).settings.access == ()
    copy = copy_of()
    assert copy.visitor is None
    assert Kept.USERS not in copy.archive.files


def test_of_a_backup_without_secrets_no_rules_are_tested() -> None:
    copy = copy_of("access: [{users: [ann], allow: [push]}]", with_secrets=False)
    assert copy.settings.access == ()
    assert copy.origin.left_out == ("users, access rules and certificates, which are not in the backup",)


@pytest.mark.parametrize(("kept", "content"), [(Kept.USERS, b"ann:secret\n"), (Kept.FRONTEND, b"no archive" * 100)])
def test_what_is_damaged_in_the_backup_is_said_without_its_content(kept: Kept, content: bytes) -> None:
    with pytest.raises(BackupError, match="damaged") as raised:
        copy_of("tls: internal", {kept: content})
    assert "secret" not in str(raised.value)
