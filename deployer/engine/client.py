"""The Docker engine: small methods named for what deployer needs."""

from __future__ import annotations

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.docker import compose
from deployer.engine.environment import Purpose
from deployer.engine.errors import translated
from deployer.engine.report import EngineReport, Plugin, plugins_of, proxies_of
from deployer.engine.values import EngineFacts, InsecureRegistries, LocalImage, Publisher, ServiceContainer, Transferred
from deployer.errors import EngineError, EngineUnavailable, ImageNotFound, UnsetVariables
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deployer.engine.docker import Client
    from deployer.engine.values import HelperContainer, Project

_PROJECT_LABEL = "com.docker.compose.project"
_HELPER_LABEL = "deployer.upkeep"
_GONE = re.compile(r"no such (container|volume|network)|network \S+ not found|already in progress", re.IGNORECASE)
# compose-spec/compose-go, template/template.go; Compose logs it, with quotes escaped.
_UNSET = re.compile(r'The \\?"([^"\\]+)\\?" variable is not set')
_REMOVAL_TRIES = 20
_REMOVAL_PAUSE_SECONDS = 0.25
# The closing lines of a push, and of a pull.
_TRANSFERRED = re.compile(r"^(\S+: digest: (?P<pushed>\S+) size: (?P<size>\d+)|Digest: (?P<pulled>\S+))$")


