"""What keeps a deployment from being ready."""

from __future__ import annotations

from deployer.record import Record
from deployer.settings.model import Settings
from deployer.workflows.checks import problems


def test_a_deployment_for_another_host_than_the_settings_say() -> None:
    (found,) = problems.for_other_host(Record("localhost", 5000), Settings(host="registry.example"))
    assert "started for the host localhost, but the settings say registry.example" in found.sentence
    assert problems.for_other_host(Record("localhost", 5000), Settings()) == ()
    assert problems.for_other_host(None, Settings(host="registry.example")) == ()
