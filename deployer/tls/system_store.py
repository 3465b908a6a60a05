"""The CAs that this machine's system trusts for everything."""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.tls import probe
from deployer.tls.bundle import bundle
from deployer.tls.certificate import bare
from deployer.tls.go_rules import apply_go_rules

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.tls.places import ClientPaths, TrustTarget

# The folder for CAs of your own, and the program that takes them over: Debian's, Fedora's.
_FAMILIES = (
    ("usr/local/share/ca-certificates", "update-ca-certificates"),
    ("etc/pki/ca-trust/source/anchors", "update-ca-trust"),
)


@dataclass(frozen=True)
class Store:
    """Where a CA is put for the whole system, and the program that takes it over."""

    file: Path
    program: str


def store(target: TrustTarget) -> Store | None:
    """The place for this registry's CA; None if this system's way is not known."""
    for folder, program in _FAMILIES:
        if (target.paths.root / folder).is_dir() and target.paths.has(program):
            # update-ca-certificates takes only names that end in .crt.
            return Store(target.paths.root / folder / f"deployer-{_file_name(target.address)}.crt", program)
    return None


def _file_name(address: str) -> str:
    """What names this address and no other: `a.example-5000`, `2001-db8-1-5000-` and a hash of the address."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", address).strip("-")
    if "[" not in address:
        return name
    # `::` and `:` read alike here, so several IPv6 addresses have one name.
    return f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def holds(root: Path, ca: bytes) -> bool:
    """Whether the system trusts this CA, in PEM."""
    return bare(ca) in bundle(root)


def context(client_paths: ClientPaths) -> ssl.SSLContext:
    """A context that trusts whom the system trusts."""
    if client_paths.platform != "linux":
        made = ssl.create_default_context()
        apply_go_rules(made)
        return made
    made, known = probe.strict(), bundle(client_paths.root)
    if known:
        made.load_verify_locations(cadata=known.decode("ascii", errors="ignore"))
    return made
