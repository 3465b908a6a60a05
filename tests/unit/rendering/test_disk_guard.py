"""The script of the disk guard, on disks that are invented: a `df` of the tests tells what they are."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from deployer.layout import DISK_GUARD
from deployer.rendering.templates import render, templates_directory

if TYPE_CHECKING:
    from pathlib import Path

_GIBIBYTE = 2**20  # in KiB
_MINUTE = 60
_DF = """\
#!/bin/sh
# Like df(1), with the line that the test has written for -k or -i.
echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
cat "$DISK/df$2"
"""


@dataclass(frozen=True)
class Guard:
    """The script with its configuration, and the disk that it sees."""

    folder: Path

    def be(self, total: int, free: int, inodes: str = "1000000 5 999995") -> None:
        """The disk has so many KiB in all, and so many free; `inodes`: in all, used and free."""
        self.line("-k", f"/dev/sda1 {total} {total - free} {free} 50% /var/lib/registry")
        self.line("-i", f"/dev/sda1 {inodes} 5% /var/lib/registry")

    def line(self, unit: str, text: str) -> None:
        (self.folder / f"df{unit}").write_text(text + "\n")

    def report(self) -> list[str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", str(self.folder / "disk.sh"), "report"], capture_output=True, text=True, check=True,
            env={**os.environ, "PATH": path, "DISK": str(self.folder)},
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()

    def look(self) -> Any:
        return json.loads(self.report()[0])["disk"]

    def refusal(self) -> str:
        file = self.folder / "notes" / "refusing"
        return file.read_text() if file.exists() else ""

    def upload(self, repository: str, minutes: int = 0) -> Path:
        """An upload whose last write is so many minutes ago."""
        file = self.folder / "repositories" / repository / "_uploads" / "id" / "data"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        before(file, minutes)
        return file

    def pushing(self) -> set[str]:
        root = self.folder / "notes" / "pushing"
        return {str(file.parent.relative_to(root)) for file in root.rglob("_push")}


def before(file: Path, minutes: int) -> None:
    then = file.stat().st_mtime - minutes * _MINUTE
    os.utime(file, (then, then))


def guard_of(folder: Path, percent: int = 5, kibibytes: int = 2 * _GIBIBYTE, inodes: int = 10_000) -> Guard:
    (folder / "bin").mkdir()
    (folder / "bin" / "df").write_text(_DF)
    (folder / "bin" / "df").chmod(0o755)
    values = {"percent": percent, "kibibytes": kibibytes, "inodes": inodes}
    places = {"storage": folder, "registry_folder": ".", "notes": folder / "notes", "history": folder / "history"}
    conf = render("frontend/disk.conf.j2", **values, **places).decode()
    (folder / "disk.conf").write_text(conf.replace("/./repositories", "/repositories"))
    (folder / "disk.sh").write_bytes((templates_directory() / DISK_GUARD).read_bytes())
    return Guard(folder)


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return guard_of(tmp_path)


@pytest.mark.parametrize(
    ("total", "limit"),
    [(10 * 2**30, 2 * _GIBIBYTE), (40 * _GIBIBYTE, 2 * _GIBIBYTE), (20 * _GIBIBYTE, _GIBIBYTE), (20_000, 1_000)],
    ids=["10 TiB", "40 GiB", "20 GiB", "20 MB"],
)
def test_the_limit_is_a_share_of_a_small_disk_and_a_size_on_a_large_one(guard: Guard, total: int, limit: int) -> None:
    guard.be(total, limit)
    assert guard.look()["limit"] == limit * 1024
    assert guard.refusal() == ""
    guard.be(total, limit - 1)
    assert guard.look()["refused"]
    assert guard.refusal().startswith("(")


def test_it_opens_again_only_with_a_tenth_more(guard: Guard) -> None:
    total, limit = 20_000, 1_000
    for free, refused in ((1_000, False), (999, True), (1_000, True), (1_099, True), (1_100, False), (1_000, False)):
        guard.be(total, free)
        assert guard.look()["refused"] == refused, free
        assert bool(guard.refusal()) == refused
    assert guard.look()["limit"] == limit * 1024


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (0, "0 B free of 53.7 GB; limit 2.1 GB"),
        (1, "1 kB free of 53.7 GB; limit 2.1 GB"),
        (976_600, "1 GB free of 53.7 GB; limit 2.1 GB"),
        (409_600, "419 MB free of 53.7 GB; limit 2.1 GB"),
        (1_171_875, "1.2 GB free of 53.7 GB; limit 2.1 GB"),
    ],
)
def test_it_says_what_is_left_in_words(guard: Guard, free: int, words: str) -> None:
    guard.be(50 * _GIBIBYTE, free)
    guard.look()
    assert guard.refusal() == f"({words})"


def test_inodes_run_out_too(guard: Guard) -> None:
    guard.be(50 * _GIBIBYTE, 40 * _GIBIBYTE, "100000 95001 4999")
    seen = guard.look()
    assert (seen["refused"], seen["inodes"], seen["free_inodes"], seen["inodes_limit"]) == (True, 100_000, 4999, 5000)
    assert guard.refusal() == "(4999 inodes free of 100000; limit 5000)"
    guard.be(50 * _GIBIBYTE, 40 * _GIBIBYTE, "100000 94000 6000")
    assert not guard.look()["refused"]
    # A large disk keeps a fixed number.
    guard.be(50 * _GIBIBYTE, 40 * _GIBIBYTE, "100000000 0 10000")
    assert not guard.look()["refused"]


@pytest.mark.parametrize("inodes", ["0 0 0", "- - -"])
def test_a_disk_without_a_number_of_inodes_is_not_out_of_them(guard: Guard, inodes: str) -> None:
    guard.be(50 * _GIBIBYTE, 40 * _GIBIBYTE, inodes)
    assert guard.look()["refused"] is False


def test_without_a_reserve_nothing_is_refused(tmp_path: Path) -> None:
    guard = guard_of(tmp_path, 0, 0, 0)
    guard.be(1000, 0, "100 100 0")
    seen = guard.look()
    assert (seen["refused"], seen["limit"], seen["inodes_limit"]) == (False, 0, 0)
    assert sorted(file.name for file in (tmp_path / "notes").iterdir()) == ["disk.json", "hour"]


@pytest.mark.parametrize(
    "line", ["", "df: /var/lib/registry: Input/output error", "/dev/sda1 - - - - /var/lib/registry"]
)
def test_if_the_disk_cannot_be_read_nothing_is_reported_or_refused(guard: Guard, line: str) -> None:
    guard.be(1000, 0)
    assert guard.look()["refused"]
    guard.line("-k", line)
    assert [one for one in guard.report() if one.startswith("{")] == []
    assert [file.name for file in (guard.folder / "notes").iterdir()] == ["hour"]


def test_the_name_of_a_device_may_have_spaces(guard: Guard) -> None:
    guard.line("-k", "//nas/my share 1000000 1 999999 1% /var/lib/registry")
    guard.line("-i", "//nas/my share 0 0 0 - /var/lib/registry")
    assert guard.look()["free"] == 999_999 * 1024


def test_tags_are_written_until_the_disk_is_completely_full(guard: Guard) -> None:
    full = guard.folder / "notes" / "full"
    for free, is_full in ((1024, False), (1023, True), (0, True), (5_000, False), (1_000_000, False)):
        guard.be(50 * _GIBIBYTE, free)
        assert guard.look()["refused"] == (free < 1_000_000 or not is_full)
        assert full.exists() == is_full


class TestPushesInProgress:
    """Of the repositories to which something was sent a moment ago, new uploads are taken for a while."""

    def test_they_may_use_half_of_the_reserve(self, guard: Guard) -> None:
        guard.upload("team/app")
        guard.upload("old", minutes=10)
        (guard.folder / "repositories" / "idle" / "_layers").mkdir(parents=True)
        guard.be(20_000, 2_000)
        guard.look()
        assert guard.pushing() == set()
        guard.be(20_000, 900)
        guard.look()
        assert guard.pushing() == {"team/app"}
        # One that begins now is no longer taken.
        guard.upload("new")
        guard.be(20_000, 500)
        guard.look()
        assert guard.pushing() == {"team/app"}
        guard.be(20_000, 499)
        guard.look()
        assert guard.pushing() == set()

    @pytest.mark.parametrize("fed", ["", "_uploads/id/data", "_uploads/other/data", "_layers/sha256/x/link"])
    def test_they_end_when_nothing_is_sent_any_more(self, guard: Guard, fed: str) -> None:
        upload = guard.upload("team/app")
        guard.be(20_000, 900)
        guard.look()
        before(upload, 5)
        if fed:
            file = guard.folder / "repositories/team/app" / fed
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("more")
        guard.look()
        assert guard.pushing() == {"team/app"}, "it is looked at after a minute"
        before(guard.folder / "notes/pushing/team/app/_push", 3)
        guard.look()
        assert guard.pushing() == ({"team/app"} if fed else set())

    def test_a_disk_that_was_full_at_once_takes_none(self, guard: Guard) -> None:
        guard.upload("team/app")
        guard.be(20_000, 100)
        guard.look()
        assert guard.refusal()
        assert guard.pushing() == set()


class TestHistory:
    """What the growth is computed from."""

    def test_the_history_has_one_line_per_hour(self, guard: Guard) -> None:
        guard.be(20_000, 15_000)
        for _ in range(3):
            report = guard.report()
        assert [line.split()[1:] for line in report[1:]] == [["20000", "15000"]]
        (guard.folder / "notes" / "hour").write_text("1\n")
        assert len(guard.report()) == 3

    def test_the_history_keeps_a_month(self, guard: Guard) -> None:
        guard.be(20_000, 15_000)
        (guard.folder / "history").write_text("".join(f"{number} 20000 15000\n" for number in range(800)))
        lines = guard.report()[1:]
        assert (len(lines), lines[0].split()[0]) == (720, "81")

    def test_the_guard_works_even_if_the_history_cannot_be_written(self, guard: Guard) -> None:
        (guard.folder / "history").mkdir()
        guard.be(20_000, 10)
        assert guard.look()["refused"]
        assert guard.refusal()
