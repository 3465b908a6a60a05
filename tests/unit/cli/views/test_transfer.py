"""What is said of pushes and pulls before anything is done."""

from __future__ import annotations

import pytest

from deployer.cli.views.transfer import TransferPlanReport, lost_names
from deployer.reference import Reference
from deployer.workflows.transfer.pull import Pull
from deployer.workflows.transfer.push import Push

APP = Reference("localhost:5000", "app", "1")
OLD = "sha256:" + "a" * 64
UNLESS = "unless it is the one being pulled"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            Push("other:1", APP, "sha256:new", OLD),
            ["The image aaaaaaaaaaaa on this machine loses the name localhost:5000/app:1."],
        ),
        (
            Pull(APP, "app:1", OLD),
            [f"The image aaaaaaaaaaaa on this machine loses the name app:1 {UNLESS}."],
        ),
        (
            Pull(APP, "app:1", OLD, source_is=OLD),
            [f"The image aaaaaaaaaaaa on this machine loses the names {APP} and app:1 {UNLESS}."],
        ),
        (Push("app:1", APP, OLD, OLD), []),
        (Pull(APP, "app:1", ""), []),
    ],
)
def test_the_plan_says_which_local_image_loses_which_name(item: Push | Pull, said: list[str]) -> None:
    assert lost_names([item]) == said


def test_the_plan_as_json_has_the_whole_id_of_the_image_that_loses_a_name() -> None:
    [planned] = TransferPlanReport((Push("other:1", APP, "sha256:new", OLD),)).as_json()
    assert planned["replaces"] == [{"name": "localhost:5000/app:1", "image": OLD}]
