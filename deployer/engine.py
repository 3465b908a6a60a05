"""The Docker engine: the only file that imports python-on-whales.

Small methods named for what deployer needs. Importing python-on-whales takes a quarter of a
second and every call is a process, so nothing happens before it is asked for.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deployer.engine_errors import translate
from deployer.errors import EngineUnavailable
from deployer.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from python_on_whales import DockerClient

_PROJECT_LABEL = "com.docker.compose.project"
_PUSHED = re.compile(r"^(?P<tag>\S+): digest: (?P<digest>\S+) size: (?P<size>\d+)$")


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself."""

    version: str
    operating_system: str
    rootless: bool
    desktop: bool
    endpoint: str
    data_directory: str


@dataclass(frozen=True)
class InsecureRegistries:
    """The registries that the running engine accepts without verified TLS."""

    cidrs: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class LocalImage:
    """An image that the engine holds. `size` in bytes."""

    id: str
    size: int


@dataclass(frozen=True)
class ServiceContainer:
    """A container that Compose made for a service.

    `directory` is the project's folder.
    """

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int
    restart_policy: str
    image: str
    image_id: str
    config_hash: str
    directory: str


@dataclass(frozen=True)
class Publisher:
    """A running container that has published a port."""

    name: str
    project: str


@dataclass(frozen=True)
class Pushed:
    """The closing line of a push. `size` is the manifest's, in bytes."""

    digest: str
    size: int


@dataclass(frozen=True)
class Project:
    """A Compose project: its name, its folder, and the files in it, the later over the earlier."""

    name: str
    directory: Path
    files: tuple[Path, ...]


