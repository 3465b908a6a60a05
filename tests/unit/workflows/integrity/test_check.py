"""What a check of the storage finds, reads, remembers, and takes for no damage."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import Busy, NotFound, StorageError
from deployer.paths import Deployment
from deployer.storage.access import Storage
from deployer.workflows.integrity import reading_log
from deployer.workflows.integrity.check import CheckOptions, check
from deployer.workflows.integrity.faults import FaultKind
from deployer.workflows.restore.selection import Selection
from deployer.workflows.upkeep import last_check
from deployer.workflows.upkeep.gc import GcOptions, plan_gc
from tests.support.local_storage import LocalEngine, Tree
from tests.support.registry_content import image, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.restic.repository import Progress
    from deployer.storage.outline import Outline
    from deployer.workflows.integrity.check import Checked

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APP, TOOL = image("app"), image("tool")
LAYER = sha256(APP.blobs[1])


@dataclass
class Watched(Storage):
    """A storage that tells what was read, and lets something happen between the looks at it."""

    read: list[str] = field(default_factory=list)
    before_look: list[Callable[[], object]] = field(default_factory=list)
    stops_after: int = 1000

    def scrub(self, sizes: Mapping[str, int], rate: int, on_file: Callable[[str, str], None]) -> None:
        def note(path: str, value: str) -> None:
            if len(self.read) == self.stops_after:
                raise KeyboardInterrupt
            self.read.append(path)
            on_file(path, value)

        super().scrub(sizes, rate, note)

    def outline(self) -> Outline:
        if self.before_look:
            self.before_look.pop(0)()
        return super().outline()


@dataclass
class Registry:
    """A registry with two images of the same layers and one of others, and the deployment that it is of."""

    tree: Tree
    deployment: Deployment
    progress: list[Progress] = field(default_factory=list)

    def storage(self) -> Watched:
        return Watched(cast("Engine", LocalEngine(self.tree.folder)), "container")

    def check(
        self, *names: str, full: bool = False, rate: int = 0, storage: Watched | None = None, now: datetime = NOW
    ) -> Checked:
        options = CheckOptions(Selection.parse(names), full, rate)
        return check(self.deployment, storage or self.storage(), options, lambda: now, self.progress.append)

    def file(self, digest: str) -> Path:
        return self.tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"

    def rot(self, digest: str = LAYER) -> None:
        """Other bytes, the same size and time."""
        file = self.file(digest)
        before = file.stat()
        file.write_bytes(bytes(before.st_size))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    deployment = Deployment("registry", tmp_path / "deployment")
    deployment.directory.mkdir()
    made = Registry(Tree(tmp_path / "storage"), deployment)
    made.tree.push("team/app", ["1", "latest"], APP)
    made.tree.push("copy", ["1"], APP)
    made.tree.push("tool", ["1"], TOOL)
    return made


def hits(found: Checked) -> list[tuple[str, FaultKind, tuple[str, ...]]]:
    return [(one.digest, one.kind, one.images) for one in found.faults]


def test_an_intact_registry_has_no_damage_and_everything_is_counted(registry: Registry) -> None:
    quick, full = registry.check(), registry.check(full=True)
    assert (quick.repositories, quick.tags, quick.is_whole, quick.read) == (3, 4, True, None)
    assert full.is_whole
    assert full.read is not None
    assert full.read.blobs == 6
    assert full.read.size == sum(len(part) for one in (APP, TOOL) for part in (*one.blobs, one.content))
    assert registry.progress[-1].done == registry.progress[-1].total == full.read.size


@pytest.mark.parametrize("rate", [0, 10_000_000])
def test_a_rotten_layer_is_found_by_reading_with_every_image_that_it_hits(registry: Registry, rate: int) -> None:
    registry.rot()
    assert registry.check().is_whole, "sizes alone do not tell"
    found = registry.check(full=True, rate=rate)
    assert hits(found) == [(LAYER, FaultKind.DAMAGED, ("copy:1", "team/app:1", "team/app:latest"))]
    assert not found.is_whole


def test_missing_content_and_lost_links_are_found_without_reading(registry: Registry) -> None:
    registry.file(sha256(TOOL.blobs[1])).unlink()
    link = registry.tree.root / f"repositories/copy/_layers/sha256/{LAYER[7:]}/link"
    link.unlink()
    found = registry.check()
    assert hits(found) == [
        (LAYER, FaultKind.LINK, ("copy:1",)),
        (sha256(TOOL.blobs[1]), FaultKind.MISSING, ("tool:1",)),
    ]
    assert found.links == 1


def test_a_tag_without_a_digest_and_something_in_place_of_a_file_are_damage(registry: Registry) -> None:
    registry.tree.empty_file("repositories/tool/_manifests/tags/1/current/link")
    found = registry.check()
    assert not found.is_whole
    assert found.faults == ()
    assert "tool:1" in found.others[0].sentence
    assert registry.check("copy").is_whole


def test_a_damaged_file_that_nothing_needs_is_told(registry: Registry) -> None:
    extra = registry.tree.blob(b"of no image")
    registry.rot(extra)
    found = registry.check(full=True)
    assert hits(found) == [(extra, FaultKind.DAMAGED, ())]


def test_what_is_damaged_elsewhere_is_not_told_of_what_is_selected(registry: Registry) -> None:
    registry.rot()
    registry.check(full=True)
    assert registry.check("tool", full=True).is_whole
    assert hits(registry.check("team/app:latest", full=True)) == [
        (LAYER, FaultKind.DAMAGED, ("team/app:1", "team/app:latest"))
    ]
    assert (registry.check("team/*").repositories, registry.check("team/app:1").tags) == (1, 1)


def test_only_what_is_selected_is_read(registry: Registry) -> None:
    storage = registry.storage()
    found = registry.check("tool:1", full=True, storage=storage)
    assert found.read is not None
    assert {path.split("/")[3] for path in storage.read} == {one[7:] for one in (TOOL.digest, *map(sha256, TOOL.blobs))}


def test_a_name_that_is_not_there_is_no_whole_image(registry: Registry) -> None:
    for names in (("nope",), ("nope/*",), ("tool:2",), ("nope:1", "tool:1")):
        with pytest.raises(NotFound):
            registry.check(*names)


class TestMeanwhile:
    """Nothing keeps others from pushing and deleting."""

    def test_what_is_deleted_while_it_is_looked_at_is_no_damage(self, registry: Registry) -> None:
        storage = registry.storage()
        layer = registry.file(sha256(TOOL.blobs[1]))
        # The first look finds its layer missing; by the second it is deleted.
        storage.before_look = [layer.unlink, lambda: registry.tree.delete("tool", TOOL.digest)]
        assert registry.check(storage=storage).is_whole

    def test_what_is_missing_in_both_looks_is_damage(self, registry: Registry) -> None:
        storage = registry.storage()
        storage.before_look = [registry.file(sha256(TOOL.blobs[1])).unlink, lambda: None]
        assert not registry.check(storage=storage).is_whole

    def test_what_looks_damaged_in_the_second_look_alone_is_no_damage(self, registry: Registry) -> None:
        storage = registry.storage()
        tool, copy = registry.file(sha256(TOOL.blobs[1])), registry.tree.root / "repositories/copy/_manifests/tags/1"
        content, link = tool.read_bytes(), (copy / "current/link").read_text()

        def swap() -> None:
            tool.write_bytes(content)
            (copy / "current/link").write_bytes(b"")

        storage.before_look = [tool.unlink, swap]
        tool.parent.mkdir(exist_ok=True)
        assert registry.check(storage=storage).is_whole
        (copy / "current/link").write_text(link)
        assert registry.check().is_whole

    def test_what_is_pushed_after_the_list_was_made_is_no_damage(self, registry: Registry) -> None:
        storage = registry.storage()
        storage.before_look = [lambda: None, lambda: registry.tree.push("new", ["1"], image("new"))]
        found = registry.check(full=True, storage=storage)
        assert (found.is_whole, found.tags) == (True, 5)

    def test_a_selected_tag_that_is_deleted_by_the_end_is_no_error(self, registry: Registry) -> None:
        storage = registry.storage()
        storage.before_look = [lambda: None, lambda: registry.tree.untag("tool", "1")]
        assert registry.check("tool:1", full=True, storage=storage).is_whole

    def test_content_that_could_not_be_read_and_is_still_there_is_not_called_whole(
        self, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def skip(_self: Storage, sizes: Mapping[str, int], _rate: int, on_file: Callable[[str, str], None]) -> None:
            for path in list(sizes)[1:]:
                on_file(path, path.split("/")[3])

        monkeypatch.setattr(Storage, "scrub", skip)
        with pytest.raises(StorageError):
            registry.check(full=True)

    def test_rotten_content_that_is_deleted_by_the_end_is_no_damage(self, registry: Registry) -> None:
        registry.rot(sha256(TOOL.blobs[1]))
        storage = registry.storage()

        def delete() -> None:
            registry.tree.delete("tool", TOOL.digest)
            registry.file(sha256(TOOL.blobs[1])).unlink()

        storage.before_look = [lambda: None, delete]
        assert registry.check(full=True, storage=storage).is_whole


class TestInterrupted:
    """A full check goes on where it was."""

    def interrupt(self, registry: Registry) -> list[str]:
        storage = registry.storage()
        storage.stops_after = 4
        with pytest.raises(KeyboardInterrupt):
            registry.check(full=True, storage=storage)
        return storage.read

    def test_what_was_read_is_not_read_again(self, registry: Registry) -> None:
        first = self.interrupt(registry)
        storage = registry.storage()
        found = registry.check(full=True, storage=storage, now=NOW + timedelta(days=6))
        assert found.read is not None
        assert (found.read.blobs, found.read.blobs_before) == (6, 4)
        assert len(storage.read) == 2
        assert not {*first} & {*storage.read}
        again = registry.storage()
        registry.check(full=True, storage=again)
        assert len(again.read) == 6, "a finished check is not gone on with"

    def test_after_a_week_everything_is_read_again(self, registry: Registry) -> None:
        self.interrupt(registry)
        storage = registry.storage()
        registry.check(full=True, storage=storage, now=NOW + timedelta(days=8))
        assert len(storage.read) == 6

    def test_a_file_that_changed_since_and_one_that_was_damaged_are_read_again(self, registry: Registry) -> None:
        registry.rot()
        first = self.interrupt(registry)
        changed = next(path for path in first if LAYER[7:] not in path)
        (registry.tree.root / changed).touch()
        storage = registry.storage()
        found = registry.check(full=True, storage=storage)
        assert changed in storage.read
        assert [one.digest for one in found.faults] == [LAYER]

    def test_a_log_that_was_cut_off_or_is_damaged_counts_as_far_as_it_can_be_read(self, registry: Registry) -> None:
        self.interrupt(registry)
        log = registry.deployment.reading_log_file
        log.write_text(log.read_text()[:-10])
        storage = registry.storage()
        registry.check(full=True, storage=storage)
        assert len(storage.read) == 3
        log.write_bytes(b"\xff\x00nothing")
        registry.check(full=True, storage=storage)
        assert len(storage.read) == 9

    def test_a_check_of_a_selection_keeps_the_log(self, registry: Registry) -> None:
        self.interrupt(registry)
        before = registry.deployment.reading_log_file.read_bytes()
        storage = registry.storage()
        registry.check("tool", full=True, storage=storage)
        assert len(storage.read) == 3
        assert registry.deployment.reading_log_file.read_bytes() == before

    def test_two_full_checks_do_not_run_at_once(self, registry: Registry) -> None:
        with reading_log.opened(registry.deployment.reading_log_file, NOW), pytest.raises(Busy):
            registry.check(full=True)


class TestRemembered:
    """What a full check found is known to the commands that read less."""

    def test_a_quick_check_reads_again_what_was_found_damaged(self, registry: Registry) -> None:
        registry.rot()
        registry.check(full=True)
        assert hits(registry.check()) == [(LAYER, FaultKind.DAMAGED, ("copy:1", "team/app:1", "team/app:latest"))]
        registry.file(LAYER).write_bytes(APP.blobs[1])
        assert registry.check().is_whole
        assert last_check.read(registry.deployment).damaged == ()

    def test_it_says_when_everything_was_read(self, registry: Registry) -> None:
        later = NOW + timedelta(days=1)
        registry.check(full=True)
        registry.check(now=later)
        registry.check("tool", full=True, now=later + timedelta(days=1))
        found = last_check.read(registry.deployment)
        assert (found.time, found.full_time) == (later, NOW)

    def test_a_check_of_a_selection_keeps_what_is_damaged_elsewhere(self, registry: Registry) -> None:
        registry.rot()
        registry.check(full=True)
        registry.check("tool", full=True)
        assert last_check.read(registry.deployment).digests == {LAYER}

    def test_gc_damaged_removes_it_without_reading_all(self, registry: Registry) -> None:
        registry.rot()
        storage = registry.storage()
        assert plan_gc(storage, GcOptions(damaged=True)).survey.removal.damaged == ()
        registry.check(full=True)
        known = last_check.read(registry.deployment).digests
        assert plan_gc(storage, GcOptions(damaged=True, suspects=known)).survey.removal.damaged == (LAYER,)

    def test_it_is_reported_as_long_as_the_file_is_the_same_and_nothing_else_reports_it(
        self, registry: Registry
    ) -> None:
        registry.rot()
        registry.check(full=True)
        last = last_check.read(registry.deployment)
        (finding,) = last.findings(registry.storage().snapshot(), ())
        assert "team/app:1" in finding.sentence
        assert list(last.findings(registry.storage().snapshot(), (finding,))) == []
        registry.file(LAYER).touch()
        assert list(last.findings(registry.storage().snapshot(), ())) == []

    @pytest.mark.parametrize("content", ["", "[]", "{", '{"damaged": [1]}', '{"time": 3}', '{"time": "yesterday"}'])
    def test_a_record_that_cannot_be_read_says_nothing(self, registry: Registry, content: str) -> None:
        registry.deployment.check_file.write_text(content)
        assert last_check.read(registry.deployment) == last_check.LastCheck()
        assert registry.check().is_whole
        assert json.loads(registry.deployment.check_file.read_text())["time"]
