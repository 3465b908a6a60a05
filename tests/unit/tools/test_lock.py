"""What constraints.txt holds."""

from __future__ import annotations

import pytest

from tools.machine import lock
from tools.machine.errors import RefusalError
from tools.machine.paths import REPOSITORY


def test_the_lock_holds_names_and_versions_only() -> None:
    assert lock.pins("httpx==0.28.1\nPyYAML==6.0.3\n") == "httpx==0.28.1\nPyYAML==6.0.3\n"
    with pytest.raises(RefusalError, match="httpx @"):
        lock.pins("httpx @ file:///tmp/httpx.whl\n")


def test_constraints_are_what_the_lock_writes() -> None:
    text = (REPOSITORY / "constraints.txt").read_text()
    assert text.startswith(lock.LOCK_HEADER)
    assert lock.pins(text.removeprefix(lock.LOCK_HEADER))
