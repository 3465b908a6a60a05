"""How `up` and `down` are reported: what they would do, what they ask, and what they did."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.session import NOTHING_CHANGED
from deployer.cli.views.rule_changes import changes_in_words, changes_json
from deployer.cli.views.upkeep import warn_of
from deployer.cli.views.words import counted
from deployer.jobs import Job
from deployer.record import ResourceKind
from deployer.workflows.deployment.provision import Source
from deployer.workflows.deployment.service_change import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.cli.output import Output
    from deployer.paths import Deployment
    from deployer.permissions.difference import RuleChange
    from deployer.settings.load import Loaded
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.up import UpOutcome
    from deployer.workflows.deployment.up_plan import UpPlan
    from deployer.workflows.removal.down_plan import DownPlan


@contextmanager
def resumable(again: str) -> Iterator[None]:
    """Let an interruption say that the command `again` continues from here."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"Interrupted. To continue, run: {again}") from stop


def note_of_file(out: Output, loaded: Loaded) -> None:
    """Say so where the file in effect is for another deployment: what it says is used all the same."""
    if loaded.is_of_another:
        out.note(
            f"{loaded.source} is for the deployment '{loaded.described}'; '{loaded.settings.name}' gets the same "
            "settings, but keeps its own host, port and TLS once it has been started."
        )


def warn_of_exposure(out: Output, exposure: str) -> None:
    """Warn of what anyone else can do; "" is nothing."""
    if exposure:
        out.warn(exposure)


def warn_of_remarks(out: Output, plan: UpPlan) -> None:
    """Warn of what needs no question."""
    for remark in plan.remarks:
        out.warn(remark)


def note_rule_changes(out: Output, changes: Iterable[RuleChange]) -> None:
    """Say what users gain and lose by the rules that are about to be in effect."""
    for line in changes_in_words(changes):
        out.note(f"Access: {line}")


@dataclass(frozen=True)
class UpPlanReport(Report):
    """What `up` would do."""

    plan: UpPlan

    def as_json(self) -> dict[str, Any]:
        """Services, images, files, and what is used that `up` did not make."""
        plan = self.plan
        return {
            "services": [
                {"service": change.service, "action": change.action.value, "reason": change.reason}
                for change in plan.services
            ],
            "images": [{"image": choice.name, "source": choice.source.value} for choice in plan.images],
            "files": [change.path for change in plan.files],
            "access": changes_json(plan.rule_changes),
            "schedule": plan.schedule.times,
            "units": [{"unit": change.name, "action": change.action.value} for change in plan.schedule.units],
            "found": [{"kind": resource.kind.value, "name": resource.name} for resource in plan.found],
            "warnings": [*plan.warnings, *plan.remarks],
        }

    def print(self, out: Output) -> None:
        """Print a line for each change."""
        warn_of_remarks(out, self.plan)
        for warning in self.plan.warnings:
            out.warn(warning)
        if self.plan.is_empty:
            out.line("Nothing would change.")
            return
        for choice in self.plan.images:
            if choice.source is not Source.HERE:
                out.line(f"image    {choice.name}: {choice.source.in_words}")
        for file in self.plan.files:
            out.line(f"file     {file.path}: will be {'removed' if file.after is None else 'written'}")
        for change in self.plan.services:
            reason = f" ({change.reason})" if change.reason else ""
            out.line(f"service  {change.service}: {change.action.value}{reason}")
        for line in changes_in_words(self.plan.rule_changes):
            out.line(f"access   {line}")
        for line in _schedule(self.plan):
            out.line(line)
        out.note(NOTHING_CHANGED)


def _schedule(plan: UpPlan) -> Iterator[str]:
    """A line for each unit, and for each command that would run at another time than today."""
    what = plan.schedule
    for change in what.units:
        yield f"unit     {change.name}: {change.action.value}"
    before = what.before.times if what.before else {}
    for job in Job:
        if before.get(job) != what.times.get(job):
            yield f"schedule {job}: {what.times.get(job, 'will be removed')}"


