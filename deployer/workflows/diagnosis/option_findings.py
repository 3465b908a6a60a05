"""Options of the engine, and what its machine lacks, that matter for a registry."""

from __future__ import annotations

import os
import shlex
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.report import AddressPool
from deployer.engine.values import running
from deployer.errors import PreflightError
from deployer.host.daemon.process import is_elsewhere
from deployer.host.files import nearest_directory
from deployer.layout import Service
from deployer.record import Owned
from deployer.workflows.checks import disk_room, engine_options, preflight
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.report import EngineReport
    from deployer.engine.values import EngineFacts
    from deployer.workflows.diagnosis.examined import Examined

# moby: daemon/libnetwork/ipamutils/utils.go.
_DEFAULT_POOLS = (
    *(AddressPool(f"172.{number}.0.0/16", 16) for number in range(17, 20)),
    *(AddressPool(f"172.{number}.0.0/14", 16) for number in (20, 24, 28)),
    AddressPool("192.168.0.0/16", 20),
)
_LEAST_FREE_FILES = 1000
_LINGERING = Path("/var/lib/systemd/linger")
# moby: daemon/info.go and daemon/info_unix.go; what else engines warn of does not matter to a registry.
_WARNINGS = (
    (
        "without encryption",
        "The engine's API is open to the network without encryption: anyone who can reach it is root on its machine.",
        "Remove the tcp:// address from `hosts` in its daemon.json or service, or require client certificates.",
    ),
    (
        "IPv4 forwarding is disabled",
        "IPv4 forwarding is off on the engine's machine: other machines cannot reach the registry's port.",
        "sudo sysctl net.ipv4.ip_forward=1",
    ),
    (
        "IPv6 forwarding is disabled",
        "IPv6 forwarding is off on the engine's machine: a port that is published over IPv6 cannot be reached.",
        "sudo sysctl net.ipv6.conf.all.forwarding=1",
    ),
)


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at the engine's options, its addresses and its disk."""
    engine, settings = examined.stack.engine, examined.stack.settings
    report, facts = examined.engine_info.report, examined.engine_info.facts
    yield from _options(report)
    try:
        engine_options.check_name(settings, facts.version)
    except PreflightError as error:
        yield Finding.of(error)
    else:
        yield from (Finding(FindingState.NOTE, remark) for remark in engine_options.remarks(settings, facts))
    if "rootless" in report.options:
        yield from _lingering(examined)
    for words, sentence, fix in _WARNINGS:
        if any(words in warning for warning in report.warnings):
            yield Finding(FindingState.WRONG, sentence, (fix,))
    if not has_free_range(report.pools or _DEFAULT_POOLS, engine.networks.subnets()):
        yield Finding(
            FindingState.NOTE if engine.containers.of_project(examined.stack.deployment.name) else FindingState.WRONG,
            "The engine has no address range left for another network; `deployer up` cannot create the registry's "
            "network.",
            (
                "docker network ls --filter dangling=true   (networks without containers)",
                "Remove those that are not needed: docker network rm NAME",
                "Or add ranges: set default-address-pools in its daemon.json, then restart the engine.",
            ),
        )
    yield from _disk(examined, facts)


def has_free_range(pools: tuple[AddressPool, ...], taken: tuple[str, ...]) -> bool:
    """Whether one of the engine's pools has a range that overlaps none of the networks that it has."""
    networks = [IPv4Network(subnet, strict=False) for subnet in taken if ":" not in subnet]
    for pool in pools:
        if ":" in pool.base:
            continue
        base = IPv4Network(pool.base, strict=False)
        for candidate in base.subnets(new_prefix=max(pool.size, base.prefixlen)):
            if not any(candidate.overlaps(network) for network in networks):
                return True
    return False


def _options(report: EngineReport) -> Iterator[Finding]:
    meant = {
        "rootless": "without root",
        "userns": "with root in containers mapped to another user (userns-remap)",
    }
    known = [words for option, words in meant.items() if option in report.options]
    known += ["with live-restore (containers keep running while it restarts)"] if report.live_restore else []
    known += ["with containerd's image store"] if report.containerd_images else []
    if known:
        yield Finding(FindingState.OK, f"The Docker engine runs {', '.join(known)}.")


def _lingering(examined: Examined) -> Iterator[Finding]:
    """A rootless engine ends with its user's last session, unless systemd is told otherwise: loginctl(1)."""
    user = examined.environment.get("USER", "")
    if user and _LINGERING.parent.is_dir() and not (_LINGERING / user).exists():
        yield Finding(
            FindingState.WRONG,
            "The rootless engine stops when its user logs out, and so does the registry.",
            (f"sudo loginctl enable-linger {user}",),
        )


def _disk(examined: Examined, facts: EngineFacts) -> Iterator[Finding]:
    """Whether there is free space where the engine and the registry write, as far as it is on this machine."""
    if is_elsewhere(facts.endpoint):
        return
    stack = examined.stack
    frontend = running(examined.containers, Service.FRONTEND)
    room = disk_room.look(stack.engine, frontend.id, stack.now()) if frontend else None
    yield from disk_room.findings(room)
    owned = Owned.read(stack.deployment.owned_file)
    storage = owned.storage if owned else None
    preflight.check_disk(stack.settings, facts, stack.deployment, storage, examined.containers)
    if room and room.inodes_limit:
        return
    existing = nearest_directory(preflight.folder_of_images(stack.settings, facts, storage))
    found = os.statvfs(existing)
    if found.f_files and found.f_favail < _LEAST_FREE_FILES:
        yield Finding(
            FindingState.WRONG,
            f"The disk for pushed images is out of inodes: {existing} has {found.f_favail} of {found.f_files} left.",
            (
                (
                    "Remove small files that are not needed, or move them to another disk. To find them: "
                    f"du --inodes -d 2 {shlex.quote(str(existing))}"
                ),
            ),
        )
