"""In which order the tests run, and which of them one worker runs one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_TOGETHER = {
    # Each makes the link of `client_machine`, which has the same addresses each time.
    "integration/test_client_machine.py": "link",
    "integration/test_client_trust.py": "link",
    # These look at the showcase, which takes long to fill.
    "browser/test_accessibility.py": "showcase",
    "browser/test_daily_page.py": "showcase",
    "browser/test_frontends.py": "showcase",
    "browser/test_hard_times.py": "showcase",
}
_LONGEST_FIRST = (
    # Without an engine.
    "unit/workflows/test_garbage.py",
    "unit/workflows/test_damage.py",
    "unit/workflows/test_retention.py",
    "unit/cli/test_users.py",
    "unit/cli/test_browse.py",
    # With one.
    "integration/test_upkeep_killed.py",
    "showcase",
    "integration/test_stack.py",
    "integration/test_damage.py",
    "link",
    "integration/test_digest_alone.py",
    "browser/test_deleting_page.py",
    "integration/test_configure_daemon.py",
    "integration/test_access_rules.py",
    "integration/test_garbage.py",
    "integration/test_publish.py",
    "integration/test_ownership.py",
    "integration/test_prune.py",
    "integration/test_sign_in.py",
    "integration/test_doctor.py",
    "integration/test_access_table.py",
    "integration/test_gate.py",
    "integration/test_engine_options.py",
    "integration/test_other_pages.py",
    "integration/test_garbage_faults.py",
    "integration/test_deletion.py",
    "browser/test_repositories_page.py",
    "browser/test_repository_page.py",
    "browser/test_image_page.py",
)
"""The groups that take longest, as docs/development/test-durations.md has them.

Begun last, one of them would run alone at the end."""


def group(nodeid: str) -> str:
    """The group of a test: its module, or what its module shares with others."""
    module = nodeid.partition("::")[0].removeprefix("tests/")
    return _TOGETHER.get(module, module)


def put_in_order(items: list[pytest.Item]) -> None:
    """Sort the tests: those that need no engine first, and of each kind those of the groups that take longest."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> tuple[bool, int]:
    found = group(nodeid)
    place = _LONGEST_FIRST.index(found) if found in _LONGEST_FIRST else len(_LONGEST_FIRST)
    return not nodeid.startswith("tests/unit/"), place
