"""What `upgrade --check` calls available is what `upgrade` would get."""

from __future__ import annotations

from deployer.record import PinnedImage
from deployer.rendering import snippets
from deployer.workflows.deployment.provision import BUILT_FRONTEND
from deployer.workflows.upgrade import versions
from deployer.workflows.upgrade.newer import Sought
from deployer.workflows.upgrade.versions import Available, Running
from tests.support.fake_engine import FakeEngine


def test_where_images_are_only_built_no_registry_is_asked_and_no_loaded_image_counts() -> None:
    found = Running(PinnedImage("frontend", BUILT_FRONTEND, "old"), snippets.CADDY_VERSION)
    engine = FakeEngine(images={"caddy:2": "loaded", BUILT_FRONTEND: "old"})
    there = versions.available(engine, found, Sought("", BUILT_FRONTEND), {})
    assert there == Available(BUILT_FRONTEND, snippets.CADDY_VERSION, is_newer=False)
