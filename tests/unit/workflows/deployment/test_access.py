"""Login: what is refused, what is said, and how a change reaches the frontend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError, HostError
from deployer.host.files import write_atomically
from deployer.paths import Deployment
from deployer.rendering.rules import user_files
from deployer.settings.access import AccessRule
from deployer.settings.model import Settings, TlsMode, TlsSettings
from deployer.settings.values.account import Account, written
from deployer.workflows.deployment import access

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


HASH = "$2b$12$" + "a" * 53
ANNA, BERT = Account("anna", HASH), Account("bert", HASH)
ABROAD = Settings(host="registry.example")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment("registry", tmp_path)
    made.compose_file.write_text("services: {}")
    return made


def test_a_damaged_file_names_its_lines_and_no_hash(deployment: Deployment) -> None:
    deployment.users_file.write_text(f"anna:{HASH}\nbert:{{SHA}}secret\nanna:{HASH}\n")
    with pytest.raises(HostError, match=r"line 2: .*SHA-1.*; line 3: 'anna' is listed twice") as caught:
        access.accounts_of(deployment)
    assert HASH not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("kept", "lost"), [((ANNA, BERT), 0), ((ANNA,), 0), ((), 2), (None, 2)])
def test_a_file_of_users_that_was_emptied_or_lost_is_told_from_an_open_registry(
    deployment: Deployment, kept: tuple[Account, ...] | None, lost: int
) -> None:
    for file in user_files(Settings(), (ANNA, BERT)):
        write_atomically(deployment.directory / file.path, file.content, file.mode)
    if kept is not None:
        deployment.users_file.write_bytes(written(kept))
    assert access.lost_users(deployment, access.accounts_of(deployment)) == lost


def test_without_users_none_is_lost(deployment: Deployment) -> None:
    assert access.lost_users(deployment, access.accounts_of(deployment)) == 0
    for file in user_files(Settings(), ()):
        write_atomically(deployment.directory / file.path, file.content, file.mode)
    assert access.lost_users(deployment, access.accounts_of(deployment)) == 0


def rule(*users: str) -> AccessRule:
    return AccessRule(users, allow=("pull",))


@pytest.mark.parametrize(
    ("rules", "accounts", "strangers"),
    [
        ((rule("anna"),), (ANNA,), []),
        ((rule("*"),), (ANNA,), []),
        ((rule("*"),), (), ["there are no users yet"]),
        ((rule("anna"), rule("anna", "bert")), (ANNA,), ["bert"]),
        ((rule("anna"),), (), ["anna"]),
    ],
)
def test_a_rule_is_for_users_that_exist(
    rules: tuple[AccessRule, ...], accounts: tuple[Account, ...], strangers: Sequence[str]
) -> None:
    settings = Settings(access=rules)
    if not strangers:
        access.check(settings, accounts)
        return
    with pytest.raises(ConfigurationError) as caught:
        access.check(settings, accounts)
    assert len(caught.value.problems) == len(strangers)
    for problem, stranger in zip(caught.value.problems, strangers, strict=True):
        assert stranger in problem


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        (Settings(), False),
        (ABROAD, True),
        (Settings(host="10.1.2.3"), True),
        (Settings(host="registry.example", tls=TlsSettings(TlsMode.OFF)), False),
        (Settings(host="registry.example", tls=TlsSettings(TlsMode.INTERNAL)), False),
        (Settings(host="registry.example", tls=TlsSettings(certificate="/c", key="/k")), False),
    ],
)
def test_passwords_cross_a_network_in_the_clear_only_where_that_is_said(settings: Settings, refused: bool) -> None:
    access.check(settings, ())
    if refused:
        with pytest.raises(ConfigurationError, match="Passwords would be sent"):
            access.check(settings, (ANNA,))
    else:
        access.check(settings, (ANNA,))


def test_who_else_gets_in_is_said() -> None:
    assert access.exposure(Settings(), ()) == ""
    assert "anyone who can reach port 5000 on every address of this machine" in access.exposure(ABROAD, ())
    assert "are sent unencrypted" in access.exposure(ABROAD, (ANNA,))
    assert access.exposure(Settings(host="registry.example", tls=TlsSettings(TlsMode.INTERNAL)), (ANNA,)) == ""


def test_what_everyone_gets_without_login_is_said() -> None:
    rules = (AccessRule(("anonymous",), ("public/*", "a"), ("pull",)), AccessRule(("anna",), allow=("push",)))
    ruled = replace(ABROAD, access=rules)
    said = "Anyone who can reach port 5000 on every address of this machine can pull public/*, a without login."
    assert access.exposure(ruled, (ANNA,)).startswith(said)
    access.check(replace(ruled, tls=TlsSettings(TlsMode.OFF)), (ANNA,))
    with pytest.raises(ConfigurationError) as caught:
        access.check(ruled, ())
    assert caught.value.problems[0] == "access[0].users: there are no users yet: deployer user add NAME"


def test_certificates_are_kept_beside_the_settings(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_bytes(b"certificate")
    (tmp_path / "k.pem").write_bytes(b"key")
    own = Settings(tls=TlsSettings(certificate=str(tmp_path / "c.pem"), key=str(tmp_path / "k.pem")))
    kept = access.render_inputs(own, deployment)
    assert kept.certificate is not None
    assert (kept.certificate.certificate, kept.certificate.key) == (b"certificate", b"key")
    (tmp_path / "k.pem").unlink()
    with pytest.raises(HostError, match=r"`tls` refers to .*k\.pem, but there is no such file"):
        access.render_inputs(own, deployment)
