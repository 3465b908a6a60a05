"""In which order the tests run, and which of them one worker runs one after another."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_TOGETHER = {
    # Each makes the link of `client_machine`, which has the same addresses each time.
    "integration/test_client_machine.py": "link",
    "integration/test_client_trust.py": "link",
}
_LONGEST_FIRST = (
    "integration/test_digest_alone.py",
    "integration/test_damage.py",
)
"""The modules that need an engine and take longest, as docs/development/test-durations.md has them.

Begun last, one of them would run alone at the end."""


def group(nodeid: str) -> str:
    """The group of a test: its module, or what its module shares with others."""
    module = nodeid.partition("::")[0].removeprefix("tests/")
    return _TOGETHER.get(module, module)


def put_in_order(items: list[pytest.Item]) -> None:
    """Sort the tests: those that need no engine first, then those of the groups that take longest."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    module = PurePath(nodeid.partition("::")[0].removeprefix("tests/"))
    if module.parts[0] == "unit":
        return 0
    names = [group(each) for each in _LONGEST_FIRST]
    found = group(str(module))
    return 1 + (names.index(found) if found in names else len(names))
