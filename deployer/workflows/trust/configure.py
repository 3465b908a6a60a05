"""`configure-daemon`: what this machine's container tools need to accept a registry, planned and done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.errors import HostError, UsageError
from deployer.host.daemon import file as daemon_file
from deployer.rendering import snippets
from deployer.tls import probe, system_store
from deployer.tls.verdict import Verdict
from deployer.workflows.trust import decision, insecure, placement
from deployer.workflows.trust.insecure import DaemonOutcome, DaemonPlan, DaemonRequest
from deployer.workflows.trust.placement import FileChange, PlacementPlan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.settings.model import Settings
    from deployer.workflows.trust.client import ClientMachine
    from deployer.workflows.trust.decision import PrivateCA


@dataclass(frozen=True)
class TrustOptions:
    """What the user asked for; paths are absolute."""

    file: Path | None = None
    ca: Path | None = None
    fingerprint: str = ""
    system: bool = False
    insecure: bool = False
    remove: bool = False

    @property
    def wants_ca(self) -> bool:
        """Whether a CA is to be installed for sure."""
        return bool(self.ca or self.fingerprint or self.system)


class Reason(StrEnum):
    """Why nothing is needed."""

    LOOPBACK = "loopback"
    PUBLIC = "public"


@dataclass(frozen=True)
class NothingNeeded:
    """The container tools of this machine accept the registry as it is."""

    address: str
    reason: Reason
    has_tls: bool = False


@dataclass(frozen=True)
class InstallPlan:
    """Its CA is installed, and the entry by which Docker would not verify goes.

    `warnings` say what else keeps Docker from verifying.
    """

    address: str
    ca: PrivateCA
    placement: PlacementPlan
    entry: DaemonPlan | None
    warnings: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the user has to compare the fingerprint, since nothing has compared it yet."""
        replaces = any(item.change is FileChange.REPLACE and item.is_ca for item in self.placement.items)
        is_known = self.ca.compared or (self.ca.source is decision.CASource.INSTALLED and not replaces)
        return self.placement.is_needed and not is_known


@dataclass(frozen=True)
class EntryPlan:
    """An entry in daemon.json makes Docker accept the registry without TLS.

    `asks`: whether that was said neither by an option nor by the settings, and would cross a network.
    """

    address: str
    entry: DaemonPlan
    asks: bool


@dataclass(frozen=True)
class RemovalPlan:
    """The CA and the entry are removed; `entry` is None if a local registry has none."""

    address: str
    placement: PlacementPlan
    entry: DaemonPlan | None


TrustPlan = NothingNeeded | InstallPlan | EntryPlan | RemovalPlan


@dataclass(frozen=True)
class TrustOutcome:
    """What was done of a plan; with backups in `placement`. Each is None if there was none to do."""

    plan: TrustPlan
    placement: PlacementPlan | None = None
    entry: DaemonOutcome | None = None
    dry_run: bool = False

    @property
    def is_ineffective(self) -> bool:
        """Whether Docker does not apply the change yet."""
        return self.entry is not None and self.entry.effective is False


def plan(settings: Settings, options: TrustOptions, client: ClientMachine, report: Callable[[str], None]) -> TrustPlan:
    """Ask the registry what it needs, and find what has to change here; `report` is told by which route it was asked.

    Raises HostError if it cannot be found out safely, UsageError for options that contradict.
    """
    local = settings.is_loopback and insecure.needs_no_entry(settings.address, client.engine)
    nothing = NothingNeeded(settings.address, Reason.LOOPBACK, settings.tls.is_on)
    if options.remove:
        return _plan_removal(settings, options, client, nothing if local else None)
    if local and not options.wants_ca:
        return nothing
    decided = _decide(settings, options, client, report)
    if isinstance(decided, decision.Public):
        return replace(nothing, reason=Reason.PUBLIC)
    if isinstance(decided, decision.PrivateCA):
        return _plan_installation(settings, options, client, decided)
    entry = _entry(settings, options, client)
    is_agreed = options.insecure or settings.tls.is_off or settings.is_loopback
    return EntryPlan(settings.address, entry, asks=entry.changes and not is_agreed)


def require_permission(drafted: TrustPlan) -> None:
    """Make sure that this user may do it, before anybody is asked. Raises NoPermission."""
    if isinstance(drafted, EntryPlan) and drafted.asks:
        insecure.require_permission(drafted.entry)
    if isinstance(drafted, RemovalPlan) or (isinstance(drafted, InstallPlan) and drafted.placement.is_needed):
        placement.require_permission(drafted.placement)


def apply(drafted: TrustPlan, settings: Settings, client: ClientMachine) -> TrustOutcome:
    """Do it. Raises HostError; what was installed is tried with a connection."""
    if isinstance(drafted, InstallPlan):
        placed = drafted.placement
        if placed.is_needed:
            placed = placement.apply(placed, client.paths, client.now())
            _verify(settings, client, drafted.ca)
        return TrustOutcome(drafted, placed, _carry_out(drafted.entry, client))
    if isinstance(drafted, RemovalPlan):
        entry = _carry_out(drafted.entry, client)
        return TrustOutcome(drafted, placement.apply(drafted.placement, client.paths, client.now()), entry)
    return TrustOutcome(drafted, entry=_carry_out(drafted.entry, client) if isinstance(drafted, EntryPlan) else None)


