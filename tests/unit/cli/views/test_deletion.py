"""How deletions are asked about."""

from __future__ import annotations

import pytest

from deployer.cli.views.deletion import question
from deployer.workflows.images.deletion import DeletionPlan, ManifestRemoval, Removal, TagRemoval

TAG = TagRemoval("app", "1", "sha256:" + "1" * 64, "", ())
MANIFEST = ManifestRemoval("app", "sha256:" + "2" * 64, "", (), (), ())


@pytest.mark.parametrize(
    ("removals", "asked"),
    [
        ((TAG,), "Delete app:1 from localhost:5000?"),
        ((TAG, TAG), "Delete these 2 tags from localhost:5000?"),
        ((MANIFEST, MANIFEST), "Delete these 2 manifests from localhost:5000?"),
        ((TAG, MANIFEST, TAG), "Delete these 3 tags and manifests from localhost:5000?"),
    ],
)
def test_the_question_says_what_is_deleted(removals: tuple[Removal, ...], asked: str) -> None:
    assert question(DeletionPlan(removals), "localhost:5000") == asked
