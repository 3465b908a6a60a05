"""How `upgrade --check` is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.upgrades.upgrade import image_json

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.workflows.upgrade.check import Concern, ServiceCheck, UpgradeCheck

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class UpgradeCheckReport(Report):
    """What runs, what is newer, and which known vulnerabilities affect this deployment."""

    found: UpgradeCheck

    def as_json(self) -> dict[str, Any]:
        """Each service with its advisories, and of which day their list is."""
        return {
            "services": [_service_json(one) for one in self.found.services],
            "advisories_dated": self.found.dated.isoformat(),
        }

    def print(self, out: Output) -> None:
        """Print a table of the services, and below it the advisories."""
        out.table(("SERVICE", "IMAGE", "RUNS", "AVAILABLE", "NEWER"), map(_row, self.found.services))
        for service in self.found.services:
            if service.available.reason:
                out.note(f"{service.running.image.service}: {service.available.reason}")
        out.line()
        for concern in (one for service in self.found.services for one in service.concerns):
            mark = out.bad("affected") if concern.exposure.reaches else out.good("not affected")
            out.line(f"{concern.advisory.id} ({concern.advisory.component}, fixed in {concern.advisory.fixed}): {mark}")
            out.line(f"  {concern.advisory.summary}")
            if concern.exposure.reason:
                out.line(f"  Not affected: {concern.exposure.reason}.")
        if not any(service.concerns for service in self.found.services):
            out.line("No known advisory for these versions.")
        out.note(f"Advisories as of {self.found.dated.isoformat()}.")
        if any(service.available.is_newer for service in self.found.services):
            out.note("Next: deployer upgrade")


def _row(service: ServiceCheck) -> tuple[str, ...]:
    now, there = service.running, service.available
    newer = _UNKNOWN if there.is_newer is None else "yes" if there.is_newer else "no"
    version = now.version or _UNKNOWN
    package = f" ({now.package}, Debian)" if now.package else ""
    return now.image.service, now.image.name, f"{version}{package}", there.words or _UNKNOWN, newer


def _service_json(service: ServiceCheck) -> dict[str, Any]:
    now, there = service.running, service.available
    return {
        "service": now.image.service,
        **image_json(now.image),
        "version": now.version or None,
        "package": now.package or None,
        "available": {
            "image": there.name,
            "version": there.words or None,
            "newer": there.is_newer,
            "reason": there.reason or None,
        },
        "advisories": [_concern_json(one) for one in service.concerns],
    }


def _concern_json(concern: Concern) -> dict[str, Any]:
    return {
        "id": concern.advisory.id,
        "fixed": concern.advisory.fixed,
        "summary": concern.advisory.summary,
        "reaches": concern.exposure.reaches,
        "reason": concern.exposure.reason or None,
    }
