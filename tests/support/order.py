"""In which order the tests run, and which of them one worker runs one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_TOGETHER = {
    # Each makes the link of `client_machine`, which has the same addresses each time.
    "integration/test_client_machine.py": "link",
    "integration/test_client_trust.py": "link",
    # These check the showcase, which takes long to fill.
    "browser/test_accessibility.py": "showcase",
    "browser/test_daily_page.py": "showcase",
    "browser/test_frontends.py": "showcase",
    "browser/test_hard_times.py": "showcase",
}
_LONGEST_FIRST = (
    # Without an engine.
    "unit/workflows/upkeep/test_damage.py",
    "unit/workflows/upkeep/test_garbage.py",
    "unit/workflows/test_irregular.py",
    "unit/workflows/upkeep/test_retention.py",
    "unit/cli/commands/test_users.py",
    "unit/cli/commands/test_images.py",
    # With one.
    "integration/test_backup.py",
    "integration/test_upkeep_killed.py",
    "showcase",
    "integration/test_stack.py",
    "integration/test_damage.py",
    "link",
    "integration/test_other_pages.py",
    "integration/test_engine_options.py",
    "browser/test_image_page.py",
    "browser/test_signed_in_page.py",
    "browser/test_list_page.py",
    "integration/test_tls.py",
    "integration/test_garbage_faults.py",
    "integration/test_check.py",
    "integration/test_repository_removal.py",
    "integration/test_sign_in.py",
    "browser/test_image_contents_page.py",
    "integration/test_publish.py",
    "integration/test_configure_daemon.py",
    "integration/test_upkeep_busy.py",
    "browser/test_repositories_page.py",
    "browser/test_deleting_page.py",
    "integration/test_prune.py",
    "browser/test_odd_content_page.py",
    "browser/test_frame_page.py",
    "integration/test_ownership.py",
    "browser/test_repository_page.py",
    "integration/test_gate.py",
    "integration/test_environment.py",
    "integration/test_digest_alone.py",
    "integration/test_garbage.py",
    "integration/test_access_rules.py",
    "integration/test_upgrade.py",
    "integration/test_schedule.py",
)
"""The groups that take longest, as docs/development/test-durations.md has them.

Begun last, one of them would run alone at the end."""


def named() -> set[str]:
    """The modules that are named here, as paths below `tests`."""
    return {*_TOGETHER, *_LONGEST_FIRST} - set(_TOGETHER.values())


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
