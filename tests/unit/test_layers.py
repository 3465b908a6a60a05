"""The import layers: imports run downward only, without a cycle, and the edges stay where they belong."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "deployer"

# From the top: a module may import from its own part and from the layers below. A part is a folder, by its path,
# or a module that is above the other files of its folder.
LAYERS = (
    {"__main__"},
    {"cli/main"},
    {"cli/commands/access", "cli/commands/schedule"},
    {"cli/schedule"},
    {"cli/commands"},
    {"cli/views/access", "cli/views/backups", "cli/views/integrity", "cli/views/schedule", "cli/views/upgrades"},
    {"cli/views"},
    {"cli"},
    {"workflows/diagnosis", "workflows/page"},
    {"workflows/drill"},
    {"workflows/integrity"},
    {"workflows/restore"},
    {"workflows/backup", "workflows/upgrade"},
    {"workflows/transfer", "workflows/upkeep", "workflows/users"},
    {"workflows/upkeep/survey"},
    {"workflows/images"},
    {"workflows/configuration"},
    {"workflows/removal"},
    {"workflows/deployment", "workflows/trust"},
    {"workflows/autostart", "workflows/checks", "workflows/schedule"},
    {"workflows"},
    {"storage", "registry", "restic"},
    {"rendering", "registry/connection"},
    {"permissions"},
    {"registry/login", "registry/content"},
    {"registry/protocol"},
    {"engine", "tls"},
    {"engine/messages", "settings", "host/daemon"},
    {"settings/values"},
    {"host"},
    {"."},
)
FILES_IN_A_FOLDER = 12
LINES_IN_A_FILE = 400


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"}


def part_of(module: str) -> str:
    return module if {module} in LAYERS else module.rpartition("/")[0] or "."


def layer_of(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def imported(path: Path) -> set[str]:
    """Everything that a file imports, also for types alone and inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def modules_imported(path: Path) -> set[str]:
    found = set()
    for name in imported(path):
        place = name.replace(".", "/").removeprefix("deployer/")
        found |= {place, place.rpartition("/")[0]} & MODULES.keys()
    return found


IMPORTS = {module: modules_imported(path) - {module} for module, path in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module: str) -> None:
    part = part_of(module)
    for other in IMPORTS[module]:
        assert part_of(other) == part or layer_of(part_of(other)) > layer_of(part), f"{module} imports {other}"


def test_no_module_imports_itself_by_a_detour() -> None:
    # Raises CycleError, which names the modules.
    assert len(list(TopologicalSorter(IMPORTS).static_order())) == len(MODULES)


def test_every_part_is_in_a_layer() -> None:
    assert {part_of(module) for module in MODULES} == set().union(*LAYERS)


def test_no_folder_is_larger_than_a_reader_can_hold() -> None:
    sizes = {folder: len(list(folder.glob("*.py"))) for folder in (PACKAGE, *PACKAGE.rglob("*/")) if folder.is_dir()}
    assert {str(folder): size for folder, size in sizes.items() if size > FILES_IN_A_FOLDER + 1} == {}


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > LINES_IN_A_FILE} == {}


def test_only_the_file_for_compose_imports_python_on_whales() -> None:
    importers = {
        module
        for module, path in MODULES.items()
        if any(name.startswith("python_on_whales") for name in imported(path))
    }
    assert importers == {"engine/compose"}


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(("cli/", "__main__"))])
def test_only_the_edge_prints_or_exits(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "exit", "sys.exit", "os._exit", "typer.echo"}, called
