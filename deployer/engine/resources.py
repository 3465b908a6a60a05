"""The engine's volumes and networks: `docker volume` and `docker network`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.values import PROJECT_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.engine.client import Client


@dataclass(frozen=True)
class Listed:
    """A volume or network, with the Compose project of its label, "" for none. A volume's name is its ID."""

    id: str
    name: str
    project: str


@dataclass
class Volumes:
    """The engine's volumes. Every method raises EngineError."""

    client: Client

    def all(self) -> tuple[Listed, ...]:
        """Every volume."""
        return _listed(self.client, "volume", "{{.Name}}", "{{.Name}}")

    def inspect(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Everything that the engine knows of these volumes; one that is gone is left out."""
        return self.client.inspect("volume", names)

    def remove(self, name: str) -> None:
        """Remove a volume; one that is gone already is no failure."""
        self.client.remove("volume", "rm", name)

    def remove_all(self, names: Sequence[str]) -> None:
        """Remove volumes at once; one that is gone or in use is a failure, and the others are removed all the same."""
        self.client.run("volume", "rm", *names)


@dataclass
class Networks:
    """The engine's networks. Every method raises EngineError."""

    client: Client

    def all(self) -> tuple[Listed, ...]:
        """Every network."""
        return _listed(self.client, "network", "{{.ID}}", "{{.Name}}", "--no-trunc")

    def subnets(self) -> tuple[str, ...]:
        """Their address ranges; none for a network that is removed while they are read."""
        found = self.client.inspect("network", self.client.run("network", "ls", "--quiet", "--no-trunc").split())
        ranges = (one for raw in found for one in (raw.get("IPAM") or {}).get("Config") or ())
        return tuple(one["Subnet"] for one in ranges if one.get("Subnet"))

    def remove(self, identity: str) -> None:
        """Remove a network; one that is gone already is no failure."""
        self.client.remove("network", "rm", identity)


def _listed(client: Client, kind: str, identity: str, name: str, *options: str) -> tuple[Listed, ...]:
    shown = f'{identity}\t{name}\t{{{{.Label "{PROJECT_LABEL}"}}}}'
    lines = client.run(kind, "ls", *options, "--format", shown).splitlines()
    return tuple(Listed(*line.split("\t")) for line in lines if line.strip())
