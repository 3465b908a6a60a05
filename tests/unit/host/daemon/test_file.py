from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import HostError
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon import jsonc
from deployer.host.daemon.jsonc import Fault
from deployer.host.daemon.kind import EngineKind
from deployer.host.daemon.process import Daemon
from deployer.rendering import snippets

ADDRESS = "192.168.100.2:5000"
SNIPPET = snippets.daemon_snippet(ADDRESS)
GOLDEN = Path(__file__).parents[3] / "golden" / "daemon" / "daemon.json"
NOON = datetime(2026, 1, 2, 12, 30, 59, tzinfo=UTC)


def test_the_snippet_is_the_golden_file() -> None:
    assert GOLDEN.read_text() == SNIPPET


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", SNIPPET),
        (" \r\n", SNIPPET),
        ("{}", '{"insecure-registries": ["192.168.100.2:5000"]}'),
        ("{ }\n", '{ "insecure-registries": ["192.168.100.2:5000"] }\n'),
        ("{\n}\n", '{\n  "insecure-registries": ["192.168.100.2:5000"]\n}\n'),
        ('{"debug":true}', '{"debug":true,"insecure-registries":["192.168.100.2:5000"]}'),
        ('{"debug": true}', '{"debug": true, "insecure-registries": ["192.168.100.2:5000"]}'),
        ('{\n  "debug": true\n}', '{\n  "debug": true,\n  "insecure-registries": ["192.168.100.2:5000"]\n}'),
        (
            '{\n    "a": [1, 2],\n    "b": {}\n}\n',
            '{\n    "a": [1, 2],\n    "b": {},\n    "insecure-registries": ["192.168.100.2:5000"]\n}\n',
        ),
        ('{\n\t"a" : 1\n}', '{\n\t"a" : 1,\n\t"insecure-registries" : ["192.168.100.2:5000"]\n}'),
        ('{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "insecure-registries": ["192.168.100.2:5000"]\r\n}\r\n'),
        ('{"insecure-registries": []}', '{"insecure-registries": ["192.168.100.2:5000"]}'),
        ('{"insecure-registries": null}', '{"insecure-registries": ["192.168.100.2:5000"]}'),
        ('{"insecure-registries": ["a:1"]}', '{"insecure-registries": ["a:1", "192.168.100.2:5000"]}'),
        ('{"insecure-registries":["a:1"]}', '{"insecure-registries":["a:1","192.168.100.2:5000"]}'),
        (
            '{\n  "insecure-registries": [\n    "a:1"\n  ],\n  "debug": true\n}\n',
            '{\n  "insecure-registries": [\n    "a:1",\n    "192.168.100.2:5000"\n  ],\n  "debug": true\n}\n',
        ),
        ('{"insecure\\u002dregistries": ["a:1"]}', '{"insecure\\u002dregistries": ["a:1", "192.168.100.2:5000"]}'),
    ],
)
def test_the_entry_takes_on_the_files_layout(before: str, after: str) -> None:
    assert jsonc.merged(before, SNIPPET) == after


