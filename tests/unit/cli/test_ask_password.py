"""Passwords typed on a terminal: asked for twice, and never shown."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from deployer.host import passwords
from deployer.paths import Deployment
from deployer.workflows.deployment import access
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = "correct horse battery staple"


@dataclass
class Terminal:
    """A command on its own terminal."""

    folder: Path
    screen: str = ""
    pid: int = 0
    master: int = -1
    masters: list[int] = field(default_factory=list)

    def start(self, *words: str) -> None:
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data")}
        self.screen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.execve(sys.executable, [sys.executable, "-m", "deployer", *words], environment)
        self.masters.append(self.master)

    def answer(self, prompt: str, text: str) -> None:
        """Wait for a prompt, and type."""
        self.ask(prompt)
        os.write(self.master, text.encode())

    def ask(self, prompt: str) -> None:
        """Wait for a prompt, and for the echo to be off: what is typed before is thrown away with it (getpass)."""
        self._read_until(prompt)
        self.wait_for_echo(on=False)

    def wait_for_echo(self, *, on: bool) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while bool(termios.tcgetattr(self.master)[3] & termios.ECHO) is not on:
            assert time.monotonic() < deadline, self.screen
            time.sleep(0.01)

    def end(self) -> int:
        self._read_until(None)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read_until(self, text: str | None) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text is None or text not in self.screen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not come: {self.screen}")
            try:
                piece = os.read(self.master, 4096)
            except OSError:
                piece = b""
            if not piece:
                assert text is None, f"{text!r} did not come: {self.screen}"
                return
            self.screen += piece.decode()

    @property
    def users(self) -> dict[str, str]:
        known = access.accounts_of(Deployment("registry", self.folder / "data" / "deployer" / "registry"))
        return {one.name: one.hash for one in known}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    for master in made.masters:
        os.close(master)


ADD = ("user", "add", "bob", "--cost", "10")


def test_a_password_is_asked_for_twice_and_never_shown(terminal: Terminal) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", f"{GOOD}\n")
    terminal.answer("Repeat the password: ", f"{GOOD}\n")
    assert terminal.end() == 0
    assert "Added user bob" in terminal.screen
    assert GOOD not in terminal.screen
    assert passwords.matches(GOOD, terminal.users["bob"])


def test_two_that_differ_are_refused(terminal: Terminal) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", f"{GOOD}\n")
    terminal.answer("Repeat the password: ", f"{GOOD}x\n")
    assert terminal.end() == 1
    assert "The passwords do not match. Nothing was changed." in terminal.screen
    assert terminal.users == {}


@pytest.mark.parametrize(("typed", "words"), [("", "The password is empty."), ("bob", "too easy to guess")])
def test_one_that_does_not_serve_is_refused_before_it_is_asked_for_again(
    terminal: Terminal, typed: str, words: str
) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", f"{typed}\n")
    assert terminal.end() == 1
    assert words in terminal.screen
    assert "Repeat the password" not in terminal.screen


@pytest.mark.parametrize("typed", ["\x03", "\x04"])
def test_leaving_the_question_changes_nothing(terminal: Terminal, typed: str) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", typed)
    assert terminal.end() == 130
    assert "Interrupted." in terminal.screen
    assert terminal.users == {}


def test_a_signal_gives_the_terminal_its_echo_back(terminal: Terminal) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", "half")
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.wait_for_echo(on=True)
    assert terminal.end() == 130
    assert "half" not in terminal.screen


def test_standard_input_is_not_read_from_a_terminal_that_shows_it(terminal: Terminal) -> None:
    terminal.start(*ADD, "--password-stdin")
    assert terminal.end() == 2
    assert "Omit --password-stdin to be prompted." in terminal.screen


def test_bytes_that_are_no_text_are_refused_without_being_shown(terminal: Terminal) -> None:
    terminal.start(*ADD)
    terminal.ask("New password for bob: ")
    os.write(terminal.master, b"\xff\xfe abc\n")
    assert terminal.end() == 1
    assert "Traceback" not in terminal.screen
    assert "abc" not in terminal.screen


def test_a_pull_secret_asks_once(terminal: Terminal) -> None:
    terminal.start(*ADD)
    terminal.answer("New password for bob: ", f"{GOOD}\n")
    terminal.answer("Repeat the password: ", f"{GOOD}\n")
    assert terminal.end() == 0
    terminal.start("pull-secret", "bob", "--output", "s.yaml")
    terminal.answer("Password for bob: ", f"{GOOD}\n")
    assert terminal.end() == 0
    assert (terminal.folder / "s.yaml").exists()
    assert GOOD not in terminal.screen
