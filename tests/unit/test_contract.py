"""The rules that the page keeps too: `tests/page/contract.test.mjs` runs the cases in tests/contract as well."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployer.cli.views.words import age, size
from deployer.errors import NotFound, RegistryError
from deployer.reference import NAME_PATTERN, is_digest, is_repository, is_tag
from deployer.reference import parse as parse_reference
from deployer.registry.content.attached import attached_to, listed_tags, read_attached
from deployer.registry.content.children import children
from deployer.registry.content.decoding import is_refused
from deployer.registry.content.imageconfig import parse_config
from deployer.registry.content.json_text import read_json
from deployer.registry.content.kinds import Client, Content, Kind, Purpose, kind_of
from deployer.registry.content.manifests import ImageManifest, Manifest, parse
from deployer.registry.content.moments import moment_of, newest_first, parse_time
from deployer.registry.content.order import natural
from deployer.registry.content.platforms import Platform, labels
from deployer.registry.overview import Overview
from deployer.registry.protocol.place import Place
from deployer.workflows.images.browse import tag_of
from deployer.workflows.images.contents import Contents, read_contents
from deployer.workflows.images.reading import Reader
from deployer.workflows.images.states import tag_sentence
from deployer.workflows.images.tags import State
from deployer.workflows.transfer.pull_commands import getting
from deployer.workflows.upkeep.retention import CreationTimes, is_image
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, read_summary

FOLDER = Path(__file__).parents[1] / "contract"
TEMPLATES = Path(__file__).parents[2] / "templates"
OVERVIEW = TEMPLATES / "frontend" / "overview"
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def contract(name: str) -> dict[str, Any]:
    """One rule's cases; `@a` in them is a digest, `@ahex` its digits, `@hex` some digits."""
    text = (FOLDER / f"{name}.json").read_text()
    text = re.sub(r"@([0-9a-f])hex", lambda found: found[1] * 64, text).replace("@hex", "0123456789abcdef" * 4)
    return dict(json.loads(re.sub(r"@([0-9a-f])", lambda found: f"sha256:{found[1] * 64}", text)))


