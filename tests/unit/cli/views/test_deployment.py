"""How `up` and `down` are reported."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.cli.output import Output
from deployer.cli.views.deployment import (
    DownPlanReport,
    DownReport,
    UpPlanReport,
    UpReport,
    question_of_down,
    resumable,
)
from deployer.engine.inventory import AnonymousVolume
from deployer.paths import Deployment
from deployer.record import ResourceKind
from deployer.settings.model import Settings, TlsSettings
from deployer.workflows.deployment.files import FileChange
from deployer.workflows.deployment.provision import Choice, Source, Wanted
from deployer.workflows.deployment.service_change import Action, ServiceChange
from deployer.workflows.deployment.up import UpOutcome
from deployer.workflows.deployment.up_plan import UpPlan
from deployer.workflows.removal.down_plan import DownPlan, ToRemove

if TYPE_CHECKING:
    from deployer.cli.presentation import Report

NOTHING = UpPlan(
    (Choice("registry:2", Source.HERE, Wanted("registry:2")),), (ServiceChange("registry", Action.KEEP),), ()
)
CHANGES = UpPlan(
    images=(Choice("registry:3", Source.PULL, Wanted("registry:3")),),
    services=(ServiceChange("frontend", Action.KEEP), ServiceChange("registry", Action.CREATE)),
    files=(FileChange("compose.yaml", None, b"new"), FileChange("old.yaml", b"old", None)),
    warnings=("Images are left behind.",),
    remarks=("The certificate ends soon.",),
)
DEPLOYMENT = Deployment("team", Path("/deployments/team"))
ANONYMOUS = AnonymousVolume("0a1b", "registry", "team-registry-1", "/data")
VOLUME = ToRemove(ResourceKind.VOLUME, "team_data", "id")
FILE = ToRemove(ResourceKind.FILE, "compose.yaml", "1")


def shown(report: Report) -> tuple[list[str], list[str]]:
    out, err = io.StringIO(), io.StringIO()
    report.print(Output(out, err))
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def test_a_plan_has_a_line_for_each_change() -> None:
    assert shown(UpPlanReport(NOTHING)) == (["Nothing would change."], [])
    out, err = shown(UpPlanReport(CHANGES))
    assert out == [
        "image    registry:3: will be pulled",
        "file     compose.yaml: will be written",
        "file     old.yaml: will be removed",
        f"service  frontend: {Action.KEEP.value}",
        f"service  registry: {Action.CREATE.value}",
    ]
    assert err == [
        "Warning: The certificate ends soon.",
        "Warning: Images are left behind.",
        "Dry run: nothing was changed.",
    ]


@pytest.mark.parametrize(
    ("settings", "outcome", "told"),
    [
        (Settings(), UpOutcome(NOTHING, "", requires_login=False), ["Next: deployer push IMAGE"]),
        (Settings(), UpOutcome(NOTHING, "", requires_login=True), ["Next: docker login localhost:5000"]),
        (
            Settings(host="reg.example"),
            UpOutcome(NOTHING, "", requires_login=False),
            ["Next: deployer configure-daemon --host reg.example --port 5000   (on every client)"],
        ),
        (
            Settings(host="reg.example", tls=TlsSettings(certificate="/my.pem", key="/key.pem")),
            UpOutcome(NOTHING, "", requires_login=True),
            [
                (
                    "Next: deployer configure-daemon --host reg.example --port 5000 --ca FILE   (on every "
                    "client that does not trust its CA)"
                ),
                "Then: docker login reg.example:5000",
            ],
        ),
    ],
)
def test_what_is_to_be_done_next_is_told(settings: Settings, outcome: UpOutcome, told: list[str]) -> None:
    assert shown(UpReport(settings, outcome))[1] == ["Already running; nothing to change.", *told]


def test_where_the_registry_is_now() -> None:
    out, err = shown(UpReport(Settings(), UpOutcome(CHANGES, "AB:CD", requires_login=False)))
    assert [line.split(maxsplit=1) for line in out] == [
        ["Registry:", "localhost:5000"],
        ["Page:", "http://localhost:5000/"],
        ["CA:", "SHA-256 AB:CD"],
    ]
    assert err[0] == "Done (registry: created)."


def test_what_goes_with_a_deployment_is_listed() -> None:
    plan = DownPlan((VOLUME, FILE), ("network x (in use)",), loses_images=True, loses_ca=True, users=2)
    out, err = shown(DownPlanReport(DEPLOYMENT, plan))
    assert out == [
        "volume     team_data: will be removed",
        "files      1 in /deployments/team: will be removed",
        "users      2 users and their passwords: will be removed; without users, no login is required",
        "kept       network x (in use)",
    ]
    assert err[0].startswith("Warning: The registry's own CA is removed too")
    assert question_of_down(DEPLOYMENT, plan, "localhost:5000", volumes=True) == (
        "Permanently remove every image pushed to 'team' at localhost:5000 (volume team_data; 1 file; 2 users)?"
    )


def test_nothing_to_take_down_is_no_success() -> None:
    empty = DownPlan((), (), loses_images=False)
    assert shown(DownPlanReport(DEPLOYMENT, empty)) == ([], ["Nothing to do: 'team' is not running."])
    assert shown(DownReport(empty, volumes=False)) == ([], [])


def test_images_on_an_anonymous_volume_do_not_stay() -> None:
    plan = DownPlan((FILE,), (), loses_images=False, anonymous=(ANONYMOUS,), hides_images=True)
    assert question_of_down(DEPLOYMENT, plan, "localhost:5000", volumes=False) == (
        "Detach the volumes and the pushed images in them (/data of team-registry-1 (volume 0a1b)) from "
        "localhost:5000? The "
        "next `up` starts with empty volumes instead."
    )
    assert shown(DownReport(plan, volumes=False))[1] == ["Done."]
    kept = replace(plan, anonymous=(), hides_images=False)
    assert shown(DownReport(kept, volumes=False))[1] == [
        "Done. The images are kept; `deployer up` starts the registry again."
    ]


def test_an_interruption_names_the_command_that_goes_on() -> None:
    with (
        pytest.raises(KeyboardInterrupt, match="To continue, run: deployer down --volumes"),
        resumable("deployer down --volumes"),
    ):
        raise KeyboardInterrupt
