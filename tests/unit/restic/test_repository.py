"""What is asked of restic, and what is read in its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.errors import BackupError, NoBackups
from deployer.restic.repository import About, Found, Progress, Stored, StoredFile
from deployer.restic.target import Target
from tests.support.backups import restic

SUMMARY = {"message_type": "summary", "snapshot_id": "7c1b", "total_bytes_processed": 900, "data_added": 30}
ABOUT = About("registry@machine", {"deployer": "1", "part": "links"})
MISSING = "Fatal: unable to open config file: stat /backup/config: no such file or directory"
SERVER = Target("rest:http://h/")


def lines(*messages: dict[str, Any] | str) -> bytes:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in messages).encode()


@pytest.mark.parametrize("found", Found)
def test_a_directory_is_looked_at(found: Found) -> None:
    assert restic(look=f"{found.value}\n".encode())[0].look() is found


def test_a_server_is_asked_for_its_backups() -> None:
    assert restic(SERVER, cat=b'{"id": "1"}')[0].look() is Found.BACKUPS
    assert restic(SERVER, cat=MISSING)[0].look() is Found.NOTHING
    with pytest.raises(BackupError, match="does not respond"):
        restic(SERVER, cat=f"{MISSING}: connection refused")[0].look()


def test_a_wrong_password_does_not_mean_that_there_are_no_backups() -> None:
    with pytest.raises(BackupError, match="password does not open") as caught:
        _ = restic(cat="Fatal: wrong password or no key found")[0].id
    assert not isinstance(caught.value, NoBackups)


def test_the_identity_is_asked_for_once() -> None:
    repository, asked = restic(cat=b'{"id": "7c1b"}')
    assert (repository.id, repository.id) == ("7c1b", "7c1b")
    assert len(asked.calls) == 1


def test_the_password_goes_by_standard_input_alone() -> None:
    repository, asked = restic()
    repository.open("s3cr3t", {})
    (call,) = asked.calls
    assert b"s3cr3t" in call.stdin
    assert "s3cr3t" not in " ".join(call.words)
    assert "s3cr3t" not in repr(repository)


def test_parts_are_listed_the_oldest_first_with_their_tags() -> None:
    raw = [
        {"id": "2", "time": "2026-01-02T00:00:00.123456789Z", "hostname": "h", "tags": ["deployer=1", "odd", "a=b=c"]},
        {"id": "1", "time": "2026-01-01T02:00:00.1+02:00", "hostname": "h"},
    ]
    repository, asked = restic(snapshots=json.dumps(raw).encode())
    assert [(part.id, dict(part.tags)) for part in repository.parts("h")] == [
        ("1", {}),
        ("2", {"deployer": "1", "odd": "", "a": "b=c"}),
    ]
    assert asked.calls[0].words == ("snapshots", "--json", "--host", "h", "--no-lock")
    assert restic(snapshots=b"null")[0].parts() == ()


def test_what_was_stored_is_read_behind_other_lines() -> None:
    repository, asked = restic(backup=lines("warning", {"message_type": "status"}, SUMMARY, "bye"))
    assert repository.store_bytes(b"content", "name", ABOUT) == Stored("7c1b", 900, 30)
    words, stdin = asked.calls[0].words, asked.calls[0].stdin
    assert words == (
        *("backup", "--json", "--host", "registry@machine", "--tag", "deployer=1", "--tag", "part=links"),
        *("--stdin", "--stdin-filename", "name"),
    )
    assert stdin == b"content"


def test_restic_that_says_nothing_is_an_error() -> None:
    with pytest.raises(BackupError, match="did not say what it stored"):
        restic(backup=b"[1]\n7\n")[0].store_bytes(b"", "name", ABOUT)


def test_the_list_of_links_is_stored_by_its_script() -> None:
    repository, asked = restic(store_links=lines(SUMMARY))
    repository.store_links("/root", "links", ABOUT)
    script, root, *rest = asked.calls[0].words
    assert "\n# Lists the links" in script
    assert root == "/root"
    assert rest[0] == "backup"
    assert rest[-3:] == ["--stdin", "--stdin-filename", "links"]


def test_progress_is_told_while_files_are_stored() -> None:
    status = {"message_type": "status", "bytes_done": 5, "total_bytes": 10}
    seen: list[Progress] = []
    repository, _ = restic(backup=lines(status, "no json", {"message_type": "status"}, SUMMARY))
    assert repository.store_tree("/blobs", ABOUT, seen.append).size == 900
    assert seen == [Progress(5, 10), Progress(0, 0)]


def test_only_files_are_listed() -> None:
    files: list[StoredFile] = []
    repository, _ = restic(
        ls=lines(
            {"struct_type": "snapshot"},
            {"type": "dir", "path": "/a"},
            {"type": "file", "path": "/a/b", "size": 7},
            {"type": "file", "path": "/a/empty"},
        )
    )
    repository.each_file("7c1b", files.append)
    assert files == [StoredFile("/a/b", 7), StoredFile("/a/empty", 0)]


def test_a_text_is_read_line_by_line() -> None:
    read: list[str] = []
    repository, asked = restic(text=b"one\ntwo words\n")
    repository.each_line("7c1b", "links", read.append)
    assert read == ["one", "two words"]
    assert asked.calls[0].words == ("7c1b", "/links")


def test_what_is_restored_is_named_path_by_path() -> None:
    repository, asked = restic()
    repository.restore("7c1b", "/into", ["/a", "/b c"])
    named = ("--include", "/a", "--include", "/b c")
    assert asked.calls[0].words == ("restore", "7c1b", "--target", "/into", *named, "--no-lock")


def test_what_restics_rules_keep_is_found() -> None:
    answer = [{"keep": [{"id": "1"}, {"id": "2"}], "remove": [{"id": "0"}]}, {"keep": None}]
    repository, asked = restic(forget=lines(json.dumps(answer), "Would have removed…"))
    assert repository.kept(["h"], "part=seal", ["--keep-last", "2"]) == {"1", "2"}
    assert {"--dry-run", "--keep-last"} <= set(asked.calls[0].words)


@pytest.mark.parametrize("printed", [b"", b"\n", b"[]\n", b"null\n"])
def test_of_no_parts_none_are_kept(printed: bytes) -> None:
    assert restic(forget=printed)[0].kept(["h"], "part=seal", ["--keep-last", "2"]) == frozenset()


@pytest.mark.parametrize("prune", [True, False])
def test_parts_are_forgotten_and_pruned_only_if_that_is_wanted(prune: bool) -> None:
    repository, asked = restic()
    repository.forget(["1", "2"], prune=prune)
    assert asked.calls[0].words == ("forget", *(["--prune"] if prune else []), "1", "2")


def test_the_holders_of_locks_are_named() -> None:
    assert restic(locks=b"")[0].locked_by() == ()
    repository, asked = restic(locks=b"7c1b\n", list=b"7c1b\n8d\n", cat=b'{"hostname": "other"}')
    assert repository.locked_by() == ("other", "other")
    assert [call.words for call in asked.calls[1:]] == [
        ("list", "locks", "--no-lock"),
        ("cat", "lock", "7c1b", "--no-lock"),
        ("cat", "lock", "8d", "--no-lock"),
    ]
    repository.unlock(remove_all=True)
    assert asked.calls[-1].words == ("unlock", "--remove-all")


def test_a_check_locks_nothing() -> None:
    repository, asked = restic()
    repository.check()
    assert "--no-lock" in asked.calls[0].words
    with pytest.raises(BackupError, match="damaged"):
        restic(check="Fatal: unable to load index")[0].check()


def test_only_a_directory_is_tried_for_writing() -> None:
    with pytest.raises(BackupError, match="mounted read-only"):
        restic(write="sh: can't create: Read-only file system")[0].expect_writable()
    repository, asked = restic(SERVER)
    repository.expect_writable()
    assert not asked.calls
