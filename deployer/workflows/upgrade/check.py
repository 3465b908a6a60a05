"""`upgrade --check`: what runs, what is newer, and which known vulnerabilities affect this deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.workflows.upgrade import exposure, upgrade, versions
from deployer.workflows.upgrade.exposure import Exposure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upgrade.advisories import Advisories, Advisory
    from deployer.workflows.upgrade.exposure import Layout
    from deployer.workflows.upgrade.versions import Available, Running


@dataclass(frozen=True)
class Concern:
    """A vulnerability that is not fixed in a service's version, and whether it affects this deployment."""

    advisory: Advisory
    exposure: Exposure


@dataclass(frozen=True)
class ServiceCheck:
    """A service: what it runs, what is available, and which vulnerabilities its version has."""

    running: Running
    available: Available
    concerns: tuple[Concern, ...]


@dataclass(frozen=True)
class UpgradeCheck:
    """Every service; `dated` is the date of the list of advisories."""

    services: tuple[ServiceCheck, ...]
    dated: date


def check(stack: Stack, advisories: Advisories, environment: Mapping[str, str]) -> UpgradeCheck:
    """Look at each service. Changes nothing. Raises NotFound, PreflightError and EngineError."""
    plan = upgrade.plan(stack)
    wanted = dict(plan.wanted)
    layout = exposure.layout_of(stack.deployment, stack.containers())
    found = []
    for image in plan.running.images:
        if image.service not in wanted:
            continue
        now = versions.running(stack.engine, image)
        concerns = tuple(
            Concern(one, _exposure(one, now.version, layout))
            for one in advisories.of(image.service, now.version, now.package)
        )
        there = versions.available(stack.engine, now, wanted[image.service], environment)
        found.append(ServiceCheck(now, there, concerns))
    return UpgradeCheck(tuple(found), advisories.dated)


def _exposure(advisory: Advisory, version: str, layout: Layout) -> Exposure:
    if advisory.is_older(version):
        return Exposure(reaches=False, reason=f"it was introduced in version {advisory.since}")
    return exposure.exposure(advisory.needs, layout)
