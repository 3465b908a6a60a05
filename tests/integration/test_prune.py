"""prune on a real registry: which tags go, which images with them, and what holds them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.asked import asked
from tests.support.content import build_image, push_tag
from tests.support.pulling import pulls_whole
from tests.support.registry_content import OCI, index, push
from tests.support.stored import IMAGES, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.stack import DeployedStack


@pytest.fixture(scope="module")
def shared(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    made = make_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
    made.up()
    yield made
    made.remove()


@pytest.fixture
def stored(shared: DeployedStack) -> Stored:
    """The shared deployment with nothing in it."""
    found = Stored(shared)
    found.clear()
    return found


@pytest.fixture
def client(shared: DeployedStack) -> Iterator[httpx.Client]:
    with shared.client as made:
        yield made


def test_an_image_stays_that_is_also_tagged_with_its_own_digest(stored: Stored, client: httpx.Client) -> None:
    made = build_image()
    own = made.digest.replace(":", "-")
    push(client, "own", "ci-1", made)
    push_tag(client, "own", own, made)
    stored.age()
    stored.stack.deployer("prune", "own", "--match", "^ci-", "--yes", check=True)
    assert client.get("/v2/own/tags/list").json()["tags"] == [own]
    assert pulls_whole(client, "own", own)


def test_parts_that_a_damaged_index_may_share_stay(stored: Stored, client: httpx.Client) -> None:
    child = build_image(media=OCI)
    push(client, "shared", None, child)
    push(client, "shared", "ci-1", index([(child, "linux/amd64")], media=OCI))
    kept = index([(child, "linux/amd64")], media=OCI, annotations={"kept": "yes"})
    push(client, "shared", "kept", kept)
    stored.blob(kept.digest).write_bytes(kept.content[:40])
    stored.age()
    done = stored.stack.deployer("prune", "shared", "--match", "^ci-", "--yes", check=True)
    assert "all that its repository has is kept" in done.stderr
    assert pulls_whole(client, "shared", child.digest)


def test_a_tag_that_is_pushed_anew_while_prune_asks_stays(stored: Stored, client: httpx.Client) -> None:
    made = build_image()
    push(client, "again", "ci-1", made)
    stored.age()
    asked(
        stored.stack, "prune", "again", "--older-than", "1h", meanwhile=lambda: push(client, "again", "ci-1", made)
    )  # fmt: skip
    assert pulls_whole(client, "again", "ci-1")
