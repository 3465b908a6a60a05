"""The scripts that put blobs and links into a registry's storage, run by real shells on a real one."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from deployer.rendering.snippets import backup_script
from tests.support.programs import SHELLS, program, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Blobs:
    """Blobs in a folder, as a registry has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, content: bytes, algorithm: str = "sha256", *, as_of: bytes | None = None) -> Path:
        """A blob; of other content than its digest says with `as_of`."""
        digest = hashlib.new(algorithm, content if as_of is None else as_of).hexdigest()
        file = self.folder / algorithm / digest[:2] / digest / "data"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file.relative_to(self.folder)

    def content(self, path: Path) -> bytes | None:
        file = self.folder / path
        return file.read_bytes() if file.exists() else None

    @property
    def folders(self) -> set[str]:
        return {str(one.relative_to(self.folder)) for one in self.folder.rglob("*") if one.is_dir()}


@pytest.fixture
def staged(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "staged blobs")


@pytest.fixture
def there(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs there")


def place(staged: Blobs, there: Blobs, shell: str = "sh", path: Path | None = None) -> list[str]:
    """What was damaged."""
    done = run(backup_script("place"), staged.folder, there.folder, shell=shell, path=path)
    assert (done.returncode, done.stderr) == (0, "")
    *damaged, end = done.stdout.splitlines()
    assert end == "# end"
    return [line.removeprefix("damaged ") for line in damaged]


def test_right_blobs_are_moved(staged: Blobs, there: Blobs, shell: str) -> None:
    paths = [staged.add(f"{number}".encode()) for number in range(50)]
    paths.append(staged.add(b"by sha512", "sha512"))
    paths.append(staged.add(b""))
    assert place(staged, there, shell) == []
    assert all(there.content(path) is not None for path in paths)
    assert not any(file.is_file() for file in staged.folder.rglob("*"))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_damaged_blob_is_named_and_not_moved(staged: Blobs, there: Blobs, shell: str, algorithm: str) -> None:
    good, bad = staged.add(b"good", algorithm), staged.add(b"bad", algorithm, as_of=b"other")
    assert place(staged, there, shell) == [str(bad)]
    assert there.content(good) == b"good"
    assert there.content(bad) is None


def test_an_existing_blob_is_replaced(staged: Blobs, there: Blobs, shell: str) -> None:
    damaged = there.add(b"half", as_of=b"the whole")
    kept = there.add(b"kept")
    assert staged.add(b"the whole") == damaged
    assert place(staged, there, shell) == []
    assert there.content(damaged) == b"the whole"
    assert there.content(kept) == b"kept"


def test_a_damaged_blob_replaces_nothing(staged: Blobs, there: Blobs, shell: str) -> None:
    path = there.add(b"right")
    staged.add(b"wrong", as_of=b"right")
    assert place(staged, there, shell) == [str(path)]
    assert there.content(path) == b"right"


def test_a_folder_without_its_blob_gets_it(staged: Blobs, there: Blobs, shell: str) -> None:
    path = staged.add(b"lost")
    (there.folder / path).parent.mkdir(parents=True)
    assert place(staged, there, shell) == []
    assert there.content(path) == b"lost"


def test_another_portion_follows_one_that_replaced_a_blob(staged: Blobs, there: Blobs, shell: str) -> None:
    first = there.add(b"half", as_of=b"the whole")
    staged.add(b"the whole")
    place(staged, there, shell)
    second = staged.add(b"second")
    assert place(staged, there, shell) == []
    assert (there.content(first), there.content(second)) == (b"the whole", b"second")


def test_without_blobs_nothing_is_made(staged: Blobs, there: Blobs, shell: str) -> None:
    (staged.folder / "sha256").mkdir()
    assert place(staged, there, shell) == []
    assert there.folders <= {"sha256"}


def test_sums_that_are_written_at_once_are_not_mixed(staged: Blobs, there: Blobs, tmp_path: Path) -> None:
    # The C library of the official image of restic writes 1024 bytes at once, wherever a line ends.
    for number in range(60):
        staged.add(f"{number}".encode())
    program(
        tmp_path / "bin",
        "sha256sum",
        '/usr/bin/sha256sum "$@" > /tmp/sums-of-$$; '
        "for part in 0 1 2 3; do dd if=/tmp/sums-of-$$ bs=1024 count=1 skip=$part status=none; sleep 0.05; done; "
        "rm /tmp/sums-of-$$",
    )
    program(tmp_path / "bin", "nproc", "echo 4")
    assert place(staged, there, path=tmp_path / "bin") == []


def test_a_blob_that_cannot_be_read_ends_it(staged: Blobs, there: Blobs, tmp_path: Path) -> None:
    path = staged.add(b"good")
    program(tmp_path / "bin", "sha256sum", "echo 'sha256sum: data: Input/output error' >&2; exit 1")
    done = run(backup_script("place"), staged.folder, there.folder, path=tmp_path / "bin")
    assert done.returncode != 0
    assert "Input/output error" in done.stderr
    assert there.content(path) is None


DIGEST = "sha256:" + "ab" * 32
LONG = "repositories/" + "/".join(["long" * 15] * 4)


def packed(links: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for path, content in links.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(content), 1_700_000_000, 0o644
            archive.addfile(entry, io.BytesIO(content.encode()))
    return stream.getvalue()


def put(root: Path, way: str, links: dict[str, str], shell: str) -> None:
    staged = root.parent / "staged links"
    done = run(backup_script("put-links"), root, way, staged, shell=shell, stdin=packed(links))
    assert (done.returncode, done.stderr) == (0, "")


def listing(root: Path) -> dict[str, str]:
    return {str(one.relative_to(root)): one.read_text() for one in root.rglob("*") if one.is_file()}


PATHS = ["repositories/a/_manifests/tags/1/current/link", f"{LONG}/_layers/sha256/{'ab' * 32}/link"]


@pytest.mark.parametrize("way", ["new", "missing"])
def test_links_are_written_with_their_times(tmp_path: Path, shell: str, way: str) -> None:
    root = tmp_path / "a registry"
    root.mkdir()
    links = dict.fromkeys(PATHS, DIGEST)
    put(root, way, links, shell)
    assert listing(root) == links
    assert {int((root / path).stat().st_mtime) for path in PATHS} == {1_700_000_000}
    assert {(root / path).stat().st_uid for path in PATHS} == {os.getuid()}


@pytest.mark.parametrize("way", ["new", "missing", "changed"])
def test_no_links_are_no_failure(tmp_path: Path, shell: str, way: str) -> None:
    (tmp_path / "root").mkdir()
    put(tmp_path / "root", way, {}, shell)
    assert listing(tmp_path / "root") == {}


def test_missing_links_leave_what_is_there(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    put(root, "new", {PATHS[0]: "of today", "repositories/a/empty/link": "", "repositories/a/other/link": "x"}, shell)
    put(root, "missing", {**dict.fromkeys(PATHS, DIGEST), "repositories/a/empty/link": DIGEST}, shell)
    assert listing(root) == {
        PATHS[0]: "of today",
        PATHS[1]: DIGEST,
        "repositories/a/empty/link": DIGEST,
        "repositories/a/other/link": "x",
    }


def test_if_nothing_is_missing_nothing_is_written(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    put(root, "new", {PATHS[0]: "of today"}, shell)
    put(root, "missing", {PATHS[0]: DIGEST}, shell)
    assert listing(root) == {PATHS[0]: "of today"}


def test_the_folders_of_what_is_there_keep_their_times(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    put(root, "new", {PATHS[0]: "of today"}, shell)
    os.utime(root / "repositories", (1, 1))
    put(root, "missing", {"repositories/a/other/link": DIGEST}, shell)
    assert (root / "repositories").stat().st_mtime == 1


def test_changed_links_replace_what_is_there_in_one_step(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    put(root, "new", {PATHS[0]: "of today", "repositories/a/other/link": "x"}, shell)
    before = (root / PATHS[0]).stat().st_ino
    put(root, "changed", {PATHS[0]: DIGEST}, shell)
    assert listing(root) == {PATHS[0]: DIGEST, "repositories/a/other/link": "x"}
    assert (root / PATHS[0]).stat().st_ino != before


def test_a_changed_tag_that_was_deleted_in_the_meantime_is_created_again(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    put(root, "changed", {PATHS[0]: DIGEST}, shell)
    assert listing(root) == {PATHS[0]: DIGEST}


def test_what_a_killed_run_has_left_is_not_put(tmp_path: Path, shell: str) -> None:
    left = tmp_path / "staged links" / "repositories/left/link"
    left.parent.mkdir(parents=True)
    left.write_text(DIGEST)
    put(tmp_path / "root", "new", {}, shell)
    put(tmp_path / "root", "missing", {PATHS[0]: DIGEST}, shell)
    assert listing(tmp_path / "root") == {PATHS[0]: DIGEST}


@pytest.mark.parametrize("way", ["new", "missing", "changed"])
def test_an_interrupted_stream_is_a_failure(tmp_path: Path, shell: str, way: str) -> None:
    cut = packed({PATHS[0]: DIGEST * 100})[:1000]
    done = run(backup_script("put-links"), tmp_path / "root", way, tmp_path / "staged", shell=shell, stdin=cut)
    assert done.returncode != 0
    assert done.stderr


def test_what_a_restore_staged_goes_and_an_interrupted_removal_stays(tmp_path: Path, shell: str) -> None:
    removed = tmp_path / ".deployer-removed"
    (removed / "restore" / "blobs").mkdir(parents=True)
    (removed / "list").write_text("?repositories/a")
    assert run(backup_script("unstage"), removed / "restore", shell=shell).returncode == 0
    assert [one.name for one in removed.iterdir()] == ["list"]
    (removed / "list").unlink()
    assert run(backup_script("unstage"), removed / "restore", shell=shell).returncode == 0
    assert not removed.exists()
