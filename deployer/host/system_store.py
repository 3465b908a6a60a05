"""The authorities that this machine's system trusts for everything."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host import probe
from deployer.host.bundle import bundle
from deployer.host.certificate import bare

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.host.trust_places import Ground

# The folder for authorities of one's own, and the program that takes them over: Debian's, Fedora's.
_FAMILIES = (
    ("usr/local/share/ca-certificates", "update-ca-certificates"),
    ("etc/pki/ca-trust/source/anchors", "update-ca-trust"),
)


@dataclass(frozen=True)
class Store:
    """Where an authority is put for the whole system, and the program that takes it over."""

    file: Path
    program: str


def store(ground: Ground, address: str) -> Store | None:
    """The place for this registry's authority; None where this system's way is not known."""
    for folder, program in _FAMILIES:
        if (ground.root / folder).is_dir() and ground.has(program):
            # update-ca-certificates takes only names that end in .crt.
            name = re.sub(r"[^A-Za-z0-9.-]+", "-", address).strip("-")
            return Store(ground.root / folder / f"deployer-{name}.crt", program)
    return None


def holds(root: Path, authority: bytes) -> bool:
    """Whether the system trusts this authority, in PEM."""
    return bare(authority) in bundle(root)


def context(ground: Ground) -> ssl.SSLContext:
    """A context that trusts whom the system trusts."""
    if ground.platform != "linux":
        return ssl.create_default_context()
    made, known = probe.strict(), bundle(ground.root)
    if known:
        made.load_verify_locations(cadata=known.decode("ascii", errors="ignore"))
    return made
