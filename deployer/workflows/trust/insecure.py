"""The Docker engine of this machine accepts a registry that has no TLS, or no longer does."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.errors import HostError, UsageError
from deployer.host import names
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon import jsonc, process, rejection
from deployer.host.daemon.kind import EngineKind
from deployer.host.daemon.rejection import Reader
from deployer.redaction import without_secrets
from deployer.workflows.trust.engine_view import locate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from deployer.host.daemon.file import DaemonFile
    from deployer.host.daemon.process import Daemon, Machine, Validator
    from deployer.workflows.trust.engine_view import EngineView, Registries


class NextStep(StrEnum):
    """What must follow a change of the file."""

    RELOAD = "reload"
    RESTART = "restart"
    START = "start"
    NONE = "none"


_POLLS = 20
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class DaemonRequest:
    """What is wanted: the registry, the rendered snippet, put in or taken out, and the file if named."""

    address: str
    snippet: str
    remove: bool = False
    file: Path | None = None


@dataclass(frozen=True)
class DaemonPlan:
    """What would be done to which file, and what must follow for the engine to apply it.

    `present` is what covers the address already, "" for nothing; `reason` says why the step after
    the change is no reload, and `unvalidated` why dockerd cannot check the file before, "" if it can.
    """

    request: DaemonRequest
    file: DaemonFile
    text: str
    diff: str
    present: str
    step: NextStep
    reason: str
    daemon: Daemon | None
    restart: str
    log: str
    unvalidated: str
    loopback_trusted: bool

    @property
    def changes(self) -> bool:
        """Whether the file changes."""
        return bool(self.diff)


@dataclass(frozen=True)
class DaemonOutcome:
    """What was done, and whether it has an effect.

    `validated` is False if this dockerd cannot check a file. `accepted`: whether the engine takes
    the registry without TLS now; `effective`: whether that comes from what was wanted; both None
    if no engine can be asked. `advice` fixes what is not effective. `loopback_lost`: the engine
    no longer takes local registries without TLS, as it does by default.
    """

    plan: DaemonPlan
    backup: Path | None = None
    validated: bool = False
    reloaded: str = ""
    accepted: bool | None = None
    effective: bool | None = None
    problem: str = ""
    advice: tuple[str, ...] = ()
    loopback_lost: bool = False


def accepts(registries: Registries, address: str, *, is_here: bool = True) -> bool:
    """Whether an engine with these registries takes the address without TLS.

    An entry counts for exactly its host and port, a network for every port (moby,
    registry/config.go, isSecureIndex). Docker looks a name up; `is_here`: whether it does so on
    this machine, for on another the name may have other addresses.
    """
    networks = registries.cidrs
    return address in registries.hosts or any(_covers(network, address, is_here=is_here) for network in networks)


def needs_no_entry(address: str, engine: EngineView) -> bool:
    """Whether the engine takes a local registry without being told to; so it is where none answers.

    Not every engine does: before 28 only 127.0.0.0/8 counts as local, and from 29.10 nothing does
    once the file lists anything (moby #48540, release notes of 29.10.0).
    """
    if engine.facts is None:
        return True
    registries = engine.registries()
    return address not in registries.hosts and accepts(registries, address)


def plan(request: DaemonRequest, machine: Machine, engine: EngineView) -> DaemonPlan:
    """Find the file and the daemon, and say what would change.

    Raises HostError if the file cannot be edited safely, or is not the one that would help, and
    UsageError if a file that was named can hardly be meant.
    """
    found = locate(machine, engine)
    daemon = found.daemon
    if request.file is None and found.is_elsewhere:
        raise HostError(
            f"The Docker engine in use is on another machine ({found.endpoint}), and so is its daemon.json.",
            (
                "Run this command on that machine.",
                "Or specify the file of this machine: --file /etc/docker/daemon.json",
            ),
        )
    if request.file is None and found.kind is EngineKind.DESKTOP and "WSL_DISTRO_NAME" in machine.environment:
        raise HostError(
            "Docker Desktop reads its daemon.json on the Windows side, not in this distribution.",
            ("Specify it: --file /mnt/c/Users/YOU/.docker/daemon.json",),
        )
    own = daemon_file.locate(daemon, machine.environment, found.kind)
    file = daemon_file.read(request.file or own)
    if request.file is not None and file.content is None and not file.target.parent.parent.is_dir():
        raise UsageError(
            f"No such directory: {file.target.parent.parent}. {file.path} cannot be created there.",
            ("Check the path given with --file.",),
        )
    foreign = found.is_elsewhere or file.target != daemon_file.resolved(own)
    text, present = _edit(request, file, is_here=not foreign)
    validator = process.validator(machine, daemon)
    if not request.remove or text != file.text:
        is_its_own = not foreign and found.kind is not EngineKind.DESKTOP
        _require_readable(file, _reader(validator, daemon) if is_its_own else Reader())
    drafted = DaemonPlan(
        request=request,
        file=file,
        text=text,
        diff=without_secrets(file.diff(text)),
        present=present,
        step=NextStep.RELOAD,
        reason="",
        daemon=daemon,
        restart=process.restart_command(daemon, found.kind),
        log=process.log_command(daemon, found.kind),
        unvalidated=_why_unvalidated(validator),
        loopback_trusted=_takes_loopback(engine.registries()) if engine.facts else False,
    )
    if daemon is not None and daemon.insecure_registries and not foreign:
        return _beside_flags(drafted, engine)
    return _with_step(drafted, engine, own=own, foreign=foreign, kind=found.kind)


def require_permission(drafted: DaemonPlan) -> None:
    """Make sure that this user may change the file. Raises NoPermission."""
    daemon_file.require_permission(drafted.file.target)


def apply(
    drafted: DaemonPlan,
    machine: Machine,
    engine: EngineView,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> DaemonOutcome:
    """Do it: check, back up, replace, reload, and ask the engine whether it applies the change.

    Raises HostError before anything was changed, never after.
    """
    outcome = DaemonOutcome(drafted)
    if drafted.changes:
        content = drafted.file.encoded(drafted.text)
        validated = process.validate(machine, drafted.daemon, content)
        backup = daemon_file.back_up(drafted.file, now())
        daemon_file.replace(drafted.file, content)
        outcome = replace(outcome, validated=validated, backup=backup)
    if engine.facts is None or drafted.step is NextStep.NONE:
        return outcome
    registries = engine.registries()
    if drafted.changes or not _has_in_effect(drafted, registries):
        if drafted.step is NextStep.RELOAD:
            if not drafted.changes and drafted.file.content is not None:
                outcome = replace(outcome, validated=_validated_as_it_is(drafted, machine))
            outcome = _reloaded(outcome, machine, engine, sleep)
        registries = engine.registries()
    effective = _has_in_effect(drafted, registries)
    outcome = replace(outcome, accepted=accepts(registries, drafted.request.address), effective=effective)
    if not effective:
        return _not_in_effect(outcome)
    return replace(outcome, problem="", advice=(), loopback_lost=_loopback_lost(drafted, registries))


def _edit(request: DaemonRequest, file: DaemonFile, *, is_here: bool) -> tuple[str, str]:
    """The new text, and what covers the address already."""
    before = file.text
    try:
        listed = jsonc.registries(before) or ()
        present = next((entry for entry in listed if jsonc.bare(entry) == request.address), "")
        if request.remove:
            return jsonc.without(before, request.address), present
        covering = (entry for entry in listed if _covers(entry, request.address, is_here=is_here))
        present = present or next(covering, "")
        return (before if present else jsonc.merged(before, request.snippet)), present
    except jsonc.Fault as fault:
        raise _at_its_place(file, fault) from fault


def _at_its_place(file: DaemonFile, fault: jsonc.Fault) -> HostError:
    return HostError(
        f"{file.path}:{fault.line}:{fault.column}: {fault.words}.",
        ("Correct it and run the command again. The file was not changed.",),
    )


def _require_readable(file: DaemonFile, reader: Reader) -> None:
    """Make sure that dockerd can start with the file, as far as that can be seen. Raises HostError."""
    try:
        rejection.check(file, reader)
    except jsonc.Fault as fault:
        raise _at_its_place(file, fault) from fault


def _reader(validator: Validator, daemon: Daemon | None) -> Reader:
    arguments = daemon.arguments if daemon else ()
    if validator.can_validate or not validator.options:
        return Reader(arguments=arguments)
    return Reader(validator.options, arguments, reads_mark=False)


def _why_unvalidated(validator: Validator) -> str:
    if validator.program is None:
        return "no dockerd was found on this machine"
    return "" if validator.can_validate else "this dockerd cannot check it (--validate came with Docker 23.0)"


def _validated_as_it_is(drafted: DaemonPlan, machine: Machine) -> bool:
    """Let dockerd check the file that is there. Raises HostError."""
    try:
        return process.validate(machine, drafted.daemon, drafted.file.content or b"")
    except HostError as error:
        raise HostError(
            f"dockerd rejects {drafted.file.path}, and would not start with it.",
            ("Correct it and run the command again. The file was not changed.",),
            error.original,
        ) from error


def _beside_flags(drafted: DaemonPlan, engine: EngineView) -> DaemonPlan:
    """With `--insecure-registry` on its command line, dockerd does not start if the file has the key too."""
    request, daemon = drafted.request, drafted.daemon
    flags = daemon.insecure_registries if daemon else ()
    covering = next((flag for flag in flags if flag == request.address or _covers(flag, request.address)), "")
    unchanged = replace(drafted, text=drafted.file.text, diff="", present=covering, step=NextStep.NONE)
    if not request.remove and covering and engine.facts and accepts(engine.registries(), request.address):
        return replace(unchanged, reason="dockerd's own --insecure-registry option lists it")
    if request.remove and request.address not in flags:
        return drafted if drafted.changes else unchanged
    verb = "Remove" if request.remove else "Add"
    raise HostError(
        f"dockerd is started with --insecure-registry {' '.join(flags)}, and does not start if daemon.json lists "
        "insecure registries as well.",
        (
            f"{verb} it where dockerd is started: --insecure-registry {request.address}",
            "systemctl cat docker   (shows where, with systemd)",
            drafted.restart,
        ),
    )


def _with_step(drafted: DaemonPlan, engine: EngineView, *, own: Path, foreign: bool, kind: EngineKind) -> DaemonPlan:
    def step(name: NextStep, reason: str) -> DaemonPlan:
        return replace(drafted, step=name, reason=reason)

    if engine.facts is None:
        return step(NextStep.START, engine.unavailable_reason)
    if foreign:
        return step(NextStep.NONE, f"the engine in use reads another file, {own}")
    if kind is EngineKind.DESKTOP:
        return step(NextStep.RESTART, "Docker Desktop reads the file only when it starts")
    mirrors = jsonc.names_mirrors(drafted.text)
    if mirrors and _forgets(engine.facts.version):
        return step(
            NextStep.RESTART,
            f"Docker {engine.facts.version} forgets insecure registries when it reloads a file with registry-mirrors",
        )
    return drafted


def _reloaded(
    outcome: DaemonOutcome, machine: Machine, engine: EngineView, sleep: Callable[[float], None]
) -> DaemonOutcome:
    daemon = outcome.plan.daemon
    if daemon is None:
        return replace(
            outcome,
            problem="its process is not visible, so it could not be reloaded",
            advice=(process.reload_command(None),),
        )
    try:
        how = process.reload(machine, daemon)
    except HostError as error:
        return replace(outcome, problem=error.message.rstrip("."), advice=error.advice)
    for _ in range(_POLLS):
        if _has_in_effect(outcome.plan, engine.registries()):
            break
        sleep(_POLL_SECONDS)
    return replace(outcome, reloaded=how)


def _not_in_effect(outcome: DaemonOutcome) -> DaemonOutcome:
    if outcome.problem:
        return outcome
    drafted = outcome.plan
    reason = drafted.reason
    if not reason and drafted.request.remove and jsonc.registries(drafted.text) is None:
        reason = "Docker keeps the list that it has when the file names none"
    if not reason and not outcome.validated:
        return replace(
            outcome,
            problem="it probably rejected the file when it reloaded it, and would then not start with it either",
            advice=(drafted.log, "Do not restart Docker until the cause is found and corrected."),
        )
    reason = reason or "it reloaded the file but did not apply the change; see its log"
    return replace(outcome, problem=f"a restart is needed, because {reason}", advice=(drafted.restart,))


def _has_in_effect(drafted: DaemonPlan, registries: Registries) -> bool:
    address = drafted.request.address
    return address not in registries.hosts if drafted.request.remove else accepts(registries, address)


def _loopback_lost(drafted: DaemonPlan, registries: Registries) -> bool:
    """Whether the engine took local registries without TLS by default, and no longer does.

    From 29.10 any list, even `[]`, replaces that default (moby's release notes).
    """
    if _takes_loopback(registries):
        return False
    emptied = drafted.changes and not jsonc.registries(drafted.text)
    return drafted.loopback_trusted or (drafted.request.remove and emptied)


def _takes_loopback(registries: Registries) -> bool:
    return any(_covers(network, "127.0.0.1:5000") for network in registries.cidrs)


def _covers(entry: str, address: str, *, is_here: bool = True) -> bool:
    """Whether an entry is a network with the address in it, or with one that its name has here.

    Every name of localhost is 127.0.0.1.
    """
    host = address.rsplit(":", 1)[0].removeprefix("[").removesuffix("]")
    host = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    if not re.search(r"/\d+$", entry):
        return False
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return is_here and any(ipaddress.ip_address(found) in network for found in names.addresses(host))


def _forgets(version: str) -> bool:
    """Whether a reload loses insecure registries beside mirrors: moby #45552, fixed in 23.0.7 and 24.0.1."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    numbers = tuple(int(number) for number in found.groups()) if found else ()
    return (23, 0, 0) <= numbers < (23, 0, 7) or (24, 0, 0) <= numbers < (24, 0, 1)
