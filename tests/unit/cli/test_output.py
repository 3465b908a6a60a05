"""Printing: results and remarks apart, and questions only if someone can answer."""

from __future__ import annotations

import io
import json

import pytest

from deployer.cli.output import Output
from deployer.errors import ConfigurationError, ConfirmationNeeded, DeployerError


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def out() -> Output:
    return Output(io.StringIO(), io.StringIO())


def text(stream: object) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_results_and_remarks_go_to_their_own_streams(out: Output) -> None:
    out.line("result")
    out.note("remark")
    out.warn("careful")
    assert text(out.out) == "result\n"
    assert text(out.err) == "remark\nWarning: careful\n"


def test_a_table_is_as_wide_as_its_cells_and_cuts_nothing(out: Output) -> None:
    out.table(("TAG", "SIZE"), [("a" * 60, "1 B"), ("b", "")])
    lines = text(out.out).splitlines()
    assert lines[0].index("SIZE") == lines[1].index("1 B") == 62
    assert lines[2] == "b"


def test_what_a_stranger_made_too_long_widens_its_own_row_alone(out: Output) -> None:
    out.table(("TAG", "PLATFORMS", "AGE"), [("a", "x" * 300, "1 day"), ("b", "linux/amd64", "2 days")])
    lines = text(out.out).splitlines()
    assert lines[0].index("AGE") == lines[2].index("2 days") == len("TAG  linux/amd64  ")
    assert lines[1] == f"a    {'x' * 300}  1 day"


def test_an_error_has_its_problems_advice_and_the_original_words(out: Output) -> None:
    out.error(DeployerError("It failed.", ("do this",), "line one\nline two\n"))
    assert text(out.err) == "Error: It failed.\n  → do this\n  | line one\n  | line two\n"


def test_a_configuration_error_lists_its_problems(out: Output) -> None:
    out.error(ConfigurationError("The configuration has a mistake:", problems=("port: no",)))
    assert text(out.err) == "Error: The configuration has a mistake:\n  port: no\n"


def test_without_a_terminal_a_question_is_refused(out: Output) -> None:
    with pytest.raises(ConfirmationNeeded) as caught:
        out.confirm("Remove it?", yes=False)
    assert caught.value.advice == ("Run the command again with --yes.",)
    out.confirm("Remove it?", yes=True)


def test_json_keeps_order_and_letters(out: Output) -> None:
    out.json({"b": "é", "a": [1]})
    assert text(out.out) == '{\n  "b": "é",\n  "a": [\n    1\n  ]\n}\n'


HOSTILE = "application/\x1b[31mEVIL\x9b2J\r\nfake line\u202e\u2028end"


def test_nothing_that_is_printed_steers_a_terminal() -> None:
    out = Output(Terminal(), Terminal())
    error = DeployerError(f"The type is '{HOSTILE}'.", (f"deployer tags {HOSTILE}",), f"said\t{HOSTILE}")
    out.error(error)
    out.error(ConfigurationError("Mistakes:", problems=(HOSTILE,)))
    out.warn(HOSTILE)
    out.note(HOSTILE)
    out.line(HOSTILE)
    out.text(HOSTILE)
    out.table((HOSTILE, "B"), [(HOSTILE, "1")])
    out.fields([("name", HOSTILE)])
    out.json({HOSTILE: HOSTILE})
    printed = text(out.out) + text(out.err)
    for own in ("\x1b[31mError:\x1b[0m", "\x1b[33mWarning:\x1b[0m", "\x1b[1m", "\x1b[0m"):
        printed = printed.replace(own, "")
    assert [sign for sign in printed if not sign.isprintable() and sign not in "\t\n"] == []


def test_a_strangers_line_break_begins_no_line_of_an_error(out: Output) -> None:
    out.error(DeployerError("It says a\nfake line.", ("do a\nfake line",), "one\nfake line"))
    out.table(("A",), [("a\nfake line",)])
    out.fields([("name", "a\nfake line")])
    lines = (text(out.out) + text(out.err)).splitlines()
    assert lines[:3] == ["A", "a fake line", "name: a fake line"]
    assert lines[3:] == ["Error: It says a fake line.", "  → do a fake line", "  | one", "  | fake line"]


class Left(Terminal):
    """One whose reader has left."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_remarks_that_no_one_reads_stop_nothing_but_a_lost_result_does() -> None:
    out = Output(Left(), Left())
    out.note("Storing their content …")
    out.warn("The disk is nearly full.")
    out.progress("1 of 2")
    out.error(ConfigurationError("The configuration has an error:", ("a problem",)))
    with pytest.raises(BrokenPipeError):
        out.line("done")


def test_own_line_breaks_tabs_and_colours_stay() -> None:
    out = Output(Terminal(), Terminal())
    out.line(f"{out.good('ready')}\n\tmore")
    out.note("one\ntwo")
    assert text(out.out) == "\x1b[32mready\x1b[0m\n\tmore\n"
    assert text(out.err) == "one\ntwo\n"


def test_what_is_no_own_colour_is_none(out: Output) -> None:
    out.line("\x1b[32mgreen")
    assert text(out.out) == "\ufffd[32mgreen\n"


def test_json_keeps_what_it_escapes(out: Output) -> None:
    out.json({"type": HOSTILE})
    assert text(out.out).isascii()
    assert json.loads(text(out.out)) == {"type": HOSTILE}


def test_a_file_is_printed_as_it_is_but_to_a_terminal(out: Output) -> None:
    out.text("a\x07\ue000")
    assert text(out.out) == "a\x07\ue000\n"
    terminal = Output(Terminal(), Terminal())
    terminal.text("a\x07\ue000")
    assert text(terminal.out) == "a\ufffd\ufffd\n"
