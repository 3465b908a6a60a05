"""What the program advises can be typed: each command that a sentence names exists, with the options it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deployer.errors import DeployerError
from deployer.workflows.finding import Finding
from tests.support.command_line import known, options_of
from tests.support.sources import nodes_of

PACKAGE = Path(__file__).parents[3] / "deployer"
MODULES = sorted(PACKAGE.rglob("*.py"))
# A command begins an advice, is in backquotes, or follows a colon; it ends before a pipe, or a remark behind
# three spaces.
COMMAND = re.compile(r"(?:^|`|: |\n)deployer ([^`\n]*?)(?=`|\n|   | \||$)")
# The name in the certificate of a registry's CA.
NO_COMMAND = {"registry X", "registry"}


def texts(module: Path) -> list[str]:
    """The strings of a module; what is filled in while it runs is an X."""
    found = []
    inside = set()
    for node in nodes_of(module.read_text()):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node)} - {id(node)}
            parts = [str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values]
            found.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found.append(node.value)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_command_that_a_text_names_exists(module: Path) -> None:
    for text in texts(module):
        for said in COMMAND.findall(text):
            # Options that every command has may stand before it, each with its value.
            words = re.sub(r"^(--(?:config|name|host|port) \S+ )+", "", said).split()
            if said in NO_COMMAND or not words or not re.fullmatch("[a-z-]+", words[0]):
                continue
            command = known(words)
            assert command is not None, text
            named = {word.partition("=")[0].rstrip(".,;)") for word in words if re.match(r"--?[a-z]", word)}
            assert named <= options_of(command) | {"--help"}, text


# A program that takes paths, up to the place where one is filled in.
SHELL = re.compile(r"(?:^|[`:&(]\s?|\bsudo )(?:rm|cp|mv|chmod|chown|du|ls|mkdir)\b[^`(]*$")


def quoted_names(source: str) -> set[str]:
    """The variables that are given something quoted."""
    found: set[str] = set()
    for node in nodes_of(source):
        # What is put together of quoted ones is quoted too.
        if isinstance(node, ast.Assign) and any(one in ast.unparse(node.value) for one in ("quote(", *found)):
            found |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_path_in_a_command_is_quoted(module: Path) -> None:
    """Pasted, an `rm` of a path with a space removes other files."""
    source = module.read_text()
    for node in nodes_of(source):
        said = ""
        for part in node.values if isinstance(node, ast.JoinedStr) else ():
            if isinstance(part, ast.Constant):
                said += str(part.value)
            elif isinstance(part, ast.FormattedValue):
                value = ast.unparse(part.value) if SHELL.search(said) else "layout."
                if not value.startswith("layout."):
                    assert "quote(" in value or value in quoted_names(source), f"{said}{{{value}}}"
                said += "X"


def everything_below(kind: type[DeployerError]) -> list[type[DeployerError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in everything_below(child))]


@pytest.mark.parametrize("kind", everything_below(DeployerError), ids=lambda kind: kind.__name__)
def test_doctor_never_advises_doctor_whatever_error_it_meets(kind: type[DeployerError]) -> None:
    error = kind.__new__(kind)
    error.message, error.original = "It failed.", ""
    error.advice = ("deployer doctor", "deployer doctor --host x   (on this one)", "deployer up")
    assert Finding.of(error).advice == ("deployer up",)


def test_no_finding_of_doctors_own_advises_doctor() -> None:
    for module in MODULES:
        if module.stem.endswith("_findings") or module.stem in {"doctor", "examined"}:
            assert not [text for text in texts(module) if "deployer doctor" in text], module
