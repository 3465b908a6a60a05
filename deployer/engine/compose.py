"""Compose projects: `docker compose`. The only file that imports python-on-whales."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.environment import ClientPurpose
from deployer.engine.messages.ended import Ended
from deployer.engine.messages.translation import translated
from deployer.errors import UnsetVariables
from deployer.host.terminal import Drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from python_on_whales import DockerClient

    from deployer.engine.client import Client
    from deployer.engine.values import Project

# In the place of .env files: one in the project's folder, or in the current one, would set variables for Compose.
_NO_VARIABLES = os.devnull
# compose-spec/compose-go, template/template.go; Compose logs it, with quotes escaped.
_UNSET = re.compile(r'The \\?"([^"\\]+)\\?" variable is not set')


@dataclass
class Compose:
    """Docker's Compose plugin. Every method raises EngineError."""

    client: Client

    def version(self) -> str:
        """The plugin's version, such as "2.40.3"."""
        return self.client.run("compose", "version", "--short").strip().removeprefix("v")

    def config_hashes(self, project: Project) -> dict[str, str]:
        """For each service, the hash by which Compose decides whether to make its container again.

        Compose reads the files for it, so it also proves that they are right. Raises UnsetVariables
        if they use variables, of which Compose gets none.
        """
        pairs = (line.split(None, 1) for line in self._config(project, "--hash", "*").splitlines() if line.strip())
        return {service: digest for service, digest in pairs}  # noqa: C416 - mypy takes a list for no pair

    def resolved(self, project: Project) -> dict[str, Any]:
        """The project as Compose reads its files, with the names that its volumes and networks have here.

        Raises UnsetVariables as `config_hashes` does.
        """
        # Printed to be read by Compose again, which takes a single dollar sign for a variable.
        found: dict[str, Any] = json.loads(self._config(project, "--format", "json").replace("$$", "$"))
        return found

    def up(self, project: Project, *, first: Sequence[str] = (), recreate: Sequence[str] = (), quiet: bool) -> None:
        """Start the project's services, recreating those that changed, and those named in `recreate`.

        Those named in `first` are recreated before: Compose could not start their containers as they are.
        """
        drawing = Drawing()
        with translated(drawn=drawing.last_words), drawing.kept():
            command = self.whales(project).compose
            if first:
                command.up(
                    list(first), detach=True, force_recreate=True, dependencies=False, pull="never", no_build=True,
                    quiet=quiet,
                )  # fmt: skip
            command.up(detach=True, remove_orphans=True, pull="never", no_build=True, quiet=quiet)
            if recreate:
                command.up(
                    list(recreate), detach=True, force_recreate=True, dependencies=False, pull="never", no_build=True,
                    quiet=quiet,
                )  # fmt: skip

    def stop(self, project: Project, services: Sequence[str], *, grace: int | None = None) -> None:
        """Let Compose stop services, which runs their pre_stop hooks.

        `grace` is how long they may take to end what they do, in seconds; None for what the files say.
        """
        patience = ("--timeout", str(grace)) if grace is not None else ()
        self.client.run(*command(project), "stop", *patience, *services, purpose=ClientPurpose.COMPOSE)

    def follow_logs(self, project: Project, services: Sequence[str], *, follow: bool, tail: str, since: str) -> None:
        """Let Compose print the services' logs on this terminal."""
        options = (("--follow",) if follow else ()) + (("--tail", tail) if tail else ())
        options += ("--since", since) if since else ()
        arguments = (*command(project), "logs", *options, *services)
        done = self.client.begin(*arguments, stdout=None, purpose=ClientPurpose.COMPOSE)
        # A reader such as `head` that has seen enough is no failure.
        if done.returncode != 0 and done.stderr.strip() and "broken pipe" not in done.stderr:
            raise self.client.fault(done.stderr, purpose=ClientPurpose.COMPOSE)

    def whales(self, project: Project) -> DockerClient:
        """A client of python-on-whales for a project."""
        from python_on_whales import DockerClient

        return DockerClient(
            client_call=self.client.call_in(ClientPurpose.COMPOSE),
            compose_files=list(project.files),
            compose_project_name=project.name,
            compose_project_directory=project.directory,
            compose_env_files=[_NO_VARIABLES],
        )

    def _config(self, project: Project, *options: str) -> str:
        done = self.client.begin(*command(project), "config", *options, purpose=ClientPurpose.COMPOSE)
        if unset := tuple(dict.fromkeys(_UNSET.findall(done.stderr))):
            raise UnsetVariables(unset, done.stderr)
        if done.returncode != 0:
            raise self.client.fault(done.stderr or done.stdout, Ended(("compose", "config"), done.returncode))
        return done.stdout


def command(project: Project) -> tuple[str, ...]:
    """The first words of a Compose command for a project."""
    files = tuple(word for file in project.files for word in ("--file", str(file)))
    return (
        "compose", *files, "--project-name", project.name, "--project-directory", str(project.directory),
        "--env-file", _NO_VARIABLES,
    )  # fmt: skip