def test_merging_again_changes_nothing() -> None:
    once = jsonc.merged('{"a": 1}', SNIPPET)
    assert jsonc.merged(once, SNIPPET) == once


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"insecure-registries": ["192.168.100.2:5000"], "a": 1}', '{"insecure-registries": [], "a": 1}'),
        ('{"insecure-registries": ["a:1", "192.168.100.2:5000", "b:2"]}', '{"insecure-registries": ["a:1", "b:2"]}'),
        ('{"insecure-registries": [\n"192.168.100.2:5000",\n"b:2"\n]}', '{"insecure-registries": [\n"b:2"\n]}'),
        ('{"insecure-registries": ["http://192.168.100.2:5000", "192.168.100.2:5000"]}', '{"insecure-registries": []}'),
        ('{"insecure-registries": ["192.168.100.2", "192.168.0.0/16"]}', None),
        ('{"debug": true}', None),
        ("", None),
    ],
)
def test_removing_takes_this_address_alone(before: str, after: str | None) -> None:
    assert jsonc.without(before, ADDRESS) == (before if after is None else after)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{\n  // mine\n  "a": 1\n}', 2, 3, "comments are not allowed"),
        ('{"a": 1 /* mine */}', 1, 9, "comments are not allowed"),
        ("# mine\n{}", 1, 1, "comments are not allowed"),
        ("{} # mine", 1, 4, "comments are not allowed"),
        ('{"a": {"b": 1, // mine\n "c": 2}}', 1, 16, "comments are not allowed"),
        ('{\n  "a": 1,\n}', 2, 9, "comma after the last"),
        ('{"a": [1, 2,]}', 1, 12, "comma after the last"),
        ('{"a": {"b": 1 ,\n}}', 1, 15, "comma after the last"),
        ('{"a": 1 "b": 2}', 1, 9, "comma or a colon is missing"),
        ('{"a" 1}', 1, 6, "unexpected '1'"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ('{"a": 1', 1, 8, "ends too early"),
        ('{"a": "b', 1, 7, "unterminated string"),
        ('{"a": "b\nc"}', 1, 9, "invalid control character"),
        ('{"a": NaN}', 1, 7, "NaN is not valid JSON"),
        ('{"a": ' + "[" * 100_000, 1, 7, "too deeply"),
        ('{"a": ' + "1" * 5000 + "}", 1, 7, "too long"),
        ('["a"]', 1, 1, "found a list"),
        ('\n"a"', 2, 1, "found a string"),
        ("null", 1, 1, "found something else"),
        ("{} {}", 1, 4, "follows the closing brace"),
        ('{"a": 1,\n "a": 2}', 2, 2, '"a" is listed twice'),
        ('{"insecure-registries": "a:1"}', 1, 25, "is a string"),
        ('{"insecure-registries": 5}', 1, 25, "is a number"),
        ('{"insecure-registries": false}', 1, 25, "is true or false"),
        ('{"insecure-registries": {}}', 1, 25, "is an object"),
        ('{"insecure-registries": ["a:1", 5]}', 1, 33, "lists a number"),
        ('{"insecure-registries": [null]}', 1, 26, "lists null"),
    ],
)
def test_what_is_no_daemon_json_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(Fault, match=words) as caught:
        jsonc.merged(text, SNIPPET)
    assert (caught.value.line, caught.value.column) == (line, column)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
