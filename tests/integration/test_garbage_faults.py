"""Upkeep where something about this machine, the registry or the moment is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack


def test_a_warning_of_the_docker_client_is_no_failure(stack: DeployedStack, tmp_path: Path) -> None:
    """The client complains of such a file on standard error, and then does what it is told."""
    (tmp_path / "config.json").write_text("{broken")
    done = stack.deployer("gc", "--dry-run", environment={"DOCKER_CONFIG": str(tmp_path)})
    assert done.returncode == 0, done.stderr
