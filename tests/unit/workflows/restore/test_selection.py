"""What `--only` selects, and which links that is."""

from __future__ import annotations

import pytest

from deployer.errors import UsageError
from deployer.workflows.backup.links import Link
from deployer.workflows.restore.selection import Selection, Wanted

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def tag(repository: str, name: str) -> Link:
    return Link(f"repositories/{repository}/_manifests/tags/{name}/current/link", DIGEST, 0)


def history(repository: str, name: str) -> Link:
    return Link(f"repositories/{repository}/_manifests/tags/{name}/index/sha256/{'a' * 64}/link", DIGEST, 0)


def manifest(repository: str, digest: str) -> Link:
    return Link(f"repositories/{repository}/_manifests/revisions/sha256/{digest[7:]}/link", digest, 0)


def layer(repository: str, digest: str, place: str = "") -> Link:
    return Link(f"repositories/{repository}/_layers/{(place or digest).replace(':', '/')}/link", digest, 0)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([], Selection()),
        (["app"], Selection(("app",))),
        (["team/*", "a?p"], Selection(("team/*", "a?p"))),
        (["app:1.2"], Selection((), {"app": frozenset({"1.2"})})),
        (["app:1", "app:2", "b/c:x", "d"], Selection(("d",), {"app": frozenset({"1", "2"}), "b/c": frozenset({"x"})})),
    ],
)
def test_repositories_and_tags_are_distinguished(written: list[str], expected: Selection) -> None:
    assert Selection.parse(written) == expected
    assert expected.is_everything is (not written)


@pytest.mark.parametrize(
    "written",
    ["", ":", ":1", "app:", "app:a b", "team*:1", "a?:1", "localhost:5000/app:1", "a:-x", f"app@sha256:{'0' * 64}"],
)
def test_what_is_neither_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(UsageError, match="neither REPOSITORY nor REPOSITORY:TAG") as caught:
        Selection.parse(["app", written])
    assert f"'{written}'" in str(caught.value)
    assert "--only" in caught.value.advice[0]


def test_everything_has_every_link() -> None:
    wanted = Wanted(Selection())
    for link in (tag("a", "1"), history("a", "1"), manifest("a", DIGEST), layer("b", OTHER)):
        assert wanted.has(link)


def test_a_pattern_has_whole_repositories() -> None:
    selection = Selection.parse(["team/*"])
    assert [selection.has_whole(name) for name in ("team/a", "team/a/b", "team", "other")] == [True, True, False, False]
    assert Wanted(selection).has(history("team/a", "1"))
    assert not Wanted(selection).has(layer("other", DIGEST))


def test_a_tag_has_what_it_needs_and_no_more() -> None:
    wanted = Wanted(Selection.parse(["app:1"]), {"app": frozenset({DIGEST})})
    assert wanted.has(tag("app", "1"))
    assert wanted.has(manifest("app", DIGEST))
    assert wanted.has(layer("app", DIGEST))
    for link in (
        tag("app", "2"), history("app", "1"), manifest("app", OTHER), layer("app", OTHER), layer("b", DIGEST),
    ):  # fmt: skip
        assert not wanted.has(link)


def test_a_layer_that_a_manifest_names_by_sha512_is_needed() -> None:
    by = "sha512:" + "c" * 128
    wanted = Wanted(Selection.parse(["app:1"]), {"app": frozenset({by})})
    assert wanted.has(layer("app", DIGEST, by))
    assert not wanted.has(layer("app", OTHER))


def test_what_is_left_out_is_left_out_of_everything() -> None:
    assert not Wanted(Selection(), left_out=frozenset({tag("a", "1").path})).has(tag("a", "1"))


def test_a_pattern_beside_a_tag_has_the_whole_repository() -> None:
    wanted = Wanted(Selection.parse(["app:1", "a*"]))
    assert wanted.has(tag("app", "2"))
    assert wanted.has(layer("app", OTHER))
