"""Tests of the page act only on what is ready."""

from __future__ import annotations

import re
from pathlib import Path

BROWSER = Path(__file__).parents[1] / "browser"
# Playwright waits only until it is in the document. `keyboard.press` is for what has the focus already.
AT_ONCE = re.compile(r"(?<!keyboard)\.(?:focus|press)\(")


def test_nothing_gets_the_focus_or_a_key_before_it_is_seen() -> None:
    """`focus` and `press` in tests/browser/pages.py wait for that."""
    files = [file for file in BROWSER.glob("*.py") if file.name != "pages.py"]
    found = [
        f"{file.name}:{number}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if AT_ONCE.search(line)
    ]
    assert files
    assert found == []
