"""The command line against a real deployment with TLS of its own CA, users and rules."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import untag_all
from tests.support.certificates import make_ca
from tests.support.cut_off import wait_until
from tests.support.signed_in import password_of, write_rules, write_users
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack

RULES: list[dict[str, Any]] = [
    {"users": ["ann"], "allow": ["pull", "push", "delete"]},
    {"users": ["bob"], "repositories": ["team/*"], "allow": ["pull"]},
    {"users": ["cleaner"], "repositories": ["team/*"], "allow": ["pull", "delete"]},
]


@dataclass(frozen=True)
class Person:
    """Someone with their own home folder, on the registry's machine or on another one."""

    stack: DeployedStack
    home: Path
    on_server: bool

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "DOCKER_CONFIG": str(self.home / "docker"), "XDG_CONFIG_HOME": ""}
        # Another machine knows nothing of the deployment: neither that it speaks TLS nor its CA.
        return own if self.on_server else {**own, "XDG_DATA_HOME": str(self.home / "data"), "DEPLOYER_TLS": ""}

    def trust(self) -> None:
        folder = self.home / ".docker/certs.d" / self.stack.address
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes((self.stack.directory / "ca.crt").read_bytes())

    def login(self, user: str) -> None:
        command = ["docker", "login", "--username", user, "--password-stdin", self.stack.address]
        environment = {**self.stack.environment, **self.environment}
        subprocess.run(command, check=True, capture_output=True, input=password_of(user).encode(), env=environment)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.stack.deployer(*words, environment=self.environment)

    def told(self, *words: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        """What a command that must fail says, without its first word."""
        done = self.run(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def signed(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    stack = make_stack(DEPLOYER_TLS="internal")
    write_users(stack, [user for rule in RULES for user in rule["users"]])
    write_rules(stack, RULES)
    stack.up()
    yield stack
    untag_all(stack)
    stack.remove()


@pytest.fixture
def server(signed: DeployedStack, tmp_path: Path) -> Person:
    return Person(signed, tmp_path, on_server=True)


@pytest.fixture
def client(signed: DeployedStack, tmp_path: Path) -> Person:
    return Person(signed, tmp_path, on_server=False)


@pytest.fixture
def pushed(server: Person, make_image: Callable[..., str]) -> str:
    """The digest of team/app:1."""
    make_image("signed-in:1")
    server.login("ann")
    (outcome,) = json.loads(server.told("push", "signed-in:1", "--as", "team/app:1", "--json"))
    return str(outcome["digest"])


def test_on_the_server_every_command_works_with_the_login_of_docker(server: Person, pushed: str) -> None:
    assert server.told("catalog") == "team/app\n"
    assert "└─ 1 " in server.told("catalog", "--tags")
    assert pushed[7:19] in server.told("tags", "team/app")
    assert pushed in server.told("inspect", "team/app:1")
    server.told("pull", "team/app:1")
    docker("image", "rm", "team/app:1")
    assert "Deleted team/app:1" in server.told("delete", "--yes", "team/app:1")
    assert server.told("tags", "team/app") == ""


def test_a_client_with_the_ca_needs_to_be_told_nothing_else(client: Person, pushed: str) -> None:
    client.trust()
    client.login("ann")
    assert client.told("catalog") == "team/app\n"
    assert "Deleted team/app:1" in client.told("delete", "--yes", "team/app:1")


def catalogs_asked_for(stack: DeployedStack) -> int:
    """How many requests for the catalog have come through TLS, by the frontend's log."""
    return docker("logs", stack.containers()["frontend"]).count("/v2/_catalog?")


def test_a_client_without_the_ca_sends_no_password(client: Person) -> None:
    client.login("ann")
    before = catalogs_asked_for(client.stack)
    said = client.refused("catalog")
    assert f"The certificate of {client.stack.address} was issued by a CA that this machine does not trust" in said
    assert catalogs_asked_for(client.stack) == before
    client.trust()
    client.told("catalog")
    assert wait_until(lambda: catalogs_asked_for(client.stack) > before)


def test_doctor_asks_the_registry_as_the_user_who_is_logged_in(server: Person) -> None:
    says = f"https://{server.stack.address} responds as a registry."
    assert says not in server.run("doctor").stdout
    server.login("ann")
    assert says in server.run("doctor").stdout


def test_logged_out_docker_login_is_named(client: Person) -> None:
    client.trust()
    for words in (["catalog"], ["tags", "team/app"], ["delete", "--yes", "team/app:1"]):
        said = client.refused(*words)
        assert f"The registry at {client.stack.address} requires login, and no credentials are saved for it." in said
        assert f"→ docker login {client.stack.address}" in said
    assert "requires login, and Docker has no credentials saved for it." in client.refused("pull", "team/app:1")


def test_a_saved_password_that_is_wrong_is_said_to_be(client: Person) -> None:
    client.trust()
    auth = base64.b64encode(b"ann:s3cret").decode()
    (client.home / "docker").mkdir()
    (client.home / "docker/config.json").write_text(json.dumps({"auths": {client.stack.address: {"auth": auth}}}))
    said = client.refused("catalog")
    assert "rejected the saved credentials for 'ann'." in said
    assert "s3cret" not in said
    assert auth not in said


def test_who_may_pull_one_part_sees_that_part(server: Person, pushed: str) -> None:
    server.login("bob")
    assert server.told("catalog") == "team/app\n"
    assert server.told("catalog", "team/app") == "team/app\n"
    assert pushed[7:19] in server.told("tags", "team/app")
    assert "does not allow 'bob' to pull from 'other'." in server.refused("tags", "other")
    assert "does not allow 'bob' to delete from 'team/app'." in server.refused("delete", "--yes", "team/app:1")
    denied = server.refused("push", "signed-in:1", "--as", "team/new:1")
    assert "does not allow this for the user that Docker is logged in as." in denied
    assert pushed[7:19] in server.told("tags", "team/app")


def test_who_may_delete_but_not_push_cannot_remove_one_tag_of_several(server: Person, pushed: str) -> None:
    server.login("cleaner")
    said = server.refused("delete", "--yes", "team/app:1")
    assert "'team/app:1' was not changed. This registry cannot delete a single tag" in said
    assert "does not allow 'cleaner' to push to 'team/app'." in said
    assert pushed[7:19] in server.told("tags", "team/app")
    assert f"Deleted team/app@{pushed}" in server.told("delete", "--yes", f"team/app@{pushed}")


def test_a_new_ca_is_told_from_an_unknown_one(client: Person) -> None:
    client.trust()
    (installed,) = (client.home / ".docker/certs.d").glob("*/ca.crt")
    installed.write_bytes(make_ca().pem)
    assert f"was not issued by the CA that is installed for it, {installed}" in client.refused("catalog")
