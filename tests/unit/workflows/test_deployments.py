"""Names of deployments that there are, and of those that there are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import NotFound
from deployer.paths import Deployment
from deployer.workflows import deployments

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
