from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.registry.content import placeholder
from deployer.registry.content.manifests import DOCKER_LIST, OCI_INDEX, digest_of, parse
from tests.support.registry_content import DOCKER, TYPES

ORIGINAL = "sha256:" + "a" * 64
LAYER = {"mediaType": TYPES[DOCKER]["layer"], "digest": ORIGINAL, "size": 1}


def original(document: dict[str, Any]) -> str | None:
    return placeholder.original_of(parse(json.dumps(document).encode(), document["mediaType"]))


def test_the_configuration_is_what_its_digest_says() -> None:
    assert digest_of(placeholder.CONFIG) == placeholder.CONFIG_DIGEST


@pytest.mark.parametrize("media_type", [DOCKER_LIST, OCI_INDEX])
def test_a_throw_away_says_what_the_tag_was(media_type: str) -> None:
    made = placeholder.make("1", ORIGINAL, media_type, "n")
    document = json.loads(made.content)
    assert original(document) == ORIGINAL
    assert document["annotations"][placeholder.TAG] == "1"
    assert made.digest != placeholder.make("1", ORIGINAL, media_type, "m").digest


@pytest.mark.parametrize(
    "change",
    [
        {"annotations": {}},
        {"annotations": {placeholder.DIGEST: "sha256:no"}},
        {"layers": [LAYER]},
        {"config": {"mediaType": TYPES[DOCKER]["config"], "digest": ORIGINAL, "size": 2}},
    ],
    ids=["no annotation", "no digest", "a layer", "a configuration"],
)
def test_what_differs_is_an_image_of_someone(change: dict[str, Any]) -> None:
    made = placeholder.make("1", ORIGINAL, DOCKER_LIST, "n")
    assert original({**json.loads(made.content), **change}) is None
