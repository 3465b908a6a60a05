from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import DeployerError, RegistryError, UnknownManifest
from deployer.registry.content.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageManifest,
    Index,
    Platform,
    digest_of,
    parse,
)
from tests.support.registry_content import DOCKER, OCI, image, index, sha256

DIGEST = "sha256:" + "a" * 64
POINTER = {"mediaType": "x", "digest": DIGEST, "size": 1}


def parsed(document: Any, content_type: str = OCI_MANIFEST) -> Any:
    return parse(json.dumps(document).encode(), content_type)


@pytest.mark.parametrize(("media", "media_type"), [(DOCKER, DOCKER_MANIFEST), (OCI, OCI_MANIFEST)])
def test_an_image_has_its_layers_and_its_size(media: str, media_type: str) -> None:
    made = image("one", "two", media=media)
    found = parse(made.content, made.media_type)
    assert isinstance(found, ImageManifest)
    assert found.media_type == media_type
    assert found.digest == made.digest
    assert found.content == made.content
    assert [layer.digest for layer in found.layers] == [sha256(blob) for blob in made.blobs[1:]]
    assert found.size == made.size
    assert found.is_image


@pytest.mark.parametrize(("media", "media_type"), [(DOCKER, DOCKER_LIST), (OCI, OCI_INDEX)])
def test_an_index_has_its_images_each_once_and_no_attestations(media: str, media_type: str) -> None:
    amd, arm, proof, note = (image(word, media=media) for word in ("amd", "arm", "proof", "note"))
    children = [(amd, "linux/amd64"), (arm, "linux/arm64/v8"), (amd, "linux/amd64"), (proof, "unknown/unknown")]
    made = index(children, media=media)
    document = made.document
    document["manifests"].append(note.descriptor(annotations={"vnd.docker.reference.type": "attestation-manifest"}))
    found = parsed(document, made.media_type)
    assert isinstance(found, Index)
    assert found.media_type == media_type
    assert len(found.manifests) == 5
    assert [child.digest for child in found.images] == [amd.digest, arm.digest]
    assert [str(child.platform) for child in found.images] == ["linux/amd64", "linux/arm64"]


def test_an_artifact_is_no_image() -> None:
    document = {"schemaVersion": 2, "config": {**POINTER, "mediaType": "application/vnd.cncf.helm.config.v1+json"}}
    found = parsed({**document, "layers": [POINTER], "artifactType": "chart", "subject": POINTER})
    assert not found.is_image
    assert found.artifact_type == "chart"
    assert found.subject.digest == DIGEST


def test_the_type_is_taken_from_the_document_where_the_header_does_not_say() -> None:
    made = index([], media=DOCKER)
    assert parse(made.content, "application/json").media_type == DOCKER_LIST
    assert parsed({"schemaVersion": 2, "manifests": []}, "").media_type == OCI_INDEX
    assert parsed({"schemaVersion": 2, "config": POINTER, "layers": None}, "").layers == ()


def test_parameters_of_the_content_type_do_not_matter() -> None:
    made = image("one", media=OCI)
    assert parse(made.content, f"{OCI_MANIFEST.upper()}; charset=utf-8").media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ({"schemaVersion": 1, "fsLayers": []}, "application/json"),
        ({"name": "x"}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ],
)
def test_schema_1_is_refused_with_advice(document: Any, content_type: str) -> None:
    with pytest.raises(RegistryError, match="schema 1") as caught:
        parsed(document, content_type)
    assert "Push the image again" in caught.value.advice[0]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "not a JSON object"),
        ({"config": POINTER, "layers": [], "manifests": []}, "both an image and an index"),
        ({"mediaType": DOCKER_MANIFEST, "config": POINTER, "layers": []}, "but the manifest says"),
        ({"layers": []}, "'config' is not a valid descriptor"),
        ({"config": POINTER, "layers": {}}, "'layers' is not a list"),
        ({"config": POINTER, "layers": [None]}, "'layers[0]' is not a valid descriptor"),
        ({"config": {**POINTER, "digest": "sha256:../../etc"}, "layers": []}, "'config' has no valid digest"),
    ],
)
def test_what_is_not_valid_is_named(document: Any, words: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parsed(document)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "more",
    [
        {"annotations": {"a": None}},
        {"annotations": {"a": 1}},
        {"annotations": []},
        {"layers": [{**POINTER, "annotations": {"a": None}}]},
        {"layers": [{**POINTER, "platform": "linux"}]},
        {"subject": {"digest": "nonsense"}},
        {"subject": "x"},
        {"manifests": None},
        {"artifactType": 5},
        {"layers": None},
    ],
)
def test_what_is_of_another_form_is_absent(more: dict[str, Any]) -> None:
    found = parsed({"schemaVersion": 2, "config": POINTER, "layers": [POINTER], **more})
    assert isinstance(found, ImageManifest)
    assert (found.annotations, found.subject, found.artifact_type) == ({}, None, "")


@pytest.mark.parametrize("size", [None, -5, 1.5, "1", True, 2**53])
def test_a_size_that_cannot_be_is_not_known(size: object) -> None:
    found = parsed({"schemaVersion": 2, "config": POINTER, "layers": [{**POINTER, "size": size}]})
    assert (found.layers[0].size, found.size) == (None, None)


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    content = json.dumps({"schemaVersion": 2, "config": POINTER, "annotations": {"by": "XX"}}).encode()
    assert parse(content.replace(b"XX", b"Jos\xe9"), OCI_MANIFEST).annotations == {"by": "Jos\ufffd"}


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownManifest, match="application/x-odd"):
        parsed({"mediaType": "application/x-odd"}, "application/json")


def test_a_type_of_any_length_does_not_fill_the_terminal() -> None:
    with pytest.raises(UnknownManifest) as caught:
        parsed({"mediaType": "application/\x1b[31m" + "x" * 100_000}, "application/json")
    assert len(caught.value.message) < 400
    assert caught.value.message.isprintable()


def test_a_body_that_is_cut_off_is_said_to_be() -> None:
    with pytest.raises(RegistryError, match="truncated"):
        parse(image("one").content[:-20], DOCKER_MANIFEST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(DIGEST),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *("schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "annotations"),
        *("digest", "size", "platform", "artifactType", "os"),
    ]
)
SHAPED = st.recursive(
    JSON | st.just(POINTER), lambda inner: st.dictionaries(KEYS, inner) | st.lists(inner, max_size=3), max_leaves=12
)


@given(SHAPED, st.sampled_from([DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX, "", "text/html"]))
def test_whatever_is_sent_is_a_manifest_or_a_sentence(document: Any, content_type: str) -> None:
    try:
        found = parsed(document, content_type)
    except DeployerError as error:
        found = error
    if not isinstance(found, DeployerError):
        assert found.media_type in {DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX}
        assert isinstance(hash(found), int)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_refused(content: bytes) -> None:
    with pytest.raises(DeployerError):
        parse(content, DOCKER_MANIFEST)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(RegistryError):
        parse(b"[" * 200_000, DOCKER_MANIFEST)


def test_digests_and_platforms_are_written_as_the_registry_does() -> None:
    assert digest_of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of(b"", "sha512").startswith("sha512:cf83e1357eef")
    assert str(Platform("linux", "arm", "v7")) == "linux/arm/v7"
    assert not Platform("unknown", "unknown").is_known
    assert not Platform("", "amd64").is_known
