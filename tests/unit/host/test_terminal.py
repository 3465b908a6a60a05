from __future__ import annotations

import os
import subprocess
import sys

# Runs on a terminal of the test's own: Compose draws its progress there, and then says what is wrong.
PROGRAM = r"""
import subprocess
from deployer.host.terminal import Drawing

draw = "test -t 2 && printf '\033[?25l[+] Running 0/1\r\n \033[33m*\033[0m Container x Starting\033[?25h' >&2; "
drawing = Drawing()
with drawing.kept():
    subprocess.run(["sh", "-c", draw + "echo 'port is already allocated' >&2; exit 1"])
print("KEPT", repr(drawing.last_words()))
"""


def on_a_terminal(program: str) -> str:
    """What a program in Python draws on a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen([sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0, shown
    return shown.decode()


def test_what_a_program_says_on_the_terminal_is_shown_and_kept() -> None:
    shown = on_a_terminal(PROGRAM)
    assert "Container x Starting" in shown
    assert "port is already allocated" in shown
    assert "KEPT 'port is already allocated\\n'" in shown


def test_without_a_terminal_nothing_is_kept() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "KEPT ''\n"
    assert done.stderr == "port is already allocated\n"
