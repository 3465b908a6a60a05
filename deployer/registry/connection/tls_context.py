"""Whom a TLS connection to one registry trusts: the system's store, and what is installed for its address.

Docker and podman read a folder HOST:PORT in several places: `*.crt` are CAs, `X.cert` with
`X.key` is what we show of ourselves (Docker's documentation, "Verify repository client with certificates").
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.paths import known_config_home, user_home
from deployer.tls.go_rules import apply_go_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployer.registry.protocol.place import Place


@dataclass(frozen=True)
class TrustStore:
    """What is installed for one address: files with CAs, and our own files with their keys.

    `deployed` is the CA of the deployment on this machine, trusted beside them.
    """

    ca_files: tuple[Path, ...] = ()
    own: tuple[tuple[Path, Path], ...] = ()
    unreadable: tuple[Path, ...] = ()
    deployed: Path | None = None

    @property
    def expects_tls(self) -> bool:
        """Whether a CA is installed for this address: then TLS is used."""
        return bool(self.ca_files)

    def context(self, *, show_own: bool = True) -> tuple[ssl.SSLContext, tuple[str, ...]]:
        """What verifies a server by them and by the system's store, and a remark on each that is of no use.

        Loading the system's store takes some 30 ms. `show_own` false: our own certificates stay out.
        """
        made = ssl.create_default_context()
        apply_go_rules(made)
        remarks = [f"{path} cannot be read by this user." for path in self.unreadable]
        for ca in (*self.ca_files, *((self.deployed,) if self.deployed else ())):
            try:
                made.load_verify_locations(cafile=ca)
            except (OSError, ValueError) as error:
                remarks.append(f"{ca} cannot be used as a CA: {_reason(error)}.")
        for certificate, key in self.own if show_own else ():
            try:
                # Without a password given here, OpenSSL would ask for it on the terminal.
                made.load_cert_chain(certificate, key, password="")
            except (OSError, ValueError) as error:
                remarks.append(f"{certificate} with {key.name} cannot be used: {_reason(error)}.")
        return made, tuple(remarks)


def installed(
    place: Place, environment: Mapping[str, str], ca: Path | None = None, *, root: Path = Path("/")
) -> TrustStore:
    """What this machine has installed for a registry, and beside it the file of the deployment's own CA."""
    ca_files: list[Path] = []
    own: list[tuple[Path, Path]] = []
    unreadable: list[Path] = []
    for folder in _folders(place, environment, root):
        try:
            files = sorted(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            unreadable.append(folder)
            continue
        ca_files += [file for file in files if file.suffix == ".crt"]
        own += [(file, file.with_suffix(".key")) for file in files if file.suffix == ".cert"]
    return TrustStore(tuple(ca_files), tuple(own), tuple(unreadable), ca)


def _folders(place: Place, environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    own, config = user_home(environment), known_config_home(environment)
    roots = (
        root / "etc/docker/certs.d",
        *((config / "docker/certs.d",) if config else ()),
        *((own / ".docker/certs.d",) if own else ()),
        root / "etc/containers/certs.d",
        *((own / ".config/containers/certs.d",) if own else ()),
    )
    # Image names leave the port of HTTPS out, and so does the folder.
    names = [place.address, *([place.address.rpartition(":")[0]] if place.port == 443 else [])]
    for parent in roots:
        yield from (parent / name for name in names)


def _reason(error: Exception) -> str:
    # OpenSSL's own words follow the place in its source: "[X509] PEM lib (_ssl.c:4149)".
    text = getattr(error, "strerror", "") or str(error) or type(error).__name__
    return text.partition(" (_ssl.c")[0]
