"""Asking for a password: on the terminal without showing it, or on standard input. Never as an argument."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.errors import ConfirmationNeeded, HostError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.cli.output import Output
    from deployer.workflows.users.new_password import PasswordPolicy

StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input (one line).")
]

# More than any password that can be kept, and little enough to read whole.
_MOST_BYTES = 4096


def chosen(out: Output, name: str, check: Callable[[str], None], *, from_stdin: bool) -> str:
    """A new password for a user, asked for twice; `check` raises if it is not good enough.

    Raises ConfirmationNeeded if no one can answer, HostError if the two differ.
    """
    if from_stdin:
        password = _from_stdin()
        check(password)
        return password
    password = _hidden(out, f"New password for {name}")
    check(password)
    if _hidden(out, "Repeat the password") != password:
        raise HostError("The passwords do not match. Nothing was changed.")
    return password


def new_hash(out: Output, name: str, policy: PasswordPolicy, *, from_stdin: bool) -> str:
    """The hash of a new password for a user. Raises what `chosen` raises, and PasswordRefused."""
    password = chosen(out, name, policy.check, from_stdin=from_stdin)
    if policy.is_slow:
        out.note("Hashing is slow at this cost, and so will every login be.")
    return policy.hashed(password)


def present(out: Output, name: str, *, from_stdin: bool) -> str:
    """The password that a user has. Raises ConfirmationNeeded if no one can answer."""
    return _from_stdin() if from_stdin else _hidden(out, f"Password for {name}")


def _hidden(out: Output, question: str) -> str:
    if not (out.err.isatty() and sys.stdin is not None and sys.stdin.isatty()):
        raise ConfirmationNeeded(
            "Cannot prompt for a password: there is no terminal.",
            ("Run the command again with --password-stdin, and pass the password on standard input.",),
        )
    try:
        return str(typer.prompt(question, hide_input=True, default="", show_default=False, err=True))
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except UnicodeDecodeError:
        # Its words quote what was typed.
        raise _no_text() from None


def _from_stdin() -> str:
    stream = sys.stdin
    if stream is None:
        return ""
    if stream.isatty():
        raise UsageError(
            "--password-stdin needs a pipe or a file, but standard input is the terminal, which would show the "
            "password.",
            ("Omit --password-stdin to be prompted.",),
        )
    given = stream.buffer.read(_MOST_BYTES + 1) if isinstance(stream, io.TextIOWrapper) else b""
    if len(given) > _MOST_BYTES:
        raise HostError(f"Standard input has more than {_MOST_BYTES} bytes: that is not a valid password.")
    password = given.rstrip(b"\r\n")
    # `docker login` would take all of them, and log in with a different password than one line's.
    if b"\n" in password or b"\r" in password:
        raise HostError(
            "Standard input has more than one line; a password must be one line.", ("Pass only the password.",)
        )
    try:
        return password.decode()
    except UnicodeDecodeError:
        raise _no_text() from None


def _no_text() -> HostError:
    return HostError("The password is not UTF-8 text.")
