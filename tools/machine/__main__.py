"""The command line: `python3 -m tools.machine COMMAND`."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
from typing import TYPE_CHECKING, NoReturn

from tools.machine.browser import ensure_browser
from tools.machine.busybox import ensure_busybox
from tools.machine.clients import ensure_clients
from tools.machine.engine import ensure_engine
from tools.machine.environment import ensure_environment
from tools.machine.errors import RefusalError
from tools.machine.lock import write_lock
from tools.machine.node import ensure_node
from tools.machine.paths import REPOSITORY
from tools.machine.run import run_with_engine
from tools.machine.typescript import ensure_typescript
from tools.machine.versions import OLDEST_PYTHON
from tools.machine.wrk import ensure_wrk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    top = argparse.ArgumentParser(
        prog="python3 -m tools.machine", description="Make this machine able to run deployer."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    environment = commands.add_parser("environment", help="create or update the virtual environment .venv")
    environment.add_argument("--dev", action="store_true", help="with the tools for development")
    commands.add_parser("engine", help="install and start a Docker engine if none responds")
    run = commands.add_parser("run", help="run a command with an engine, ending what was started for it")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND…")
    commands.add_parser("browser", help="install Chromium if there is no browser")
    commands.add_parser("busybox", help="install BusyBox if it is missing")
    commands.add_parser("clients", help="install podman, skopeo and rclone if they are missing")
    commands.add_parser("node", help="install Node.js if it is missing")
    commands.add_parser("typescript", help="install the TypeScript compiler into .build, with npm")
    commands.add_parser("wrk", help="install wrk, for the benchmarks, if it is missing")
    commands.add_parser("lock", help="write constraints.txt again")
    return top


def run_words(words: Sequence[str]) -> int:
    """Run what is behind `run`, with or without `--`."""
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        parser().error("run: a command is missing")
    return run_with_engine(command)


def dispatch(arguments: argparse.Namespace) -> int:
    """Do what the command line says and return the exit code."""
    if arguments.command == "run":
        return run_words(arguments.words)
    actions: dict[str, Callable[[], object]] = {
        "environment": lambda: ensure_environment(REPOSITORY, dev=arguments.dev),
        "engine": ensure_engine,
        "browser": ensure_browser,
        "busybox": ensure_busybox,
        "clients": ensure_clients,
        "node": ensure_node,
        "typescript": lambda: ensure_typescript(REPOSITORY),
        "wrk": ensure_wrk,
        "lock": lambda: write_lock(REPOSITORY),
    }
    actions[arguments.command]()
    return 0


@contextlib.contextmanager
def explaining() -> Iterator[None]:
    """Turn what was foreseen into a sentence and an exit code."""
    try:
        yield
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> NoReturn:
    """Run the command line; the system's directories belong on the path, which `su` may leave out."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    if tuple(sys.version_info) < OLDEST_PYTHON:
        found = platform.python_version()
        sys.exit(f"Python 3.11 or newer is needed, this is {found}: name another, as in `make PYTHON=python3.12`.")
    with explaining():
        sys.exit(dispatch(parser().parse_args()))


if __name__ == "__main__":
    main()
