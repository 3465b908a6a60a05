"""The generated pages of docs/reference are those of the commands and settings that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.settings.build import paths
from tools.reference import FOLDER, pages

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == pages()[path], "run: make docs"


def test_every_setting_is_explained() -> None:
    rows = [line.split("|") for line in pages()[FOLDER / "settings.md"].splitlines() if line.startswith("| `")]
    assert [row[1].strip(" `") for row in rows] == list(paths())
    assert all(row[3].strip() for row in rows)


def test_every_command_has_its_help() -> None:
    page = pages()[FOLDER / "cli.md"]
    for command in ("up", "push", "user add", "configure-daemon"):
        assert f"\n## deployer {command}\n" in page
        assert f"Usage: deployer {command} [OPTIONS]" in page
    assert page.count("-h, --help") == page.count("\nUsage: deployer")
