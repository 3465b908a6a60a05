"""The backup password: where it is from, and who can read it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import BackupError, HostError, UsageError
from deployer.paths import Deployment
from deployer.restic.repository import Found
from deployer.workflows.backup import password, record
from deployer.workflows.backup.password import VARIABLE, Password
from deployer.workflows.backup.record import LastBackup
from tests.support.backups import MOMENT, TARGET

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.of("registry", {"XDG_DATA_HOME": str(tmp_path)})


def test_a_file_is_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"of the file \r\n")
    assert password.given(tmp_path / "password", {VARIABLE: "of the variable"}) == "of the file "
    assert password.given(None, {VARIABLE: "of the variable"}) == "of the variable"
    assert password.given(None, {}) == ""


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"s3cr3t\0\n", b"s3cr3t\xff\n"])
def test_a_file_without_one_line_of_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError, match="file") as caught:
        password.given(tmp_path / "file", {})
    assert "s3cr3t" not in f"{caught.value} {caught.value.advice}"


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read from"):
        password.given(tmp_path / "none", {})


def test_what_is_kept_is_found_and_only_its_owner_reads_it(deployment: Deployment) -> None:
    assert password.kept(deployment) == ""
    password.keep(deployment, Password("s3cr3t"))
    assert password.kept(deployment) == "s3cr3t"
    assert stat.S_IMODE(deployment.backup_password_file.stat().st_mode) == 0o600


def test_keeping_the_same_writes_nothing(deployment: Deployment) -> None:
    password.keep(deployment, Password("s3cr3t"))
    before = deployment.backup_password_file.stat().st_ino
    password.keep(deployment, Password("s3cr3t"))
    assert deployment.backup_password_file.stat().st_ino == before
    password.keep(deployment, Password("other"))
    assert password.kept(deployment) == "other"


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe\n", b"\0\n"])
def test_a_damaged_file_is_said_with_what_to_do(deployment: Deployment, content: bytes) -> None:
    deployment.directory.mkdir(parents=True)
    deployment.backup_password_file.write_bytes(content)
    with pytest.raises(HostError, match="backup-password is damaged") as caught:
        password.kept(deployment)
    assert "on one line" in caught.value.advice[0]


@pytest.mark.parametrize("found", [Found.BACKUPS, Found.NOTHING])
def test_a_known_password_is_used(deployment: Deployment, found: Found) -> None:
    assert password.choose(deployment, TARGET, found, "said") == Password("said")
    password.keep(deployment, Password("kept"))
    assert password.choose(deployment, TARGET, found, "") == Password("kept", is_new=True), "no backup has shown it"
    record.keep(deployment, LastBackup(str(TARGET), "7c1b", "20260101T000000Z", MOMENT))
    assert password.choose(deployment, TARGET, found, "") == Password("kept")
    assert password.choose(deployment, TARGET, found, "said") == Password("said")


def test_the_first_backup_makes_a_password(deployment: Deployment) -> None:
    first, second = (password.choose(deployment, TARGET, Found.NOTHING, "") for _ in range(2))
    assert first.is_new
    assert len(first.value) >= 32
    assert first != second
    assert first.value not in repr(first)
    assert not deployment.backup_password_file.exists(), "choosing keeps nothing"


def test_existing_backups_with_an_unknown_password_get_no_new_one(deployment: Deployment) -> None:
    with pytest.raises(BackupError, match="not on this machine") as caught:
        password.choose(deployment, TARGET, Found.BACKUPS, "")
    assert caught.value.advice[0] == "deployer backup /backups --password-file FILE"


LAST = LastBackup("/backups", "7c1b", "20260101T000000Z", MOMENT)
OTHER = LastBackup("s3:h/b", "8d", "20260102T000000Z", MOMENT.replace(day=2))


def test_the_last_backup_at_each_target_is_remembered(deployment: Deployment) -> None:
    assert record.read(deployment) == ()
    assert record.known(deployment, "/backups") is None
    for one in (OTHER, LAST):
        record.keep(deployment, one)
    # In the order in which they were made, whatever the clock said.
    assert record.read(deployment) == (OTHER, LAST)
    later = replace(LAST, backup="20260103T000000Z", time=MOMENT.replace(day=3))
    record.keep(deployment, later)
    assert record.read(deployment) == (OTHER, later)
    assert record.known(deployment, "/backups") == later


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"{}",
        b"7",
        b'["x"]',
        b'[{"target": "/backups"}]',
        json.dumps([{"target": "/b", "repository": "1", "backup": "2", "time": 7}]).encode(),
        json.dumps(
            [
                {"target": one, "repository": "1", "backup": "2", "time": time}
                for one, time in (("/a", "2026-01-01T00:00:00"), ("/b", "2026-01-01T00:00:00+00:00"))
            ]
        ).encode(),
    ],
)
def test_a_damaged_record_counts_as_none_and_is_written_again(deployment: Deployment, content: bytes) -> None:
    deployment.directory.mkdir(parents=True)
    deployment.backups_file.write_bytes(content)
    assert record.read(deployment) == ()
    record.keep(deployment, LAST)
    assert record.read(deployment) == (LAST,)
