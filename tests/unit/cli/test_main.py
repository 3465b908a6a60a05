"""The edge: help, exit codes, and no traceback for a user's mistake."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from deployer.cli import main as edge
from deployer.cli import registration
from deployer.cli.main import app, main
from deployer.errors import DeployerError

if TYPE_CHECKING:
    from pathlib import Path


def commands_of(group: Any, before: str = "") -> list[str]:
    """Every command's words; those of a group are two."""
    found = []
    for name, inner in group.commands.items():
        words = f"{before} {name}".strip()
        found += commands_of(inner, words) if hasattr(inner, "commands") else [words]
    return sorted(found)


COMMANDS = commands_of(typer.main.get_command(app))
GROUPS = sorted({words.partition(" ")[0] for words in COMMANDS if " " in words})

HEAVY = {
    "python_on_whales",
    "pydantic",
    "httpx",
    "jinja2",
    "yaml",
    "rich",
    "psutil",
    "bcrypt",
    "zxcvbn",
    "cryptography",
}


def test_the_commands_of_the_day_are_there() -> None:
    assert set(COMMANDS) >= {
        "init", "up", "down", "status", "logs", "render", "doctor", "configure-daemon",
        "push", "pull", "catalog", "tags", "inspect", "delete",
        "user add", "user remove", "user list", "user password", "user import", "pull-secret",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_is_complete_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"deployer {command}" in shown.partition("Example")[2]
    for option in ("--config", "--name", "--host", "--port"):
        assert option in shown
    for line in shown.splitlines():
        assert not line.strip().startswith("--") or len(line.split()) > 2, f"an option without a word: {line}"
    assert not re.search(r"<\w+|[{}]", shown.partition("Options:")[0]), "a type of Python's, or braces"


class Seen(DeployerError):
    """Stands for the work of a command."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The options that every command has, as the last command heard them; no command does anything."""
    found: dict[str, str] = {}

    def session(*, environment: object, directory: object, out: object, presentation: object, **flags: object) -> None:
        found.clear()
        found.update({key: str(value) for key, value in flags.items() if value is not None})
        raise Seen("seen")

    monkeypatch.setattr(registration, "Session", session)
    return found


def words_of(command: str) -> list[str]:
    """A command with as many words as it needs."""
    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    needed = [param for param in found.params if param.param_type_name == "argument" and param.required]
    return [*command.split(), *("app" for _ in needed)]


SHARED = {"config": "other.yaml", "name": "team", "host": "registry.example", "port": "5443"}
SHARED_WORDS = [word for key, value in SHARED.items() for word in (f"--{key}", value)]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_every_command_may_stand_before_it_too(command: str, seen: dict[str, str]) -> None:
    words = words_of(command)
    for arguments in ([*words, *SHARED_WORDS], [*SHARED_WORDS, *words], [*SHARED_WORDS[:2], *words, *SHARED_WORDS[2:]]):
        assert main(arguments) == 1
        assert seen == SHARED
    # Given at both places, the one behind the command counts, and the others are still heard.
    assert main([*SHARED_WORDS, *words, "--name", "nearer"]) == 1
    assert seen == {**SHARED, "name": "nearer"}
    assert main(["-c", "other.yaml", *words]) == 1
    assert seen == {"config": "other.yaml"}
    if " " in command:
        assert main([words[0], *SHARED_WORDS, *words[1:]]) == 1
        assert seen == SHARED
    assert main(words) == 1
    assert seen == {}


def test_an_advice_names_the_options_that_stood_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["--name", "nowhere", "user", "list"]) == 1
    assert "deployer up --name nowhere" in capsys.readouterr().err


def test_an_option_before_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "team"]) == 2
    assert "Missing command" in capsys.readouterr().err
    assert main(["--yes", "down"]) == 2


@pytest.mark.parametrize("words", [[], ["user"]])
def test_the_help_of_all_commands_says_that_options_may_stand_there(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for option in ("--config", "--name", "--host", "--port"):
        assert option in shown
    assert "before or after the command; the one after it takes precedence" in shown


def test_a_shell_completes_commands_behind_the_options() -> None:
    environment = {"_DEPLOYER_COMPLETE": "complete_bash", "COMP_WORDS": "deployer --name team sta", "COMP_CWORD": "3"}
    program = "from deployer.cli.main import app; app(prog_name='deployer')"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["status"]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("words", [[], ["--help"]])
def test_a_group_lists_its_commands(group: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([group, *words])
    shown = "".join(capsys.readouterr())
    assert f"deployer {group}" in shown.partition("Example")[2]
    for command in COMMANDS:
        first, _, name = command.partition(" ")
        assert first != group or f"  {name} " in shown


@pytest.mark.parametrize(
    "command",
    [
        *("up", "down", "push", "pull", "delete", "configure-daemon", "init"),
        *("user add", "user remove", "user password", "user import"),
    ],
)
def test_what_changes_something_can_be_tried_first(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*command.split(), "--help"])
    assert "--dry-run" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from deployer.cli.main import main; main(['--help']); "
        f"print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_what_is_done_is_a_success_even_if_no_one_reads_the_remarks(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    # It remarks that nothing was changed.
    command = [sys.executable, "-m", "deployer", "init", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["push"], ["up", "--timeout", "soon"], ["status", "--nonsense"]])
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_wrong_setting_is_exit_2_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--port", "none"]) == 2
    error = capsys.readouterr().err
    assert "--port: 'none' is not a valid port: a whole number from 1 to 65535" in error
    assert "Traceback" not in error


def test_a_bug_is_exit_3_with_a_trace_to_paste(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(edge, "app", broken)
    assert main(["status"]) == 3
    error = capsys.readouterr().err
    assert "this is a bug in deployer" in error
    assert "RuntimeError: boom" in error


def test_a_file_of_another_user_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "gate"))

    monkeypatch.setattr(edge, "app", refused)
    assert main(["status"]) == 1
    error, advice = capsys.readouterr().err.splitlines()
    assert error == f"Error: {tmp_path}/gate cannot be read: Permission denied."
    assert advice == f"  → ls -ld {tmp_path}   (shows who can read there)"


def test_a_path_that_the_locale_cannot_write_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(**_: object) -> None:
        "/srv/\u672c".encode("iso8859-1")

    monkeypatch.setattr(edge, "app", refused)
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    assert main(["status"]) == 1
    error = capsys.readouterr().err
    assert "The locale's encoding, iso8859-1, lacks a character that is needed." in error
    assert "export LC_ALL=C.UTF-8" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("words", "line"), [((), "Interrupted."), (("1 of 3 pushed.",), "1 of 3 pushed.")])
def test_an_interruption_is_exit_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt(*words)

    monkeypatch.setattr(edge, "app", interrupted)
    assert main(["status"]) == 130
    assert capsys.readouterr() == ("", f"{line}\n")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("deployer ")
