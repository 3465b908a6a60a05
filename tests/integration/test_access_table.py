"""Who may do what: the checks that the articles on token servers make, without one, by every client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.access_table import Cell, cells, checked, logged_in
from tests.support.articles import USERS, another_ca, ca_of, deploy_articles
from tests.support.registry_clients import Client, Curl, Podman, Skopeo
from tests.support.signed_in import client_of, write_users

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
catalog          yes      yes       yes       sign-in    sign-in
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
    # It shows the answer as it came, in quotes.
    "skopeo delete denied": "DENIED.*requested access to the resource is denied",
    "skopeo delete sign-in": "UNAUTHORIZED.*authentication required",
    "curl denied": '"DENIED","message":"requested access to the resource is denied"',
    "curl sign-in": '"UNAUTHORIZED","message":"authentication required"',
    "curl page sign-in": "401 Unauthorized",
}
# What is seen of what is allowed, and what only admin may pull.
SHOWN = {"page": "<title>Registry</title>"}
HIDDEN = "other/app"


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
    made = logged_in(signed_in, (*USERS, "removed"), tmp_path_factory)
    for repository in ("team/app", "other/app", "centos"):
        assert made["docker", "admin"].push(repository, "1").done
    write_users(signed_in, USERS)
    signed_in.up()
    return made


@pytest.mark.parametrize("cell", list(cells(TABLE, WORDS)))
def test_each_may_do_what_the_rules_allow(
    cell: Cell, clients: dict[tuple[str, str], Client], admin: httpx.Client
) -> None:
    answer = checked(cell, clients[cell.client.name, cell.user], admin)
    if answer.done:
        assert SHOWN.get(cell.verb, "") in answer.words
        assert cell.verb != "catalog" or (HIDDEN in answer.words) is (cell.user == "admin")


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
