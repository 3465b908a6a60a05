"""The scripts that look and list, run by real shells on a real storage."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from deployer.rendering.snippets import backup_script
from deployer.workflows.backup.links import Link, LinkKind
from tests.support.local_storage import DAY, Tree
from tests.support.programs import SHELLS, program, run
from tests.support.registry_content import image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def listed(tree: Tree, shell: str = "sh", path: Path | None = None) -> list[Link]:
    done = run(backup_script("links"), tree.root, shell=shell, path=path)
    assert (done.returncode, done.stderr) == (0, "")
    return [Link.parse(line) for line in done.stdout.splitlines()]


def tags_in(links: list[Link]) -> dict[str, str]:
    return {link.tag: link.digest for link in links if link.kind is LinkKind.TAG}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "a storage")


def links_of(tree: Tree) -> list[str]:
    return sorted(path for path in tree.listing() if path.endswith("/link"))


def test_every_link_is_listed_with_its_digest_and_time(tree: Tree, shell: str) -> None:
    digest = tree.push("team/app", ["1", "latest"], image("one"), 2 * DAY)
    tree.push("other", [], image("two"))
    found = listed(tree, shell)
    assert sorted(link.path for link in found) == links_of(tree)
    for link in found:
        file = tree.root / link.path
        assert (link.digest, link.modified) == (file.read_text(), int(file.stat().st_mtime))
    assert tags_in(found) == {"1": digest, "latest": digest}


def test_tags_are_read_before_manifests_and_manifests_before_layers(tree: Tree, shell: str) -> None:
    for name in ("a", "b/c", "z"):
        tree.push(name, ["1", "2"], image(name))
    order = {LinkKind.TAG: 0, LinkKind.HISTORY: 0, LinkKind.MANIFEST: 1, LinkKind.LAYER: 2}
    ranks = [order[link.kind] for link in listed(tree, shell)]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2}


@pytest.mark.parametrize(
    "name", ["current", "index", "_layers", "_manifests", "_uploads", "tags", "revisions", "link", "data", "sha256"]
)
def test_tags_may_be_called_like_the_storages_own_folders(tree: Tree, name: str) -> None:
    digest = tree.push("app", [name], image("x"))
    found = listed(tree)
    assert tags_in(found) == {name: digest}
    assert {link.repository for link in found} == {"app"}
    assert sorted(link.path for link in found) == links_of(tree)


def test_a_link_that_is_being_written_is_read_again(tree: Tree, shell: str, tmp_path: Path) -> None:
    digest = tree.push("app", ["1"], image("a"))
    link = "repositories/app/_manifests/tags/1/current/link"
    tree.empty_file(link)
    # Its push goes on while the script waits.
    program(tmp_path / "bin", "sleep", f'printf %s {digest} > "{tree.root / link}"')
    assert tags_in(listed(tree, shell, tmp_path / "bin")) == {"1": digest}


def test_damaged_links_are_listed_without_a_digest(tree: Tree, shell: str) -> None:
    digest = tree.push("app", ["good", "empty", "text", "newline", "huge"], image("x"))
    tags = tree.root / "repositories/app/_manifests/tags"
    (tags / "empty/current/link").write_bytes(b"")
    (tags / "text/current/link").write_text("no digest\n")
    (tags / "newline/current/link").write_text(f"{digest}\n")
    (tags / "huge/current/link").write_bytes(b"\0" * 5_000_000)
    expected = {"good": digest, "newline": digest, "empty": "", "text": "", "huge": ""}
    assert tags_in(listed(tree, shell)) == expected


def test_uploads_and_other_files_are_not_listed(tree: Tree, shell: str) -> None:
    tree.push("app", ["1"], image("x"))
    before = listed(tree, shell)
    upload = tree.root / "repositories/app/_uploads/7c1b"
    upload.mkdir()
    (upload / "link").write_text("sha256:00")
    (tree.root / "repositories/app/_manifests/tags/1/note").write_text("by hand")
    assert listed(tree, shell) == before


@pytest.mark.parametrize("folder", [".", "repositories"])
def test_an_empty_registry_has_no_links(tree: Tree, shell: str, folder: str) -> None:
    (tree.root / folder).mkdir(parents=True)
    assert listed(tree, shell) == []


def test_folders_with_spaces_are_listed_completely(tree: Tree, shell: str) -> None:
    file = tree.root / "repositories/a b/_layers/sha256/00/link"
    file.parent.mkdir(parents=True)
    file.write_text("sha256:" + "0" * 64)
    assert [link.path for link in listed(tree, shell)] == ["repositories/a b/_layers/sha256/00/link"]


def test_what_vanishes_before_it_is_looked_at_is_no_failure(tree: Tree, tmp_path: Path) -> None:
    digest = tree.push("app", ["1", "2"], image("x"))
    gone = tree.root / "repositories/app/_manifests/tags/2/current/link"
    program(tmp_path / "bin", "tr", f'input=$(cat)\nrm -f "{gone}"\nprintf "%s\\n" "$input" | /usr/bin/tr "$@"')
    assert tags_in(listed(tree, path=tmp_path / "bin")) == {"1": digest}


def test_what_vanishes_before_its_content_is_read_is_no_failure(tree: Tree, tmp_path: Path) -> None:
    digest = tree.push("app", ["1", "2"], image("x"))
    gone = tree.root / "repositories/app/_manifests/tags/2/current/link"
    program(tmp_path / "bin", "awk", f'input=$(cat)\nrm -f "{gone}"\nprintf "%s\\n" "$input" | /usr/bin/awk "$@"')
    assert tags_in(listed(tree, path=tmp_path / "bin")) == {"1": digest}


def test_what_cannot_be_looked_at_is_a_failure(tree: Tree, tmp_path: Path) -> None:
    tree.push("app", ["1"], image("x"))
    program(tmp_path / "bin", "stat", 'echo "stat: cannot statx $3: Input/output error" >&2; exit 1')
    done = run(backup_script("links"), tree.root, path=tmp_path / "bin")
    assert done.returncode == 1
    assert "Input/output error" in done.stderr


def test_a_link_that_is_there_and_cannot_be_read_is_a_failure(tree: Tree, tmp_path: Path) -> None:
    tree.push("app", ["1"], image("x"))
    link = tree.root / "repositories/app/_manifests/tags/1/current/link"
    # When it was listed, it was a file.
    swap = f'input=$(cat)\n[ -d "{link}" ] || {{ rm -f "{link}"; mkdir "{link}"; }}'
    program(tmp_path / "bin", "awk", f'{swap}\nprintf "%s\\n" "$input" | /usr/bin/awk "$@"')
    done = run(backup_script("links"), tree.root, path=tmp_path / "bin")
    assert done.returncode != 0
    assert done.stderr


def test_nothing_is_left_behind(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.push("app", ["1"], image("x"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    listed(tree)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ((), "empty"),
        (("lost+found/",), "empty"),
        (("config", "keys/"), "repository"),
        (("config",), "other"),
        ((".hidden",), "other"),
        (("lost+found/", "letter"), "other"),
    ],
)
def test_a_folder_is_seen_for_what_it_is(tmp_path: Path, shell: str, made: tuple[str, ...], expected: str) -> None:
    for name in made:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text("x")
    assert run(backup_script("look"), tmp_path, shell=shell).stdout == f"{expected}\n"


def test_writing_is_tried_and_leaves_nothing(tmp_path: Path, shell: str) -> None:
    assert run(backup_script("write"), tmp_path, shell=shell).returncode == 0
    assert list(tmp_path.iterdir()) == []
    done = run(backup_script("write"), tmp_path / "none", shell=shell)
    assert done.returncode != 0
    assert done.stderr


def test_free_space_is_a_number_of_bytes(tmp_path: Path, shell: str) -> None:
    free = os.statvfs(tmp_path)
    found = int(run(backup_script("space"), tmp_path, shell=shell).stdout)
    assert found == pytest.approx(free.f_bavail * free.f_frsize, rel=0.2)


class Scratch:
    """The folder that restic's container has for itself, and a restic of the test's own."""

    def __init__(self, folder: Path, shell: str) -> None:
        self.folder = folder
        self.shell = shell
        assert self.run("open", stdin="export RESTIC_PASSWORD=s3cr3t\n")[0] == 0

    def restic(self, text: str) -> None:
        program(self.folder / "bin", "restic", text)

    def run(self, name: str, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        script = backup_script(name).replace("/tmp/", f"{self.folder}/")
        done = run(script, *arguments, shell=self.shell, path=self.folder / "bin", stdin=stdin)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def scratch(tmp_path: Path, shell: str) -> Scratch:
    return Scratch(tmp_path, shell)


def test_the_list_of_links_is_restics_input(scratch: Scratch) -> None:
    scratch.restic('echo "$RESTIC_PASSWORD $*"; cat')
    found = scratch.run("store-links", 'echo "from $1"', "the root", "backup", "--stdin")
    assert found == (0, "s3cr3t --no-cache backup --stdin\n# TIME DIGEST PATH\nfrom the root\n", "")


def test_a_list_that_could_not_be_read_to_its_end_is_a_failure(scratch: Scratch) -> None:
    scratch.restic("cat > /dev/null")
    found = scratch.run("store-links", "echo some; echo 'Input/output error' >&2; exit 1", "/", "backup")
    assert found == (70, "", "storage of the registry: Input/output error\n")
    assert scratch.run("store-links", "echo all", "/", "backup")[0] == 0, "a failure is of its own run"


def test_a_failure_of_restic_is_reported(scratch: Scratch) -> None:
    scratch.restic("cat > /dev/null; echo 'no space left on device' >&2; exit 3")
    assert scratch.run("store-links", "echo some", "/", "backup") == (3, "", "no space left on device\n")


def test_a_text_is_fetched_once_however_often_it_is_read(scratch: Scratch) -> None:
    scratch.restic(f'echo run >> {scratch.folder}/runs; echo "$*"')
    for _ in range(3):
        assert scratch.run("text", "7c1b", "/links") == (0, "--no-cache --no-lock dump 7c1b /links\n", "")
    assert (scratch.folder / "runs").read_text() == "run\n"


def test_a_text_that_was_truncated_is_a_failure_and_is_fetched_again(scratch: Scratch) -> None:
    scratch.restic("echo half; exit 9")
    assert scratch.run("text", "7c1b", "/links")[:2] == (9, "")
    scratch.restic("echo whole")
    assert scratch.run("text", "7c1b", "/links")[:2] == (0, "whole\n")


def test_what_restic_needs_to_know_is_for_nobody_else(scratch: Scratch) -> None:
    found = scratch.folder / "settings"
    found.unlink()
    assert scratch.run("open", stdin="export A=b\n")[0] == 0
    assert found.read_text().startswith("export A=b\n")
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    scratch.restic('echo "$A $*"')
    assert scratch.run("restic", "cat", "config")[:2] == (0, "b --no-cache cat config\n")


def test_locks_are_listed(tmp_path: Path, shell: str) -> None:
    (tmp_path / "locks").mkdir()
    assert run(backup_script("locks"), tmp_path, shell=shell).stdout == ""
    (tmp_path / "locks/7c1b").write_text("")
    assert run(backup_script("locks"), tmp_path, shell=shell).stdout == "7c1b\n"