@dataclass(frozen=True)
class UpReport(Report):
    """What `up` did, and where the registry is now."""

    settings: Settings
    done: UpOutcome

    def as_json(self) -> dict[str, Any]:
        """The addresses, and the plan that was carried out."""
        return {
            "address": self.settings.address,
            "page": self.settings.page_url or None,
            "authority_sha256": self.done.authority_sha256 or None,
            **UpPlanReport(self.done.plan).as_json(),
            "disk": [asdict(one) for one in self.done.disk],
        }

    def print(self, out: Output) -> None:
        """Print the addresses, and what to do next."""
        plan = self.done.plan
        changed = [
            f"{change.service}: {change.action.done}" for change in plan.services if change.action is not Action.KEEP
        ]
        out.note("Already running; nothing to change." if plan.is_empty else f"Done ({', '.join(changed) or 'files'}).")
        if not plan.schedule.is_empty and plan.schedule.times:
            times = ", ".join(f"{job} {when}" for job, when in plan.schedule.times.items())
            out.note(f"Scheduled: {times} (local time).")
        fields = [("Registry", self.settings.address)]
        if self.settings.page_url:
            fields.append(("Page", self.settings.page_url))
        if self.done.authority_sha256:
            fields.append(("CA", f"SHA-256 {self.done.authority_sha256}"))
        out.fields(fields)
        if self.done.ca_remark:
            out.warn(self.done.ca_remark)
        for finding in self.done.disk:
            warn_of(out, finding)
        self._print_next(out)

    def _print_next(self, out: Output) -> None:
        settings = self.settings
        if not settings.is_loopback:
            flags = f"--host {settings.host} --port {settings.port}"
            own = " --ca FILE" if settings.tls.is_own else ""
            who = "on every client that does not trust its CA" if own else "on every client"
            out.note(f"Next: deployer configure-daemon {flags}{own}   ({who})")
        if self.done.requires_login:
            out.note(f"{'Next' if settings.is_loopback else 'Then'}: docker login {settings.address}")
        elif settings.is_loopback:
            out.note("Next: deployer push IMAGE")


@dataclass(frozen=True)
class DownPlanReport(Report):
    """What `down` would remove, and what is kept."""

    deployment: Deployment
    plan: DownPlan

    def as_json(self) -> dict[str, Any]:
        """The names, by kind."""
        return _down_json(self.plan)

    def print(self, out: Output) -> None:
        """Print a line for each resource, and warn of what is lost with them."""
        plan = self.plan
        if plan.is_empty:
            out.note(f"Nothing to do: '{self.deployment.name}' is not running.")
        for one in plan.going:
            if one.kind is not ResourceKind.FILE:
                remark = f" ({one.remark})" if one.remark else ""
                out.line(f"{one.kind:<10} {one.name}: will be removed{remark}")
        files = plan.of(ResourceKind.FILE)
        if files:
            out.line(f"{'files':<10} {len(files)} in {self.deployment.directory}: will be removed")
        if plan.users:
            who = f"{counted(plan.users, 'user')} and their passwords"
            out.line(f"{'users':<10} {who}: will be removed; without users, no login is required")
        _warn_of_losses(out, plan)
        for name in plan.kept:
            out.line(f"{'kept':<10} {name}")


@dataclass(frozen=True)
class DownReport(Report):
    """That a plan of `down` was carried out."""

    plan: DownPlan
    volumes: bool

    def as_json(self) -> dict[str, Any]:
        """The names, by kind."""
        return _down_json(self.plan)

    def print(self, out: Output) -> None:
        """Say that it is done, unless there was nothing to do."""
        if self.plan.is_empty:
            return
        hidden = self.volumes or self.plan.hides_images
        out.note("Done." if hidden else "Done. The images are kept; `deployer up` starts the registry again.")


def question_of_down(deployment: Deployment, plan: DownPlan, address: str, *, volumes: bool) -> str:
    """What to ask before more is removed than `up` makes again as it was, and of which registry."""
    if not volumes:
        places = "; ".join(map(str, plan.anonymous))
        what = "the volumes and the pushed images in them" if plan.hides_images else "the volumes"
        return f"Detach {what} ({places}) from {address}? The next `up` starts with empty volumes instead."
    what = "every image pushed to" if plan.loses_images else "what is listed of"
    named, count = plan.names(ResourceKind.VOLUME), len(plan.of(ResourceKind.FILE))
    parts = [
        *([f"{'volume' if len(named) == 1 else 'volumes'} {', '.join(named)}"] if named else []),
        *([counted(count, "file")] if count else []),
        *([counted(plan.users, "user")] if plan.users else []),
    ]
    parts += [f"{one.kind} {one.name} {one.remark}" for one in plan.found]
    return f"Permanently remove {what} '{deployment.name}' at {address} ({'; '.join(parts)})?"


def _warn_of_losses(out: Output, plan: DownPlan) -> None:
    if plan.loses_ca:
        out.warn("The registry's own CA is removed too: after the next `up`, clients must trust a new CA.")
    for left in plan.anonymous:
        out.warn(
            f"{left.target} of {left.container} is on the anonymous volume {left.volume}. The volume is kept, but "
            "no container will use it anymore, and `docker volume prune` would remove it."
        )


def _down_json(plan: DownPlan) -> dict[str, Any]:
    return {
        "units": plan.names(ResourceKind.UNIT),
        "containers": plan.names(ResourceKind.CONTAINER),
        "networks": plan.names(ResourceKind.NETWORK),
        "volumes": plan.names(ResourceKind.VOLUME),
        "not_made_by_up": [one.name for one in plan.found],
        "files": plan.names(ResourceKind.FILE),
        "users": plan.users,
        "kept": plan.kept,
        "unnamed": [{"volume": one.volume, "container": one.container, "place": one.target} for one in plan.anonymous],
    }