entries = st.none() | st.lists(st.text(max_size=12), max_size=3)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    content = draw(st.dictionaries(st.text(max_size=8), values, max_size=4))
    if draw(st.booleans()):
        position = draw(st.integers(0, len(content)))
        items = [item for item in content.items() if item[0] != jsonc.KEY]
        content = dict([*items[:position], (jsonc.KEY, draw(entries)), *items[position:]])
    elif jsonc.KEY in content:
        del content[jsonc.KEY]
    text = json.dumps(
        content,
        indent=draw(st.sampled_from([None, 0, 2, 4, "\t"])),
        separators=(draw(st.sampled_from([",", ", ", " , "])), draw(st.sampled_from([":", ": ", " : "]))),
        ensure_ascii=draw(st.booleans()),
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    around = st.sampled_from(["", "\n", "\r\n", " \t"])
    return content, draw(around) + text + draw(around)


@given(layouts())
def test_merging_adds_the_entry_and_leaves_every_other_character(layout: tuple[dict[str, Any], str]) -> None:
    content, before = layout
    after = jsonc.merged(before, SNIPPET)
    listed = content.get(jsonc.KEY) or []
    expected = {**content, jsonc.KEY: listed if ADDRESS in listed else [*listed, ADDRESS]}
    assert list(json.loads(after).items()) == list(expected.items())
    if jsonc.KEY not in content or listed:
        assert _is_insertion(before, after)
    else:
        head, _, tail = after.partition(f'["{ADDRESS}"]')
        assert before.startswith(head)
        assert before.endswith(tail)
        assert before[len(head) : len(before) - len(tail)].strip() in {"null", "[]"}


@given(layouts())
def test_removing_after_merging_gives_the_old_list_back(layout: tuple[dict[str, Any], str]) -> None:
    content, before = layout
    after = jsonc.without(jsonc.merged(before, SNIPPET), ADDRESS)
    listed = [entry for entry in content.get(jsonc.KEY) or [] if jsonc.bare(entry) != ADDRESS]
    assert json.loads(after) == {**content, jsonc.KEY: listed}
    if listed == content.get(jsonc.KEY) != []:
        assert after == before


@given(st.text(alphabet="{}[]\",: \n/#'a1\\", max_size=30))
def test_any_text_is_either_edited_or_refused(text: str) -> None:
    if not text.strip(" \n") or _is_plain_object(text):
        assert ADDRESS in json.loads(jsonc.merged(text, SNIPPET))[jsonc.KEY]
    else:
        with pytest.raises(Fault) as caught:
            jsonc.merged(text, SNIPPET)
        assert 1 <= caught.value.line <= text.count("\n") + 1


def _is_plain_object(text: str) -> bool:
    """Whether Python reads it as an object that has no key twice at its top."""
    objects: list[list[tuple[str, Any]]] = []

    def note(found: list[tuple[str, Any]]) -> dict[str, Any]:
        objects.append(found)
        return dict(found)

    try:
        content = json.loads(text, object_pairs_hook=note)
    except ValueError:
        return False
    return isinstance(content, dict) and len(content) == len(objects[-1])


def _is_insertion(before: str, after: str) -> bool:
    alike = (index for index, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    return after.endswith(before[next(alike, len(before)) :])


def _write(path: Path, content: bytes, mode: int = 0o644) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def _merge(path: Path) -> Path | None:
    file = daemon_file.read(path)
    backup = daemon_file.back_up(file, NOON)
    daemon_file.replace(file, file.encoded(jsonc.merged(file.text, SNIPPET)))
    return backup


def test_a_missing_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "docker" / "daemon.json"
    assert _merge(path) is None
    assert path.read_text() == SNIPPET
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["daemon.json"]


def test_mode_owner_and_byte_order_mark_stay(tmp_path: Path) -> None:
    path = _write(tmp_path / "daemon.json", b'\xef\xbb\xbf{"a": 1}', 0o640)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    owner = (path.stat().st_uid, path.stat().st_gid)
    backup = _merge(path)
    assert path.read_bytes() == b'\xef\xbb\xbf{"a": 1, "insecure-registries": ["192.168.100.2:5000"]}'
    assert backup == tmp_path / "daemon.json.backup-20260102-123059"
    assert backup.read_bytes() == b'\xef\xbb\xbf{"a": 1}'
    for file in (path, backup):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert (file.stat().st_uid, file.stat().st_gid) == owner


def test_a_link_stays_and_its_target_changes(tmp_path: Path) -> None:
    target = _write(tmp_path / "kept.json", b"{}")
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "daemon.json"
    link.symlink_to("../kept.json")
    backup = _merge(link)
    assert link.is_symlink()
    assert ADDRESS in target.read_text()
    assert backup is not None
    assert backup.parent == tmp_path


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    link = tmp_path / "daemon.json"
    link.symlink_to("folder/kept.json")
    _merge(link)
    assert link.is_symlink()
    assert (tmp_path / "folder" / "kept.json").read_text() == SNIPPET


def test_a_second_backup_of_the_same_bytes_is_not_made(tmp_path: Path) -> None:
    path = _write(tmp_path / "daemon.json", b"{}")
    first = daemon_file.back_up(daemon_file.read(path), NOON)
    assert daemon_file.back_up(daemon_file.read(path), NOON.replace(year=2027)) == first
    _write(path, b'{"a": 1}')
    assert daemon_file.back_up(daemon_file.read(path), NOON) == tmp_path / "daemon.json.backup-20260102-123059-2"


@pytest.mark.parametrize("meanwhile", [b'{"b": 2}', None])
def test_a_change_made_in_the_meantime_is_not_overwritten(tmp_path: Path, meanwhile: bytes | None) -> None:
    path = _write(tmp_path / "daemon.json", b"{}")
    file = daemon_file.read(path)
    path.unlink() if meanwhile is None else path.write_bytes(meanwhile)
    with pytest.raises(HostError, match="at the same time"):
        daemon_file.replace(file, b"new")
    assert (path.read_bytes() if path.exists() else None) == meanwhile
    assert [entry.name for entry in tmp_path.iterdir()] == (["daemon.json"] if meanwhile else [])


def test_a_change_made_at_the_last_moment_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "daemon.json", b"{}")
    file = daemon_file.read(path)
    monkeypatch.setattr(os, "fsync", lambda descriptor: path.write_bytes(b'{"b": 2}'))
    with pytest.raises(HostError, match="at the same time"):
        daemon_file.replace(file, b"new")
    assert path.read_bytes() == b'{"b": 2}'
    assert [entry.name for entry in tmp_path.iterdir()] == ["daemon.json"]


def test_a_file_that_appeared_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    file = daemon_file.read(path)
    path.write_bytes(b"{}")
    with pytest.raises(HostError, match="at the same time"):
        daemon_file.replace(file, b"new")
    assert path.read_bytes() == b"{}"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "daemon.json", b"{}")
    file = daemon_file.read(path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostError, match="cannot be changed: No space left on device"):
        daemon_file.replace(file, b"new")
    assert path.read_bytes() == b"{}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["daemon.json"]


