"""What every command starts from: the flags that all share, the environment, the printer."""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployer.cli.output import Output
from deployer.cli.selection import COMMANDS, Selection
from deployer.errors import DeployerError, HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.settings.load import Loaded
    from deployer.settings.model import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The configuration file.  [default: ./deployer.yaml]"),
]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The deployment's name.  [default: registry]")
]
HostOption = Annotated[
    str | None, typer.Option("--host", metavar="HOST", help="The registry's host.  [default: localhost]")
]
PortOption = Annotated[str | None, typer.Option("--port", metavar="PORT", help="The registry's port.  [default: 5000]")]
SHARED_HELP = (
    "--config, --name, --host and --port may stand before a command or after it; the one after it counts: "
    "`deployer --name team status`."
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]


class Interruption(Exception):
    """The user ended the command; the words say how far it came, where that is known.

    No KeyboardInterrupt: Typer would end the program on one, without a word.
    """


@dataclass(frozen=True)
class Session:
    """One run of the command line.

    The settings and the engine are read when first asked for: `--help` needs neither, and a
    command that speaks to the registry alone never looks for an engine.
    """

    config: Path | None
    name: str | None
    host: str | None
    port: str | None
    environment: Mapping[str, str]
    directory: Path
    out: Output

    @cached_property
    def loaded(self) -> Loaded:
        """The settings in force and the file they came from. Raises ConfigurationError."""
        from deployer.settings.load import Flags, load

        return load(Flags(self.config, self.name, self.host, self.port), self.environment, self.directory)

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises ConfigurationError."""
        return self.loaded.settings

    @cached_property
    def deployment(self) -> Deployment:
        """Where this deployment's files lie on this machine."""
        from deployer.paths import Deployment

        return Deployment.of(self.settings.name, self.environment)

    @property
    def known_deployment(self) -> Deployment | None:
        """The same; None for a user without a home folder, who needs none to speak to a registry."""
        from deployer.paths import Deployment

        return Deployment.known(self.settings.name, self.environment)

    def require_deployment(self, engine: Engine | None = None) -> None:
        """Make sure that a deployment named by --name alone is on this machine. Raises NotFound.

        With an engine, containers whose files are gone count too.
        """
        if self.name is not None and not {"host", "port"} & self.loaded.given:
            from deployer.workflows.configuration import deployments

            deployments.require(self.deployment, self.environment, engine)

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine. Nothing is asked of it before it is used."""
        from deployer.engine.client import Client
        from deployer.engine.engine import Engine

        return Engine(Client(self.environment))


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    epilog: str | None = None,
    recovers: bool = True,
    group: str = "",
) -> Callable[..., Any]:
    """Register a command whose first parameter is a Session.

    The options that every command has are added behind its own, so they are written once; they may
    stand before the command as well, see `take_shared_options`. A command that `recovers` first
    fixes what one that was killed has left. `group` is the word before the name, where `app` holds
    the commands of one.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        COMMANDS.add(f"{group} {name or function.__name__}".strip())
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = shared_parameters()

        @wraps(function)
        def entry(context: typer.Context, **given: Any) -> None:  # noqa: ANN401 - whatever the command declares
            flags = {key: _nearest(context, key) for key in _SHARED}
            given = {key: value for key, value in given.items() if key not in _SHARED}
            selection = Selection.of(**flags)
            out = Output(sys.stdout, sys.stderr, not os.environ.get("NO_COLOR"), selection)
            session = Session(**flags, environment=os.environ, directory=_here(), out=out)
            try:
                if recovers:
                    _recover(session)
                function(session, **given)
            except DeployerError as error:
                error.advice = tuple(map(selection.applied, error.advice))
                raise
            except KeyboardInterrupt as error:
                raise Interruption(selection.applied(str(error))) from error

        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        _declare(entry, [context, *keyword_only, *shared])
        app.command(name, epilog=epilog)(entry)
        return function

    return register


def take_shared_options(app: typer.Typer) -> None:
    """Let the options that every command has stand before the commands of a group without options of its own."""

    def entry(**_given: Any) -> None:  # noqa: ANN401 - the command itself looks for them
        pass

    _declare(entry, shared_parameters())
    app.callback()(entry)


def shared_parameters() -> list[inspect.Parameter]:
    """The options that every command has, as a group of commands takes them."""
    return [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for key, annotation in _SHARED.items()
    ]


def _declare(entry: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    """Give a function the parameters that Typer is to read."""
    vars(entry)["__signature__"] = inspect.Signature(parameters)
    vars(entry).pop("__wrapped__", None)
    entry.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _nearest(context: typer.Context, key: str) -> Any:  # noqa: ANN401 - as each option is typed
    """An option's value where it is last on the line: behind the command, or before it."""
    place: Any = context
    while place is not None:
        if place.params.get(key) is not None:
            return place.params[key]
        place = place.parent
    return None


def _recover(session: Session) -> None:
    """Finish what a command that is gone had begun."""
    deployment = session.known_deployment
    if deployment is None:
        return
    _recover_gate(session, deployment)
    # Looked for here, so that a command that has nothing to finish loads nothing for it.
    if deployment.unread_file.exists() or deployment.unfinished_file.exists():
        from deployer.workflows.deployment.stack import Stack
        from deployer.workflows.users.in_force import finish

        said = finish(Stack(session.settings, deployment, session.engine))
        if said:
            session.out.warn(said)


def _recover_gate(session: Session, deployment: Deployment) -> None:
    """Let writes through again where a command that held them off is gone."""
    gate = deployment.gate_directory
    if not (gate.is_dir() and any(gate.iterdir())):
        return
    from deployer.workflows.upkeep.gate import recover

    said = recover(deployment, session.engine)
    if said:
        session.out.warn(said)


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise HostError("The folder that you are in is gone.", ("cd ~",), str(error)) from error


_SHARED: dict[str, Any] = {"config": ConfigOption, "name": NameOption, "host": HostOption, "port": PortOption}
