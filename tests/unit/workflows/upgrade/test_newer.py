"""Where newer images come from: a registry, this machine, or a build, which is not newer with the same packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import UpgradeFailed
from deployer.host import base_image
from deployer.layout import Service
from deployer.record import PinnedImage, Release
from deployer.settings.model import FrontendSettings, ImagePolicy, Page, RegistrySettings, Settings
from deployer.workflows.deployment import provision
from deployer.workflows.deployment.provision import BUILT_FRONTEND, BUILT_REGISTRY
from deployer.workflows.upgrade import newer
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN = Settings(registry=RegistrySettings("mine:1"), frontend=FrontendSettings("front:1"))
RUNNING = Release((PinnedImage("registry", "mine:1", "old"), PinnedImage("frontend", "front:1", "front")))
BUILT = Release((PinnedImage("registry", BUILT_REGISTRY, "old"), PinnedImage("frontend", BUILT_FRONTEND, "front")))


class Programs(FakeContainers):
    """What the programs in an image print: its packages, which a test gives by the image's ID."""

    packages: Mapping[str, str]

    def run(self, image: str, *command: str, network: str = "none") -> str:
        return self.packages.get(image, "1.0")


def fetched(
    settings: Settings, running: Release, images: Mapping[str, str], *, pullable: Iterable[str] = (),
    packages: Mapping[str, str] | None = None,
) -> tuple[dict[str, tuple[str, str]], FakeEngine]:  # fmt: skip
    """The name and ID of each service's image, and the engine as it is then."""
    containers = Programs()
    containers.packages = packages or {}
    engine = FakeEngine(images=images, pullable=pullable, containers=containers)
    found = newer.fetch(settings, running, newer.Source(engine, lambda _: None, lambda _: None))
    return {one.service: (one.name, one.id) for one in found.images}, engine


def test_what_a_registry_has_is_pulled_by_the_same_name() -> None:
    found, _ = fetched(OWN, RUNNING, {"mine:1": "old", "front:1": "front"}, pullable={"mine:1", "front:1"})
    assert found == {"registry": ("mine:1", "id of mine:1"), "frontend": ("front:1", "id of front:1")}


def test_what_was_loaded_here_is_newer_where_nothing_can_be_pulled() -> None:
    found, engine = fetched(OWN, RUNNING, {"mine:1": "loaded", "front:1": "front"})
    assert found == {"registry": ("mine:1", "loaded"), "frontend": ("front:1", "front")}
    assert not any(step[0] == "build" for step in engine.images.done)


def test_without_any_image_it_is_an_error() -> None:
    with pytest.raises(UpgradeFailed, match="mine:1 cannot be pulled, and this machine has no newer one"):
        fetched(OWN, RUNNING, {"mine:1": "old", "front:1": "front"})


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_image, "make_archive", lambda archive, allow: archive.write_bytes(b""))
    monkeypatch.setattr(provision, "_fetch_caddy", lambda context: (context / "caddy").write_bytes(b""))


@pytest.mark.usefixtures("building")
@pytest.mark.parametrize("policy", [ImagePolicy.AUTO, ImagePolicy.BUILD])
def test_what_cannot_be_pulled_is_built(policy: ImagePolicy) -> None:
    images = {BUILT_REGISTRY: "old", BUILT_FRONTEND: "front"}
    found, _ = fetched(Settings(images=policy), BUILT, images, packages={"old": "0.9"})
    assert found == {
        "registry": (BUILT_REGISTRY, f"id of {BUILT_REGISTRY}"),
        # The same packages, in another image: not newer, and its name leads to the one that runs again.
        "frontend": (BUILT_FRONTEND, "front"),
    }


@pytest.mark.usefixtures("building")
def test_an_official_image_takes_the_place_of_a_built_one_once_it_can_be_pulled() -> None:
    found, _ = fetched(Settings(), BUILT, {BUILT_REGISTRY: "old", BUILT_FRONTEND: "front"}, pullable={"registry:3"})
    assert found["registry"] == ("registry:3", "id of registry:3")


@pytest.mark.usefixtures("building")
def test_a_named_image_is_never_built() -> None:
    settings = Settings(registry=RegistrySettings("mine:1"), images=ImagePolicy.PULL)
    with pytest.raises(UpgradeFailed):
        fetched(settings, RUNNING, {"mine:1": "old", "caddy:2": "front"})


def test_the_digest_is_that_of_the_name_and_not_of_another_registry() -> None:
    images = newer.fetch(
        OWN, RUNNING, newer.Source(FakeEngine(pullable={"mine:1", "front:1"}), lambda _: None, lambda _: None)
    ).images
    assert [one.digest for one in images] == ["mine@sha256:id of mine:1", ""]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (Settings(), newer.Sought("registry:3", BUILT_REGISTRY)),
        (Settings(images=ImagePolicy.PULL), newer.Sought("registry:3", "")),
        (Settings(images=ImagePolicy.BUILD), newer.Sought("", BUILT_REGISTRY)),
        (OWN, newer.Sought("mine:1", "")),
        # It cannot read what version 3 answers.
        (Settings(frontend=FrontendSettings(page=Page.KWK)), newer.Sought("", BUILT_REGISTRY)),
    ],
)
def test_what_is_looked_for_is_what_the_settings_allow(settings: Settings, found: newer.Sought) -> None:
    assert newer.sought(settings)[Service.REGISTRY] == found


@pytest.mark.parametrize(
    "name", ["docker.io/library/caddy:2", "docker.io/caddy", "library/caddy:2", "index.docker.io/library/caddy:2"]
)
def test_the_digest_of_an_image_of_docker_hub_is_known_by_each_of_its_names(name: str) -> None:
    digests = ("mirror.example/caddy@sha256:a", "caddy@sha256:b")
    assert PinnedImage("frontend", name, "id").with_digest(digests).digest == "caddy@sha256:b"
    assert PinnedImage("frontend", "docker.io/team/caddy", "id").with_digest(digests).digest == ""


@pytest.mark.usefixtures("building")
def test_an_image_of_the_users_own_is_not_taken_for_the_built_one_that_has_the_same_packages() -> None:
    found, engine = fetched(Settings(images=ImagePolicy.BUILD), RUNNING, {"mine:1": "old", "front:1": "front"})
    assert found["registry"] == (BUILT_REGISTRY, f"id of {BUILT_REGISTRY}")
    assert engine.images.ids[BUILT_REGISTRY] == f"id of {BUILT_REGISTRY}"
