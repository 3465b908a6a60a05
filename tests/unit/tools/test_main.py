"""The grammar of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess


@pytest.mark.parametrize("words", [(), ("nonsense",), ("run",), ("run", "--")])
def test_wrong_usage(run: Callable[..., CompletedProcess[str]], words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 2
