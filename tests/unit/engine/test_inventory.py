from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from deployer.engine.inventory import writers_beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from deployer.engine.engine import Engine

TARGET = "/var/lib/registry"


@dataclass
class Answers:
    """The parts of an engine that are asked."""

    containers_found: list[dict[str, Any]]
    volumes_found: dict[str, dict[str, str]]

    @property
    def containers(self) -> Answers:
        return self

    @property
    def volumes(self) -> Volumes:
        return Volumes(self.volumes_found)

    def inspect(self) -> list[dict[str, Any]]:
        return self.containers_found


@dataclass
class Volumes:
    options: dict[str, dict[str, str]]

    def inspect(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"Name": name, "Driver": "local", "Options": self.options.get(name)} for name in names]


def bind(source: object, target: str = TARGET, *, writes: bool = True) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "Destination": target, "RW": writes}


def volume(name: str, target: str = TARGET) -> dict[str, Any]:
    source = f"/var/lib/docker/volumes/{name}/_data"
    return {"Type": "volume", "Name": name, "Source": source, "Destination": target, "RW": True}


def beside(
    mine: dict[str, Any], theirs: dict[str, Any], options: dict[str, dict[str, str]] | None = None, **state: bool
) -> tuple[str, ...]:
    def raw(identity: str, mount: dict[str, Any], *, running: bool = True, helper: bool = False) -> dict[str, Any]:
        labels = {"deployer.upkeep": "/x"} if helper else None
        return {
            "Id": identity, "Name": f"/{identity}", "State": {"Running": running}, "Config": {"Labels": labels},
            "Mounts": [mount],
        }  # fmt: skip

    answers = Answers([raw("registry", mine), raw("other", theirs, **state)], options or {})
    return writers_beside(cast("Engine", answers), "registry", TARGET)


def test_the_same_folder_is_found_by_every_path(tmp_path: Path) -> None:
    images, link = tmp_path / "images", tmp_path / "link"
    images.mkdir()
    link.symlink_to(images)
    for mine, theirs in ((images, images), (images, link), (link, images), (images, images / "docker")):
        assert beside(bind(mine), bind(theirs, "/data")) == ("other",), (mine, theirs)
    for theirs in (tmp_path, tmp_path / "images2", tmp_path / "else"):
        assert beside(bind(images), bind(theirs)) == (), theirs
    assert beside(bind(images), bind(images, writes=False)) == ()
    assert beside(bind(images), bind(images), running=False) == ()
    assert beside(bind(images), bind(images), helper=True) == ()


@pytest.mark.parametrize("device", ["images", "link"])
def test_a_volume_that_is_another_place_is_that_place(tmp_path: Path, device: str) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "link").symlink_to(images)
    options = {"mine": {"type": "none", "o": "bind", "device": str(tmp_path / device)}}
    assert beside(volume("mine"), bind(images), options) == ("other",)
    assert beside(bind(images), volume("mine"), options) == ("other",)
    assert beside(volume("mine"), volume("theirs"), {**options, "theirs": options["mine"]}) == ("other",)
    assert beside(volume("mine"), volume("theirs"), options) == ()
    assert beside(volume("mine"), volume("mine")) == ("other",)


def test_two_volumes_on_one_export_of_a_server_are_one_place() -> None:
    export = {"type": "nfs", "o": "addr=10.0.0.1", "device": ":/images"}
    assert beside(volume("mine"), volume("theirs"), {"mine": export, "theirs": export}) == ("other",)
