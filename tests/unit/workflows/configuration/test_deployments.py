"""Names of deployments that there are, and of those that there are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import NotFound
from deployer.paths import Deployment
from deployer.record import Record
from deployer.settings.model import Settings
from deployer.workflows.configuration import deployments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("there", "name", "advice"),
    [
        (["team", "other"], "taem", "Did you mean --name team?"),
        (["other"], "team", "There is: other."),
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
    with pytest.raises(NotFound, match=f"There is no deployment named '{name}' on this machine") as caught:
        deployments.require(Deployment.of(name, environment), environment)
    assert caught.value.advice[0] == advice


def test_an_address_of_another_deployment_is_told_by_its_name(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    other = Deployment.of("team", environment)
    other.directory.mkdir(parents=True)
    other.compose_file.touch()
    other.record_file.write_bytes(Record("registry.example", 5000).content)
    mine = Deployment.of("registry", environment)
    with pytest.raises(NotFound, match=r"registry\.example:5000 is that of 'team'") as caught:
        deployments.refuse_other(mine, Settings(host="registry.example"), environment)
    assert caught.value.advice[0] == "Say which is meant: --name team"
    deployments.refuse_other(mine, Settings(host="elsewhere.example"), environment)
    deployments.refuse_other(other, Settings(name="team", host="registry.example"), environment)
