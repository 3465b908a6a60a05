"""What an upgrade finds in its way before it gets an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import PreflightError
from deployer.paths import Deployment
from deployer.record import Release
from deployer.settings.model import Settings
from deployer.workflows.deployment import up
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upgrade import newer, switch, upgrade
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path


def test_what_up_would_ask_is_found_before_an_image_is_pulled_or_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    stack = Stack(Settings(), Deployment("registry", tmp_path), engine)

    def refuse(*_: object) -> switch.Change:
        raise PreflightError("`up` has to ask a question first; nothing was changed.")

    monkeypatch.setattr(switch, "to_images", refuse)
    monkeypatch.setattr(upgrade, "_running", lambda _: Release())
    monkeypatch.setattr(up, "keep_release", lambda *_, **__: None)
    policy = switch.SwitchPolicy(lambda _: None, 1, quiet=True)
    with pytest.raises(PreflightError):
        upgrade.upgrade(stack, newer.Source(engine, lambda _: None, lambda _: None), policy)
    assert engine.images.done == []
