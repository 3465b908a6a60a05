"""Who may do what: the checks that the articles on token servers make, without one, by every client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.articles import USERS, another_ca, ca_of, deploy_articles
from tests.support.content import push_image
from tests.support.registry_clients import Answer, Client, Curl, Docker, Podman, Skopeo
from tests.support.signed_in import client_of, password_of, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from tests.support.stack import DeployedStack

# user01 may pull team/* and centos. The removed user logged in while there was such a user.
TABLE = """
                 admin    user01    user02    removed    signed-out
login            yes      yes       yes       sign-in    sign-in
push:team/app    yes      denied    denied    sign-in    sign-in
push:other/app   yes      denied    denied    sign-in    sign-in
pull:team/app    yes      yes       denied    sign-in    sign-in
pull:centos      yes      yes       denied    sign-in    sign-in
pull:other/app   yes      denied    denied    sign-in    sign-in
delete:team/app  yes      denied    denied    sign-in    sign-in
catalog          yes      denied    denied    sign-in    sign-in
page             yes      yes       yes       sign-in    sign-in
"""
# What clients say to their users when they are refused: the registry's words, unless they have their own.
WORDS = {
    "denied": "denied: requested access to the resource is denied",
    "sign-in": "unauthorized: authentication required",
    # With no credentials Docker's client does not even send what it would be refused.
    "docker push signed-out": "no basic auth credentials",
    "docker pull signed-out": "no basic auth credentials",
    "docker login sign-in": "401 Unauthorized",
    "podman login sign-in": "invalid username/password",
    "skopeo login sign-in": "invalid username/password",
    # They ask by HEAD whether a layer is there already, and the answer to HEAD has no words.
    "podman push denied": r"requested access to the resource is denied|403 \(Forbidden\)",
    "skopeo push denied": r"requested access to the resource is denied|403 \(Forbidden\)",
    "podman catalog denied": r"403 \(Forbidden\)",
    # It shows the answer as it came, in quotes.
    "skopeo delete denied": "DENIED.*requested access to the resource is denied",
    "skopeo delete sign-in": "UNAUTHORIZED.*authentication required",
    "curl denied": '"DENIED","message":"requested access to the resource is denied"',
    "curl sign-in": '"UNAUTHORIZED","message":"authentication required"',
    "curl page sign-in": "401 Unauthorized",
}
# What is seen of what is allowed.
SHOWN = {"catalog": "other/app", "page": "<title>Registry</title>"}


class Cell(NamedTuple):
    """One check."""

    client: type[Client]
    user: str
    action: str
    expected: str

    @property
    def words(self) -> str:
        """What the client says to its user when it is refused."""
        client, verb = self.client.name, self.action.partition(":")[0]
        special = (f"{client} {verb} {self.user}", f"{client} {verb} {self.expected}", f"{client} {self.expected}")
        return next((WORDS[key] for key in special if key in WORDS), WORDS[self.expected])


def cells() -> Iterator[object]:
    """The table's cells for each client that has the action."""
    users, *lines = (line.split() for line in TABLE.strip().splitlines())
    for client in (Docker, Podman, Skopeo, Curl):
        for action, *outcomes in lines:
            if action.partition(":")[0] in client.actions:
                for user, expected in zip(users, outcomes, strict=True):
                    cell = Cell(client, user, action, expected)
                    yield pytest.param(cell, id=f"{client.name}-{action.replace('/', '-')}-{user}")


@pytest.fixture(scope="module")
def signed_in(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    made = deploy_articles(make_stack, "removed")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def admin(signed_in: DeployedStack) -> Iterator[httpx.Client]:
    with client_of(signed_in, "admin") as opened:
        yield opened


@pytest.fixture(scope="module")
def clients(signed_in: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Client]:
    """Each client of each user, logged in; then one of the users is removed."""
    known = (*USERS, "removed")
    made: dict[tuple[str, str], Client] = {}
    for kind in (Docker, Podman, Skopeo, Curl):
        for user in (*known, "signed-out"):
            folder = tmp_path_factory.mktemp(f"{kind.name}-{user}")
            made[kind.name, user] = client = kind(folder, signed_in.address, ca_of(signed_in))
            if user in known:
                client.keep(user, password_of(user))
    for repository in ("team/app", "other/app", "centos"):
        assert made["docker", "admin"].push(repository, "1").done
    write_users(signed_in, USERS)
    signed_in.up()
    return made


def state(admin: httpx.Client) -> dict[str, list[str]]:
    """All tags of all repositories."""
    names = admin.get("/v2/_catalog").json()["repositories"]
    return {name: sorted(admin.get(f"/v2/{name}/tags/list").json()["tags"] or []) for name in names}


def attempt(cell: Cell, client: Client, tag: str, digest: str) -> Answer:
    """Do what the cell says."""
    verb, _, repository = cell.action.partition(":")
    # No one can log in with nothing: anyone who is logged out tries a password that is not right.
    user, password = ("admin", "guessed") if cell.user == "signed-out" else (cell.user, password_of(cell.user))
    actions: dict[str, Callable[[], Answer]] = {
        "login": lambda: client.login(user, password),
        "push": lambda: client.push(repository, tag),
        "pull": lambda: client.pull(repository, "1"),
        "delete": lambda: client.delete(repository, tag, digest),
        "catalog": client.catalog,
        "page": client.page,
    }
    return actions[verb]()


@pytest.mark.parametrize("cell", list(cells()))
def test_each_may_do_what_the_rules_allow(
    cell: Cell, clients: dict[tuple[str, str], Client], admin: httpx.Client
) -> None:
    verb, _, repository = cell.action.partition(":")
    tag = f"{verb}-{cell.client.name}-{cell.user}"
    digest = push_image(admin, repository, tag, layers=(tag,)).digest if verb == "delete" else ""
    before = state(admin)
    answer = attempt(cell, clients[cell.client.name, cell.user], tag, digest)
    after = state(admin)

    assert answer.done is (cell.expected == "yes"), answer.words
    if answer.done:
        assert SHOWN.get(verb, "") in answer.words
        assert (tag in after.get(repository, ())) is (verb == "push")
    else:
        assert re.search(cell.words, answer.words), answer.words
        assert after == before
        # What clients say where they take a refusal for a passing fault.
        assert "retrying in" not in answer.words.lower()


@pytest.mark.parametrize("action", ["push", "pull"])
def test_a_client_that_does_not_trust_the_ca_sends_nothing(
    signed_in: DeployedStack, tmp_path: Path, action: str
) -> None:
    """The certificates of the table are really checked."""
    for kind in (Podman, Skopeo, Curl):
        client = kind(tmp_path / kind.name, signed_in.address, ca_of(signed_in))
        (client.folder / "certificates" / "ca.crt").write_bytes(another_ca())
        answer = client.push("team/app", "untrusted") if action == "push" else client.pull("team/app", "1")
        assert not answer.done
        assert re.search("unknown authority|unable to get local issuer|self-signed", answer.words), answer.words
