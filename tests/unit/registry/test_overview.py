"""The overview's answer: what is certain is taken from it, and nothing else."""

from __future__ import annotations

import json

import pytest

from deployer.registry.client import RegistryClient
from deployer.registry.overview import parse_overview
from tests.support.fake_registry import HTML, Asked, FakeRegistry, Reply, refused
from tests.support.registry_content import DOCKER, OCI, Image, image, index

IMAGE = image("x", media=OCI)
LIST = index([(IMAGE, "linux/amd64")], media=DOCKER)
CONFIG = {"created": "2024-06-29T23:28:22Z", "os": "linux", "architecture": "amd64"}


def answer(
    *manifests: tuple[str, bytes, object], tags: dict[str, str] | None = None, space: str = "", **more: object
) -> bytes:
    """What the frontend writes: each manifest's exact bytes in the middle of its own JSON."""
    told = b",".join(
        f'"{digest}":{{"document":'.encode() + content + f',"config":{json.dumps(config)}}}'.encode()
        for digest, content, config in manifests
    )
    head = json.dumps({"tags": tags or {}, **more})[:-1].encode()
    return space.encode() + head + b',"manifests":{' + told + b'},"may":{"push":true}}'


def test_the_exact_bytes_come_out() -> None:
    """Three spaces a level, as Docker writes: parsed and written again, they would have another digest."""
    content = answer((IMAGE.digest, IMAGE.content, CONFIG), (LIST.digest, LIST.content, None), tags={"1": LIST.digest})
    found = parse_overview(content)
    assert found is not None
    assert found.tags == {"1": LIST.digest}
    assert {digest: manifest.content for digest, manifest in found.manifests.items()} == {
        IMAGE.digest: IMAGE.content, LIST.digest: LIST.content,
    }  # fmt: skip
    (config,) = found.configs.values()
    assert str(config.platform) == "linux/amd64"


@pytest.mark.parametrize("around", [b" %s ", b"\n%s\n", b"%s\r\n"])
def test_space_around_a_manifest_is_part_of_it(around: bytes) -> None:
    spaced = Image(around % IMAGE.content, IMAGE.media_type)
    found = parse_overview(answer((spaced.digest, spaced.content, CONFIG)))
    assert found is not None
    assert found.manifests[spaced.digest].content == spaced.content


def made(document: object) -> Image:
    return Image(json.dumps(document).encode(), OCI)


LATIN = Image(IMAGE.content[:-1] + b',"x":"\xe9"}', IMAGE.media_type)


NOT_SO = {
    "another version": {**IMAGE.document, "schemaVersion": 3},
    "a list": [],
    "an unknown type": {"schemaVersion": 2, "mediaType": "x/y"},
    "more than the registry reads": {**IMAGE.document, "annotations": {"a": "x" * 4_200_000}},
}


@pytest.mark.parametrize(
    ("digest", "content"),
    [
        (IMAGE.digest, LIST.content),
        ("sha256:abc", IMAGE.content),
        *((made(document).digest, made(document).content) for document in NOT_SO.values()),
    ],
    ids=["another's bytes", "no digest", *NOT_SO],
)
def test_what_the_registry_would_not_give_so_is_asked_of_it(digest: str, content: bytes) -> None:
    found = parse_overview(answer((digest, content, CONFIG), tags={"1": digest}))
    assert found is not None
    assert found.tags == {"1": digest}
    assert not found.manifests


def test_one_that_the_frontend_did_not_read_is_asked_of_the_registry() -> None:
    found = parse_overview(b'{"tags":{"1":"sha256:1"},"manifests":{"sha256:1":{"unread":true}}}')
    assert found is not None
    assert (found.tags, found.manifests) == ({"1": "sha256:1"}, {})


def test_bytes_that_are_no_unicode_come_out_too() -> None:
    found = parse_overview(answer((LATIN.digest, LATIN.content, CONFIG)))
    assert found is not None


@pytest.mark.parametrize("config", [None, {"unread": True, "size": 5_000_000}])
def test_a_configuration_that_is_not_told_is_asked_for(config: object) -> None:
    found = parse_overview(answer((IMAGE.digest, IMAGE.content, config)))
    assert found is not None
    assert (len(found.manifests), len(found.configs)) == (1, 0)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", HTML, b'{"tags":[],"manifests":{}}', b'{"tags":{"a":1},"manifests":{}}',
                b'{"tags":{},"manifests":{"a":{}}}', b'{"tags":{},"manifests":{"a":1}}', b"[" * 100_000],
)  # fmt: skip
def test_anything_else_is_no_overview(content: bytes) -> None:
    assert parse_overview(content) is None


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        (Reply(404, b"404 page not found\n"), 1),
        (Reply(200, HTML, {"Content-Type": "text/html"}), 1),
        (refused(404, "NAME_UNKNOWN"), 2),
        (refused(403, "DENIED"), 2),
        (refused(503, "UNAVAILABLE"), 2),
        (refused(507, "UNSUPPORTED"), 2),
        (refused(500, "UNKNOWN"), 2),
    ],
)
def test_who_has_none_is_not_asked_again(reply: Reply, asked: int) -> None:
    def before(one: Asked) -> Reply | None:
        return reply if one.path.startswith("/overview/") else None

    fake = FakeRegistry(before=before)
    with RegistryClient("http://localhost:5000", {}, transport=fake.transport) as client:
        assert (client.overview("a"), client.overview("b")) == (None, None)
    assert len(fake.asked) == asked


@pytest.mark.parametrize(
    ("reply", "is_unchecked"),
    [
        (Reply(200, b'{"tags":{},"manifests":{}}'), False),
        (Reply(200, b'{"tags":{},"manifests":{},"unchecked":true}'), True),
        (refused(507, "UNSUPPORTED"), True),
        (refused(503, "UNAVAILABLE"), True),
        (refused(404, "NAME_UNKNOWN"), False),
        (Reply(404, b"404 page not found\n"), False),
    ],
)
def test_what_was_not_looked_at_is_known(reply: Reply, is_unchecked: bool) -> None:
    fake = FakeRegistry(before=lambda one: reply if one.path.startswith("/overview/") else None)
    with RegistryClient("http://localhost:5000", {}, transport=fake.transport) as client:
        client.overview("a")
        assert (client.is_unchecked("a"), client.is_unchecked("b")) == (is_unchecked, False)


def test_damage_is_taken_as_it_is_told() -> None:
    lost, cut = "sha256:" + "0" * 64, "sha256:" + "1" * 64
    found = parse_overview(answer(damaged={lost: None, cut: 7, "sha256:2": "x", "sha256:3": True}))
    assert found is not None
    assert found.damaged == {lost: None, cut: 7}
