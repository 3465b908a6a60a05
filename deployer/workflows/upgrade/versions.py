"""Which versions run, and which are available. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.address import is_loopback
from deployer.errors import DeployerError, EngineError
from deployer.layout import Service
from deployer.reference import parse
from deployer.registry.client import RegistryClient
from deployer.registry.connection.transport import Timeouts
from deployer.rendering import snippets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.engine.engine import Engine
    from deployer.record import PinnedImage
    from deployer.workflows.upgrade.newer import Sought

_ASKED = {Service.REGISTRY: ("registry", "--version"), Service.FRONTEND: ("caddy", "version")}
_PACKAGE = "docker-registry"
# What has neither domain nor account is Docker Hub's own (distribution/reference, normalize.go).
_HUB, _HUB_HOST, _OFFICIAL = "docker.io", "registry-1.docker.io", "library"


@dataclass(frozen=True)
class Running:
    """What a service runs: the version of its program, and of its Debian package; "" if unknown."""

    image: PinnedImage
    version: str
    package: str = ""


@dataclass(frozen=True)
class Available:
    """What is available for a service: a version or a digest in words, and whether it is newer.

    `is_newer` is None if that is unknown; `reason` says why.
    """

    name: str
    words: str = ""
    is_newer: bool | None = None
    reason: str = ""


def running(engine: Engine, image: PinnedImage) -> Running:
    """Ask an image's program for its version, in a container of its own. Raises EngineError if the engine fails."""
    asked = _ASKED.get(Service(image.service))
    if asked is None:
        return Running(image, "")
    printed = _printed(engine, image.id, *asked)
    found = re.search(r"\bv?(\d+\.\d+[\w.+~-]*)", printed)
    package = ""
    if image.service == Service.REGISTRY:
        package = _printed(engine, image.id, "dpkg-query", "--show", "--showformat=${Version}", _PACKAGE).strip()
    return Running(image, found[1] if found else "", package)


def _printed(engine: Engine, image: str, *command: str) -> str:
    try:
        return engine.containers.run(image, *command)
    except EngineError:
        # The image has no such program.
        return ""


def available(engine: Engine, found: Running, sought: Sought, environment: Mapping[str, str]) -> Available:
    """Look for something newer than what runs: in the image's registry, or in Debian's and PyPI's packages."""
    reason = ""
    if sought.pull:
        pulled = _in_registry(found, sought.pull, environment)
        loaded = engine.images.find(sought.pull) if pulled.is_newer is None else None
        if loaded is not None and loaded.id != found.image.id:
            return Available(sought.pull, f"{loaded.id} (on this machine)", is_newer=True, reason=pulled.reason)
        if pulled.is_newer is not None or found.image.name != sought.build:
            return pulled
        reason = f"{sought.pull}: {pulled.reason}"
    if found.image.service == Service.FRONTEND:
        is_newer = found.version != snippets.CADDY_VERSION
        return Available(sought.build, snippets.CADDY_VERSION, is_newer, reason)
    return _in_debian(engine, found, sought.build)


def _in_registry(found: Running, name: str, environment: Mapping[str, str]) -> Available:
    reference = parse(name).tagged()
    if reference.digest:
        return Available(name, "pinned by its digest", is_newer=found.image.name != name)
    domain, repository = reference.domain, reference.repository
    if domain in {"", _HUB}:
        repository = repository if "/" in repository else f"{_OFFICIAL}/{repository}"
        domain = _HUB_HOST
    scheme = "http" if is_loopback(domain.rpartition(":")[0] or domain) else "https"
    try:
        with RegistryClient(f"{scheme}://{domain}", environment, timeouts=Timeouts()) as client:
            digest = client.head(repository, reference.tag or "latest").digest
    except DeployerError as error:
        return Available(name, reason=error.message)
    return Available(name, digest, is_newer=not found.image.digest.endswith(f"@{digest}"))


def _in_debian(engine: Engine, found: Running, name: str) -> Available:
    """Ask Debian's repositories, with the sources that the image itself has."""
    script = f"apt-get update -qq >&2 && apt-cache policy {_PACKAGE}"
    try:
        printed = engine.containers.run(found.image.id, "sh", "-c", script, network="bridge")
    except EngineError as error:
        return Available(name, reason=f"Debian's repositories do not respond: {error.message}")
    candidate = re.search(r"Candidate: (\S+)", printed)
    if candidate is None:
        return Available(name, reason=f"Debian's repositories do not have {_PACKAGE}.")
    return Available(name, f"{candidate[1]} (Debian)", candidate[1] != found.package)