@dataclass
class Engine:
    """The engine that the Docker client on PATH speaks to.

    `call` is the client's command: a test seam. Every method raises EngineError, with the
    engine's own words underneath.
    """

    call: tuple[str, ...] = ("docker",)
    _streams: Streams = field(default_factory=Streams)

    @cached_property
    def _docker(self) -> DockerClient:
        return self._client()

    def _client(self, project: Project | None = None) -> DockerClient:
        from python_on_whales import DockerClient

        if project is None:
            return DockerClient(client_call=list(self.call))
        return DockerClient(
            client_call=list(self.call),
            compose_files=list(project.files),
            compose_project_name=project.name,
            compose_project_directory=project.directory,
        )

    def _run(self, *arguments: str) -> str:
        from python_on_whales.utils import run

        with _translated():
            return str(run([*self._docker.client_config.docker_cmd, *arguments]))

    # -- the engine itself

    def version(self) -> str:
        """The engine's version; the quickest way to learn whether one answers."""
        with _translated():
            server = self._docker.version().server
        if server is None or not server.version:
            raise EngineUnavailable("No Docker engine answers on this machine.", ("sudo systemctl start docker",))
        return server.version

    def compose_version(self) -> str:
        """The Compose plugin's version, such as "2.40.3"."""
        return self._run("compose", "version", "--short").strip().removeprefix("v")

    def describe(self) -> EngineFacts:
        """What the engine says of itself."""
        with _translated():
            info = self._docker.system.info()
        security = " ".join(info.security_options or ())
        system = info.operating_system or ""
        return EngineFacts(
            version=info.server_version or "",
            operating_system=system,
            rootless="rootless" in security,
            desktop="Docker Desktop" in system,
            endpoint=self.endpoint(),
            data_directory=str(info.docker_root_dir or ""),
        )

    def endpoint(self) -> str:
        """Where the client looks for the engine, such as "unix:///var/run/docker.sock"."""
        return self._run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()

    def insecure_registries(self) -> InsecureRegistries:
        """The registries that the running engine accepts without verified TLS."""
        with _translated():
            config = self._docker.system.info().registry_config or {}
        indexes = config.get("IndexConfigs") or {}
        return InsecureRegistries(
            cidrs=tuple(config.get("InsecureRegistryCIDRs") or ()),
            hosts=tuple(name for name, index in indexes.items() if not index.get("Secure", True)),
        )

    # -- images

    def image(self, name: str) -> LocalImage | None:
        """The image of that name or ID, or None."""
        from python_on_whales.exceptions import NoSuchImage

        try:
            with _translated(leave=NoSuchImage):
                found = self._docker.image.inspect(name)
                return LocalImage(found.id, found.size)
        except NoSuchImage:
            return None

    def has_image(self, name: str) -> bool:
        """Whether an image of that name is here."""
        return self.image(name) is not None

    def image_names(self) -> tuple[str, ...]:
        """The names of all images that have one."""
        lines = self._run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        return tuple(line for line in lines if "<none>" not in line)

    def tag(self, image: str, name: str) -> None:
        """Give an image one more name."""
        with _translated():
            self._docker.image.tag(image, name)

    def untag(self, name: str) -> None:
        """Take a name from an image; the image goes only when it was its last."""
        self._run("image", "rm", "--no-prune", name)

    def push(self, name: str, *, address: str, flags: str, on_line: Callable[[str], None] | None) -> Pushed | None:
        """Push an image.

        With `on_line` None, Docker draws its own progress on the terminal, and None is returned;
        otherwise each line goes to `on_line`, and the closing line is returned.
        """
        last: list[Pushed] = []

        def watch(line: str) -> None:
            match = _PUSHED.match(line)
            if match:
                last.append(Pushed(match["digest"], int(match["size"])))
            if on_line is not None:
                on_line(line)

        self._stream(("image", "push", name), watch if on_line else None, address=address, flags=flags)
        return last[-1] if last else None

    def pull(
        self, name: str, *, address: str = "the hub", flags: str = "", on_line: Callable[[str], None] | None = None
    ) -> None:
        """Pull an image; progress as with `push`."""
        self._stream(("image", "pull", name), on_line, address=address, flags=flags)

    def import_image(self, archive: Path, name: str) -> None:
        """Make an image of a root file system in a tar archive."""
        with _translated():
            self._docker.image.import_(archive, tag=name)

    def build(self, context: Path, dockerfile: Path, name: str) -> None:
        """Build an image, with the builder that every engine has."""
        self._run("build", "--quiet", "--tag", name, "--file", str(dockerfile), str(context))

    # -- Compose projects

    def check(self, project: Project) -> None:
        """Let Compose read the files, starting nothing."""
        with _translated():
            self._client(project).compose.config(return_json=True)

    def config_hashes(self, project: Project) -> dict[str, str]:
        """For each service, the hash by which Compose decides whether to make its container anew."""
        from python_on_whales.utils import run

        command = [*self._client(project).client_config.docker_compose_cmd, "config", "--hash", "*"]
        with _translated():
            lines = str(run(command)).splitlines()
        return dict(_pair(line) for line in lines if line.strip())

    def up(self, project: Project, *, quiet: bool) -> None:
        """Start the project's services, making anew those that changed."""
        with _translated():
            self._client(project).compose.up(detach=True, remove_orphans=True, pull="never", no_build=True, quiet=quiet)

    def down(self, project: Project, *, volumes: bool, quiet: bool) -> None:
        """Stop and remove the project's containers and network, and with `volumes` its volumes."""
        with _translated():
            self._client(project).compose.down(remove_orphans=True, volumes=volumes, quiet=quiet)

    def follow_logs(self, project: Project, services: Sequence[str], *, follow: bool, tail: str, since: str) -> None:
        """Let Compose print the services' logs on this terminal."""
        from python_on_whales.utils import run

        options = [
            *(["--follow"] if follow else []),
            *(["--tail", tail] if tail else []),
            *(["--since", since] if since else []),
        ]
        command = [*self._client(project).client_config.docker_compose_cmd, "logs", *options, *services]
        with _translated():
            run(command, capture_stdout=False, capture_stderr=False)

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines that a container wrote, on either stream."""
        with _translated():
            return tuple(str(self._docker.container.logs(container, tail=count)).splitlines())

    def containers(self, project: str) -> tuple[ServiceContainer, ...]:
        """The containers of a Compose project, running or not, by service."""
        ids = self._run(
            "container", "ls", "--all", "--quiet", "--no-trunc", "--filter", f"label={_PROJECT_LABEL}={project}"
        ).split()
        if not ids:
            return ()
        found = json.loads(self._run("container", "inspect", *ids))
        return tuple(sorted((_container(raw) for raw in found), key=lambda container: container.service))

    def publishers(self, port: int) -> tuple[Publisher, ...]:
        """The running containers that have published a TCP port of this machine."""
        lines = self._run(
            "container",
            "ls",
            "--filter",
            f"publish={port}/tcp",
            "--format",
            f'{{{{.Names}}}}\t{{{{.Label "{_PROJECT_LABEL}"}}}}',
        ).splitlines()
        return tuple(Publisher(*_pair(line, "\t")) for line in lines)

    def volumes(self, project: str) -> tuple[str, ...]:
        """The names of a Compose project's volumes."""
        return tuple(self._run("volume", "ls", "--quiet", "--filter", f"label={_PROJECT_LABEL}={project}").split())

    def remove_volume(self, name: str) -> None:
        """Remove a volume where it is still there."""
        self._run("volume", "rm", "--force", name)

    def execute(self, container: str, *command: str) -> str:
        """Run a program inside a container and return what it printed."""
        return self._run("container", "exec", container, *command)

    # -- running

    def stop_streams(self) -> None:
        """End every push and pull under way."""
        self._streams.stop()

    def _stream(
        self, arguments: tuple[str, ...], on_line: Callable[[str], None] | None, *, address: str, flags: str
    ) -> None:
        # python-on-whales either captures nothing or, streaming, cannot be ended: hence our own process.
        with _translated():
            command = [str(part) for part in self._docker.client_config.docker_cmd]
        code, complaints = self._streams.run([*command, *arguments], on_line)
        if code != 0:
            raise translate(complaints, address=address, flags=flags)


@contextmanager
def _translated(leave: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
    from python_on_whales.client_config import ClientNotFoundError
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except leave:
        raise
    except ClientNotFoundError as error:
        raise EngineUnavailable(
            "There is no `docker` program on this machine.", ("Install Docker Engine, or Docker Desktop.",)
        ) from error
    except DockerException as error:
        raise translate(error.stderr or error.stdout or "") from error


def _container(raw: dict[str, Any]) -> ServiceContainer:
    labels = raw["Config"]["Labels"] or {}
    state = raw["State"]
    return ServiceContainer(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        service=labels.get("com.docker.compose.service", ""),
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=state["ExitCode"],
        restart_policy=raw["HostConfig"]["RestartPolicy"]["Name"] or "no",
        image=raw["Config"]["Image"],
        image_id=raw["Image"],
        config_hash=labels.get("com.docker.compose.config-hash", ""),
        directory=labels.get("com.docker.compose.project.working_dir", ""),
    )


def _pair(line: str, separator: str | None = None) -> tuple[str, str]:
    first, second = line.split(separator, 1)
    return first, second
