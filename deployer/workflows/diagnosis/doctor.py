"""Everything that may be wrong between this machine and the registry, checked in turn.

Each family of findings has its own module; a new one is added to the list here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.workflows.diagnosis import (
    client_findings,
    clock_findings,
    deployment_findings,
    engine_findings,
    option_findings,
    proxy_findings,
    reachability_findings,
    trust_findings,
)
from deployer.workflows.diagnosis.examined import Examined, Family
from deployer.workflows.finding import Finding, FindingState, FullDisk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployer.engine.values import ServiceContainer
    from deployer.workflows.deployment.stack import Stack

# In the order of the report. The engine is asked before them.
_FAMILIES = (
    Family(client_findings.choice),
    Family(client_findings.logins),
    Family(client_findings.examine, needs_engine=True),
    Family(option_findings.examine, needs_engine=True),
    Family(deployment_findings.examine, needs_engine=True),
    Family(engine_findings.start, needs_engine=True),
    Family(reachability_findings.examine, needs_registry=True),
    Family(trust_findings.look, needs_engine=True, needs_registry=True),
    Family(proxy_findings.examine, needs_engine=True),
    Family(clock_findings.engine, needs_engine=True),
    Family(clock_findings.registry, needs_registry=True),
)


_CLOCK_TIME = re.compile(r"\b\d\d:\d\d\b")


def examine(stack: Stack, environment: Mapping[str, str], *, named: bool) -> Iterator[Finding]:
    """Look at the engine, the deployment on this machine, the way to the registry, and trust in it.

    Each finding comes as soon as it is known: what does not answer is waited for.
    `named` says whether the deployment was named, as Examined explains.
    """
    examined = Examined(stack, environment, named)
    yield from _each_once(_found(examined))


def _each_once(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings without what is wrong for a second time, as an expired certificate is for all who ask."""
    told: set[object] = set()
    for finding in findings:
        # Between the two the clock that a sentence names may have moved on.
        said = FullDisk if isinstance(finding, FullDisk) else _CLOCK_TIME.sub("", finding.sentence)
        if finding.state is FindingState.OK or said not in told:
            yield finding
        told.add(said)


def _found(examined: Examined) -> Iterator[Finding]:
    engine = tuple(_of(Family(engine_findings.examine), examined))
    engine_answers = all(finding.state is not FindingState.WRONG for finding in engine)
    families = [family for family in _FAMILIES if engine_answers or not family.needs_engine]
    yield from engine
    silent = None
    for family in families:
        if family.needs_registry and engine_answers and (paused := _paused(examined)):
            silent = paused
            continue
        yield from _of(family, examined)
    if silent:
        yield Finding(
            FindingState.NOTE,
            f"The registry was not contacted, because the service {silent.service} is paused.",
            (f"docker unpause {silent.name}",),
        )


def _paused(examined: Examined) -> ServiceContainer | None:
    try:
        return examined.paused
    except DeployerError:
        # What keeps the engine from telling is told by the families.
        return None


def _of(family: Family, examined: Examined) -> Iterator[Finding]:
    """The findings of a family; one that fails does not prevent the others."""
    try:
        yield from family.examine(examined)
    except DeployerError as error:
        yield Finding.of(error)
