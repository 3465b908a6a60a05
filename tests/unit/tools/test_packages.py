"""What apt-get is asked, and how its answers are read."""

from __future__ import annotations

import pytest

from tools.machine import packages
from tools.machine.errors import RefusalError

POLICY = """\
docker-compose:
  Installed: (none)
  Candidate: 1.29.2-3
  Version table:
     1.29.2-3 500
        500 http://deb.example.org/debian bookworm/main amd64 Packages
docker-compose-v2:
  Installed: (none)
  Candidate: (none)
  Version table:
chromium:
  Installed: (none)
  Candidate: 1:150.0.7-1
  Version table:
"""


def test_candidates_are_read_from_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []

    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        calls.append(command)
        return 0, POLICY if command[0] == "apt-cache" else ""

    monkeypatch.setattr(packages, "quietly", quietly)
    debian = packages.Packages()
    assert debian.candidates("docker-compose") == {"docker-compose": (1, 29, 2), "chromium": (150, 0, 7)}
    debian.candidates("docker-compose")
    assert [command[0] for command in calls] == ["apt-get", "apt-cache", "apt-cache"]


def test_an_interrupted_dpkg_is_repaired_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        calls.append(command[0])
        if "install" in command and "dpkg" not in calls:
            return 100, "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"
        return 0, ""

    monkeypatch.setattr(packages, "quietly", quietly)
    packages.Packages().install("nodejs")
    assert calls == ["apt-get", "apt-get", "dpkg", "apt-get"]
    assert capsys.readouterr().out == "Installing nodejs with apt-get.\n"


def test_a_failing_apt_shows_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        return (100, "E: Unable to locate package nodejs") if "install" in command else (0, "")

    monkeypatch.setattr(packages, "quietly", quietly)
    with pytest.raises(RefusalError, match="Unable to locate package nodejs"):
        packages.Packages().install("nodejs")
