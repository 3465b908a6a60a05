"""Measure deployer against plain Docker, Compose, crane, nginx and restic, and its page in Chromium; print a table."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.durability.backup import first_backup_figures, next_backup_figures
from benchmarks.durability.check import check_figure
from benchmarks.durability.memory import memory_figures
from benchmarks.durability.upgrade import upgrade_figures
from benchmarks.measure import Command, Figure, in_turn, table
from benchmarks.page import page_figures
from benchmarks.signed_in import layers_figure, sign_in_figures, transfer_figures
from benchmarks.upkeep import gc_figures, prune_figure
from tests.support.archive import archive
from tests.support.run import free_port
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORIES = 10_000


def help_figure(folder: Path) -> Figure:
    """The start of the program: `deployer --help` against importing Typer."""
    plain = DeployedStack(folder, "none", 1)
    ours, peer = in_turn(
        Command(plain.command("--help"), plain.environment),
        Command([sys.executable, "-c", "import typer"], plain.environment),
        runs=15,
    )
    return Figure("`deployer --help`", ours, peer, "`import typer`", "≤ 1.5", ours / peer <= 1.5)


def up_figures(folder: Path) -> list[Figure]:
    """`deployer up` against Compose on the same files: from nothing running, and with nothing to do."""
    stack = DeployedStack(folder / "up", f"deployer-bench-{os.getpid()}", free_port())
    stack.up()
    try:
        compose = ["docker", "compose", "--project-directory", str(stack.directory)]
        files = [
            "--file",
            str(stack.directory / "compose.yaml"),
            "--file",
            str(stack.directory / "compose.override.yaml"),
        ]
        ours = Command(stack.command("up"), stack.environment, stack.folder)
        peer = Command([*compose, *files, "up", "-d", "--wait"])

        def stopped() -> None:
            Command([*compose, *files, "down"]).run()

        fresh = in_turn(ours, peer, runs=5, before=stopped)
        again = in_turn(ours, peer, runs=9)
    finally:
        stack.remove()
    name = "`docker compose up -d --wait`"
    return [
        Figure("`deployer up`, from nothing", *fresh, name, "≤ 1.15", fresh[0] / fresh[1] <= 1.15),
        Figure("`deployer up`, nothing to do", *again, name, "≤ 1.15", again[0] / again[1] <= 1.15),
    ]


def push_figure(folder: Path) -> Figure:
    """`deployer push` against `docker tag` and `docker push`, of a new 20 MB image each time."""
    stack = DeployedStack(folder / "push", f"deployer-bench-push-{os.getpid()}", free_port())
    stack.up()
    name, target = "deployer-bench-image:1", f"{stack.address}/deployer-bench-image:1"

    def new_image() -> None:
        docker("image", "rm", target, check=False)
        docker("import", "-", name, stdin=archive(20_000_000))

    try:
        ours, peer = in_turn(
            Command(stack.command("push", name), stack.environment, stack.folder),
            Command(["sh", "-c", f"docker tag {name} {target} && docker push {target}"]),
            runs=7,
            before=new_image,
        )
    finally:
        docker("image", "rm", target, name, check=False)
        stack.remove()
    return Figure("`deployer push`, 20 MB", ours, peer, "`docker tag` + `push`", "≤ 0.3 s more", ours - peer <= 0.3)


def catalog_figure(folder: Path) -> Figure:
    """`deployer catalog` against `crane catalog`, at 10,000 repositories."""
    crane = peers.crane()
    stack = DeployedStack(
        folder / "catalog", f"deployer-bench-catalog-{os.getpid()}", free_port(), {"DEPLOYER_REGISTRY_DATA": "./images"}
    )
    root = stack.folder / "images" / "docker" / "registry" / "v2" / "repositories"
    for number in range(REPOSITORIES):
        for part in ("_layers", "_manifests"):
            (root / f"team{number % 100:02}" / f"app{number:05}" / part).mkdir(parents=True)
    stack.up()
    try:
        ours, peer = in_turn(
            Command(stack.command("catalog"), stack.environment, stack.folder),
            Command([crane, "catalog", "--insecure", stack.address]),
            runs=5,
        )
    finally:
        stack.remove()
    return Figure(
        f"`deployer catalog`, {REPOSITORIES:,} repositories", ours, peer, "`crane catalog`", "≤ 0.8", ours / peer <= 0.8
    )


BENCHMARKS: dict[str, Callable[[Path], Figure | list[Figure]]] = {
    "help": help_figure,
    "up": up_figures,
    "push": push_figure,
    "catalog": catalog_figure,
    "gc": gc_figures,
    "prune": prune_figure,
    "backup": first_backup_figures,
    "backup-again": next_backup_figures,
    "check": check_figure,
    "memory": memory_figures,
    "upgrade": upgrade_figures,
    "sign-in": sign_in_figures,
    "transfer": transfer_figures,
    "layers": layers_figure,
    "page": page_figures,
}


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 where a target was missed."""
    # What was started goes, also where something else ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Where it is set, deployer would be compiled again in each run, which no installed program is.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    figures: list[Figure] = []
    for name, benchmark in BENCHMARKS.items():
        if wanted and name not in wanted:
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="deployer-bench-") as folder:
            found = benchmark(Path(folder))
        figures += found if isinstance(found, list) else [found]
    print(table(figures))
    return 0 if all(figure.reached for figure in figures) else 1


sys.exit(main(sys.argv[1:]))
