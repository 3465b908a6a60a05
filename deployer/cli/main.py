"""The command line's edge: the only place that turns errors into words and exit codes."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from deployer import __version__
from deployer.cli.commands import (
    backup,
    configuration,
    deployment,
    diagnosis,
    images,
    integrity,
    restore,
    transfer,
    trust,
    upkeep,
)
from deployer.cli.commands.access import pull_secret, rules, users
from deployer.cli.commands.schedule import autostart, runs
from deployer.cli.output import Output
from deployer.cli.registration import SHARED_HELP, ConfigOption, HostOption, Interruption, NameOption, PortOption
from deployer.errors import EXIT_BUG, EXIT_FAILURE, EXIT_INTERRUPTED, DeployerError, HostError
from deployer.redaction import without_secrets

app = typer.Typer(
    name="deployer",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Start with `deployer up`. For help on a command, run for example `deployer push --help`. {SHARED_HELP}",
)


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deployer {__version__}")
        raise typer.Exit


@app.callback()
def _deployer(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    config: ConfigOption = None,
    name: NameOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Run a private Docker registry with a web page."""


for group in (
    configuration,
    deployment,
    diagnosis,
    trust,
    transfer,
    images,
    upkeep,
    integrity,
    backup,
    restore,
    users,
    rules,
    pull_secret,
    runs,
    autostart,
):
    group.register(app)
# As `deployer --help` lists them: what is needed first, first.
_ORDER = ("init", "render", "doctor", "up", "down", "status", "logs", "configure-daemon")
app.registered_commands.sort(key=lambda one: _place(one.name or str(getattr(one.callback, "__name__", ""))))


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    output = Output(sys.stdout, sys.stderr)
    try:
        app(args=arguments, prog_name="deployer")
    except DeployerError as error:
        output.error(error)
        return error.exit_code
    except (KeyboardInterrupt, Interruption) as error:
        output.note(str(error) or "Interrupted.")
        return EXIT_INTERRUPTED
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(bool(leave.code))
    except Exception as error:  # noqa: BLE001 - the edge: whatever is left is a bug, and is said to be one
        return _unforeseen(error, output, arguments)
    return 0


def _unforeseen(error: Exception, output: Output, arguments: list[str]) -> int:
    if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        # A path of the settings, or a word for a program.
        sentence = f"The locale's encoding, {sys.getfilesystemencoding()}, lacks a character that is needed."
        output.error(HostError(sentence, ("export LC_ALL=C.UTF-8   (then run the command again)",), error.object))
        return EXIT_FAILURE
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        output.error(_of_the_machine(error))
        return EXIT_FAILURE
    output.note("Error: this is a bug in deployer. Please report it and include the lines below.")
    called = f"deployer {__version__}, Python {sys.version.split()[0]}, deployer {' '.join(arguments)}"
    output.note(without_secrets(called))
    output.note(without_secrets(traceback.format_exc()))
    return EXIT_BUG


_OF_THE_MACHINE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP),
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    }
)
"""What a system call fails with because of a disk, a limit or a permission, and not of a mistake in the program."""


def _of_the_machine(error: OSError) -> HostError:
    if isinstance(error.filename, str):
        from deployer.host.files import no_access

        return no_access(Path(error.filename), error)
    return HostError(f"A file or the output cannot be written: {error.strerror}.")


def _interrupt(_number: int, _frame: object) -> None:
    """Let a polite end be like Ctrl-C: what was begun is undone or left whole."""
    raise KeyboardInterrupt


def _steady_streams() -> None:
    """Print whatever the terminal can show, and continue if a stream is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole run
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run() -> None:
    """The `deployer` command."""
    _steady_streams()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup it is to continue.
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _interrupt)
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # A reader such as `head` has left, or the disk is full; Python would complain once more at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
