"""Where a registry is: its URL taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from deployer.address import host_port, is_loopback


@dataclass(frozen=True)
class Place:
    """The address of a registry, as its messages and Docker's logins name it."""

    url: str
    address: str
    host: str

    @classmethod
    def of(cls, url: str) -> Place:
        """Take `http://host:port` apart; the port is always written out in the address."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(url.rstrip("/"), host_port(host, port), host)

    @property
    def port(self) -> int:
        """The port, even if the URL leaves it out."""
        return int(self.address.rpartition(":")[2])

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to in HTTPS."""
        return self.url.startswith("https:")

    @property
    def secured(self) -> Place:
        """The same host and port, spoken to in HTTPS."""
        return Place(f"https://{self.address}", self.address, self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, and reached by no proxy."""
        return is_loopback(self.host)
