"""Printing: results and remarks apart, and questions only if someone can answer."""

from __future__ import annotations

import io

import pytest

from deployer.cli.output import Output
from deployer.errors import ConfigurationError, ConfirmationNeeded, DeployerError


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
