"""Names on the command line: this registry's own address before them is dropped, another's is refused."""

from __future__ import annotations

import pytest

from deployer.errors import DeployerError, InvalidReference, UsageError
from deployer.registry.protocol.place import Place
from deployer.workflows.images.naming import own_pattern, own_reference, own_repositories
from deployer.workflows.upkeep.repositories import names_of

HERE = Place.of("http://localhost:5000")
THERE = Place.of("https://registry.example")


@pytest.mark.parametrize(
    ("text", "place", "meant"),
    [
        ("app", HERE, "app"),
        ("team/*", HERE, "team/*"),
        ("app:1.2", HERE, "app:1.2"),
        ("localhost:5000/app", HERE, "app"),
        ("127.0.0.1:5000/team/app:1.2", HERE, "team/app:1.2"),
        ("[::1]:5000/team/*", HERE, "team/*"),
        ("LOCALHOST:5000/app", HERE, "app"),
        ("registry.example/team/*", THERE, "team/*"),
        ("registry.example:443/app:1", THERE, "app:1"),
        # The first part of a repository's name may look like a host.
        ("my.team/app", HERE, "my.team/app"),
        ("localhost/app", HERE, "localhost/app"),
        ("registry/app", Place.of("https://registry"), "registry/app"),
        ("[ab]/x", HERE, "[ab]/x"),
        ("*/app", HERE, "*/app"),
        ("", HERE, ""),
    ],
)
def test_a_pattern_may_have_the_registry_s_own_address(text: str, place: Place, meant: str) -> None:
    assert own_pattern(text, place) == meant


@pytest.mark.parametrize("text", ["other:5000/app", "localhost:5001/app:1", "localhost:99999/app", "[::2]:5000/a*"])
def test_another_registry_s_is_refused_with_what_works(text: str) -> None:
    with pytest.raises(UsageError, match=r"belongs to the registry .*; this one is localhost:5000") as caught:
        own_pattern(text, HERE)
    assert caught.value.advice[1] == "For another: --host HOST --port PORT"
    with pytest.raises(UsageError) as caught:
        own_pattern(text, HERE, only_here=True)
    assert caught.value.advice[1].startswith("For another: run the command on the machine that runs ")


def test_a_port_that_does_not_exist_is_another_registry_s_of_an_image_too() -> None:
    with pytest.raises(UsageError, match="belongs to the registry localhost:99999"):
        own_reference("localhost:99999/app", HERE)


def test_a_url_is_refused_with_the_name_in_it() -> None:
    with pytest.raises(InvalidReference) as caught:
        own_pattern("http://localhost:5000/app", HERE)
    assert caught.value.advice == ("Use: localhost:5000/app",)


def test_where_repositories_are_meant_an_image_is_refused() -> None:
    assert own_repositories(["localhost:5000/app", "team/*", "[a:b]*"], HERE) == ("app", "team/*", "[a:b]*")
    for text in ("localhost:5000/app:1.2", "app@sha256:" + "0" * 64):
        with pytest.raises(UsageError, match="is the name of one image") as caught:
            own_repositories([text], HERE)
        assert caught.value.advice[0] == "To list its tags: deployer tags app"


def test_whole_repositories_are_named_in_the_same_way() -> None:
    assert names_of(["localhost:5000/app", "app", "my.team/app"], HERE) == ("app", "my.team/app")
    for text in ("other:5000/app", "app:1", "a//b"):
        with pytest.raises(DeployerError):
            names_of([text], HERE)
