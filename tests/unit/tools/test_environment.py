"""When the virtual environment is made, fixed, and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.machine import environment, stamp
from tools.machine.errors import RefusalError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installations(repository: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record installations of extras in place of making them."""
    extras: list[str] = []

    def create(_packages: object, directory: Path) -> None:
        (directory / "bin").mkdir()
        (directory / "bin/python").write_text("#!/bin/sh\n")
        (directory / "bin/python").chmod(0o755)

    def install(_python: Path, _repository: Path, extra: str, *, constrained: bool) -> None:
        assert constrained
        assert stamp.read_stamp(repository) == stamp.UNFINISHED
        extras.append(extra)

    monkeypatch.setattr(environment, "create_environment", create)
    monkeypatch.setattr(environment, "install_project", install)
    return extras


def test_the_second_run_does_nothing(repository: Path, installations: list[str]) -> None:
    for _ in range(2):
        environment.ensure_environment(repository, dev=True)
    assert installations == ["dev"]


def test_tools_for_development_serve_both(repository: Path, installations: list[str]) -> None:
    for dev in (False, True, False, True):
        environment.ensure_environment(repository, dev=dev)
    assert installations == ["", "dev"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_is_installed_again(repository: Path, installations: list[str], name: str) -> None:
    environment.ensure_environment(repository, dev=False)
    (repository / ".venv/kept").touch()
    (repository / name).write_text("changed")
    environment.ensure_environment(repository, dev=False)
    assert installations == ["", ""]
    assert (repository / ".venv/kept").exists()


def test_a_killed_installation_starts_from_nothing(repository: Path, installations: list[str]) -> None:
    (repository / ".venv/bin").mkdir(parents=True)
    (repository / ".venv/half").touch()
    (repository / ".venv/link").symlink_to(repository)
    stamp.write_stamp(repository, stamp.UNFINISHED)
    environment.ensure_environment(repository, dev=True)
    assert installations == ["dev"]
    assert not (repository / ".venv/half").exists()
    assert not (repository / ".venv/link").is_symlink()
    assert (repository / "pyproject.toml").exists()


def test_a_failed_installation_is_tried_again(
    repository: Path, installations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RefusalError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(environment, "install_project", fail)
        with pytest.raises(RefusalError):
            environment.ensure_environment(repository, dev=False)
    assert stamp.read_stamp(repository) == stamp.OUTDATED
    environment.ensure_environment(repository, dev=False)
    assert installations == [""]