def test_killed_before_the_rename_the_old_file_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "daemon.json", b"{}")
    file = daemon_file.read(path)
    seen = []

    def watched(self: Path, target: Path) -> None:
        seen.append((self.read_bytes(), target.read_bytes(), self.parent == target.parent))
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", watched)
    with pytest.raises(KeyboardInterrupt):
        daemon_file.replace(file, b"new")
    assert seen == [(b"new", b"{}", True)]
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "daemon.json")
    with pytest.raises(HostError, match="not a regular file"):
        daemon_file.read(tmp_path / "daemon.json")


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "daemon.json"
    link.symlink_to(link)
    with pytest.raises(HostError, match="Too many levels of symbolic links"):
        daemon_file.read(link)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    file = daemon_file.read(_write(tmp_path / "daemon.json", '{"a": 1}'.encode("utf-16")))
    with pytest.raises(HostError, match="not valid UTF-8"):
        _ = file.text


def test_the_diff_shows_a_missing_final_line_break(tmp_path: Path) -> None:
    path = _write(tmp_path / "daemon.json", b'{"a": 1}')
    assert daemon_file.read(path).diff('{"a": 2}\n') == (
        f'--- {path}\n+++ {path}\n@@ -1 +1 @@\n-{{"a": 1}}\n\\ No newline at end of file\n+{{"a": 2}}\n'
    )
    assert daemon_file.read(path).diff('{"a": 1}') == ""


def _daemon(*arguments: str, **environment: str) -> Daemon:
    return Daemon(7, ("dockerd", *arguments), Path("/srv"), environment, None, "")


@pytest.mark.parametrize(
    ("daemon", "kind", "expected"),
    [
        (None, EngineKind.SYSTEM, "/etc/docker/daemon.json"),
        (_daemon(), EngineKind.SYSTEM, "/etc/docker/daemon.json"),
        (_daemon("--config-file", "/opt/d.json"), EngineKind.SYSTEM, "/opt/d.json"),
        (_daemon("--config-file=d.json"), EngineKind.ROOTLESS, "/srv/d.json"),
        (None, EngineKind.ROOTLESS, "/home/me/.config/docker/daemon.json"),
        (_daemon(HOME="/home/you"), EngineKind.ROOTLESS, "/home/you/.config/docker/daemon.json"),
        (_daemon(XDG_CONFIG_HOME="/conf"), EngineKind.ROOTLESS, "/conf/docker/daemon.json"),
        (None, EngineKind.DESKTOP, "/home/me/.docker/daemon.json"),
    ],
)
def test_each_kind_of_engine_has_its_place(daemon: Daemon | None, kind: EngineKind, expected: str) -> None:
    found = daemon_file.locate(daemon, {"HOME": "/home/me"}, kind)
    assert found == Path(expected)
