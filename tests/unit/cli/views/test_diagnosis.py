"""How a deployment's state is reported: for people, and as JSON."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deployer.cli import main
from deployer.cli.output import Output
from deployer.cli.selection import Selection
from deployer.cli.views.diagnosis import DoctorReport, StatusReport
from deployer.settings.model import TlsMode
from deployer.workflows.checks.disk_room import DiskRoom
from deployer.workflows.checks.problems import BRING_UP
from deployer.workflows.diagnosis.status import Encryption, Login, WritesPaused
from deployer.workflows.finding import Finding, FindingState
from tests.unit.cli.test_json_output import STATUS

MOMENT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)
DISK = DiskRoom(270 * 10**9, 82_100_000_000, 2 * 10**9, 0, 0, 0, refused=False)
UNREADABLE = Finding(FindingState.WRONG, "The storage cannot be read.", ("Mount its disk.",))


def shown(report: StatusReport | DoctorReport) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    report.print(Output(out, err))
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("login", "told"),
    [
        (Login(), "not required: only this machine can reach the registry"),
        (Login(exposure="Anyone may push."), "Anyone may push."),
        (Login(1), "1 user, full access"),
        (Login(2, 1), "2 users, 1 rule"),
        (Login(2, 3, "Passwords cross the network."), "2 users, 3 rules. Passwords cross the network."),
        (Login(problem=Finding(FindingState.WRONG, "The file is damaged.")), "The file is damaged."),
    ],
)
def test_who_gets_in_is_a_sentence(login: Login, told: str) -> None:
    report = StatusReport(replace(STATUS, sign_in=login))
    assert report.as_json()["sign_in"] == told
    assert ("Login:", told) in [tuple(line.split(maxsplit=1)) for line in shown(report)[0].splitlines()]


@pytest.mark.parametrize(
    ("encryption", "told"),
    [
        (Encryption(TlsMode.UNSET), "none"),
        (Encryption(TlsMode.OFF), "none"),
        (Encryption(TlsMode.ACME), "TLS, with an ACME certificate"),
        (Encryption(TlsMode.INTERNAL), "TLS, once the registry is running"),
        (Encryption(TlsMode.INTERNAL, authority_sha256="AB:CD"), "TLS, CA SHA-256 AB:CD"),
        (Encryption(TlsMode.UNSET, certificate="my.pem"), "TLS, with the certificate my.pem"),
        (
            Encryption(TlsMode.UNSET, certificate="my.pem", ends=MOMENT),
            "TLS, with the certificate my.pem, until 2026-01-31",
        ),
        (
            Encryption(TlsMode.UNSET, certificate="my.pem", ends=MOMENT, has_ended=True),
            "TLS, with the certificate my.pem, expired on 2026-01-31",
        ),
    ],
)
def test_the_encryption_is_a_sentence(encryption: Encryption, told: str) -> None:
    assert StatusReport(replace(STATUS, encryption=encryption)).as_json()["encryption"] == told


def test_who_pauses_writes_is_told_where_someone_does() -> None:
    assert StatusReport(STATUS).as_json()["upkeep"] == ""
    assert "Writes:" not in shown(StatusReport(STATUS))[0]
    paused = StatusReport(replace(STATUS, upkeep=WritesPaused(MOMENT, "deployer gc")))
    assert paused.as_json()["upkeep"] == "paused since 2026-01-31 09:05:00 UTC by deployer gc"


def test_the_problems_are_sentences_and_those_of_their_own_kind_have_their_advice() -> None:
    stopped = Finding(FindingState.WRONG, "The service registry is exited.", BRING_UP)
    paused = Finding(FindingState.WRONG, "The service frontend is paused.", ("docker unpause registry-frontend-1",))
    report = StatusReport(replace(STATUS, problems=(stopped, paused, UNREADABLE), unreadable=UNREADABLE))
    found = report.as_json()
    assert found["problems"] == [stopped.sentence, paused.sentence, UNREADABLE.sentence]
    assert (found["ready"], found["unreadable"]["advice"]) == (False, ("Mount its disk.",))
    assert report.has_failed
    assert shown(report)[1].splitlines() == [
        "Warning: The service registry is exited.",
        "Warning: The service frontend is paused.",
        "  → docker unpause registry-frontend-1",
        "Warning: The storage cannot be read.",
        "  → Mount its disk.",
        "Next: deployer up, deployer logs, deployer doctor",
    ]


def test_doctor_gives_every_advice_the_flags_of_the_deployment() -> None:
    # Once they are registered, commands are known by their names.
    assert main.app.registered_commands
    wrong = Finding(FindingState.WRONG, "The registry is not running.", ("deployer up",), "the engine's words")
    report = DoctorReport((Finding(FindingState.OK, "The engine answers."), wrong), Selection.of(name="team"))
    assert [one["advice"] for one in report.as_json()] == [(), ("deployer up --name team",)]
    assert report.has_failed
    assert shown(report)[0].splitlines() == [
        "ok     The engine answers.",
        "error  The registry is not running.",
        "       → deployer up --name team",
        "       | the engine's words",
    ]
    calm = DoctorReport((Finding(FindingState.OK, "The engine answers."),), Selection())
    assert (calm.has_failed, shown(calm)[1]) == (False, "No problems found.\n")


@pytest.mark.parametrize(
    ("disk", "told"),
    [
        (None, "82.1 GB\n"),
        (DISK, "82.1 GB\n"),
        (replace(DISK, days_left=12), "82.1 GB (the limit will be reached in about 12 days at the current rate)\n"),
        (replace(DISK, days_left=0, refused=True), "82.1 GB\n"),
    ],
)
def test_the_room_is_told_with_the_days_that_it_lasts(disk: DiskRoom | None, told: str) -> None:
    out, _ = shown(StatusReport(replace(STATUS, free_bytes=82_100_000_000, disk=disk)))
    assert f"Disk free:    {told}" in out
