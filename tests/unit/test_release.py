"""The version and the changelog agree: docs/development/release.md."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from deployer import __version__

CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
RELEASES = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in HEADINGS[1:]]


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    assert HEADINGS[0] == "[Unreleased]"
    assert RELEASES[0] is not None
    assert RELEASES[0][1] == __version__


def test_every_release_has_a_version_and_a_date_newest_first() -> None:
    releases = [release for release in RELEASES if release is not None]
    assert len(releases) == len(RELEASES) > 0
    order = [(date.fromisoformat(release[2]), tuple(map(int, release[1].split(".")))) for release in releases]
    assert order == sorted(order, reverse=True)
