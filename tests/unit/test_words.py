"""What users read is in the words of Docker's and Kubernetes' documentation; a private dialect does not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sources import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2] / "deployer"
SOURCES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py"))
# Only what is never right, wherever it is; what else may be right is for readers to judge.
DIALECT = re.compile(
    r"""
    \b(?:
        sign(?:s|ed|ing)?[ -](?:in|out)                             # log in, login
        | an\ CA | (?:its|the\ registry's|your)\ authority          # a CA
        | anew | mends? | heeds? | whoever | catalogues? | meanwhile | under\ way | in\ force
        | stands?(?!\ for) | lies                                   # is
        | somebody | nobody
        | (?:cut|cuts)\ (?:short|off)                               # truncated, interrupted
        | not\ whole                                                # incomplete
        | there\ already | is\ here\ already                        # already exists
        | take(?:s|n)?\ (?:it|them)\ (?:away|over)                  # remove, import
        | (?:is|are|was|were)\ told                                 # is reported
        | (?:is|are)\ (?:taken|held)\ by                            # is in use by
        | of\ (?:its|their|your)\ own                               # its own
        | the\ registry's\ machine                                  # the machine that runs the registry
        | upper-case | lower-case
        | (?<!you\ )wants?\ (?:a|an|the|to|its|no|HTTPS)
        | look\ (?:whether|why|what)                                # check
        | lets?\ (?:in|through)
        | that\ no\ tag\ reaches                                   # untagged
        | (?:is|are)\ gone\b | has\ lost\b                       # is missing
        | (?:ones|images?|services?)\ (?:do|does)\ not\ serve    # do not work, are not ready
        | (?:goes|going|go)\ back | brings?\ (?:it|them)\ to\ (?:its|their)\ end  # roll back, completes
        | by\ (?:itself|themselves)                              # automatically, on a schedule
        | with\ the\ machine | made\ up                          # at boot, missed
        | whole\ (?:ones?|backups?)                              # complete
        | kept\ out | reaches\ this\ deployment                  # not affected, affected
        | tr(?:y|ies)\ whether                                   # checks that
        | disk\ of\ the\ images | password\ of\ the\ backups     # the disk with the images, backup password
        | (?:have|has)\ (?:its|their)\ digest | lead(?:s)?\ to    # match, refer to
        | cannot\ be\ asked                                     # cannot be queried
        | (?:is|are)\ to\ (?:be|start|stay) | so\ many            # must, a number
        | (?:left|leave)s?\ alone                                  # kept, skipped
        | (?:creation|time)\ (?:is|was)\ not\ known              # is unknown
    )\b
    | \b(?:What|Who)\ there\ is\b                                   # To list …
    | (?:\A|\.\ )Else\b                                             # Otherwise
    """,
    re.VERBOSE | re.IGNORECASE,
)
# The same in comments and docstrings, for fewer words: what no reader outside this project would know.
DIALECT_OF_COMMENTS = re.compile(
    r"""
    \b(?:
        sign(?:s|ed|ing)?[ -](?:in|out)(?!\.j2)                     # log in, login
        | anew | mends? | heeds? | catalogues? | meanwhile | under\ way | at\ work | in\ force
        | lies | clings? | whoever | somebody | not\ whole | cut\ short | for\ good
        | (?:takes?|took|taken|taking)\ (?:(?:it|them)\ )?away      # remove
        | tells?\ of                                                # reports
        | (?:None|nothing|none|empty)\ where                        # if
        | hold(?:s|ing)?\ off | by\ themselves | of\ then\b | comes?\ to\ nothing
        | so\ many                                                # a number, this many
        | upper-case | lower-case
    )\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# The same in the names of tests, which are sentences too.
DIALECT_OF_NAMES = re.compile(
    r"""
    \b(?:
        sign(?:s|ed|ing)?\ (?:in|out)                              # log in, login
        | anew | meanwhile | under\ way | in\ force | at\ work | somebody | catalogue | lies
        | left\ alone | cut\ short | not\ whole | for\ good | goes\ back | kept\ out | to\ the\ last
    )\b
    """,
    re.VERBOSE,
)
NAMED = sorted(str(path.relative_to(ROOT.parent)) for path in (ROOT.parent / "tests").rglob("test_*.py"))
FOLDERS = ("deployer", "tools", "benchmarks", "tests/support")
COMMENTED = sorted(
    str(path.relative_to(ROOT.parent)) for folder in FOLDERS for path in (ROOT.parent / folder).rglob("*.py")
)


def docstrings(source: str) -> set[ast.Constant]:
    """Every docstring's node."""
    nodes = [node for node in nodes_of(source) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    firsts = [node.body[0] for node in nodes if node.body]
    return {first.value for first in firsts if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)}


def is_command(node: ast.AST) -> bool:
    """Whether a function is a command, whose docstring is its help."""
    return (
        isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and [one.arg for one in node.args.args][:1] == ["session"]
    )


def shown(source: str, *, has_commands: bool) -> Iterator[str]:
    """The sentences of a module that users may read: strings, those of f-strings, and the help of commands."""
    parts = {id(part) for node in nodes_of(source) if isinstance(node, ast.JoinedStr) for part in node.values}
    ignored = {id(node) for node in docstrings(source)} | parts
    for node in nodes_of(source):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ignored:
            yield node.value
        elif has_commands and is_command(node):
            assert isinstance(node, ast.FunctionDef)
            yield ast.get_docstring(node) or ""


def dialect(source: str, *, has_commands: bool = False) -> list[str]:
    """Each place of the dialect, with the text around it."""
    texts = [" ".join(text.split()) for text in shown(source, has_commands=has_commands)]
    return [
        text[max(0, found.start() - 40) : found.end() + 40]
        for text in texts
        if " " in text
        for found in DIALECT.finditer(text)
    ]


def remarks(source: str) -> Iterator[str]:
    """The comments and docstrings of a module."""
    yield from (node.value for node in docstrings(source) if isinstance(node.value, str))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize("name", COMMENTED)
def test_comments_are_no_dialect(name: str) -> None:
    texts = [" ".join(text.split()) for text in remarks((ROOT.parent / name).read_text())]
    assert [
        text[max(0, found.start() - 40) : found.end() + 40]
        for text in texts
        for found in DIALECT_OF_COMMENTS.finditer(text)
    ] == []


@pytest.mark.parametrize("name", NAMED)
def test_names_of_tests_are_no_dialect(name: str) -> None:
    names = re.findall(r"^ *def test_(\w+)", (ROOT.parent / name).read_text(), re.MULTILINE)
    assert [one for one in names if DIALECT_OF_NAMES.search(one.replace("_", " "))] == []


def test_the_dialect_of_comments_is_found() -> None:
    source = '"""What is under way."""\n# Signed in.\nWORD = "meanwhile"\n'
    assert [bool(DIALECT_OF_COMMENTS.search(text)) for text in remarks(source)] == [True, True]


@pytest.mark.parametrize("name", SOURCES)
def test_what_users_read_is_no_dialect(name: str) -> None:
    assert dialect((ROOT / name).read_text(), has_commands=name.startswith("cli/commands/")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('say("The port is taken by X.")', 1),
        ('say(f"{name} is there already.")', 1),
        ('say("Two pieces make up a sign-"\n"in.")', 1),
        ('"""A module may say anew."""\nsay("Again.")', 0),
        ('def gc(session):\n    """Frees it anew."""', 1),
        ('def help_of(name):\n    """Frees it anew."""', 0),
        ('KEY = "sign_in"\nWORD = "meanwhile"', 0),
    ],
)
def test_the_dialect_is_found(source: str, found: int) -> None:
    assert len(dialect(source, has_commands=True)) == found
