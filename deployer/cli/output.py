"""Printing: for people or as JSON, to a terminal or to a file."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

import typer

from deployer.cli.selection import Selection
from deployer.errors import Cancelled, ConfirmationNeeded
from deployer.printable import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from deployer.errors import DeployerError


REPEAT = "Run the command again with --yes."
"""The advice where there is no terminal for a question that a script may answer."""
# Columns of a terminal: the platforms of Docker's own images take about 100.
_WIDEST = 140
# Text in a colour, as typer.style writes it: what it begins with, and what ends it (ECMA-48, SGR).
_COLOURED = re.compile(r"(\x1b\[\d+m[^\x1b]*\x1b\[0m)")


@dataclass(frozen=True)
class Output:
    """Where results and remarks go: results to `out`, everything else to `err`.

    So `deployer … | grep` and `deployer … > file` hold results only. Every command that a remark
    names is given the flags of `selection`. Whatever is printed may quote others: nothing but the colours of this
    class reaches a terminal that could steer it.
    """

    out: TextIO
    err: TextIO
    colour: bool = True
    selection: Selection = field(default_factory=Selection)
    _in_colour: set[str] = field(default_factory=set, init=False, repr=False)

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the results: then colour and live progress are welcome."""
        return self.out.isatty()

    def line(self, text: str = "") -> None:
        """Print one line of result."""
        typer.echo(self._shown(text), file=self.out)

    def text(self, text: str) -> None:
        """Print the text of a file, which a program gets as it is."""
        typer.echo(printable(text) if self.is_terminal else text, file=self.out)

    def content(self, content: bytes) -> None:
        """Print bytes of a result as they are."""
        self.out.flush()
        self.out.buffer.write(content)
        self.out.buffer.flush()

    def note(self, text: str) -> None:
        """Print one line that is no result: what is being done, what to do next."""
        self._remark(printable(self.selection.applied(text)))

    def progress(self, text: str) -> None:
        """Show on a terminal how far something has come, in place of what this showed before; "" clears it."""
        if self.err.isatty():
            with suppress(OSError):
                self.err.write(f"\r\x1b[K{printable(text)}")
                self.err.flush()

    def warn(self, text: str) -> None:
        """Print a warning."""
        told = printable(self.selection.applied(text))
        self._remark(f"{self._styled('Warning:', self.err, 'yellow')} {told}")

    def json(self, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Print a value as JSON, indented, keys in their own order."""
        typer.echo(_escaped(json.dumps(value, indent=2, ensure_ascii=False)), file=self.out)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under a header, in columns as wide as their widest cell, without truncation.

        What is longer than any real name widens its own row alone.
        """
        for index, text in enumerate(_columns(header, rows)):
            self.line(self.bold(text) if index == 0 else text)

    def remark_table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table that is no result: what is about to be done."""
        for text in _columns(header, rows):
            self.note(text)

    def fields(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Print names and values, one pair a line, the values below each other."""
        known = list(pairs)
        width = max(cells(name) for name, _ in known) + 2
        for name, value in known:
            self.line(f"{padded(f'{name}:', width)}{self._shown(value, one_line)}")

    def bold(self, text: str) -> str:
        """The text in bold on a terminal, as it is elsewhere."""
        return self._kept(typer.style(printable(text), bold=True)) if self.is_terminal and self.colour else text

    def good(self, text: str) -> str:
        """The text in green on a terminal, as it is elsewhere."""
        return self._styled(text, self.out, "green")

    def bad(self, text: str) -> str:
        """The text in red on a terminal, as it is elsewhere."""
        return self._styled(text, self.out, "red")

    def error(self, error: DeployerError) -> None:
        """Print what went wrong, each problem, the advice, and the original words underneath."""
        self._remark(f"{self._styled('Error:', self.err, 'red')} {error.message}")
        for problem in getattr(error, "problems", ()):
            self._remark(f"  {one_line(problem)}")
        for advice in error.advice:
            self._remark(f"  → {one_line(self.selection.applied(advice))}")
        for original in underneath(error.message, error.original):
            self._remark(f"  | {printable(original)}")

    def confirm(self, question: str, *, yes: bool, otherwise: tuple[str, ...] = (REPEAT,)) -> None:
        """Ask before something is changed; return only if the answer is yes.

        `otherwise` says what to do if no one can answer.

        Raises Cancelled on any other answer, ConfirmationNeeded if no one can answer.
        """
        if yes:
            return
        if not (self.err.isatty() and typer.get_text_stream("stdin").isatty()):
            raise ConfirmationNeeded(f"{question} Cannot prompt: there is no terminal.", otherwise)
        try:
            agreed = typer.confirm(printable(question), err=True)
        except typer.Abort as error:
            self.note("")
            raise KeyboardInterrupt from error
        if not agreed:
            raise Cancelled("Nothing was changed.")

    def _remark(self, text: str) -> None:
        """Print what is no result. That no one reads it any more, as after `2>&1 | head -1`, stops nothing."""
        with suppress(OSError):
            typer.echo(text, file=self.err)

    def _styled(self, text: str, stream: TextIO, colour: str) -> str:
        return self._kept(typer.style(printable(text), fg=colour)) if stream.isatty() and self.colour else text

    def _kept(self, text: str) -> str:
        self._in_colour.add(text)
        return text

    def _shown(self, text: str, made_harmless: Callable[[str], str] = printable) -> str:
        """The text with what was coloured here as it is: the escape sequences of others are not."""
        pieces = _COLOURED.split(text)
        return "".join(piece if piece in self._in_colour else made_harmless(piece) for piece in pieces)


def underneath(sentence: str, original: str) -> list[str]:
    """The lines of another program to print under a sentence; none if the sentence says the same."""
    lines = original.strip().splitlines()
    return [] if len(lines) == 1 and lines[0].endswith(sentence) else lines


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for a Chinese character, none for an accent."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text padded to that many columns, on the right or, for right alignment, on the left."""
    space = " " * max(0, width - cells(text))
    return f"{space}{text}" if right else f"{text}{space}"


def _escaped(document: str) -> str:
    """A JSON text in which what could steer a terminal is escaped: it says the same."""
    if document.isascii() and document.isprintable():
        return document
    return "".join(sign if sign == "\n" or printable(sign) == sign else _escape(sign) for sign in document)


def _escape(sign: str) -> str:
    return json.dumps(sign)[1:-1]


def _columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [tuple(map(one_line, line)) for line in (header, *rows)]
    usual = [[width for line in lines if (width := cells(line[column])) <= _WIDEST] for column in range(len(header))]
    widths = [max(column) for column in usual]
    return ["  ".join(padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