def cases(name: str, key: str = "cases") -> pytest.MarkDecorator:
    found = contract(name)[key]
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def second(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def decoded_text(case: dict[str, Any], config: str, layer: str, digest: str) -> str:
    return str(case["text"]).replace("CONFIG", config).replace("LAYER", layer).replace("DIGEST", digest)


@cases("decoding")
def test_which_manifests_the_registry_refuses(case: dict[str, Any]) -> None:
    part = f'{{"digest": "sha256:{"1" * 64}", "size": 1}}'
    text = decoded_text(case, part, part, f"sha256:{'2' * 64}")
    assert is_refused(read_json(text)) == case["is"]
    summary = read_summary(text.encode())
    assert (summary is None or summary.is_refused) == case["is"]


@cases("grammar", "repositories")
def test_the_name_of_a_repository(case: dict[str, Any]) -> None:
    assert is_repository(case["text"]) == bool(re.fullmatch(NAME_PATTERN, case["text"])) == case["is"]


@cases("grammar", "tags")
def test_a_tag(case: dict[str, Any]) -> None:
    assert is_tag(case["text"]) == case["is"]


@pytest.mark.parametrize("path", sorted(OVERVIEW.glob("*.json")), ids=lambda path: path.name)
def test_the_frontend_takes_the_same_tags(path: Path) -> None:
    """Its templates are Go's, which read these patterns as Python does; of what a folder may be named."""
    patterns = re.findall(r'regexFindAll "(\(\?m\)\^\[A-Za-z0-9_\][^"]*)"', path.read_text())
    named = [case for case in contract("grammar")["tags"] if "/" not in case["text"]]
    for pattern in patterns:
        assert [bool(re.search(pattern, case["text"])) for case in named] == [case["is"] for case in named]


def test_the_frontends_templates_have_that_pattern() -> None:
    assert sum('regexFindAll "(?m)^[A-Za-z0-9_]' in path.read_text() for path in OVERVIEW.glob("*.json")) >= 3


@cases("grammar", "digests")
def test_a_digest(case: dict[str, Any]) -> None:
    assert is_digest(case["text"]) == case["is"]


@cases("grammar", "digests")
def test_the_storages_scripts_take_the_same_digests(case: dict[str, Any]) -> None:
    pattern, sizes = re.findall(r"DIGEST\w*='(.+)'$", (TEMPLATES / "storage" / "digest.sh").read_text(), re.MULTILINE)
    is_of_size = re.fullmatch(sizes, str(len(case["text"]))) is not None
    assert (is_of_size and re.fullmatch(pattern, case["text"]) is not None) == case["is"]


def test_the_frontend_reads_links_of_the_same_sizes() -> None:
    script = (TEMPLATES / "storage" / "digest.sh").read_text()
    template = (TEMPLATES / "frontend" / "overview.tmpl").read_text()
    assert "|".join(re.findall(r"eq \$size (\d+)", template)) == re.findall(r"DIGEST_SIZE='(.+)'", script)[0]


@cases("times")
def test_a_time_is_read(case: dict[str, Any]) -> None:
    assert second(parse_time(case["text"])) == case["is"]


@cases("moments")
def test_a_moment_is_the_creation_or_the_push(case: dict[str, Any]) -> None:
    now = parse_time(contract("moments")["now"])
    assert now
    found = moment_of(parse_time(case["created"]), parse_time(case["pushed"]), now)
    assert (second(found.at) if found else None, found.source if found else None) == (case["at"], case["source"])


@cases("ages")
def test_an_age_is_in_words(case: dict[str, Any]) -> None:
    assert age(NOW - timedelta(seconds=case["seconds"]), NOW) == case["en"]


@cases("sizes")
def test_a_size_is_in_words(case: dict[str, Any]) -> None:
    assert size(case["bytes"]) == case["text"]


def digest_in(descriptor: dict[str, Any] | None) -> str | None:
    return (descriptor or {}).get("digest")


def platform_of(said: dict[str, str] | None) -> Platform:
    return Platform(*((said or {}).get(key, "") for key in ("os", "architecture", "variant", "os.version")))


@cases("platforms", "lists")
def test_platforms_stand_in_a_list(case: dict[str, Any]) -> None:
    assert list(labels(map(platform_of, case["platforms"]))) == case["is"]


@cases("platforms")
def test_a_platform_has_a_name(case: dict[str, Any]) -> None:
    platform = platform_of(case["platform"])
    assert (platform.name, platform.label) == (case["is"], case["label"])


@cases("kinds")
def test_a_manifest_is_of_a_kind(case: dict[str, Any]) -> None:
    document, expected = case["document"], dict(case["is"])
    manifests, images = expected.pop("manifests", None), expected.pop("parts", None)
    found = kind_of(document, document.get("mediaType", ""))
    assert {
        "kind": found.kind.value,
        "purpose": found.purpose.value,
        "type": found.type,
        "client": found.client.value,
    } == expected
    if manifests is not None:
        named = children(document)
        assert [list(map(digest_in, those)) for those in (named.manifests, named.images)] == [manifests, images]


@cases("children")
def test_a_manifest_names_its_children(case: dict[str, Any]) -> None:
    named = children(case["document"])
    assert {
        "config": digest_in(named.config),
        "layers": list(map(digest_in, named.layers)),
        "manifests": list(map(digest_in, named.manifests)),
        "images": list(map(digest_in, named.images)),
        "blobs": list(map(digest_in, named.blobs)),
        "subject": digest_in(named.subject),
    } == case["is"]


@cases("children")
def test_a_summary_of_a_manifest_names_the_same(case: dict[str, Any]) -> None:
    found = read_summary(json.dumps(case["document"]).encode())
    assert found
    expected = case["is"]
    assert found.config == (expected["config"] or "")
    assert found.subject == (expected["subject"] or "")
    assert list(found.images) == [digest for digest in expected["images"] if digest]
    assert sorted(found.children) == sorted(filter(None, (*expected["manifests"], *expected["blobs"])))
    parts = (expected["config"], *expected["layers"], *found.children)
    assert [one.digest for one in found.parts] == [digest for digest in parts if digest]


@cases("indexes")
def test_an_index_is_what_it_puts_together(case: dict[str, Any]) -> None:
    registry: Any = Registry({**case, "configs": {}})
    expected = dict(case["is"])
    image = expected.pop("image")
    root = registry.parsed(case["root"])
    found = read_contents(Reader(registry, "app"), [root]).kind(root)
    assert {
        "kind": found.kind.value,
        "purpose": found.purpose.value,
        "type": found.type,
        "client": found.client.value,
    } == expected
    if image is not None:
        known = {digest: read_summary(json.dumps(document).encode()) for digest, document in case["manifests"].items()}
        assert is_image(case["root"], Manifests(known)) == image


@cases("commands")
def test_something_is_got_by_its_client(case: dict[str, Any]) -> None:
    place = Place.of(f"{'http' if case['plain'] else 'https'}://{case['address']}")
    content = Content(Kind.ARTIFACT, Purpose.NONE, "", Client(case["client"]))
    parts = tuple(case["parts"]) if "parts" in case else None
    first, *_ = getting(content, parse_reference(case["image"]).at(case["address"]), place, parts)
    assert first.removeprefix("To copy it to a directory as is: ") == case["line"]


@cases("attached", "tags")
def test_a_tag_may_be_attached(case: dict[str, Any]) -> None:
    assert attached_to(case["tag"]) == case["to"]


@cases("attached", "repositories")
def test_attached_tags_are_apart(case: dict[str, Any]) -> None:
    found = read_attached(case["tags"], case["manifests"])
    assert {tag: {"to": one.to, "orphan": one.orphan} for tag, one in found.items()} == case["attached"]
    assert listed_tags(case["tags"]) == case["listed"]


@cases("order", "natural")
def test_names_are_in_natural_order(case: dict[str, Any]) -> None:
    for names in (case["sorted"], case["sorted"][::-1]):
        assert sorted(names, key=natural) == case["sorted"]


@cases("order", "newest")
def test_the_newest_is_first(case: dict[str, Any]) -> None:
    times = {tag: [parse_time(text) for text in said] for tag, said in case["tags"].items()}
    moments = {tag: moment_of(created, pushed, NOW) for tag, (created, pushed) in times.items()}
    at = {tag: moment.at if moment else None for tag, moment in moments.items()}
    pushes = {tag: pushed for tag, (_, pushed) in times.items()}
    for names in (case["order"], case["order"][::-1]):
        assert newest_first(names, str, at.__getitem__, pushes.__getitem__) == case["order"]


@cases("contents")
def test_prune_counts_from_the_same_moment(case: dict[str, Any]) -> None:
    now = parse_time(contract("contents")["now"])
    assert now
    known = {digest: read_summary(json.dumps(document).encode()) for digest, document in case["manifests"].items()}
    configs = {digest: parse_time(config.get("created")) for digest, config in case["configs"].items()}
    storage: Any = None
    assert second(CreationTimes(storage, configs).of(case["root"], Manifests(known), now)) == case["is"]["created"]


class Registry:
    """What a registry has of one repository; `failing` are digests that it does not manage to give."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.failing = set(case.get("failing", ()))

    def manifest(self, _repository: str, digest: str) -> Manifest:
        return self.parsed(digest)

    def parsed(self, digest: str) -> Manifest:
        document = self._find(digest, self.case["manifests"])
        return parse(json.dumps(document).encode(), document["mediaType"], digest)

    def blob(self, _repository: str, digest: str) -> bytes:
        return json.dumps(self._find(digest, self.case["configs"])).encode()

    def each(self, read: Any, digests: Any) -> Any:
        return [read(digest) for digest in digests]

    def _find(self, digest: str, known: dict[str, Any]) -> dict[str, Any]:
        if digest in self.failing:
            raise RegistryError("The registry is busy.")
        if digest not in known:
            raise NotFound(f"There is no {digest}.")
        return dict(known[digest])


@cases("contents")
def test_contents_are_told(case: dict[str, Any]) -> None:
    registry: Any = Registry(case)
    now = parse_time(contract("contents")["now"])
    root = registry.parsed(case["root"])
    contents: Contents = read_contents(Reader(registry, "app"), [root], now)
    assert {
        "created": second(contents.created(root)),
        "size": contents.size(root),
        "platforms": list(contents.labels(root)),
        "lost": list(contents.missing(root)),
        "unread": list(contents.unread(root)),
    } == case["is"]


def test_an_artifact_is_not_dated_by_the_configuration_of_an_image() -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'c' * 64}", "size": 5}

    def made(layer: str) -> ImageManifest:
        layers = [{"mediaType": layer, "digest": f"sha256:{'e' * 64}", "size": 5}]
        document = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
        found = parse(json.dumps(document).encode(), kind)
        assert isinstance(found, ImageManifest)
        return found

    known = parse_config(b'{"created": "2024-01-01T00:00:00Z", "os": "linux", "architecture": "amd64"}')
    contents = Contents(configs={f"sha256:{'c' * 64}": known})
    image, artifact = made("application/vnd.oci.image.layer.v1.tar+gzip"), made("application/vnd.erofs.layer.v1")
    assert (second(contents.created(image)), contents.platforms(image)) == ("2024-01-01T00:00:00Z", ("linux/amd64",))
    assert (contents.created(artifact), contents.platforms(artifact)) == (None, ())


@cases("states")
def test_what_is_wrong_with_a_tag_is_told(case: dict[str, Any]) -> None:
    registry: Any = Registry(case)
    root = registry.parsed(case["root"])
    reader = Reader(
        registry,
        "app",
        Overview(
            {"it": case["root"]},
            damaged=case["damaged"],
            unlinked=case.get("unlinked", {}),
            obstacles=case.get("obstacles", {}),
            foreign=frozenset(case.get("foreign", ())),
            sizes=case.get("sizes", {}),
        ),
    )
    tag = tag_of("it", root, read_contents(reader, [root]), reader)
    assert {"state": tag.state.name.lower() if tag.state else "", "sentence": tag_sentence("app:it", tag)} == case["is"]


def test_the_words_for_what_is_wrong() -> None:
    assert {state.name.lower(): state.value for state in State if state} == contract("states")["words"]
