"""Scripts in containers, with a client in the place of Docker's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from deployer.engine.client import Client
from deployer.engine.containers import Containers
from deployer.engine.values import HelperContainer, HostMount
from deployer.errors import EngineError


def containers(program: str, *words: str) -> Containers:
    return Containers(Client(os.environ, (sys.executable, "-c", program, *words)))


def test_each_line_is_handed_on_as_it_comes() -> None:
    lines: list[str] = []
    containers("print('one'); print('two words'); print()").follow_script("c", "script", on_line=lines.append)
    assert lines == ["one", "two words", ""]


def test_a_script_that_fails_after_some_lines_is_a_failure() -> None:
    lines: list[str] = []
    program = "import sys; print('one'); print('no space left on device', file=sys.stderr); sys.exit(1)"
    with pytest.raises(EngineError) as caught:
        containers(program).follow_script("c", "script", on_line=lines.append)
    assert "no space left on device" in caught.value.original
    assert lines == ["one"]


def feed(found: Containers, content: bytes, failure: Exception | None = None) -> None:
    with found.feed_script("c", "script") as stream:
        stream.write(content)
        if failure:
            raise failure


def test_what_is_written_is_the_scripts_input(tmp_path: Path) -> None:
    program = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read() + sys.argv[-1].encode())"
    with containers(program, str(tmp_path / "got")).feed_script("c", "script", "last") as stream:
        stream.write(b"\0one")
        stream.write(b"two" * 100_000)
    assert (tmp_path / "got").read_bytes() == b"\0one" + b"two" * 100_000 + b"last"


def test_a_script_that_ends_before_it_has_read_all_says_why() -> None:
    program = "import sys; print('tar: no space left on device', file=sys.stderr); sys.exit(2)"
    with pytest.raises(EngineError) as caught:
        feed(containers(program), b"x" * 10_000_000)
    assert "no space left on device" in caught.value.original


def test_a_failure_while_writing_ends_the_script(tmp_path: Path) -> None:
    program = (
        "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); print(flush=True); "
        "sys.stdin.buffer.read(); open(sys.argv[1] + '-done', 'w')"
    )
    with pytest.raises(RuntimeError, match="mine"):
        feed(containers(program, str(tmp_path / "pid")), b"half", RuntimeError("mine"))
    assert not (tmp_path / "pid-done").exists(), "half an input was taken for a whole one"


HELPER = HelperContainer(
    name="helper",
    label="/data/registry",
    image="restic/restic",
    beside="registry",
    mounts=(HostMount(Path('/mnt/a, "b"'), "/backup"), HostMount(Path("/gate"), "/gate")),
    script="echo ready",
    arguments=("one",),
)


def started(tmp_path: Path, wanted: HelperContainer) -> list[str]:
    program = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w')); print('ready', flush=True)"
    process = containers(program, str(tmp_path / "words")).start_helper(wanted)
    process.communicate()
    return list(json.loads((tmp_path / "words").read_text()))


def values(words: list[str], option: str) -> list[str]:
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_a_helper_has_what_it_needs_and_nothing_more(tmp_path: Path) -> None:
    words = started(tmp_path, HELPER)
    assert values(words, "--mount") == [
        'type=bind,"source=/mnt/a, ""b""","target=/backup"',
        'type=bind,"source=/gate","target=/gate"',
    ]
    assert values(words, "--volumes-from") == ["registry"]
    assert values(words, "--network") == ["none"]
    assert values(words, "--cap-drop") == ["ALL"]
    assert "--read-only" in words
    assert not {"--hostname", "--userns"} & set(words)
    assert words[-5:] == ["restic/restic", "-c", "echo ready", "sh", "one"]


@pytest.mark.parametrize(
    ("change", "option", "expected"),
    [
        ({"beside": ""}, "--volumes-from", []),
        ({"network": "host"}, "--network", ["host"]),
        ({"hostname": "deployer-registry-m"}, "--hostname", ["deployer-registry-m"]),
        ({"user_namespace": "host"}, "--userns", ["host"]),
        ({"mounts": ()}, "--mount", []),
    ],
)
def test_a_helper_has_what_is_chosen(tmp_path: Path, change: dict[str, Any], option: str, expected: list[str]) -> None:
    wanted = HelperContainer(**{**vars(HELPER), **change})
    assert values(started(tmp_path, wanted), option) == expected


def test_a_helper_that_says_nothing_did_not_start() -> None:
    program = "import sys; print('docker: no such image', file=sys.stderr); sys.exit(125)"
    with pytest.raises(EngineError):
        containers(program).start_helper(HELPER)
