"""What `check` refuses before it looks at anything, each with the exit code of a usage error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.cli.main import main
from deployer.errors import EXIT_USAGE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--backup", "/b"], "--backup requires --repair"),
        (["--from", "host"], "--from requires --repair"),
        (["--password-file", "f"], "--password-file requires --repair"),
        (["--dry-run"], "--dry-run requires --repair"),
        (["--rate", "5MB"], "--rate requires --full"),
        (["--full", "--rate", "fast"], "'fast' is not a valid size"),
        (["--full", "--rate", "0"], "too slow"),
        (["--repair", "--from", "a b"], "is not in the form HOST"),
        (["app:"], "neither REPOSITORY nor REPOSITORY:TAG"),
        (["a*:1"], "neither REPOSITORY nor REPOSITORY:TAG"),
        (["--repair", "--host", "192.0.2.1"], "only on the machine that runs the registry"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == EXIT_USAGE
    assert named in capsys.readouterr().err
