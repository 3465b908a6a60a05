"""Whose a deployment is: of which user's files, and of which engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import AnotherDeployment
from deployer.paths import Deployment
from deployer.record import Owned
from deployer.workflows.checks import identity
from tests.support.fake_engine import FACTS, service_container

if TYPE_CHECKING:
    from pathlib import Path

HERE = replace(FACTS, id="here")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment("registry", tmp_path / "deployer" / "registry")
    made.directory.mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("owned", "told"),
    [
        (Owned(engine_id="there", engine_endpoint="unix:///run/user/1000/docker.sock"), "at unix:///run/user/1000"),
        (
            Owned(engine_id="there", engine_endpoint=FACTS.endpoint),
            f"the data directory of the engine at {FACTS.endpoint} has been replaced since",
        ),
        (Owned(engine_id="here", engine_endpoint="unix:///moved.sock"), ""),
        (Owned(), ""),
        (None, ""),
    ],
    ids=["elsewhere", "new data directory", "same", "older record", "no record"],
)
def test_the_engine_that_runs_it_is_known_by_its_id(deployment: Deployment, owned: Owned | None, told: str) -> None:
    if owned is not None:
        deployment.owned_file.write_bytes(owned.content)
        assert Owned.read(deployment.owned_file) == owned
    if told:
        with pytest.raises(AnotherDeployment, match=f"'registry' was started on another Docker engine.*{told}"):
            identity.check(deployment, HERE, ())
    else:
        identity.check(deployment, HERE, ())
    # An engine may have got a new ID, and have the containers.
    own = replace(service_container("registry", "running"), directory=str(deployment.directory))
    identity.check(deployment, HERE, (own,))
    identity.check(deployment, FACTS, ())


@pytest.mark.parametrize(
    ("folder", "is_ours"), [("data/deployer/registry", True), ("srv/registry", False)], ids=["deployer's", "another's"]
)
def test_the_files_of_another_user_are_named_with_their_owner(
    deployment: Deployment, tmp_path: Path, folder: str, is_ours: bool
) -> None:
    theirs = tmp_path / folder
    theirs.mkdir(parents=True)
    container = replace(service_container("registry", "running"), directory=str(theirs))
    with pytest.raises(AnotherDeployment, match=f"already exists, created from {theirs}") as caught:
        identity.check_conflict(deployment, (container,))
    assert (f"as the user {theirs.owner()}" in caught.value.advice[0]) == is_ours


def test_the_same_folder_by_another_path_is_named_as_that(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    container = replace(service_container("registry", "running"), directory=str(tmp_path / "link/deployer/registry"))
    with pytest.raises(AnotherDeployment, match="which is the same directory as") as caught:
        identity.check_conflict(deployment, (container,))
    assert caught.value.advice == (f"export XDG_DATA_HOME={tmp_path}/link   (then run the command again)",)