def dry_run(drafted: TrustPlan) -> TrustOutcome:
    """What is reported of a plan that is not carried out."""
    entry = None if isinstance(drafted, NothingNeeded) else drafted.entry
    placed = drafted.placement if isinstance(drafted, InstallPlan | RemovalPlan) else None
    return TrustOutcome(drafted, placed, DaemonOutcome(entry) if entry else None, dry_run=True)


def _decide(
    settings: Settings, options: TrustOptions, client: ClientMachine, report: Callable[[str], None]
) -> decision.Decision:
    request = decision.TrustRequest(
        settings.address,
        options.ca,
        options.fingerprint,
        plain=options.insecure or settings.tls.is_off,
        encrypted=settings.tls.is_on,
    )
    if request.plain and options.wants_ca:
        why = "--insecure" if options.insecure else "tls: off in the settings"
        raise UsageError(
            f"{why} means that {settings.address} has no TLS, but --ca, --fingerprint and --system require TLS.",
            ("Remove one of these options.",),
        )
    target = client.target(settings.address)
    installed = () if request.plain else placement.installed(target, client.location)
    known = decision.Known(system_store.context(client.paths), installed)
    if not request.plain and (remark := client.route(settings).remark):
        report(remark)
    return decision.decide(request, client.registry(settings), known, client.now())


def _plan_installation(settings: Settings, options: TrustOptions, client: ClientMachine, ca: PrivateCA) -> InstallPlan:
    target = client.target(settings.address)
    store = system_store.store(target) if options.system else None
    if options.system and store is None:
        raise HostError(
            "Cannot add a CA to this system's trust store: neither update-ca-certificates (Debian) nor "
            "update-ca-trust (Fedora) was found.",
            ("Run the command again without --system, and install the CA as your system's documentation describes.",),
        )
    places = placement.places(target, client.location)
    held = system_store.holds(client.paths.root, ca.pem)
    drafted = placement.plan(settings.address, ca.pem, places, store, held=held)
    return _with_entry(InstallPlan(settings.address, ca, drafted, None), settings, options, client)


def _with_entry(drafted: InstallPlan, settings: Settings, options: TrustOptions, client: ClientMachine) -> InstallPlan:
    """The plan, and the entry in daemon.json by which Docker would not verify, if there is one to remove."""
    address, engine = settings.address, client.engine
    registries = engine.registries() if engine.facts else None
    listed = registries is not None and address in registries.hosts
    warnings = []
    is_here = not client.location.is_elsewhere
    covered = registries is not None and not listed and insecure.accepts(registries, address, is_here=is_here)
    if covered and not settings.is_loopback:
        warnings.append(
            f"Docker does not verify {address}: its insecure-registries list contains a network that includes it."
        )
    try:
        entry = _entry(settings, options, client, remove=True)
    except daemon_file.NoPermission:
        raise
    except HostError as error:
        if listed:
            warnings.append(f"Docker does not verify {address}: {error.message}")
        return replace(drafted, warnings=tuple(warnings))
    return replace(drafted, entry=entry if entry.changes or listed else None, warnings=tuple(warnings))


def _plan_removal(
    settings: Settings, options: TrustOptions, client: ClientMachine, local: NothingNeeded | None
) -> NothingNeeded | RemovalPlan:
    removal = placement.plan_removal(client.target(settings.address), client.location)
    if local and not removal.is_needed:
        return local
    entry = None if local else _entry(settings, options, client, remove=True)
    return RemovalPlan(settings.address, removal, entry)


def _entry(settings: Settings, options: TrustOptions, client: ClientMachine, *, remove: bool = False) -> DaemonPlan:
    """What would become of the entry in daemon.json. Raises HostError, UsageError."""
    address = settings.address
    request = DaemonRequest(address, snippets.daemon_snippet(address), remove, options.file)
    return insecure.plan(request, client.machine, client.engine)


def _carry_out(entry: DaemonPlan | None, client: ClientMachine) -> DaemonOutcome | None:
    if entry is None:
        return None
    return insecure.apply(entry, client.machine, client.engine, lambda: client.now().astimezone(), client.sleep)


def _verify(settings: Settings, client: ClientMachine, ca: PrivateCA) -> None:
    """Make sure that what was installed is what the registry's certificate is from."""
    try:
        verdict = client.registry(settings).verify(probe.trusting(ca.pem))
    except OSError as error:
        verdict = Verdict.of(error)
    if not verdict.ok:
        raise HostError(
            f"The CA is installed, but the connection to {settings.address} cannot be verified with it.",
            ("deployer doctor", "deployer configure-daemon --remove"),
            verdict.words,
        )
