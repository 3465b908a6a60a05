"""delete --repository on a real registry: what goes, and what is beside and below it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asked import asked
from tests.support.content import build_image, push_image
from tests.support.cut_off import NOTHING, begin, finish, gate, state, wait_until
from tests.support.pulling import manifest_status, pulls_whole
from tests.support.registry_content import push
from tests.support.slow_writes import slow_upload

if TYPE_CHECKING:
    import httpx

    from tests.support.stored import Stored

NEIGHBOURS = ("foo/bar", "foo/bar/deep", "foo/1bar", "foo-x", "foo.x", "foo_x", "foo__x", "foobar", "fo", "other/foo")


def remove(stored: Stored, *names: str, more: tuple[str, ...] = ("--yes",)) -> dict[str, Any]:
    """Remove repositories, and return what is said about it."""
    return dict(json.loads(stored.stack.deployer("delete", "--repository", *names, "--json", *more, check=True).stdout))


def catalog(stored: Stored) -> list[str]:
    return stored.stack.deployer("catalog", check=True).stdout.split()


def test_what_is_beside_and_below_stays(stored: Stored, client: httpx.Client) -> None:
    for name in ("foo", *NEIGHBOURS):
        push_image(client, name, "1", layers=("shared", name))
    done = remove(stored, "foo")
    assert done["repositories"][0]["below"] == ["foo/1bar", "foo/bar", "foo/bar/deep"]
    assert catalog(stored) == sorted(NEIGHBOURS)
    stored.stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes", check=True)
    assert [name for name in NEIGHBOURS if not pulls_whole(client, name, "1")] == []
    assert client.get("/v2/foo/tags/list").status_code == 404


def test_several_go_at_once_and_their_empty_parents(stored: Stored, client: httpx.Client) -> None:
    for name in ("a/b/c", "a/b", "kept"):
        push_image(client, name, "1", layers=(name,))
    remove(stored, "a/b/c", "a/b")
    assert catalog(stored) == ["kept"]
    assert not stored.repository("a").exists()


def test_the_same_name_can_be_pushed_to_at_once(stored: Stored, client: httpx.Client) -> None:
    made = build_image(layers=("again",))
    push(client, "foo", "1", made)
    remove(stored, "foo")
    push(client, "foo", "2", made)
    assert client.get("/v2/foo/tags/list").json()["tags"] == ["2"]
    stored.stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes", check=True)
    assert pulls_whole(client, "foo", "2")


@pytest.mark.parametrize(
    "name",
    [
        *("..", ".", "", "../kept", "a/../kept", "/kept", "kept/", "a//b", "Kept", "kept:1", f"kept@{NOTHING}"),
        *("kept/_manifests", "_layers", " kept", "kept\nkept", "kept/*", "$HOME", "kept;ls"),
    ],
)
def test_what_is_no_repositorys_name_is_refused_first(stored: Stored, client: httpx.Client, name: str) -> None:
    before = state(stored)
    done = stored.stack.deployer("delete", "--repository", "--yes", "--", name, environment={"DOCKER_HOST": "none"})
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ")
    assert state(stored) == before


def test_an_unknown_name_is_answered_with_the_nearest(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "team/application", "1")
    before = stored.listing()
    done = stored.stack.deployer("delete", "--repository", "team/aplication", "--yes")
    assert done.returncode == 1
    assert "No repository named 'team/aplication'.\n" in done.stderr
    done = stored.stack.deployer("delete", "--repository", "team/application", "team/aplication", "--yes")
    assert done.returncode == 1
    assert "No repository named 'team/aplication'. Nothing was deleted.\n" in done.stderr
    assert "team/application" in done.stderr.replace("team/aplication", "")
    assert stored.listing() == before


def test_an_unknown_name_is_answered_with_those_below_it(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "team/one", "1")
    done = stored.stack.deployer("delete", "--repository", "team", "--yes")
    assert done.returncode == 1
    assert "There are repositories below it: team/one" in done.stderr
    assert pulls_whole(client, "team/one", "1")


def test_with_one_unknown_name_nothing_goes(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "known", "1")
    assert stored.stack.deployer("delete", "--repository", "known", "unknown", "--yes").returncode == 1
    assert pulls_whole(client, "known", "1")


def test_a_dry_run_changes_nothing_and_says_the_same(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "foo", "1")
    push_image(client, "foo/bar", "1", layers=("bar",))
    before = stored.listing()
    said = remove(stored, "foo", more=("--dry-run",))
    assert stored.listing() == before
    done = remove(stored, "foo")
    assert {key: done[key] for key in said} == said


def test_without_terminal_and_yes_nothing_goes(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "foo", "1")
    before = stored.listing()
    refused = stored.stack.deployer("delete", "--repository", "foo")
    assert (refused.returncode, "Run the command again with --yes." in refused.stderr) == (1, True)
    assert stored.listing() == before


def test_the_bytes_announced_are_freed_by_gc(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "foo", "1", layers=("shared " * 5000, "only foo " * 9000))
    push_image(client, "foo", "2", layers=("shared " * 5000, "only foo too " * 9000))
    push_image(client, "kept", "1", layers=("shared " * 5000,))
    stored.age()
    said = remove(stored, "foo")["freed_by_gc_bytes"]
    done = json.loads(stored.stack.deployer("gc", "--yes", "--json", check=True).stdout)
    assert said > 0
    assert done["freed_bytes"] == said


def test_a_repository_pushed_to_while_it_asks_stays(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "foo", "1", layers=("one",))
    push_image(client, "other", "1", layers=("other",))
    said = pushed_to_meanwhile(stored, "foo", "other", client=client)
    assert "'foo' received a push in the meantime (the tag 2); nothing was removed." in said
    assert [pulls_whole(client, *name) for name in (("foo", "1"), ("foo", "2"), ("other", "1"))] == [True] * 3
    assert gate(stored.stack) == []


def pushed_to_meanwhile(stored: Stored, *names: str, client: httpx.Client) -> str:
    """What removing repositories says when the first is pushed to, once it waits for an upload."""
    with slow_upload(stored.stack, client, "busy", b"keeps it waiting") as upload:
        process = begin(stored.stack, "delete", "--repository", *names, "--yes", "--wait", "60s")
        try:
            assert wait_until(lambda: "draining" in gate(stored.stack))
            link = stored.tag(names[0], "2")
            # While no new upload begins, a manifest can still come.
            made = build_image(layers=("one",))
            answer = client.put(
                f"/v2/{names[0]}/manifests/2", content=made.content, headers={"Content-Type": made.media_type}
            )
            assert (answer.status_code, link.exists()) == (201, True)
        finally:
            upload.finish()
            code, said = finish(process)
    assert code == 1, said
    return said


def test_a_tag_deleted_while_it_asks_is_no_hindrance(stored: Stored, client: httpx.Client) -> None:
    one = push_image(client, "foo", "1", layers=("one",))
    push_image(client, "foo", "2", layers=("two",))
    asked(
        stored.stack, "delete", "--repository", "foo",
        meanwhile=lambda: client.delete(f"/v2/foo/manifests/{one.digest}"),
    )  # fmt: skip
    assert catalog(stored) == []


@pytest.mark.parametrize("left", ["_layers", "_uploads", "_manifests"])
def test_a_half_removed_repository_can_be_removed_again(stored: Stored, client: httpx.Client, left: str) -> None:
    push_image(client, "foo", "1", layers=("foo",))
    push_image(client, "foo/bar", "1", layers=("bar",))
    for part in {"_layers", "_uploads", "_manifests"} - {left}:
        shutil.rmtree(stored.repository("foo") / part)
    remove(stored, "foo")
    assert catalog(stored) == ["foo/bar"]
    assert {path.name for path in stored.repository("foo").iterdir()} == {"bar"}
    assert pulls_whole(client, "foo/bar", "1")


def test_a_thousand_tags_go(stored: Stored, client: httpx.Client) -> None:
    made = push_image(client, "many", "0")
    link = stored.tag("many", "0")
    for number in range(1, 1000):
        shutil.copytree(link.parent.parent, link.parent.parent.parent / str(number))
    assert remove(stored, "many")["repositories"][0]["tags"] == 1000
    assert manifest_status(client, "many", made.digest) == 404
