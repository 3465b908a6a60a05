"""What keeps a deployment from being ready: of its containers, its port and its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.engine.values import ContainerState, Health, of_service
from deployer.layout import Service
from deployer.settings.model import Page
from deployer.settings.values.reserve import LEAST_FREE_BYTES
from deployer.workflows.checks import preflight, readiness
from deployer.workflows.finding import Finding, FindingState, FullDisk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.engine.values import ServiceContainer
    from deployer.record import Record
    from deployer.settings.model import Settings

# What fixes most problems.
BRING_UP = ("deployer up", "deployer logs")


def paused(containers: Iterable[ServiceContainer]) -> tuple[ServiceContainer, ...]:
    """The containers that are paused: `up` refuses to work until they continue."""
    return tuple(container for container in containers if container.state is ContainerState.PAUSED)


def _problem(sentence: str, advice: tuple[str, ...] = BRING_UP) -> Finding:
    return Finding(FindingState.WRONG, sentence, advice)


def on_other_port(containers: tuple[ServiceContainer, ...], port: int) -> tuple[Finding, ...]:
    """Whether the deployment was brought up with another port than the settings say."""
    published = sorted({found for container in containers for found in container.ports})
    if not published or port in published:
        return ()
    said = (
        f"The registry was started on port {published[0]}, but the settings say {port}; `deployer up` changes the port."
    )
    return (_problem(said),)


def for_other_host(record: Record | None, settings: Settings) -> tuple[Finding, ...]:
    """Whether the deployment was brought up for another host than the settings say."""
    if record is None or record.host == settings.host:
        return ()
    said = (
        f"The registry was started for the host {record.host}, but the settings say {settings.host}; `deployer up` "
        "changes the host."
    )
    return (_problem(said),)


def of_page(settings: Settings, version: str) -> tuple[Finding, ...]:
    """Whether the page supports this registry, whose image name may not reveal its version."""
    if settings.frontend.page is not Page.KWK or not version.startswith("distribution 3"):
        return ()
    return (_problem(f"The kwk page cannot show image details: it needs registry 2.8, but this is {version}."),)


def without_container(containers: tuple[ServiceContainer, ...]) -> tuple[Finding, ...]:
    """The services of which no container is left, though there is one of another."""
    left = {container.service for container in containers}
    missing = {Service.REGISTRY, Service.FRONTEND} - left if left else ()
    return tuple(_problem(f"The service {service} has no container.") for service in sorted(missing))


def of_containers(
    containers: tuple[ServiceContainer, ...], answer: readiness.Answer | None, free: int | None
) -> tuple[Finding, ...]:
    """What is wrong with the containers, with what the port answers, and with the disk: `free` are its free bytes."""
    if not containers:
        return (_problem("The registry is not running."),)
    found = [
        _problem(f"The service {container.service} is paused.", (f"docker unpause {container.name}",))
        for container in paused(containers)
    ]
    found += [
        _problem(f"The service {container.service} is {container.health if container.is_running else container.state}.")
        for container in containers
        if container.state is not ContainerState.PAUSED
        and (not (container.is_running or container.has_finished) or container.health is Health.UNHEALTHY)
    ]
    found += [
        _problem(
            f"The service {container.service} does not restart after a reboot (restart policy: "
            f"{container.restart_policy}).",
            # It is no part of what Compose compares: `up` would keep the container as it is.
            (f"docker update --restart always {container.name}",),
        )
        for container in containers
        if container.service in set(Service) and container.restart_policy not in {"always", "unless-stopped"}
    ]
    found += readiness.disconnected(containers)
    frontend = of_service(containers, Service.FRONTEND)
    if frontend is not None and frontend.is_disconnected:
        # Its port does not answer for that reason.
        answer = None
    if answer is not None and readiness.is_unpublished(answer, containers):
        found.append(_problem(readiness.UNPUBLISHED, readiness.UNPUBLISHED_ADVICE))
    elif answer is not None:
        words = [reply.words for reply in (answer.api, answer.page) if not reply.is_ready]
        found += [_problem(f"{said[:1].upper()}{said[1:]}.") for said in words]
    if free is not None and free < LEAST_FREE_BYTES:
        advice = preflight.free_space(containers, is_deployed=True)
        found.append(FullDisk(FindingState.WRONG, "The disk with the images is full: pushes will fail.", advice))
    return tuple(found)
