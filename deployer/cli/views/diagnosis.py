"""How the findings of `doctor` and the state that `status` reads are printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from deployer.cli.output import underneath
from deployer.cli.presentation import Report
from deployer.cli.views.upkeep import warn_of
from deployer.cli.views.words import counted, moment, size, timestamp
from deployer.settings.model import TlsMode
from deployer.workflows.checks.disk_room import lasting
from deployer.workflows.checks.problems import BRING_UP
from deployer.workflows.finding import FindingState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from deployer.cli.output import Output
    from deployer.cli.selection import Selection
    from deployer.workflows.backup.record import LastBackup
    from deployer.workflows.checks.disk_room import DiskRoom
    from deployer.workflows.diagnosis.status import Encryption, Login, ServiceStatus, Status, WritesPaused
    from deployer.workflows.finding import Finding
    from deployer.workflows.schedule.records import Run
    from deployer.workflows.schedule.state import JobState, ScheduleState
    from deployer.workflows.upkeep.last_check import LastCheck

_UNKNOWN = "unknown"
_DIGEST_SHOWN = len("sha256:") + 12


@dataclass(frozen=True)
class DoctorReport(Report):
    """What `doctor` finds; every command in its advice is given the flags of `selection`.

    `findings` may be collected while they are printed, and are iterated once.
    """

    findings: Iterable[Finding]
    selection: Selection
    _told: list[Finding] = field(default_factory=list, init=False)

    def as_json(self) -> list[dict[str, Any]]:
        """Each finding."""
        return [asdict(finding) for finding in self._findings()]

    def print(self, out: Output) -> None:
        """Print each finding with its advice below it, as soon as it is known."""
        marks = {FindingState.OK: out.good("ok   "), FindingState.NOTE: "note ", FindingState.WRONG: out.bad("error")}
        for finding in self._findings():
            out.line(f"{marks[finding.state]}  {finding.sentence}")
            for advice in finding.advice:
                out.line(f"       → {advice}")
            for line in underneath(finding.sentence, finding.original):
                out.line(f"       | {line}")
        if all(finding.state is FindingState.OK for finding in self._told):
            out.note("No problems found.")

    @property
    def has_failed(self) -> bool:
        """Whether a reported finding is wrong."""
        return any(finding.state is FindingState.WRONG for finding in self._told)

    def _findings(self) -> Iterator[Finding]:
        for finding in self.findings:
            self._told.append(finding)
            yield replace(finding, advice=tuple(map(self.selection.applied, finding.advice)))


@dataclass(frozen=True)
class StatusReport(Report):
    """How a deployment is."""

    status: Status

    def as_json(self) -> dict[str, Any]:
        """Every field; of the problems the sentences."""
        return {
            "ready": self.status.is_healthy,
            **asdict(self.status),
            "problems": [problem.sentence for problem in self.status.problems],
            "upkeep": _upkeep(self.status.upkeep),
            "sign_in": _login(self.status.sign_in),
            "encryption": _encryption(self.status.encryption),
            "backups": [_backup(one) for one in self.status.backups],
            "last_check": _check_json(self.status.last_check),
            "schedule": _schedule_json(self.status.schedule),
        }

    def print(self, out: Output) -> None:
        """Print the fields, the services, the problems, and what to do next."""
        found = self.status
        ready = out.good("ready") if found.is_healthy else out.bad("not ready")
        out.fields([("Registry", f"{found.address}   {ready}"), *_fields(found)])
        if found.services:
            out.line()
            header = ("SERVICE", "STATE", "HEALTH", "RESTART", "IMAGE", "IMAGE SIZE", "CONTAINER")
            out.table(header, map(_row, found.services))
        for problem in found.problems:
            if problem.advice == BRING_UP:
                out.warn(problem.sentence)
            else:
                warn_of(out, problem)
        for finding in (*found.content, *found.remarks, *found.schedule.findings):
            warn_of(out, finding)
        if not found.is_healthy:
            out.note(f"Next: {', '.join(_next(found))}")

    @property
    def has_failed(self) -> bool:
        """Whether the registry does not serve as it should."""
        return not self.status.is_healthy


def _next(found: Status) -> tuple[str, ...]:
    """The commands to go on with; `up` if it may fix a problem."""
    if not found.services:
        return ("deployer up",)
    is_down = any(problem.advice == BRING_UP for problem in found.problems)
    return (*(["deployer up"] if is_down else []), "deployer logs", "deployer doctor")


def _fields(found: Status) -> list[tuple[str, str]]:
    return [
        *([("Page", found.page)] if found.page else []),
        ("Login", _login(found.sign_in)),
        ("Encryption", _encryption(found.encryption)),
        ("Version", found.version or _UNKNOWN),
        ("Repositories", _UNKNOWN if found.repositories is None else str(found.repositories)),
        ("Storage used", _UNKNOWN if found.used_bytes is None else f"{size(found.used_bytes)} in {found.data}"),
        ("Garbage", _UNKNOWN if found.garbage_bytes is None else _garbage(found.garbage_bytes)),
        *([("Unfinished uploads", _idle(found.unfinished_upload_bytes))] if found.unfinished_upload_bytes else []),
        ("Disk free", _UNKNOWN if found.free_bytes is None else _free(found.free_bytes, found.disk)),
        *([("Pinned", pinned)] if (pinned := _pinned(found.services)) else []),
        *([("Last backup", f"{moment(last.time)}, at {last.target}")] if (last := _last(found.backups)) else []),
        *([("Last check", _check(found.last_check))] if found.last_check.time else []),
        *([("Schedule", _schedule(found.schedule))] if found.schedule.jobs else []),
        *([("Writes", _upkeep(found.upkeep))] if found.upkeep else []),
    ]


def _pinned(services: Sequence[ServiceStatus]) -> str:
    """The images that `up` keeps, whatever their names lead to."""
    shown = ((one.service, (one.image_digest or one.image_id).rpartition("@")[2]) for one in services if one.is_pinned)
    return ", ".join(f"{service} {digest[:_DIGEST_SHOWN]}" for service, digest in shown)


def _last(backups: Sequence[LastBackup]) -> LastBackup | None:
    return backups[-1] if backups else None


def _backup(one: LastBackup) -> dict[str, str]:
    return {"target": one.target, "id": one.backup, "created": timestamp(one.time)}


def _check(last: LastCheck) -> str:
    """When everything was checked, and every byte read, in one line."""
    if last.time is None:
        return ""
    full = last.full_time
    read = "every byte read" if full == last.time else f"every byte read {moment(full)}" if full else "sizes and links"
    damaged = f"; {counted(len(last.damaged), 'damaged file')}" if last.damaged else ""
    return f"{moment(last.time)} ({read}){damaged}"


def _check_json(last: LastCheck) -> dict[str, Any]:
    return {
        "time": timestamp(last.time) if last.time else None,
        "full_time": timestamp(last.full_time) if last.full_time else None,
        "damaged_files": len(last.damaged),
    }


def _row(service: ServiceStatus) -> tuple[str, ...]:
    return (
        service.service,
        service.state,
        service.health or "-",
        service.restart_policy,
        service.image,
        "-" if service.image_bytes is None else size(service.image_bytes),
        service.container,
    )


def _login(found: Login) -> str:
    """Who has access, in one line."""
    if found.problem:
        return found.problem.sentence
    if not found.users:
        return found.exposure or "not required: only this machine can reach the registry"
    rules = counted(found.rules, "rule") if found.rules else "full access"
    told = f"{counted(found.users, 'user')}, {rules}"
    return f"{told}. {found.exposure}" if found.exposure else told


def _encryption(found: Encryption) -> str:
    if found.mode is TlsMode.INTERNAL:
        fingerprint = found.authority_sha256
        return f"TLS, CA SHA-256 {fingerprint}" if fingerprint else "TLS, once the registry is running"
    if found.certificate:
        until = f", {'expired on' if found.has_ended else 'until'} {found.ends:%Y-%m-%d}" if found.ends else ""
        return f"TLS, with the certificate {found.certificate}{until}"
    return "TLS, with an ACME certificate" if found.mode is TlsMode.ACME else "none"


def _upkeep(found: WritesPaused | None) -> str:
    return f"paused since {moment(found.since)} by {found.by}" if found else ""


def _free(amount: int, disk: DiskRoom | None) -> str:
    days = disk.days_left if disk and not disk.refused else None
    return size(amount) if days is None else f"{size(amount)} ({lasting(days)})"


def _idle(amount: int) -> str:
    return f"{size(amount)} of interrupted pushes (to free it: `deployer gc --uploads 1h`)"


def _garbage(amount: int) -> str:
    return f"{size(amount)} (to free it: `deployer gc`)" if amount else "none"


def _schedule_json(state: ScheduleState) -> dict[str, Any]:
    """The commands with their next and last runs, and the sentences of what is wrong."""
    return {
        "runner": state.runner.value,
        "jobs": [
            {
                "job": one.job.value,
                "when": one.when,
                "next": timestamp(one.next),
                "last": run_json(one.last) if one.last else None,
            }
            for one in state.jobs
        ],
        "problems": [finding.sentence for finding in state.findings],
    }


def _schedule(state: ScheduleState) -> str:
    """Each command with its last run, in one line."""
    return ", ".join(map(_in_words, state.jobs))


def _in_words(one: JobState) -> str:
    return f"{one.job} {one.when} (last: {one.last.result if one.last else 'none yet'})"


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON; `bytes` are what it stored or freed."""
    return {
        "id": run.id,
        "job": run.job.value,
        "started": timestamp(run.started),
        "ended": timestamp(run.ended) if run.ended else None,
        "result": run.result.value,
        "bytes": run.moved,
        "message": run.sentence,
    }
