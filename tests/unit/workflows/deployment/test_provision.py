"""Which image a service runs, and how it gets here."""

from __future__ import annotations

import pytest

from deployer.engine.values import LocalImage
from deployer.errors import ConfigurationError, EngineError
from deployer.host import base_image
from deployer.record import PinnedImage, Release
from deployer.rendering.deployment import ServiceImages
from deployer.settings.model import BackupSettings, FrontendSettings, ImagePolicy, Page, RegistrySettings, Settings
from deployer.workflows.deployment import provision
from deployer.workflows.deployment.provision import (
    BUILT_FRONTEND,
    BUILT_REGISTRY,
    Choice,
    Source,
    Wanted,
    backup_image,
    choose,
    choose_all,
)
from tests.support.fake_engine import FakeEngine

DEFAULT = Wanted("registry:3", "registry:3", BUILT_REGISTRY)
OWN = Wanted("mine:1", "registry:3", BUILT_REGISTRY)
PAGE = Wanted("page:2")
JOXIT, KWK = FrontendSettings(page=Page.JOXIT), FrontendSettings(page=Page.KWK)


@pytest.mark.parametrize(
    ("wanted", "mode", "here", "deployed", "rebuild", "name", "source"),
    [
        (DEFAULT, "auto", {"registry:3", BUILT_REGISTRY}, "", False, "registry:3", Source.HERE),
        (DEFAULT, "auto", {BUILT_REGISTRY}, "", False, BUILT_REGISTRY, Source.HERE),
        (DEFAULT, "auto", set(), "", False, "registry:3", Source.PULL_OR_BUILD),
        # What runs continues running, even when the official image has arrived in the meantime.
        (DEFAULT, "auto", {"registry:3", BUILT_REGISTRY}, BUILT_REGISTRY, False, BUILT_REGISTRY, Source.HERE),
        # Anyone who names an image gets that image and no stand-in.
        (OWN, "auto", {BUILT_REGISTRY}, BUILT_REGISTRY, False, "mine:1", Source.PULL),
        (OWN, "auto", {"mine:1"}, "registry:3", False, "mine:1", Source.HERE),
        (DEFAULT, "pull", {BUILT_REGISTRY}, BUILT_REGISTRY, False, "registry:3", Source.PULL),
        (DEFAULT, "pull", {"registry:3"}, "", False, "registry:3", Source.HERE),
        (DEFAULT, "build", {"registry:3"}, "registry:3", False, BUILT_REGISTRY, Source.BUILD),
        (DEFAULT, "build", {BUILT_REGISTRY}, "", False, BUILT_REGISTRY, Source.HERE),
        (DEFAULT, "build", {BUILT_REGISTRY}, "", True, BUILT_REGISTRY, Source.BUILD),
        (DEFAULT, "auto", {"registry:3"}, "registry:3", True, BUILT_REGISTRY, Source.BUILD),
        # What has no stand-in is never built.
        (PAGE, "auto", set(), "", False, "page:2", Source.PULL),
        (PAGE, "build", set(), "", False, "page:2", Source.PULL),
        (PAGE, "build", {"page:2"}, "", True, "page:2", Source.HERE),
        (PAGE, "pull", {"page:2"}, "", False, "page:2", Source.HERE),
    ],
)
def test_the_choice(
    wanted: Wanted, mode: str, here: set[str], deployed: str, rebuild: bool, name: str, source: Source
) -> None:
    choice = choose(wanted, ImagePolicy(mode), here.__contains__, deployed, rebuild=rebuild)
    assert (choice.name, choice.source) == (name, source)


