"""Names of deployments that there are, and of those that there are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import NotFound
from deployer.paths import Deployment
from deployer.record import Record
from deployer.settings.model import Settings
from deployer.workflows.configuration import deployments
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("there", "name", "advice"),
    [
        (["team", "other"], "taem", "Did you mean --name team?"),
        (["other"], "team", "Existing deployments: other."),
        ([], "team", "deployer up --name team"),
    ],
)
def test_an_unknown_name_is_told_with_what_there_is(tmp_path: Path, there: list[str], name: str, advice: str) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    for known in there:
        file = Deployment.of(known, environment).compose_file
        file.parent.mkdir(parents=True)
        file.touch()
        deployments.require(Deployment.of(known, environment), environment)
    (tmp_path / "deployer" / "left-over").mkdir(parents=True)
    with pytest.raises(NotFound, match=f"No deployment named '{name}' on this machine") as caught:
        deployments.require(Deployment.of(name, environment), environment)
    assert caught.value.advice[0] == advice


def test_an_address_of_another_deployment_is_told_by_its_name(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    other = Deployment.of("team", environment)
    other.directory.mkdir(parents=True)
    other.compose_file.touch()
    other.record_file.write_bytes(Record("registry.example", 5000).content)
    mine = Deployment.of("registry", environment)
    with pytest.raises(NotFound, match=r"registry\.example:5000 belongs to 'team'") as caught:
        deployments.refuse_other(mine, Settings(host="registry.example"), environment)
    assert caught.value.advice[0] == "To use that one: --name team"
    deployments.refuse_other(mine, Settings(host="elsewhere.example"), environment)
    deployments.refuse_other(other, Settings(name="team", host="registry.example"), environment)


def test_a_deployment_that_has_only_users_is_known_and_not_started(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    begun = Deployment.of("team", environment)
    begun.directory.mkdir(parents=True)
    begun.users_file.touch()
    deployments.require(begun, environment, FakeEngine())
    deployments.require_address(begun, Settings(name="team", port=5077), environment, FakeEngine())
    # For a command that speaks to the registry only there is none yet.
    with pytest.raises(NotFound, match="The deployment 'team' has not been started yet") as caught:
        deployments.require(begun, environment)
    assert caught.value.advice == ("deployer up --name team",)


def deployed(environment: dict[str, str], name: str, host: str) -> Deployment:
    made = Deployment.of(name, environment)
    made.directory.mkdir(parents=True)
    made.compose_file.touch()
    made.record_file.write_bytes(Record(host, 5000).content)
    return made


def test_an_address_elsewhere_is_not_taken_for_the_deployment_of_this_machine(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    here = Settings(host="registry.example")
    mine = deployed(environment, "registry", "localhost")
    with pytest.raises(
        NotFound, match=r"'registry' on this machine is at localhost:5000, not at registry\.example:5000"
    ) as caught:
        deployments.require_address(mine, here, environment, FakeEngine())
    assert [advice.split(" ")[:2] for advice in caught.value.advice[:2]] == [
        ["deployer", "doctor"],
        ["deployer", "catalog"],
    ]
    assert "omit --host and --port" in caught.value.advice[2]
    deployments.require_address(mine, Settings(), environment, FakeEngine())
    # What another of this machine has is named.
    deployed(environment, "team", "registry.example")
    with pytest.raises(NotFound) as caught:
        deployments.require_address(mine, here, environment, FakeEngine())
    assert caught.value.advice == ("To use that one: --name team",)


def test_what_changes_the_storage_is_refused_with_the_address_of_another_registry(tmp_path: Path) -> None:
    """As with a deployer.yaml for a registry elsewhere, on a machine that has one of the same name."""
    mine = deployed({"XDG_DATA_HOME": str(tmp_path)}, "registry", "localhost")
    deployments.refuse_unapplied_address(mine, Settings())
    for other in (Settings(host="registry.example"), Settings(port=5077)):
        with pytest.raises(NotFound, match=f"is at localhost:5000, but the settings say {other.address}"):
            deployments.refuse_unapplied_address(mine, other)
    deployments.refuse_unapplied_address(Deployment("new", tmp_path / "new"), Settings(host="registry.example"))


def test_an_address_elsewhere_where_nothing_is_deployed(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    mine, here = Deployment.of("registry", environment), Settings(host="::1")
    with pytest.raises(NotFound, match=r"No deployment at \[::1\]:5000 on this machine;") as caught:
        deployments.require_address(mine, here, environment, FakeEngine(containers=FakeContainers()))
    assert caught.value.advice[0].startswith("deployer doctor   ")
    assert caught.value.advice[-1].startswith("deployer up   ")


def test_containers_of_another_folder_are_not_those_of_this_deployment(tmp_path: Path) -> None:
    """As another user on a machine whose registry has the same name: the address leads to whose it is."""
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    mine = Deployment.of("registry", environment)
    here = Settings(port=5077)

    def deployed(folder: Path) -> FakeEngine:
        made = replace(service_container("registry", "running"), directory=str(folder))
        return FakeEngine(containers=FakeContainers(found=[made]))

    with pytest.raises(NotFound, match="No deployment at localhost:5077 on this machine"):
        deployments.require_address(mine, here, environment, deployed(tmp_path / "other"))
    deployments.require_address(mine, here, environment, deployed(mine.directory))
