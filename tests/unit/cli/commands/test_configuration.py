"""init: the file is written once, and an older one is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from deployer.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_init_writes_what_was_given_and_the_defaults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--host", "192.168.100.2", "--port", "5001"]) == 0
    written = yaml.safe_load((folder / "deployer.yaml").read_text())
    assert (written["host"], written["port"], written["name"]) == ("192.168.100.2", 5001, "registry")
    assert capsys.readouterr() == ("", f"Wrote {folder / 'deployer.yaml'}.\nNext: deployer up\n")


def test_init_refuses_to_write_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "deployer.yaml"
    file.write_text("port: 5077  # mine\n")
    assert main(["init"]) == 2
    assert file.read_text() == "port: 5077  # mine\n"
    error = capsys.readouterr().err
    assert f"{file} already exists and was not changed." in error
    assert "→ deployer init --force   (overwrites it; the old one is kept as deployer.yaml.old)" in error


def test_init_with_force_keeps_the_old_file_beside_it(folder: Path) -> None:
    file = folder / "deployer.yaml"
    file.write_text("port: 5077  # mine\n")
    assert main(["init", "--force", "--port", "5078"]) == 0
    assert yaml.safe_load(file.read_text())["port"] == 5078
    assert (folder / "deployer.yaml.old").read_text() == "port: 5077  # mine\n"
    # The same again is no change, and the old one stays the old one.
    assert main(["init", "--force", "--port", "5078"]) == 0
    assert (folder / "deployer.yaml.old").read_text() == "port: 5077  # mine\n"


def test_init_can_be_tried_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--dry-run", "--port", "5078"]) == 0
    shown = capsys.readouterr()
    assert yaml.safe_load(shown.out)["port"] == 5078
    assert shown.err == f"Dry run: {folder / 'deployer.yaml'} was not written.\n"
    assert list(folder.iterdir()) == []
