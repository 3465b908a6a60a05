"""The TypeScript compiler is installed once, in one version, with npm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.machine import typescript
from tools.machine.errors import RefusalError
from tools.machine.versions import TYPESCRIPT

if TYPE_CHECKING:
    from pathlib import Path

Commands = list[tuple[str, ...]]


def write_compiler(repository: Path, version: str) -> None:
    """A compiler that only prints its version."""
    compiler = repository / ".build/node/node_modules/.bin/tsc"
    compiler.parent.mkdir(parents=True, exist_ok=True)
    compiler.write_text(f"#!/bin/sh\necho 'Version {version}'\n")
    compiler.chmod(0o755)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """What is run to install; npm writes a compiler of the version that is asked for."""
    ran: Commands = []

    def npm(*command: str) -> tuple[int, str]:
        ran.append(command)
        write_compiler(tmp_path, command[-1].partition("@")[2])
        return 0, ""

    monkeypatch.setattr(typescript, "ensure_node", lambda: None)
    monkeypatch.setattr(typescript, "ensure_npm", lambda: None)
    monkeypatch.setattr(typescript, "quietly", npm)
    return ran


def test_it_is_installed_once_and_without_an_address(tmp_path: Path, commands: Commands) -> None:
    typescript.ensure_typescript(tmp_path)
    typescript.ensure_typescript(tmp_path)
    assert [command[-1] for command in commands] == [f"typescript@{TYPESCRIPT}"]
    assert not any("://" in word for command in commands for word in command)
    assert {"--no-save", "--no-package-lock"} <= set(commands[0])


def test_another_version_is_replaced(tmp_path: Path, commands: Commands) -> None:
    write_compiler(tmp_path, "4.8.4")
    typescript.ensure_typescript(tmp_path)
    assert len(commands) == 1


def test_a_failure_of_npm_is_reported(tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typescript, "quietly", lambda *command: (1, "npm error: no such version"))
    with pytest.raises(RefusalError, match="npm error: no such version"):
        typescript.ensure_typescript(tmp_path)
