from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deployer.errors import InvalidReference
from deployer.reference import Reference, is_digest, is_domain, parse, parse_repository, refuse_upper_case

DIGEST = "sha256:" + "0123456789abcdef" * 4
SHA512 = "sha512:" + "0123456789abcdef" * 8


@pytest.mark.parametrize(
    ("text", "domain", "repository", "tag", "digest"),
    [
        ("centos", "", "centos", None, None),
        ("centos:7-git", "", "centos", "7-git", None),
        (f"centos@{DIGEST}", "", "centos", None, DIGEST),
        (f"centos@{SHA512}", "", "centos", None, SHA512),
        (f"centos:7@{DIGEST}", "", "centos", "7", DIGEST),
        ("localhost:5000/centos:7", "localhost:5000", "centos", "7", None),
        ("localhost/centos", "localhost", "centos", None, None),
        ("ghcr.io/acme/app:1", "ghcr.io", "acme/app", "1", None),
        ("192.168.100.2:5000/team/sub/app", "192.168.100.2:5000", "team/sub/app", None, None),
        ("[::1]:5000/app:1", "[::1]:5000", "app", "1", None),
        ("[fd00::1]/app", "[fd00::1]", "app", None, None),
        ("Registry/app", "Registry", "app", None, None),
        ("library/centos", "", "library/centos", None, None),
        ("a.b-c_d__e---f", "", "a.b-c_d__e---f", None, None),
        ("registry:5000/a:5000", "registry:5000", "a", "5000", None),
        ("a:_.-", "", "a", "_.-", None),
        ("0/1", "", "0/1", None, None),
    ],
)
def test_names_are_taken_apart(text: str, domain: str, repository: str, tag: str | None, digest: str | None) -> None:
    found = parse(text)
    assert found == Reference(domain, repository, tag, digest)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("http://localhost:5000/app", "starts with 'http://'"),
        (" app", "contains a space"),
        ("app\n", "contains a space"),
        ("my app", "contains a space"),
        ("../../etc/passwd", "'.' or '..'"),
        ("a/../b", "'.' or '..'"),
        ("a/./b", "'.' or '..'"),
        ("App", "uppercase"),
        ("team/App:1", "uppercase"),
        ("app:", "ends in ':'"),
        ("app:1:2", "two tags"),
        ("x/app:1/2", "'/' in its tag"),
        ("app:.1", "is not a valid tag"),
        ("app:-1", "is not a valid tag"),
        ("app:a b", "contains a space"),
        ("app:" + "t" * 129, "too long"),
        ("a//b", "empty path component"),
        ("/a", "empty path component"),
        ("a/", "empty path component"),
        ("localhost:5000/", "has no repository name"),
        ("-a", "is not a valid part of a repository name"),
        ("a-", "is not a valid part of a repository name"),
        ("a..b", "is not a valid part of a repository name"),
        ("a___b", "is not a valid part of a repository name"),
        ("a._b", "is not a valid part of a repository name"),
        ("ä", "is not a valid part of a repository name"),
        ("app@", "is not a valid digest"),
        ("app@sha256:abc", "is not a valid digest"),
        (f"app@{DIGEST.upper().replace('SHA', 'sha')}", "is not a valid digest"),
        (f"app@{DIGEST}@{DIGEST}", "is not a valid digest"),
        (f"app@md5:{'0' * 32}", "the algorithm 'md5'"),
        ("-host.example/app", "not a valid registry address"),
        ("host.example:port/app", "not a valid registry address"),
        ("a" * 256, "too long"),
        ("localhost:5000/" + "a" * 241, "this one has 256"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" app:1\n", "app:1"),
        ("bad name", "bad-name"),
        ("app\t:1", "app:1"),
        ("./app", "app"),
        ("../team/./app:1", "team/app:1"),
        ("app:", "app"),
        ("app:-1", "app:1"),
        ("app:v1+2", "app:v1-2"),
        ("team//app/", "team/app"),
        ("host.example:5000/app_", "host.example:5000/app"),
        ("a$b/App!", "a-b/app"),
    ],
)
def test_where_the_name_that_would_do_can_be_told_it_is(text: str, meant: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert caught.value.advice[-1] == f"Use: {meant}"
    assert str(parse(meant)) == meant


def test_several_names_in_one_word_are_told_apart() -> None:
    with pytest.raises(InvalidReference) as caught:
        parse("app:1 db:2")
    assert caught.value.advice == ("Give several names as separate arguments, without quotes: app:1 db:2",)


def test_lengths_are_taken_to_the_limit() -> None:
    assert parse("a" * 255).repository == "a" * 255
    assert parse("localhost:5000/" + "a" * 240).repository == "a" * 240
    assert parse("a:" + "t" * 128).tag == "t" * 128


def test_upper_case_gets_the_name_that_would_do() -> None:
    with pytest.raises(InvalidReference) as caught:
        parse("ghcr.io/Team/App:V1")
    assert caught.value.advice == ("Use: ghcr.io/team/app:V1",)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Team/App:Team", "team/app:Team"), ("reg.example:5000/App:App", "reg.example:5000/app:App")],
)
def test_what_is_advised_is_lower_case_as_a_whole_and_keeps_its_tag(text: str, meant: str) -> None:
    with pytest.raises(InvalidReference, match="has uppercase letters") as caught:
        parse(text)
    assert caught.value.advice == (f"Use: {meant}",)
    refuse_upper_case(parse(meant), meant)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Team/app:1", "team/app:1"), ("TEAM/app", "team/app"), (f"Team/a/b@{DIGEST}", f"team/a/b@{DIGEST}")],
)
def test_an_upper_case_first_part_is_a_domain_to_docker_and_a_mistake_to_us(text: str, meant: str) -> None:
    assert parse(text).domain == text.partition("/")[0]
    with pytest.raises(InvalidReference, match="has uppercase letters") as caught:
        refuse_upper_case(parse(text), text)
    assert caught.value.advice == (f"Use: {meant}",)


