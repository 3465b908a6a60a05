"""The engine's containers: `docker container`."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from deployer.engine.environment import ClientPurpose
from deployer.engine.messages.ended import Ended
from deployer.engine.values import PROJECT_LABEL, SERVICE_LABEL, HostMount, Publisher, by_service
from deployer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deployer.engine.client import Client
    from deployer.engine.values import ContainerState, HelperContainer, Rehearsal, ServiceContainer
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

    def run(self, image: str, *command: str, network: str = "none") -> str:
        """Run a program in a container of its own, which is removed again; return what it printed."""
        return self.client.run(
            "container", "run", "--rm", "--pull", "never", "--network", network, "--entrypoint", command[0], image,
            *command[1:],
        )  # fmt: skip

    def rehearse(self, wanted: Rehearsal, *, detached: bool) -> str:
        """Run a program of an image beside the services; return what it printed, or the ID if it goes on running."""
        return self.client.run(
            "container", "run", "--name", wanted.name, "--label", f"{HELPER_LABEL}={wanted.label}", "--pull", "never",
            "--mount", _bind(HostMount(wanted.folder, wanted.target, is_read_only=True)),
            *(word for place in wanted.scratch for word in ("--tmpfs", place)),
            "--network", "none", "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
            "--cap-add", "NET_BIND_SERVICE", "--security-opt", "no-new-privileges:true",
            "--security-opt", "label=disable", "--stop-signal", "KILL",
            *(("--userns", wanted.user_namespace) if wanted.user_namespace else ()),
            *(("--detach",) if detached else ("--rm",)),
            "--entrypoint", wanted.command[0], wanted.image, *wanted.command[1:],
        )  # fmt: skip

    def is_running(self, container: str) -> bool:
        """Whether the programs of a container run."""
        return any(one["State"]["Running"] for one in self.client.inspect("container", [container]))

    def check_health(self, container: str) -> None:
        """Run a container's own health check now, if it has one, without waiting for the engine's next."""
        (found,) = self.client.inspect("container", [container]) or ({},)
        kind, *words = ((found.get("Config") or {}).get("Healthcheck") or {}).get("Test") or ["NONE"]
        if kind != "NONE":
            self.execute(container, *(("sh", "-c") if kind == "CMD-SHELL" else ()), *words)

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a shell script inside a container, with bytes on its standard input; return what it printed."""
        return self.client.exchange(
            "container", "exec", "--interactive", container, "sh", "-c", script, "sh", *arguments, stdin=stdin
        )

    def follow_script(self, container: str, script: str, *arguments: str, on_line: Callable[[str], None]) -> None:
        """Run a shell script inside a container, without input; each line that it prints goes to `on_line`."""
        words = ("container", "exec", container, "sh", "-c", script, "sh", *arguments)
        self.client.stream(*words, on_line=on_line, address="", purpose=ClientPurpose.OURS)

    @contextmanager
    def feed_script(self, container: str, script: str, *arguments: str) -> Iterator[IO[bytes]]:
        """Run a shell script inside a container; what is written to the stream is its standard input."""
        words = ("container", "exec", "--interactive", container, "sh", "-c", script, "sh", *arguments)
        process = self.client.start(*words)
        try:
            with suppress(BrokenPipeError):
                # One that has ended says why, below.
                yield cast("IO[bytes]", process.stdin)
            _, complaints = process.communicate()
        except BaseException:
            process.kill()
            process.communicate()
            raise
        if process.returncode != 0:
            raise self.client.fault(complaints.decode(errors="replace"), Ended(words, process.returncode))

    def restart(self, container: str) -> None:
        """Stop and start a container."""
        self.client.run("container", "restart", container)

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines that a container wrote, on either stream."""
        done = self.client.begin("container", "logs", "--tail", str(count), container, stderr=subprocess.STDOUT)
        return tuple(done.stdout.splitlines())

    def stop(self, containers: Iterable[str]) -> None:
        """Stop containers; those that are gone already are no failure."""
        self.client.remove("container", "stop", *containers)

    def kill(self, containers: Iterable[str]) -> None:
        """End containers at once; those that have ended are no failure."""
        for container in containers:
            with suppress(EngineError):
                self.client.run("container", "kill", container)

    def remove(self, containers: Iterable[str]) -> None:
        """Stop and remove containers; those that are gone already are no failure."""
        self.client.remove("container", "rm", "--force", *containers)

    def start_helper(self, wanted: HelperContainer) -> subprocess.Popen[bytes]:
        """Start a container that lives while the returned process's standard input is open.

        Returns once its script has printed a line.
        """
        scratch = "/tmp"  # noqa: S108 - inside the container
        named = {"--userns": wanted.user_namespace, "--hostname": wanted.hostname, "--volumes-from": wanted.beside}
        chosen = [word for option, value in named.items() if value for word in (option, value)]
        chosen += ["--security-opt", "label=disable"] if wanted.reads_anywhere else []
        process = self.client.start(
            "container", "run", "--interactive", "--rm", "--name", wanted.name,
            "--label", f"{HELPER_LABEL}={wanted.label}", "--pull", "never",
            *(word for mount in wanted.mounts for word in ("--mount", _bind(mount))), "--tmpfs", scratch,
            "--network", wanted.network,
            "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE", "--cap-add", "CHOWN",
            "--security-opt", "no-new-privileges:true", "--stop-signal", "KILL", "--log-driver", "none",
            *chosen, "--entrypoint", "sh", wanted.image, "-c", wanted.script, "sh", *wanted.arguments,
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


def _bind(mount: HostMount) -> str:
    reads = ("readonly",) if mount.is_read_only else ()
    return ",".join(("type=bind", _quoted(f"source={mount.source}"), _quoted(f"target={mount.target}"), *reads))


def _quoted(field: str) -> str:
    # The client reads a mount as a line of CSV.
    return '"' + field.replace('"', '""') + '"'
