"""The Secret for Kubernetes: what it holds, its names, and that a wrong password makes none."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import Denied, NotFound, UsageError
from deployer.host import passwords
from deployer.paths import Deployment
from deployer.record import Record
from deployer.registry.client import RegistryClient
from deployer.registry.login.credentials import Credentials, find_credentials
from deployer.settings.model import Settings
from deployer.settings.values.account import Account
from deployer.workflows.users import pull_secret
from tests.support.fake_registry import FakeRegistry

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(host="registry.example", port=5001)
PASSWORD = 'correct "horse": $HOME {{ x }} é'
CREDENTIALS = Credentials("ci", PASSWORD)


def secret(**names: str) -> dict[str, Any]:
    text = pull_secret.manifest(SETTINGS, CREDENTIALS, **{"name": "registry-x", "namespace": "", **names})
    return dict(yaml.safe_load(text))


def test_a_docker_client_logs_in_with_what_the_secret_holds(tmp_path: Path) -> None:
    made = secret()
    assert (made["apiVersion"], made["kind"], made["type"]) == ("v1", "Secret", "kubernetes.io/dockerconfigjson")
    (tmp_path / "config.json").write_bytes(base64.b64decode(made["data"][".dockerconfigjson"], validate=True))
    found = find_credentials("registry.example:5001", {"DOCKER_CONFIG": str(tmp_path)})
    assert found == CREDENTIALS


def test_its_name_and_namespace() -> None:
    assert secret()["metadata"] == {"name": "registry-x"}
    assert secret(namespace="team")["metadata"] == {"name": "registry-x", "namespace": "team"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("registry.example", "registry-registry.example"),
        ("192.168.100.2", "registry-192.168.100.2"),
        ("2001:db8::1", "registry-2001-db8--1"),
        ("fe80::", "registry-fe80"),
        ("a." * 126 + "a", "registry-" + "a." * 121 + "a"),
    ],
)
def test_the_default_name_is_one_that_kubernetes_takes(host: str, name: str) -> None:
    assert pull_secret.default_name(host) == name
    pull_secret.check_names(name, "")


@pytest.mark.parametrize("name", ["", "Registry", "a_b", "-a", "a-", "a..b", ".a", "a\n", "a b", "x" * 254])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid Secret name"):
        pull_secret.check_names(name, "")


@pytest.mark.parametrize("namespace", ["Team", "a.b", "-a", "a\n", "x" * 64])
def test_other_namespaces_are_refused(namespace: str) -> None:
    with pytest.raises(UsageError, match="is not a valid namespace"):
        pull_secret.check_names("a", namespace)


@given(st.from_regex(r"[a-z0-9:.-]{1,60}", fullmatch=True))
def test_whatever_the_host_the_default_name_has_only_what_kubernetes_allows(host: str) -> None:
    assert re.fullmatch(r"registry[a-z0-9.-]*", pull_secret.default_name(host))


def test_a_wrong_password_or_an_unknown_user_is_refused() -> None:
    known = (Account("ci", passwords.hashed(PASSWORD, 4)),)
    pull_secret.check_against(known, CREDENTIALS)
    with pytest.raises(Denied, match="Wrong password for 'ci'") as caught:
        pull_secret.check_against(known, Credentials("ci", "Wrong-one-77"))
    assert "Wrong-one-77" not in repr(caught.value)
    with pytest.raises(NotFound, match="No such user: 'c1'"):
        pull_secret.check_against(known, Credentials("c1", PASSWORD))


def ask(fake: FakeRegistry, credentials: Credentials) -> None:
    with RegistryClient("http://localhost:5000", {}, transport=fake.transport, credentials=credentials) as client:
        pull_secret.check_at(client)


def test_elsewhere_the_registry_is_asked() -> None:
    fake = FakeRegistry(user=("ci", PASSWORD))
    ask(fake, CREDENTIALS)
    with pytest.raises(Denied, match="rejected the password for 'ci'") as caught:
        ask(fake, Credentials("ci", "Wrong-one-77"))
    assert "Wrong-one-77" not in repr(caught.value)
    assert "authorization" not in fake.asked[0].headers


def test_the_given_password_counts_and_not_the_saved_one(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ci", PASSWORD))
    packed = base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
    (tmp_path / "config.json").write_text(f'{{"auths": {{"localhost:5000": {{"auth": "{packed}"}}}}}}')
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    wrong = Credentials("ci", "Wrong-one-77")
    client = RegistryClient("http://localhost:5000", environment, transport=fake.transport, credentials=wrong)
    with client, pytest.raises(Denied):
        pull_secret.check_at(client)


def test_a_registry_without_login_needs_none() -> None:
    with pytest.raises(Denied, match="does not require login"):
        ask(FakeRegistry(), CREDENTIALS)


def test_the_users_of_another_registry_are_not_asked(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    deployment.users_file.write_text("ci:$2b$10$" + "a" * 53)
    assert len(pull_secret.kept_here(SETTINGS, deployment)) == 1
    deployment.record_file.write_bytes(Record("localhost", 5000).content)
    assert pull_secret.kept_here(SETTINGS, deployment) == ()
    deployment.record_file.write_bytes(Record("registry.example", 5001).content)
    assert len(pull_secret.kept_here(SETTINGS, deployment)) == 1
