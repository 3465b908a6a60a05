"""`autostart` on a terminal and a real engine, as the documentation shows it; in systemctl's place is a stand-in."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.markdown import Block, Page

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "schedule.md"
# The command line on a machine that has been booted by systemd, whatever this one is.
PROGRAM = """\
import sys
from pathlib import Path
from deployer.workflows.autostart import engine_start
engine_start._BOOTED = Path(sys.argv.pop(1))
from deployer.__main__ import main
main()
"""
# systemctl(1), as far as it is asked, with the state of the one unit in a file.
SYSTEMCTL = """\
#!/bin/sh
case "$*" in
"is-enabled docker.service") cat "$0.state" && grep -qx enabled "$0.state" ;;
"enable docker.service") echo enabled > "$0.state" && echo "Created symlink." ;;
"disable docker.service") echo disabled > "$0.state" && echo "Removed symlink." ;;
*) exit 64 ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with that program; the engine is not started with the machine."""
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    (tmp_path / "systemctl.state").write_text("disabled\n")
    return tmp_path


def on_terminal(programs: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run deployer with a person who says yes; the exit code and the lines on the screen."""
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1"}
    environment |= {"XDG_DATA_HOME": str(programs / "data"), "XDG_CONFIG_HOME": str(programs / "config")}
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(programs), *arguments],
        stdin=slave, stdout=slave, stderr=slave, cwd=programs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    screen = b""
    try:
        while part := _read(master):
            screen += part
            if screen.endswith(b"[y/N]: "):
                os.write(master, b"y\n")
        return running.wait(), screen.decode().replace("\r\n", "\n").splitlines()
    finally:
        running.kill()
        running.wait()
        os.close(master)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:
        # Nobody has the other end any more.
        return b""


def shown() -> Block:
    """What the documentation shows."""
    return next(one for one in Page.read(HOW_TO).blocks if one.commands[:1] == ("deployer autostart --dry-run",))


def test_the_documentation_shows_what_is_printed(programs: Path) -> None:
    printed: list[str] = []
    for command in shown().commands:
        _, *arguments = shlex.split(command)
        code, lines = on_terminal(programs, *arguments)
        assert code == 0, lines
        printed += [f"$ {command}", *lines]
    assert printed == list(shown().lines)
    assert (programs / "systemctl.state").read_text() == "enabled\n"


def test_it_is_taken_back(programs: Path) -> None:
    on_terminal(programs, "autostart")
    code, lines = on_terminal(programs, "autostart", "--remove")
    assert (code, lines[0], lines[-1]) == (
        0, "systemctl disable docker.service", "Done. The engine no longer starts at boot.",
    )  # fmt: skip
    assert (programs / "systemctl.state").read_text() == "disabled\n"
