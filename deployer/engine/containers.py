"""The engine's containers: `docker container`."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.messages.ended import Ended
from deployer.engine.values import PROJECT_LABEL, SERVICE_LABEL, Publisher, by_service
from deployer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.engine.client import Client
    from deployer.engine.values import ContainerState, HelperContainer, ServiceContainer
    from deployer.layout import Service

# Its value is the folder of the deployment whose helper a container is.
HELPER_LABEL = "deployer.upkeep"

_REMOVAL_TRIES = 20
_REMOVAL_PAUSE_SECONDS = 0.25


@dataclass
class Containers:
    """The engine's containers. Every method raises EngineError."""

    client: Client

    def of_project(self, project: str, states: Iterable[ContainerState] = ()) -> tuple[ServiceContainer, ...]:
        """The containers of a Compose project, by service: running or not, or only those in one of these states."""
        filters = (f"label={PROJECT_LABEL}={project}", *(f"status={state}" for state in states))
        return by_service(self.inspect(*(word for one in filters for word in ("--filter", one))))

    def running(self, project: str, service: Service) -> tuple[str, ...]:
        """The IDs of a service's containers that run and are not paused."""
        labels = (f"label={PROJECT_LABEL}={project}", f"label={SERVICE_LABEL}={service}")
        filters = (word for one in (*labels, "status=running") for word in ("--filter", one))
        return tuple(self.client.run("container", "ls", "--quiet", "--no-trunc", *filters).split())

    def publishing(self, port: int) -> tuple[Publisher, ...]:
        """The running containers that have published a TCP port of this machine."""
        shown = f'{{{{.Names}}}}\t{{{{.Label "{PROJECT_LABEL}"}}}}'
        lines = self.client.run("container", "ls", "--filter", f"publish={port}/tcp", "--format", shown).splitlines()
        return tuple(Publisher(*line.split("\t", 1)) for line in lines)

    def inspect(self, *filters: str) -> list[dict[str, Any]]:
        """Everything that the engine knows of its containers, running or not, which `ls` lists with these options."""
        found = self.client.run("container", "ls", "--all", "--quiet", "--no-trunc", *filters).split()
        return self.client.inspect("container", found)

    def execute(self, container: str, *command: str) -> str:
        """Run a program inside a container and return what it printed."""
        return self.client.run("container", "exec", container, *command)

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a shell script inside a container, with bytes on its standard input; return what it printed."""
        return self.client.exchange(
            "container", "exec", "--interactive", container, "sh", "-c", script, "sh", *arguments, stdin=stdin
        )

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines that a container wrote, on either stream."""
        done = self.client.begin("container", "logs", "--tail", str(count), container, stderr=subprocess.STDOUT)
        return tuple(done.stdout.splitlines())

    def stop(self, containers: Iterable[str]) -> None:
        """Stop containers; those that are gone already are no failure."""
        self.client.remove("container", "stop", *containers)

    def remove(self, containers: Iterable[str]) -> None:
        """Stop and remove containers; those that are gone already are no failure."""
        self.client.remove("container", "rm", "--force", *containers)

    def start_helper(self, wanted: HelperContainer) -> subprocess.Popen[bytes]:
        """Start a container that lives while the returned process's standard input is open.

        Returns once its script has printed a line.
        """
        mount = ",".join(_quoted(part) for part in (f"source={wanted.folder}", f"target={wanted.mounted_at}"))
        scratch = "/tmp"  # noqa: S108 - inside the container
        namespace = ("--userns", wanted.user_namespace) if wanted.user_namespace else ()
        process = self.client.start(
            "container", "run", "--interactive", "--rm", "--name", wanted.name,
            "--label", f"{HELPER_LABEL}={wanted.label}", "--pull", "never",
            "--volumes-from", wanted.beside, "--mount", f"type=bind,{mount}", "--tmpfs", scratch, "--network", "none",
            "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
            "--security-opt", "no-new-privileges:true", "--stop-signal", "KILL", "--log-driver", "none",
            *namespace, "--entrypoint", "sh", wanted.image, "-c", wanted.script, "sh", *wanted.arguments,
        )  # fmt: skip
        if process.stdout is None or not process.stdout.readline():
            _, complaints = process.communicate()
            raise self.client.fault(
                complaints.decode(errors="replace"), Ended(("container", "run"), process.returncode)
            )
        return process

    def remove_helpers(self, label: str) -> None:
        """End and remove the helper containers with this label; return when they are gone.

        Raises EngineError if one does not go.
        """
        for attempt in range(_REMOVAL_TRIES):
            left = self.client.run(
                "container", "ls", "--all", "--quiet", "--filter", f"label={HELPER_LABEL}={label}"
            ).split()
            if not left:
                return
            if attempt:
                time.sleep(_REMOVAL_PAUSE_SECONDS)
            # It ends by itself too, and then there is nothing to remove any more.
            self.remove(left)
        raise EngineError("A helper container of deployer does not stop.", (f"docker rm --force {left[0]}",))


def _quoted(field: str) -> str:
    # The client reads a mount as a line of CSV.
    return '"' + field.replace('"', '""') + '"'
