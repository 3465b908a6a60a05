"""A table of who may do what, as checks that each client makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.articles import ca_of
from tests.support.content import push_image
from tests.support.registry_clients import Answer, Client, Curl, Docker, Podman, Skopeo
from tests.support.signed_in import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import httpx

    from tests.support.stack import DeployedStack

CLIENTS = (Docker, Podman, Skopeo, Curl)
SIGNED_OUT = "signed-out"


@dataclass(frozen=True)
class Cell:
    """One check; `words` is what the client says to its user when it is refused, a regular expression."""

    client: type[Client]
    user: str
    action: str
    expected: str
    words: str

    @property
    def verb(self) -> str:
        return self.action.partition(":")[0]

    @property
    def repository(self) -> str:
        return self.action.partition(":")[2]

    @property
    def tag(self) -> str:
        return f"{self.verb}-{self.client.name}-{self.user}"


def cells(table: str, words: Mapping[str, str]) -> Iterator[object]:
    """The table's cells for each client that has the action.

    `words` are by outcome, or by client and outcome, or by client, action and outcome or user.
    """
    users, *lines = (line.split() for line in table.strip().splitlines())
    for client in CLIENTS:
        for action, *outcomes in lines:
            verb = action.partition(":")[0]
            if verb not in client.actions:
                continue
            for user, expected in zip(users, outcomes, strict=True):
                keys = (f"{client.name} {verb} {user}", f"{client.name} {verb} {expected}", f"{client.name} {expected}")
                said = next((words[key] for key in (*keys, expected) if key in words), "")
                cell = Cell(client, user, action, expected, said)
                yield pytest.param(cell, id=f"{client.name}-{action.replace('/', '-')}-{user}")


def logged_in(
    stack: DeployedStack, users: Sequence[str], factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Client]:
    """Each client of each user, logged in, and one of nobody."""
    made: dict[tuple[str, str], Client] = {}
    for kind in CLIENTS:
        for user in (*users, SIGNED_OUT):
            folder = factory.mktemp(f"{kind.name}-{user}")
            made[kind.name, user] = client = kind(folder, stack.address, ca_of(stack))
            if user in users:
                client.keep(user, password_of(user))
    return made


def state(admin: httpx.Client) -> dict[str, list[str]]:
    """All tags of all repositories."""
    names = admin.get("/v2/_catalog").json()["repositories"]
    return {name: sorted(admin.get(f"/v2/{name}/tags/list").json()["tags"] or []) for name in names}


def checked(cell: Cell, client: Client, admin: httpx.Client) -> Answer:
    """Do what the cell says, and compare how it ends and what it leaves with what the cell expects."""
    deletes = cell.verb == "delete"
    digest = push_image(admin, cell.repository, cell.tag, layers=(cell.tag,)).digest if deletes else ""
    before = state(admin)
    answer = attempt(cell, client, digest)
    after = state(admin)

    assert answer.done is (cell.expected == "yes"), answer.words
    if answer.done:
        assert (cell.tag in after.get(cell.repository, ())) is (cell.verb == "push")
    else:
        assert re.search(cell.words, answer.words), answer.words
        assert after == before
        # What clients say where they take a refusal for a passing fault.
        assert "retrying in" not in answer.words.lower()
    return answer


def attempt(cell: Cell, client: Client, digest: str) -> Answer:
    """Do what the cell says."""
    # No one can log in with nothing: anyone who is logged out tries a password that is not right.
    user, password = ("admin", "guessed") if cell.user == SIGNED_OUT else (cell.user, password_of(cell.user))
    actions: dict[str, Callable[[], Answer]] = {
        "login": lambda: client.login(user, password),
        "push": lambda: client.push(cell.repository, cell.tag),
        "pull": lambda: client.pull(cell.repository, "1"),
        "delete": lambda: client.delete(cell.repository, cell.tag, digest),
        "catalog": client.catalog,
        "page": client.page,
    }
    return actions[cell.verb]()
