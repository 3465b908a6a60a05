"""Who gets into the copy of a drill, and by which CA it is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.layout import CA_PATH
from deployer.paths import Deployment
from deployer.workflows.backup.archive import About, Archive, Kept
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.drill import admission
from deployer.workflows.drill.client import CopyClient
from deployer.workflows.drill.copy import Copy, Origin
from tests.support.certificates import certificate, make_ca
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container
from tests.unit.workflows.drill.test_copy import USERS, frontend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RULES = "access: [{users: [ann], allow: [pull, push]}, {users: ['*'], repositories: ['open/*'], allow: [push]}]\n"


@dataclass
class Loaded(FakeContainers):
    """A frontend that has loaded these users."""

    names: tuple[str, ...] = ()

    def execute(self, container: str, *command: str) -> str:
        return "".join(f'{{"username":"{name}"}}' for name in (*self.names, "--"))


@dataclass
class Front:
    """How a copy answers: as it should, or as it is told to."""

    copy: Copy
    ca: bytes = b""
    answers: Mapping[str, int] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == CA_PATH:
            return httpx.Response(200, content=self.ca)
        visitor = self.copy.visitor
        right = httpx.BasicAuth(visitor.name, visitor.password)._auth_header if visitor else None
        login = request.headers.get("Authorization")
        kind = "push" if request.method == "POST" else "none" if not login else "right" if login == right else "wrong"
        usual = {"push": 403, "right": 200, "wrong": 401, "none": 401 if visitor else 200}
        return httpx.Response({**usual, **self.answers}[kind])


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry-drill-000000", tmp_path)


def copy_of(deployment: Deployment, settings: str = "", files: Mapping[Kept, bytes] | None = None) -> Copy:
    found = {Kept.SETTINGS: f"name: registry\n{settings}".encode(), **(files or {})}
    copy = Copy.of(Origin.read(Archive(About("registry", "localhost", 5000, {}), found)), deployment, 5007)
    for path, kept in copy.files.items():
        path.touch(0o600)
        path.write_bytes(copy.archive.files[kept])
    return copy


def stack_of(copy: Copy, deployment: Deployment, names: tuple[str, ...] = ("ann", "bob")) -> Stack:
    service = replace(service_container("frontend", "running"), directory=str(deployment.directory))
    engine = FakeEngine(containers=Loaded(found=[service], names=names))
    return Stack(copy.settings, deployment, engine, lambda: datetime.now(UTC))


def test_a_certificate_of_the_users_own_fits_its_key_and_its_host(deployment: Deployment) -> None:
    good, other = certificate("localhost"), certificate("localhost")
    settings = "tls: {certificate: own.pem, key: key.pem}"
    assert (
        certificates(copy_of(deployment, settings, {Kept.CERTIFICATE: good.pem, Kept.KEY: good.key_pem}), deployment)
        == []
    )
    copy = copy_of(deployment, settings, {Kept.CERTIFICATE: good.pem, Kept.KEY: other.key_pem})
    (said,) = certificates(copy, deployment)
    assert said.startswith("The certificate in the backup cannot be used:")
    assert str(deployment.directory) not in said
    assert certificates(copy_of(deployment, settings), deployment) == [
        "The certificate of the registry, or its key, is not in the backup."
    ]


def login(
    copy: Copy,
    deployment: Deployment,
    answers: Mapping[str, int] | None = None,
    names: tuple[str, ...] = ("ann", "bob"),
) -> list[str]:
    transport = httpx.MockTransport(Front(copy, answers=answers or {}).answer)
    with CopyClient(copy.settings, copy.visitor, "", transport) as client:
        return list(admission.login_differences(client, stack_of(copy, deployment, names), copy))


def certificates(copy: Copy, deployment: Deployment, served: bytes = b"") -> list[str]:
    transport = httpx.MockTransport(Front(copy, served).answer)
    with CopyClient(copy.settings, copy.visitor, "", transport) as client:
        return list(admission.certificate_differences(client, stack_of(copy, deployment), copy))


def test_a_copy_with_the_users_and_rules_of_the_backup_is_as_it_should_be(deployment: Deployment) -> None:
    copy = copy_of(deployment, RULES, {Kept.USERS: USERS})
    assert login(copy, deployment) == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"none": 200}, "The copy responds with 200 instead of 401 to a request without login."),
        ({"wrong": 200}, "The copy responds with 200 instead of 401 to a request with a wrong password."),
        ({"right": 401}, "The copy responds with 401 to a login with the right password."),
        ({"push": 202}, "The copy responds with 202 to a push; by the access rules in the backup, it should be 403."),
    ],
)
def test_wrong_access_is_reported(deployment: Deployment, answers: Mapping[str, int], said: str) -> None:
    copy = copy_of(deployment, RULES, {Kept.USERS: USERS})
    assert login(copy, deployment, answers) == [said]


def test_where_everyone_may_push_the_drills_user_may_too(deployment: Deployment) -> None:
    copy = copy_of(deployment, "access: [{users: ['*'], allow: [push]}]\n", {Kept.USERS: USERS})
    assert login(copy, deployment, {"push": 202}) == []


def test_users_that_are_lost_are_named(deployment: Deployment) -> None:
    copy = copy_of(deployment, "", {Kept.USERS: USERS})
    assert login(copy, deployment, names=("ann",)) == ["Users of the backup are not in the copy: bob."]
    deployment.users_file.write_bytes(USERS.replace(b"ann:", b"eve:"))
    assert login(copy, deployment) == ["Users of the backup are not in the copy: ann."]


def test_a_registry_without_users_is_open(deployment: Deployment) -> None:
    copy = copy_of(deployment)
    assert login(copy, deployment) == []
    assert login(copy, deployment, {"none": 401}) == [
        "No login is required in the backup, but the copy responds with 401 to a request without login."
    ]


def test_a_ca_other_than_that_of_the_backup_is_reported(deployment: Deployment) -> None:
    own, other = make_ca().pem, make_ca().pem
    copy = copy_of(deployment, "tls: internal", {Kept.FRONTEND: frontend(own)})
    assert certificates(copy, deployment, own) == []
    (said,) = certificates(copy, deployment, other)
    assert said.startswith("The copy has the CA with the fingerprint")
    assert certificates(copy_of(deployment, "tls: internal"), deployment) == [
        "The CA of the registry is not in the backup."
    ]
