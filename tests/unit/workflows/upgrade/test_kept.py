"""What a deployment goes back to, wherever an upgrade was killed; and folders of other versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deployer.errors import EngineError, HostError
from deployer.host.lock import exclusive
from deployer.paths import Deployment
from deployer.record import STATE_FORMAT, PinnedImage, Release, format_of
from deployer.rendering.templates import File
from deployer.workflows.upgrade import kept
from deployer.workflows.upgrade.kept import Kept
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

OLD = Release((PinnedImage("registry", "registry:3", "sha256:" + "a" * 64),))
NEW = Release((PinnedImage("registry", "registry:3", "sha256:" + "b" * 64),))
FILES = (
    File("compose.yaml", b"services: {}\n"),
    File("frontend/access/users", b"ada hash\n", 0o600),
    File("frontend/tls/key.pem", b"key\n", 0o600),
    File("registry/config.yaml", b"secret\n", 0o600),
)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A deployment at the old release, with an upgrade under way."""
    made = Deployment("registry", tmp_path / "registry")
    made.directory.mkdir()
    made.release_file.write_bytes(OLD.content)
    kept.write(made.undo_folder, Kept(OLD, FILES))
    made.upgrade_pending_file.touch()
    return made


def test_what_is_kept_is_read_again_with_its_modes_and_no_one_else_reads_it(deployment: Deployment) -> None:
    assert kept.read(deployment.undo_folder) == Kept(OLD, FILES)
    assert deployment.undo_folder.stat().st_mode & 0o777 == 0o700


def test_an_incomplete_folder_counts_as_missing(deployment: Deployment) -> None:
    (deployment.undo_folder / "release.json").unlink()
    assert kept.read(deployment.undo_folder) is None


def test_killed_before_its_end_it_rolls_back_but_not_to_users_who_were_removed_since(deployment: Deployment) -> None:
    assert kept.unfinished(deployment) == Kept(OLD, (FILES[0], FILES[3]))
    assert "deployer upgrade --rollback" in kept.interrupted(deployment)


def test_killed_after_its_end_it_is_finished(deployment: Deployment) -> None:
    deployment.release_file.write_bytes(NEW.content)
    assert kept.unfinished(deployment) is None
    assert kept.interrupted(deployment) == ""
    assert not deployment.undo_folder.exists()
    previous = kept.read(deployment.previous_folder)
    # Users and keys of then would come back with a later rollback.
    assert previous == Kept(OLD, tuple(file for file in FILES if not file.path.startswith("frontend/")))


def test_while_it_runs_nothing_is_said(deployment: Deployment) -> None:
    with exclusive(deployment.lock_file, "upgrade"):
        assert kept.interrupted(deployment) == ""


def test_without_an_upgrade_nothing_is_said(deployment: Deployment) -> None:
    kept.abandon(deployment)
    assert kept.interrupted(deployment) == ""
    assert kept.read(deployment.undo_folder) is None


def test_users_and_certificates_do_not_make_files_others() -> None:
    changed = (*FILES[:1], File("frontend/access/users", b""), *FILES[3:])
    assert kept.digest_of(FILES) == kept.digest_of(changed)
    assert kept.digest_of(FILES) != kept.digest_of(FILES[:-1])


def test_only_images_that_are_kept_keep_their_names(deployment: Deployment) -> None:
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.stack import Stack

    mine = {one.kept_as("registry"): one.id for release in (OLD, NEW) for one in release.images}
    others = {OLD.images[0].kept_as("registry-registry"): OLD.images[0].id, "registry:3": NEW.images[0].id}
    engine = FakeEngine(images={**mine, **others})
    kept.forget_images(Stack(Settings(), deployment, engine))
    assert set(engine.images.names()) == {OLD.images[0].kept_as("registry"), *others}


def test_a_name_that_a_container_still_uses_stays_until_the_next_upgrade(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.stack import Stack

    def refuse(name: str) -> None:
        raise EngineError("conflict: a container is using it", (), name)

    engine = FakeEngine(images={NEW.images[0].kept_as("registry"): NEW.images[0].id})
    monkeypatch.setattr(engine.images, "untag", refuse)
    kept.forget_images(Stack(Settings(), deployment, engine))
    assert NEW.images[0].kept_as("registry") in engine.images.names()


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, 0), ("{}", 0), ("[", 0), (OLD.content.decode(), STATE_FORMAT), ('{"format": 7, "things": []}', 7)],
)
def test_the_format_of_a_folder(tmp_path: Path, content: str | None, found: int) -> None:
    file = tmp_path / "release.json"
    if content is not None:
        file.write_text(content)
    assert format_of(file) == found


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    from deployer.cli.recovery import refuse_newer

    deployment = Deployment("registry", tmp_path)
    deployment.release_file.write_text(json.dumps({"format": STATE_FORMAT}))
    refuse_newer(deployment)
    deployment.release_file.write_text(json.dumps({"format": STATE_FORMAT + 1}))
    with pytest.raises(HostError, match=r"written by a newer version of deployer"):
        refuse_newer(deployment)
