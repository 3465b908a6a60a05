"""What is wrong with the deployment on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.engine.values import running
from deployer.errors import DeployerError, PreflightError
from deployer.layout import Service
from deployer.storage.access import Storage
from deployer.workflows.checks import preflight, problems, served_certificate, service_environment
from deployer.workflows.deployment.service_change import Action, Reason
from deployer.workflows.deployment.up_plan import plan_up
from deployer.workflows.diagnosis import status
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.upkeep.survey import storage_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.engine.values import ServiceContainer
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.diagnosis.examined import Examined


def examine(examined: Examined) -> Iterator[Finding]:
    """Check the selected deployment, if there is one."""
    stack = examined.stack
    if not examined.is_of_deployment:
        return
    containers = examined.containers
    if not containers:
        yield _absent(stack)
        return
    found = status.read(stack)
    yield from found.problems
    if found.sign_in.problem:
        yield found.sign_in.problem
    yield from found.content
    yield from found.remarks
    yield from found.schedule.findings
    if not service_environment.hides_storage(containers):
        yield from _links(containers, stack, found.content)
    if found.is_healthy:
        yield Finding(FindingState.OK, f"The registry '{found.name}' is running on this machine ({found.version}).")
    if not problems.paused(containers):
        yield from _to_apply(stack, containers)


def _to_apply(stack: Stack, containers: tuple[ServiceContainer, ...]) -> Iterator[Finding]:
    """What `up` would change, or refuse."""
    try:
        plan = plan_up(stack)
    except service_environment.VariablesRefused as error:
        # What the containers have as well is reported with them.
        if not set(error.conflicts).issubset(service_environment.of_containers(containers)):
            yield Finding.of(error)
        return
    except DeployerError as error:
        # What is wrong with the user's certificate is told with the one that is served.
        if error.message != served_certificate.refusal_of_file(stack.settings, stack.deployment, stack.now()):
            raise
        return
    for sentence in plan.replaced:
        yield Finding(FindingState.NOTE, sentence, ("If that is not meant, remove it there, then: deployer up",))
    # A lost network is reported with the service.
    changed = (change.action for change in plan.services if change.reason is not Reason.NETWORK)
    if plan.files or any(action in {Action.CREATE, Action.RECREATE} for action in changed):
        yield Finding(
            FindingState.NOTE, "The deployed files differ from the settings.", ("deployer render --diff", "deployer up")
        )


def _links(containers: Iterable[ServiceContainer], stack: Stack, told: Iterable[Finding]) -> Iterator[Finding]:
    """What a look at every link of the storage finds beside what was `told` of images."""
    registry = running(containers, Service.REGISTRY)
    if registry is not None:
        links = Storage(stack.engine, registry.id).broken_links()
        yield from storage_findings.of_links(storage_findings.untold(links, told))


def _absent(stack: Stack) -> Finding:
    settings = stack.settings
    try:
        preflight.check_port(settings, stack.engine)
    except PreflightError as error:
        return Finding(
            FindingState.NOTE, f"No registry named '{settings.name}' is running on this machine. {error.message}"
        )
    return Finding(FindingState.NOTE, f"No registry named '{settings.name}' is running on this machine.")
