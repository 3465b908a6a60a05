"""Which volumes without a name `up` leaves without a container."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.engine.inventory import Container, Inventory, Volume, Wanted
from deployer.workflows.deployment.anonymous_volumes import left_by_up, with_data
from tests.support.fake_engine import FakeEngine, FakeImages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VOLUME = "0123456789abcdef" * 4
PLACE = "/anonymous"
DATABASE = Container(
    "id", "registry-db-1", "db", "registry", "", "", frozenset({VOLUME}), frozenset(), frozenset(),
    frozenset({(VOLUME, PLACE)}),
)  # fmt: skip
THERE = Inventory("registry", (DATABASE,), (Volume(VOLUME, "", "local", {}, {}),))


class Images(FakeImages):
    """One image that asks for a volume, and one that is not here."""

    def volumes(self, name: str) -> frozenset[str] | None:
        return {"declares": frozenset({PLACE}), "plain": frozenset()}.get(name)


def service(image: str = "plain", **mounts: object) -> Mapping[str, object]:
    return {"name": "registry", "services": {"db": {"image": image, **mounts}}}


def mount(**given: str) -> list[dict[str, str]]:
    return [{"type": "volume", "target": PLACE, **given}]


@pytest.mark.parametrize(
    ("raw", "stays"),
    [
        (service(volumes=mount()), True),
        (service(volumes=mount(source="data")), False),
        (service(volumes=[{"type": "bind", "source": "/srv", "target": PLACE}]), False),
        (service(volumes=[{"type": "tmpfs", "target": PLACE}]), True),
        (service(), False),
        (service("declares"), True),
        (service("declares", volumes=mount(source="data")), False),
        (service("to come"), True),
        ({"name": "registry", "services": {}}, False),
    ],
)
def test_what_compose_gives_to_the_next_container_is_not_warned_of(raw: Mapping[str, object], stays: bool) -> None:
    wanted = Wanted.of({**raw, "volumes": {"data": {"name": "registry_data"}}}, "/var/lib/registry")
    warned = list(left_by_up(FakeEngine(Images()), THERE, wanted, {"db"}))
    assert (warned == []) == stays
    assert all(f"{PLACE} of registry-db-1 is on the anonymous volume {VOLUME}." in text for text in warned)
    assert list(left_by_up(FakeEngine(Images()), THERE, wanted, {"registry"})) == []


def test_one_that_is_seen_to_be_empty_is_not_told(tmp_path: Path) -> None:
    def seen(folder: Path | str) -> int:
        volumes = tuple(replace(volume, folder=str(folder)) for volume in THERE.volumes)
        return len(with_data(replace(THERE, volumes=volumes)))

    assert (seen(tmp_path), seen(tmp_path / "elsewhere"), seen("")) == (0, 1, 1)
    (tmp_path / "data").touch()
    assert seen(tmp_path) == 1


def test_a_project_is_read_with_its_hooks_images_and_places() -> None:
    hook = [{"command": ["sync"]}]
    services = {"db": {"image": "a:1", "pre_stop": hook, "volumes": mount()}, "web": {"image": "b", "post_start": hook}}
    wanted = Wanted.of({"name": "registry", "services": services}, "/var/lib/registry")
    assert wanted.pre_stop == {"db"}
    assert wanted.post_start == {"web"}
    assert wanted.images == {"db": "a:1", "web": "b"}
    assert wanted.places == {("db", PLACE): ""}
