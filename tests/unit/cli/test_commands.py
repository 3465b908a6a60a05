"""Commands parse, call a workflow and show its report; sentences, tables and JSON are in the views."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.cli import main
from deployer.cli.selection import COMMANDS
from tests.unit.test_layers import MODULES, imported

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES_IN_A_COMMAND = 40
PRINTING = {
    "line",
    "json",
    "table",
    "remark_table",
    "fields",
    "note",
    "warn",
    "error",
    "bold",
    "good",
    "bad",
    "content",
}
GROUPS = sorted(name for name in MODULES if name.startswith("cli/commands/"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_command(function: ast.FunctionDef) -> bool:
    first = function.args.args[:1]
    return bool(first) and ast.unparse(first[0].annotation or first[0]) == "Session" and function.name[0] != "_"


def length(function: ast.FunctionDef) -> int:
    """A function's lines, with its options and without its help."""
    text = function.body[0] if ast.get_docstring(function) is not None else None
    help_lines = (text.end_lineno or 0) - text.lineno + 1 if text else 0
    return (function.end_lineno or 0) - function.lineno + 1 - help_lines


def printed(tree: ast.AST) -> list[str]:
    """What is printed: calls of the output's own methods."""
    return [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in PRINTING
        and ast.unparse(node.func.value).rpartition(".")[2] == "out"
    ]


def tree_of(group: str) -> ast.Module:
    return ast.parse(MODULES[group].read_text())


def test_every_command_is_looked_at() -> None:
    assert main.app.registered_commands
    found = [function.name for group in GROUPS for function in functions(tree_of(group)) if is_command(function)]
    # Helpers of theirs that have a session look like commands.
    assert len(found) >= len(COMMANDS) > 0


@pytest.mark.parametrize("group", GROUPS)
def test_a_command_fits_on_a_screen(group: str) -> None:
    lengths = {one.name: length(one) for one in functions(tree_of(group)) if is_command(one)}
    too_long = {name: lines for name, lines in lengths.items() if lines > LINES_IN_A_COMMAND}
    assert too_long == {}


@pytest.mark.parametrize("group", GROUPS)
def test_a_command_leaves_printing_to_the_views(group: str) -> None:
    assert printed(tree_of(group)) == []


@pytest.mark.parametrize("group", GROUPS)
def test_no_command_needs_another(group: str) -> None:
    others = {name.replace(".", "/").removeprefix("deployer/") for name in imported(Path(MODULES[group]))}
    needed = {name.rpartition("/")[0] for name in others if name.startswith("cli/commands/")}
    assert needed == set()


def test_these_tests_can_fail() -> None:
    long = "def gc(session: Session) -> None:\n" + "    work()\n" * 40
    [function] = functions(ast.parse(f"{long}    session.out.note('done')\n"))
    assert is_command(function)
    assert length(function) > LINES_IN_A_COMMAND
    assert printed(function) == ["session.out.note"]
