"""What the engine and the Docker client say of themselves: `docker info`, `docker version`, `docker context`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.environment import ClientPurpose, names_an_engine
from deployer.engine.report import EngineReport, Plugin, plugins_of, proxies_of
from deployer.engine.values import EngineFacts, InsecureRegistries
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from deployer.engine.client import Client

# docker/cli: what the context "default" names if no variable does (moby, client/client_unix.go).
DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class EngineInfo:
    """All that an engine says of itself, at one moment."""

    facts: EngineFacts
    report: EngineReport
    insecure_registries: InsecureRegistries


@dataclass
class System:
    """The engine itself. Every method raises EngineError."""

    client: Client

    def version(self) -> str:
        """The engine's version; the quickest way to learn whether one answers."""
        return self.client.run("version", "--format", "{{.Server.Version}}").strip()

    def info(self) -> EngineInfo:
        """All that the engine says of itself now."""
        info = self._info()
        return EngineInfo(_facts(info, self.endpoint()), EngineReport.of(info), _insecure_registries(info))

    def describe(self) -> EngineFacts:
        """What commands need to know of the engine."""
        return self.info().facts

    def endpoint(self) -> str:
        """Where the client looks for the engine, such as "unix:///var/run/docker.sock"."""
        if not names_an_engine(self.client.environment):
            return DEFAULT_ENDPOINT
        return self.client.run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()

    def insecure_registries(self) -> InsecureRegistries:
        """The registries that the running engine accepts without verified TLS."""
        return _insecure_registries(self._info())

    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins of the user's Docker client, also those that do not run."""
        told = self.client.run("system", "info", "--format", "{{json .ClientInfo}}", purpose=ClientPurpose.USER)
        return plugins_of(json.loads(told))

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = json.loads(self.client.run("system", "info", "--format", "{{json .}}"))
        # The client prints what it knows and exits with 0 if no engine answers.
        if info.get("ServerErrors"):
            raise self.client.fault("\n".join(info["ServerErrors"]))
        return info


def _facts(info: dict[str, Any], endpoint: str) -> EngineFacts:
    system = str(info.get("OperatingSystem") or "")
    options = {option.split(",")[0] for option in info.get("SecurityOptions") or ()}
    kind = EngineKind.ROOTLESS if "name=rootless" in options else EngineKind.SYSTEM
    if "Docker Desktop" in system:
        kind = EngineKind.DESKTOP
    return EngineFacts(
        version=str(info.get("ServerVersion") or ""),
        operating_system=system,
        kind=kind,
        endpoint=endpoint,
        data_directory=str(info.get("DockerRootDir") or ""),
        user_namespaces="name=userns" in options,
        runtime=str(info.get("DefaultRuntime") or ""),
        proxies=proxies_of(info),
        compose_version=_compose_version(info),
        id=_identity(info),
    )


def _identity(info: dict[str, Any]) -> str:
    # Before 23.0 the ID comes from a file that all engines of a machine share (moby, daemon/trustkey.go).
    return f"{info['ID']} {info.get('DockerRootDir') or ''}".strip() if info.get("ID") else ""


def _insecure_registries(info: dict[str, Any]) -> InsecureRegistries:
    config = info.get("RegistryConfig") or {}
    indexes = config.get("IndexConfigs") or {}
    return InsecureRegistries(
        cidrs=tuple(config.get("InsecureRegistryCIDRs") or ()),
        hosts=tuple(name for name, index in indexes.items() if not index.get("Secure", True)),
    )


def _compose_version(info: dict[str, Any]) -> str:
    """The version of the Compose plugin that runs, "" if the client reports none."""
    plugins = plugins_of(info.get("ClientInfo") or {})
    return next((one.version.removeprefix("v") for one in plugins if one.name == "compose" and not one.error), "")
