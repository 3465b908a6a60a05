"""The rooms: imports run downward only, and the edges stay where they belong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "deployer"

# From the top: a room may import from those below it.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"workflows"},
    {"storage", "inventory"},
    {"engine", "registry", "render"},
    {"docker_client"},
    {"client_environment", "engine_errors", "engine_report", "engine_values", "config", "streams"},
    {"host"},
    {"settings", "paths", "account", "engine_words", "registry_words"},
    {"client_words"},
    {"checks", "complaint"},
    {"record", "reference", "printable"},
    {"duration", "errors", "order"},
    {"redaction"},
]
EVERYWHERE = {"__init__"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downward(path: Path) -> None:
    room = room_of(path)
    for name in imports_of(path):
        if not name.startswith("deployer."):
            continue
        other = name.split(".")[1]
        if other in {room, "__version__"} or room in EVERYWHERE:
            continue
        assert floor_of(other) > floor_of(room), f"{path.name} imports {name}"


def test_every_room_has_its_floor() -> None:
    for path in MODULES:
        assert room_of(path) in EVERYWHERE or floor_of(room_of(path)) >= 0


def test_only_the_clients_file_imports_python_on_whales() -> None:
    importers = {path.name for path in MODULES if any(name.startswith("python_on_whales") for name in imports_of(path))}
    assert importers == {"docker_client.py"}


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) not in {"cli", "__main__"}], ids=str)
def test_only_the_edge_prints_or_exits(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "exit", "sys.exit", "os._exit", "typer.echo"}, called


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
