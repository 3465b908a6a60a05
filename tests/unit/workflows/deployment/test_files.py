"""The deployment's folder: what is written, what is kept, what is shown."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.paths import Deployment
from deployer.record import Owned
from deployer.rendering.deployment import RenderInputs, ServiceImages, render_deployment
from deployer.rendering.templates import File
from deployer.settings.model import RegistrySettings, Settings
from deployer.workflows.deployment import files

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = ServiceImages("registry:3", "caddy:2")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry", tmp_path / "registry")


def test_writing_twice_changes_nothing_the_second_time(deployment: Deployment) -> None:
    rendered = render_deployment(Settings(), IMAGES, RenderInputs(files.new_secret()))
    assert {change.path for change in files.changes(deployment, rendered)} == {file.path for file in rendered}
    files.write(deployment, rendered)
    assert files.changes(deployment, rendered) == ()


def test_a_service_is_outdated_by_another_content_and_by_a_later_writing(deployment: Deployment) -> None:
    file = File("registry/config.yaml", b"right")
    started = datetime(2026, 1, 1, tzinfo=UTC)
    path = deployment.directory / file.path
    assert files.outdates(deployment, file, started)
    for content, seconds, outdated in ((b"right", -1, False), (b"right", 1, True), (b"wrong", -1, True)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written = (started + timedelta(seconds=seconds)).timestamp()
        os.utime(path, (written, written))
        assert files.outdates(deployment, file, started) is outdated


def test_the_override_file_is_created_once_and_never_rewritten(deployment: Deployment) -> None:
    rendered = render_deployment(Settings(), IMAGES, RenderInputs(files.new_secret()))
    files.write(deployment, rendered)
    deployment.override_file.write_text("services: {registry: {mem_limit: 1g}}\n")
    files.write(deployment, rendered)
    assert deployment.override_file.read_text() == "services: {registry: {mem_limit: 1g}}\n"


def test_a_file_of_an_earlier_page_goes(deployment: Deployment) -> None:
    old = deployment.directory / "frontend" / "page" / "assets" / "old.js"
    old.parent.mkdir(parents=True)
    old.write_text("gone")
    # Before anything was remembered, an `up` wrote all that is there.
    deployment.compose_file.write_text("# Written by deployer; more\n")
    wanted = (File("frontend/page/index.html", b"new"),)
    assert {(change.path, change.after) for change in files.changes(deployment, wanted)} == {
        ("frontend/page/index.html", b"new"),
        ("frontend/page/assets/old.js", None),
    }
    files.write(deployment, wanted)
    assert not old.exists()


def test_a_file_that_deployer_did_not_write_stays(deployment: Deployment) -> None:
    mine, old = (deployment.directory / "frontend" / "page" / name for name in ("mine.html", "old.js"))
    mine.parent.mkdir(parents=True)
    mine.touch()
    old.touch()
    wanted = (File("frontend/page/index.html", b"new"),)
    assert [change.path for change in files.changes(deployment, wanted)] == ["frontend/page/index.html"]
    deployment.owned_file.write_bytes(Owned(files=frozenset({"frontend/page/old.js"})).content)
    files.write(deployment, wanted)
    assert mine.exists()
    assert not old.exists()


def test_a_mode_that_was_loosened_is_restored(deployment: Deployment) -> None:
    secret = files.new_secret()
    rendered = render_deployment(Settings(), IMAGES, RenderInputs(secret))
    files.write(deployment, rendered)
    config = deployment.directory / "registry" / "config.yaml"
    config.chmod(0o644)
    files.write(deployment, rendered)
    assert config.stat().st_mode & 0o777 == 0o600


def test_the_secret_is_kept_and_read_by_nobody_else(deployment: Deployment) -> None:
    assert files.secret_of(deployment) is None
    secret = files.new_secret()
    files.keep_secret(deployment, secret)
    assert files.secret_of(deployment) == secret
    assert deployment.secrets_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["", "{}", "[]", "not json", '{"http"'])
def test_a_damaged_secrets_file_is_said_to_be_one(deployment: Deployment, damage: str) -> None:
    deployment.directory.mkdir()
    deployment.secrets_file.write_text(damage)
    with pytest.raises(HostError, match="is damaged"):
        files.secret_of(deployment)


def test_a_difference_shows_no_secret(deployment: Deployment) -> None:
    old, new = files.new_secret(), files.new_secret()
    files.write(deployment, render_deployment(Settings(), IMAGES, RenderInputs(old)))
    changed = files.changes(deployment, render_deployment(Settings(), IMAGES, RenderInputs(new)))
    shown = "".join(files.diff(change, (new,)) for change in changed)
    assert old not in shown
    assert new not in shown


def test_where_images_lie_is_read_from_the_deployed_file(deployment: Deployment) -> None:
    assert files.deployed_storage(deployment) is None
    files.write(deployment, render_deployment(Settings(), IMAGES, RenderInputs("0")))
    assert files.deployed_storage(deployment) == "data"
    elsewhere = Settings(registry=RegistrySettings(data="/srv/$images"))
    files.write(deployment, render_deployment(elsewhere, IMAGES, RenderInputs("0")))
    assert files.deployed_storage(deployment) == "/srv/$images"
    deployment.compose_file.write_text("services: [")
    assert files.deployed_storage(deployment) is None