def fetch(engine: FakeEngine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[ServiceImages, list[str]]:
    monkeypatch.setattr(base_image, "make_archive", lambda archive, allow: archive.write_bytes(b""))
    monkeypatch.setattr(provision, "_fetch_caddy", lambda context: (context / "caddy").write_bytes(b""))
    said: list[str] = []
    choices = choose_all(settings, engine.images.has, None)
    return provision.fetch(choices, engine, said.append, lambda question: None), said


def test_what_is_here_is_neither_pulled_nor_built(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(images={"registry:3": "a", "caddy:2": "b"})
    images, said = fetch(engine, Settings(), monkeypatch)
    assert images == ServiceImages("registry:3", "caddy:2")
    assert engine.images.done == []
    assert said == []


def test_what_can_be_pulled_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(pullable={"registry:3", "caddy:2"})
    images, _ = fetch(engine, Settings(), monkeypatch)
    assert images == ServiceImages("registry:3", "caddy:2")
    assert [step[0] for step in engine.images.done] == ["pull", "pull"]


def test_what_cannot_be_pulled_is_built_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(pullable={"caddy:2"})
    images, said = fetch(engine, Settings(), monkeypatch)
    assert images == ServiceImages(BUILT_REGISTRY, "caddy:2")
    assert ("build", "registry.Dockerfile", BUILT_REGISTRY) in engine.images.done
    assert not any(step[0] == "build" and step[2] == BUILT_FRONTEND for step in engine.images.done)
    assert any(
        "registry:3 cannot be pulled (dial tcp: no such host); building it locally instead." in line for line in said
    )


def test_a_named_image_that_cannot_be_pulled_is_an_error_with_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(registry=RegistrySettings(image="mine:1"))
    with pytest.raises(EngineError, match="The image mine:1 cannot be pulled") as caught:
        fetch(FakeEngine(pullable={"caddy:2"}), settings, monkeypatch)
    assert caught.value.original == "dial tcp: no such host"


@pytest.mark.parametrize(
    ("settings", "way_out"),
    [
        (Settings(images=ImagePolicy.PULL), "images: auto"),
        (Settings(backup=BackupSettings(image="mine:1")), "backup.image"),
    ],
)
def test_what_gets_restics_image_here_is_advised_and_no_build_of_the_services(settings: Settings, way_out: str) -> None:
    with pytest.raises(EngineError, match="cannot be pulled") as caught:
        backup_image(settings, FakeEngine(), lambda _: None, lambda _: None)
    assert "--build" not in " ".join(caught.value.advice)
    assert way_out in caught.value.advice[-1]


def test_a_page_that_is_a_service_has_its_image_chosen_and_pulled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = FrontendSettings(page=Page.JOXIT, page_image="mirror.example/ui:2")
    engine = FakeEngine(images={"registry:3": "a", "caddy:2": "b"}, pullable={"mirror.example/ui:2"})
    images, _ = fetch(engine, Settings(frontend=own), monkeypatch)
    assert images == ServiceImages("registry:3", "caddy:2", "mirror.example/ui:2")
    assert engine.images.done == [("pull", "mirror.example/ui:2")]


def test_a_pages_image_that_is_nowhere_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    with pytest.raises(EngineError, match="The page's image joxit/docker-registry-ui:2 cannot be pulled") as caught:
        fetch(engine, Settings(images=ImagePolicy.BUILD, frontend=JOXIT), monkeypatch)
    assert engine.images.done == [("pull", "joxit/docker-registry-ui:2")]
    assert all(way in "\n".join(caught.value.advice) for way in ("docker load", "page_image", "page: builtin"))


@pytest.mark.parametrize(
    ("here", "deployed", "refused"),
    [
        ({BUILT_REGISTRY}, "", False),
        ({"registry:3"}, "", True),
        ({"registry:3", BUILT_REGISTRY}, "", True),
        ({"registry:3", BUILT_REGISTRY}, BUILT_REGISTRY, False),
        # It might be pulled, and then be version 3.
        (set(), "", True),
    ],
)
def test_the_page_kwk_wants_a_registry_that_it_can_read_which_auto_learns_late(
    here: set[str], deployed: str, refused: bool
) -> None:
    settings, today = Settings(frontend=KWK), ServiceImages(deployed, "")
    assert settings.complaint() == ""
    if not refused:
        assert choose_all(settings, here.__contains__, today)[0].name == BUILT_REGISTRY
        return
    with pytest.raises(ConfigurationError, match=r"needs registry 2\.8, but registry:3 is .* images: build") as caught:
        choose_all(settings, here.__contains__, today)
    assert caught.value.exit_code == 2
    assert choose_all(settings, here.__contains__, today, rebuild=True)[0].source is Source.BUILD


PIN = Release((PinnedImage("registry", "registry:3", "old"),))


@pytest.mark.parametrize(
    ("images", "name", "pinned"),
    [
        # Its name still leads to it.
        ({"registry:3": "old", "old": "old"}, "registry:3", ""),
        # Another one has arrived under its name.
        ({"registry:3": "new", "old": "old"}, "deployer-kept:team-registry-old", "old"),
        # It has no name any more.
        ({"registry:3": None, "old": "old"}, "deployer-kept:team-registry-old", "old"),
        # It is gone.
        ({"registry:3": "new", "old": None}, "registry:3", ""),
    ],
)
def test_an_image_stays_what_it_is_whatever_its_name_leads_to(
    images: dict[str, str | None], name: str, pinned: str
) -> None:
    here = {key: LocalImage(value, 1) if value else None for key, value in images.items()}
    found = provision.pinned([Choice("registry:3", Source.HERE, DEFAULT)], "team", PIN, here)
    assert [(one.name, one.pinned) for one in found] == [(name, pinned)]


def test_another_name_in_the_settings_is_another_image() -> None:
    here = {"registry:2": LocalImage("two", 1), "old": LocalImage("old", 1)}
    choice = Choice("registry:2", Source.HERE, Wanted("registry:2"))
    assert provision.pinned([choice], "team", PIN, here) == [choice]


def test_a_pinned_image_gets_a_name_that_nothing_else_moves() -> None:
    engine = FakeEngine(images={"registry:3": "new", "x": "old"})
    provision.fetch_all(
        [Choice("deployer-kept:team-registry-old", Source.HERE, DEFAULT, "old")], engine, lambda _: None, lambda _: None
    )
    assert engine.images.ids["deployer-kept:team-registry-old"] == "old"


@pytest.mark.parametrize(
    ("name", "images", "digest", "said"),
    [
        ("registry:3", {"registry:3": "new", "old": None}, "", "as it is available now"),
        (
            "registry:3",
            {"registry:3": None, "old": None},
            "registry@sha256:d",
            "set registry.image to registry@sha256:d",
        ),
        # The stand-in is gone, and the official one takes its place.
        (BUILT_REGISTRY, {"registry:3": "new", "old": None}, "", "It runs registry:3 as it is available now"),
        ("registry:3", {"registry:3": "new", "old": "old"}, "", ""),
        # Another name in the settings.
        ("registry:2", {"registry:3": "new", "old": None}, "", ""),
    ],
)
def test_that_another_image_runs_because_the_one_that_ran_was_removed_is_said(
    name: str, images: dict[str, str | None], digest: str, said: str
) -> None:
    here = {key: LocalImage(value, 1) if value else None for key, value in images.items()}
    release = Release((PinnedImage("registry", name, "old", digest),))
    wanted = Wanted("registry:3", built=BUILT_REGISTRY)
    found = provision.remarks_of_gone([Choice("registry:3", Source.HERE, wanted)], release, here)
    assert len(found) == bool(said)
    assert all(said in one for one in found)
