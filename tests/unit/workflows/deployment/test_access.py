"""Sign-in: what is refused, what is said, and how a change reaches the frontend."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError, EngineError, HostError, PreflightError
from deployer.paths import Deployment
from deployer.settings.account import Account
from deployer.settings.model import AccessRule, Settings, TlsSettings
from deployer.workflows.deployment import access
from deployer.workflows.deployment.stack import Stack
from tests.support.fake_engine import FakeEngine, service_container

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.engine.values import ServiceContainer

HASH = "$2b$12$" + "a" * 53
ANNA, BERT = Account("anna", HASH), Account("bert", HASH)
ABROAD = Settings(host="registry.example")


@dataclass
class Frontend(FakeEngine):
    """An engine whose frontend runs, or does not; it keeps what the frontend found when it was told to read."""

    folder: Path = Path()
    state: str = "running"
    refuses: bool = False
    place: str = "unix:///var/run/docker.sock"
    read: list[str] = field(default_factory=list)

    def endpoint(self) -> str:
        return self.place

    def containers(self, project: str) -> tuple[ServiceContainer, ...]:
        return (service_container("frontend", self.state),)

    def execute(self, container: str, *command: str) -> str:
        assert command[:2] == ("caddy", "reload")
        if self.refuses:
            raise EngineError("no", original="adapting config: line 3")
        self.read.append((self.folder / "frontend/access/users").read_text())
        return ""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment("registry", tmp_path)
    made.compose_file.write_text("services: {}")
    return made


def stack_of(deployment: Deployment, settings: Settings | None = None, **engine: object) -> Stack:
    return Stack(settings or Settings(), deployment, Frontend(folder=deployment.directory, **engine))  # type: ignore[arg-type]


def test_a_change_is_kept_read_and_leaves_no_mark(deployment: Deployment) -> None:
    stack = stack_of(deployment)
    assert access.keep(stack, (BERT, ANNA), "user add bert")
    assert deployment.users_file.read_text() == f"anna:{HASH}\nbert:{HASH}\n"
    assert deployment.users_file.stat().st_mode & 0o777 == 0o600
    assert (deployment.directory / "frontend/access/users").stat().st_mode & 0o777 == 0o600
    (read,) = stack.engine.read  # type: ignore[attr-defined]
    assert read.startswith(f'"anna" "{HASH}"\n"bert" "{HASH}"\n')
    assert not deployment.unread_file.exists()


def test_with_an_engine_elsewhere_nothing_is_kept_that_the_frontend_here_would_not_read(deployment: Deployment) -> None:
    with pytest.raises(PreflightError, match="another machine's"):
        access.keep(stack_of(deployment, place="ssh://there"), (ANNA,), "user add anna")
    assert not deployment.users_file.exists()
    assert not deployment.unread_file.exists()


def test_a_change_leaves_the_rules_in_force_alone(deployment: Deployment) -> None:
    grants = deployment.directory / "frontend/access/grants"
    grants.parent.mkdir(parents=True)
    grants.write_text("as `up` wrote them")
    access.keep(stack_of(deployment), (ANNA,), "user add anna")
    assert grants.read_text() == "as `up` wrote them"


def test_before_the_first_up_only_the_users_are_kept(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path / "registry")
    assert not access.keep(stack_of(deployment), (ANNA,), "user add anna")
    assert [path.name for path in deployment.directory.iterdir()] == ["users"]


def test_a_frontend_that_does_not_run_reads_when_it_starts(deployment: Deployment) -> None:
    assert not access.keep(stack_of(deployment, state="exited"), (ANNA,), "user add anna")
    assert not deployment.unread_file.exists()


def test_a_frontend_that_refuses_is_told_of_and_the_mark_stays(deployment: Deployment) -> None:
    stack = stack_of(deployment, refuses=True)
    with pytest.raises(EngineError, match="it goes on with those it had") as caught:
        access.keep(stack, (ANNA,), "user add anna")
    assert caught.value.original == "adapting config: line 3"
    assert deployment.unread_file.exists()
    assert "may not heed it yet" in access.finish(stack)
    stack.engine.refuses = False  # type: ignore[attr-defined]
    said = access.finish(stack)
    assert said.startswith("`deployer user add anna` was cut off. Look whether it took effect, and repeat it if not")
    assert not deployment.unread_file.exists()
    assert access.finish(stack) == ""


def test_what_up_had_begun_only_up_finishes(deployment: Deployment) -> None:
    stack = stack_of(deployment)
    deployment.unfinished_file.touch()
    deployment.unread_file.write_text("user remove bert")
    assert access.finish(stack).endswith("may still be those before: deployer up")
    assert deployment.unfinished_file.exists()
    assert deployment.unread_file.exists()


def test_a_paused_frontend_keeps_the_mark(deployment: Deployment) -> None:
    assert not access.keep(stack_of(deployment, state="paused"), (ANNA,), "user remove bert")
    assert deployment.unread_file.read_text() == "user remove bert"


def test_a_damaged_file_names_its_lines_and_no_hash(deployment: Deployment) -> None:
    deployment.users_file.write_text(f"anna:{HASH}\nbert:{{SHA}}secret\nanna:{HASH}\n")
    with pytest.raises(HostError, match=r"line 2: .*SHA-1.*; line 3: 'anna' stands there twice") as caught:
        access.accounts_of(deployment)
    assert HASH not in str(caught.value)
    assert "secret" not in str(caught.value)


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
        (Settings(host="registry.example", tls=TlsSettings("off")), False),
        (Settings(host="registry.example", tls=TlsSettings("internal")), False),
        (Settings(host="registry.example", tls=TlsSettings(certificate="/c", key="/k")), False),
    ],
)
def test_passwords_cross_a_network_in_the_clear_only_where_that_is_said(settings: Settings, refused: bool) -> None:
    access.check(settings, ())
    if refused:
        with pytest.raises(ConfigurationError, match="Passwords would cross the network"):
            access.check(settings, (ANNA,))
    else:
        access.check(settings, (ANNA,))


def test_who_else_gets_in_is_said() -> None:
    assert access.exposure(Settings(), ()) == ""
    assert "Anyone who reaches port 5000 on every address of this machine" in access.exposure(ABROAD, ())
    assert "in the clear" in access.exposure(ABROAD, (ANNA,))
    assert access.exposure(Settings(host="registry.example", tls=TlsSettings("internal")), (ANNA,)) == ""


def test_certificates_are_kept_beside_the_settings(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_bytes(b"certificate")
    (tmp_path / "k.pem").write_bytes(b"key")
    own = Settings(tls=TlsSettings(certificate=str(tmp_path / "c.pem"), key=str(tmp_path / "k.pem")))
    kept = access.kept_of(own, deployment)
    assert kept.certificate is not None
    assert (kept.certificate.certificate, kept.certificate.key) == (b"certificate", b"key")
    (tmp_path / "k.pem").unlink()
    with pytest.raises(HostError, match=r"There is no file .*k\.pem, which `tls` names"):
        access.kept_of(own, deployment)