@dataclass
class Engine:
    """The engine that a Docker client speaks to.

    Every method raises EngineError, with the engine's own words underneath.
    """

    client: Client

    # -- the engine itself

    def version(self) -> str:
        """The engine's version; the quickest way to learn whether one answers."""
        return self.client.run("version", "--format", "{{.Server.Version}}").strip()

    def compose_version(self) -> str:
        """The Compose plugin's version, such as "2.40.3"."""
        return self.client.run("compose", "version", "--short").strip().removeprefix("v")

    def describe(self) -> EngineFacts:
        """What the engine says of itself."""
        # Two processes at once: every `up` waits for them.
        with ThreadPoolExecutor() as pool:
            endpoint = pool.submit(self.endpoint)
            info = self._info()
        system = str(info.get("OperatingSystem") or "")
        options = {option.split(",")[0] for option in info.get("SecurityOptions") or ()}
        kind = EngineKind.ROOTLESS if "name=rootless" in options else EngineKind.SYSTEM
        if "Docker Desktop" in system:
            kind = EngineKind.DESKTOP
        return EngineFacts(
            version=str(info.get("ServerVersion") or ""),
            operating_system=system,
            kind=kind,
            endpoint=endpoint.result(),
            data_directory=str(info.get("DockerRootDir") or ""),
            user_namespaces="name=userns" in options,
            runtime=str(info.get("DefaultRuntime") or ""),
            proxies=proxies_of(info),
        )

    def endpoint(self) -> str:
        """Where the client looks for the engine, such as "unix:///var/run/docker.sock"."""
        return self.client.run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()

    def insecure_registries(self) -> InsecureRegistries:
        """The registries that the running engine accepts without verified TLS."""
        config = self._info().get("RegistryConfig") or {}
        indexes = config.get("IndexConfigs") or {}
        return InsecureRegistries(
            cidrs=tuple(config.get("InsecureRegistryCIDRs") or ()),
            hosts=tuple(name for name, index in indexes.items() if not index.get("Secure", True)),
        )

    def report(self) -> EngineReport:
        """The engine's options and state."""
        return EngineReport.of(self._info())

    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins of the user's Docker client, also those that do not run."""
        told = self.client.run("system", "info", "--format", "{{json .ClientInfo}}", purpose=Purpose.USER)
        return plugins_of(json.loads(told))

    def subnets(self) -> tuple[str, ...]:
        """The ranges of addresses that the engine's networks have."""
        networks = self.client.run("network", "ls", "--quiet").split()
        shown = "{{range .IPAM.Config}}{{.Subnet}} {{end}}"
        return tuple(self.client.run("network", "inspect", "--format", shown, *networks).split())

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = json.loads(self.client.run("system", "info", "--format", "{{json .}}"))
        # The client prints what it knows and exits with 0 where no engine answers.
        if info.get("ServerErrors"):
            raise self.client.fault("\n".join(info["ServerErrors"]))
        return info

    # -- images

    def image(self, name: str) -> LocalImage | None:
        """The image of that name or ID, or None."""
        try:
            found, size = self.client.run("image", "inspect", "--format", "{{.Id}} {{.Size}}", name).split()
        except ImageNotFound:
            return None
        return LocalImage(found, int(size))

    def has_image(self, name: str) -> bool:
        """Whether an image of that name is here."""
        return self.image(name) is not None

    def image_names(self) -> tuple[str, ...]:
        """The names of all images that have one."""
        lines = self.client.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        return tuple(line for line in lines if "<none>" not in line)

    def tag(self, image: str, name: str) -> None:
        """Give an image one more name."""
        self.client.run("image", "tag", image, name)

    def untag(self, name: str) -> None:
        """Take a name from an image; the image goes only when it was its last."""
        self.client.run("image", "rm", "--no-prune", name)

    def push(self, name: str, *, address: str, on_line: Callable[[str], None] | None) -> Transferred | None:
        """Push an image.

        With `on_line` None, Docker draws its own progress on the terminal, and None is returned;
        otherwise each line goes to `on_line`, and what Docker says at the end is returned.
        """
        return self._transfer(("push",), name, address, on_line)

    def pull(
        self, name: str, *, address: str, on_line: Callable[[str], None] | None, platform: str = ""
    ) -> Transferred | None:
        """Pull an image, for the engine's platform or another; progress and answer as with `push`."""
        return self._transfer(("pull", *(("--platform", platform) if platform else ())), name, address, on_line)

    def fetch(self, name: str) -> None:
        """Pull an image for a service of ours."""
        self._transfer(("pull",), name, "the hub", lambda _: None, Purpose.FETCH)

    def _transfer(
        self,
        words: tuple[str, ...],
        name: str,
        address: str,
        on_line: Callable[[str], None] | None,
        purpose: Purpose = Purpose.USER,
    ) -> Transferred | None:
        last: list[Transferred] = []

        def watch(line: str) -> None:
            match = _TRANSFERRED.match(line)
            if match:
                digest = match["pushed"] or match["pulled"]
                last.append(Transferred(digest, int(match["size"]) if match["size"] else None))
            if on_line is not None:
                on_line(line)

        listener = watch if on_line else None
        self.client.stream("image", *words, name, on_line=listener, address=address, purpose=purpose)
        return last[-1] if last else None

    def import_image(self, archive: Path, name: str) -> None:
        """Make an image of a root file system in a tar archive."""
        self.client.run("image", "import", str(archive), name)

    def build(self, context: Path, dockerfile: Path, name: str) -> None:
        """Build an image."""
        self.client.run("image", "build", "--file", str(dockerfile), "--tag", name, str(context), purpose=Purpose.BUILD)

    # -- Compose projects

    def config_hashes(self, project: Project) -> dict[str, str]:
        """For each service, the hash by which Compose decides whether to make its container again.

        Compose reads the files for it, so it also proves that they are right. Raises UnsetVariables
        where they use variables, of which Compose gets none.
        """
        return dict(_pair(line) for line in self._config(project, "--hash", "*").splitlines() if line.strip())

    def resolved(self, project: Project) -> dict[str, Any]:
        """The project as Compose reads its files, with the names that its volumes and networks have here.

        Raises UnsetVariables as `config_hashes` does.
        """
        # Printed to be read by Compose again, which takes a single dollar sign for a variable.
        found: dict[str, Any] = json.loads(self._config(project, "--format", "json").replace("$$", "$"))
        return found

    def _config(self, project: Project, *options: str) -> str:
        done = self.client.begin(*compose(project), "config", *options)
        if unset := tuple(dict.fromkeys(_UNSET.findall(done.stderr))):
            raise UnsetVariables(unset, done.stderr)
        if done.returncode != 0:
            raise self.client.fault(done.stderr or done.stdout)
        return done.stdout

    def up(self, project: Project, *, recreate: Sequence[str] = (), quiet: bool) -> None:
        """Start the project's services, recreating those that changed, and those named in `again`."""
        with translated():
            command = self.client.whales(project).compose
            command.up(detach=True, remove_orphans=True, pull="never", no_build=True, quiet=quiet)
            if recreate:
                command.up(
                    list(recreate), detach=True, force_recreate=True, dependencies=False, pull="never", no_build=True,
                    quiet=quiet,
                )  # fmt: skip

    def stop(self, project: Project, services: Sequence[str]) -> None:
        """Let Compose stop services, which runs their pre_stop hooks."""
        self.client.run(*compose(project), "stop", *services)

    def volumes_of_image(self, name: str) -> frozenset[str] | None:
        """The places for which an image asks for volumes; None for an image that is not here."""
        try:
            (found,) = self.inspect("image", [name])
        except ImageNotFound:
            return None
        return frozenset((found.get("Config") or {}).get("Volumes") or ())

    def follow_logs(self, project: Project, services: Sequence[str], *, follow: bool, tail: str, since: str) -> None:
        """Let Compose print the services' logs on this terminal."""
        options = (("--follow",) if follow else ()) + (("--tail", tail) if tail else ())
        options += ("--since", since) if since else ()
        done = self.client.begin(*compose(project), "logs", *options, *services, stdout=None)
        # A reader such as `head` that has seen enough is no failure.
        if done.returncode != 0 and done.stderr.strip() and "broken pipe" not in done.stderr:
            raise self.client.fault(done.stderr)

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines that a container wrote, on either stream."""
        done = self.client.begin("container", "logs", "--tail", str(count), container, stderr=subprocess.STDOUT)
        return tuple(done.stdout.splitlines())

    def containers(self, project: str) -> tuple[ServiceContainer, ...]:
        """The containers of a Compose project, running or not, by service."""
        found = self._inspected("--all", "--filter", f"label={_PROJECT_LABEL}={project}")
        return tuple(sorted((ServiceContainer.of(raw) for raw in found), key=lambda container: container.service))

    def publishers(self, port: int) -> tuple[Publisher, ...]:
        """The running containers that have published a TCP port of this machine."""
        shown = f'{{{{.Names}}}}\t{{{{.Label "{_PROJECT_LABEL}"}}}}'
        lines = self.client.run("container", "ls", "--filter", f"publish={port}/tcp", "--format", shown).splitlines()
        return tuple(Publisher(*_pair(line, "\t")) for line in lines)

    def execute(self, container: str, *command: str) -> str:
        """Run a program inside a container and return what it printed."""
        return self.client.run("container", "exec", container, *command)

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a shell script inside a container, with bytes on its standard input; return what it printed."""
        return self.client.exchange(
            "container", "exec", "--interactive", container, "sh", "-c", script, "sh", *arguments, stdin=stdin
        )

    def start_helper(self, wanted: HelperContainer) -> subprocess.Popen[bytes]:
        """Start a container that lives while the returned process's standard input is open.

        Returns once its script has printed a line.
        """
        mount = ",".join(_quoted(part) for part in (f"source={wanted.folder}", f"target={wanted.mounted_at}"))
        scratch = "/tmp"  # noqa: S108 - inside the container
        namespace = ("--userns", wanted.user_namespace) if wanted.user_namespace else ()
        process = self.client.start(
            "container", "run", "--interactive", "--rm", "--name", wanted.name,
            "--label", f"{_HELPER_LABEL}={wanted.label}", "--pull", "never",
            "--volumes-from", wanted.beside, "--mount", f"type=bind,{mount}", "--tmpfs", scratch, "--network", "none",
            "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
            "--security-opt", "no-new-privileges:true", "--stop-signal", "KILL", "--log-driver", "none",
            *namespace, "--entrypoint", "sh", wanted.image, "-c", wanted.script, "sh", *wanted.arguments,
        )  # fmt: skip
        if process.stdout is None or not process.stdout.readline():
            _, complaints = process.communicate()
            raise self.client.fault(complaints.decode(errors="replace"))
        return process

    def remove_helpers(self, label: str) -> None:
        """End and remove the helper containers with this label; return when they are gone.

        Raises EngineError where one does not go.
        """
        for attempt in range(_REMOVAL_TRIES):
            left = self.client.run(
                "container", "ls", "--all", "--quiet", "--filter", f"label={_HELPER_LABEL}={label}"
            ).split()
            if not left:
                return
            if attempt:
                time.sleep(_REMOVAL_PAUSE_SECONDS)
            # It ends by itself too, and then there is nothing to remove any more.
            self.remove("container", "rm", "--force", *left)
        raise EngineError("A helper container of deployer does not end.", (f"docker rm --force {left[0]}",))

    def sharing(self, container: str, target: str) -> tuple[str, ...]:
        """The names of other running containers that may write to what this one has mounted at `target`."""
        found = self._inspected("--all")
        mine = [
            mount["Source"]
            for raw in found
            for mount in raw["Mounts"]
            if raw["Id"] == container and mount["Destination"] == target
        ]
        # A folder above may be mounted for other ends, such as all of the engine's volumes.
        return tuple(
            raw["Name"].lstrip("/")
            for raw in found
            if raw["State"]["Running"]
            and raw["Id"] != container
            and _HELPER_LABEL not in (raw["Config"]["Labels"] or {})
            and any(
                mount["RW"] and f"{mount.get('Source')}/".startswith(f"{place}/")
                for mount in raw["Mounts"]
                for place in mine
            )
        )

    def remove(self, *arguments: str) -> None:
        """Run a command of the client that removes something; what is gone already is no failure."""
        try:
            self.client.run(*arguments)
        except EngineUnavailable:
            raise
        except EngineError as error:
            if not _GONE.search(error.original):
                raise

    def stop_streams(self) -> None:
        """End every push and pull under way."""
        self.client.stop_streams()

    def _inspected(self, *options: str) -> list[dict[str, Any]]:
        """Everything that the engine knows of the containers that `container ls` lists with these options."""
        return self.inspect("container", self.client.run("container", "ls", "--quiet", "--no-trunc", *options).split())

    def inspect(self, kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Everything that the engine knows of these containers, volumes or networks."""
        if not names:
            return []
        done = self.client.begin(kind, "inspect", *names)
        complaints = [line for line in done.stderr.splitlines() if line.strip()]
        # One that ended between the two questions is gone, and the others are told.
        if done.returncode != 0 and not all(_GONE.search(line) for line in complaints):
            raise self.client.fault(done.stderr)
        return list(json.loads(done.stdout))


def _quoted(field_: str) -> str:
    # The client reads a mount as a line of CSV.
    return '"' + field_.replace('"', '""') + '"'


def _pair(line: str, separator: str | None = None) -> tuple[str, str]:
    first, second = line.split(separator, 1)
    return first, second