@pytest.mark.parametrize("text", ["Host.example/app", "HOST:5000/app", "localhost/app", "team/app", "app"])
def test_what_can_be_an_address_is_not_refused(text: str) -> None:
    refuse_upper_case(parse(text), text)


def test_a_name_without_tag_or_digest_gets_the_default_tag() -> None:
    assert str(parse("app").tagged()) == "app:latest"
    assert str(parse("app:1").tagged()) == "app:1"
    assert str(parse(f"app@{DIGEST}").tagged()) == f"app@{DIGEST}"


def test_a_name_can_move_to_another_registry() -> None:
    assert str(parse("ghcr.io/acme/app:1").at("localhost:5000")) == "localhost:5000/acme/app:1"
    assert parse("ghcr.io/acme/app").at("").name == "acme/app"


@pytest.mark.parametrize("text", ["app", "team/app", "a" * 255])
def test_a_repository_alone(text: str) -> None:
    assert parse_repository(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("app:1", "has a tag or a digest"),
        (f"app@{DIGEST}", "has a tag or a digest"),
        ("localhost:5000/app", "has a tag or a digest"),
        ("../app", "is not a valid part of a repository name"),
        ("a/./b", "is not a valid part of a repository name"),
        ("App", "uppercase"),
        ("a" * 256, "too long"),
    ],
)
def test_what_is_no_repository_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidReference, match=re.escape(words)) as caught:
        parse_repository(text)
    assert caught.value.advice


def test_digests_and_domains_are_recognised() -> None:
    assert is_digest(DIGEST)
    assert is_digest(SHA512)
    assert not is_digest(DIGEST[:-1])
    assert not is_digest(DIGEST + "\n")
    assert is_domain("registry.example:5000")
    assert not is_domain("registry.example:5000/")
    assert not is_domain("-registry")


@given(st.text())
@example("a" * 300 + "/../:@")
def test_any_text_is_a_name_or_is_refused_with_a_sentence(text: str) -> None:
    try:
        found: Reference | str = parse(text)
    except InvalidReference as refused:
        found = refused.message
    if isinstance(found, str):
        assert found.endswith(".")
    else:
        assert str(found) == text
        assert not set(found.repository) - set("abcdefghijklmnopqrstuvwxyz0123456789._-/")
        assert not {".", "..", ""} & set(found.repository.split("/"))


COMPONENT = st.from_regex(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", fullmatch=True).filter(lambda text: len(text) < 40)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)


@given(
    st.lists(COMPONENT, min_size=1, max_size=4), st.none() | TAG, st.booleans(), st.sampled_from(["", "r.example:5000"])
)
def test_every_valid_name_comes_back_as_it_was(parts: list[str], tag: str | None, digest: bool, domain: str) -> None:
    # Without a domain a first part with a dot, or `localhost`, would count as one.
    repository = "/".join(["x", *parts])
    made = Reference(domain, repository, tag, DIGEST if digest else None)
    assert parse(str(made)) == made


@pytest.mark.parametrize("text", ["to*", "team/*", "tool?"])
def test_a_pattern_is_not_advised_as_another_name(text: str) -> None:
    for parsed in (lambda: parse_repository(text), lambda: parse(f"{text}:1")):
        with pytest.raises(InvalidReference, match="is a pattern") as caught:
            parsed()
        assert not any(line.startswith("Use:") for line in caught.value.advice)
