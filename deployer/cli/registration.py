"""How a command is registered: which options it has, which it shares, and the session that it starts from."""

from __future__ import annotations

import inspect
import os
import re
import sys
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from deployer.cli.output import Output
from deployer.cli.presentation import Presentation
from deployer.cli.recovery import recover
from deployer.cli.selection import COMMANDS, Selection
from deployer.cli.session import Session
from deployer.errors import DeployerError, HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deployer.cli.presentation import Offer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Path to the configuration file.  [default: ./deployer.yaml]"),
]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the deployment.  [default: registry]")
]
HostOption = Annotated[
    str | None, typer.Option("--host", metavar="HOST", help="Host of the registry.  [default: localhost]")
]
PortOption = Annotated[
    str | None, typer.Option("--port", metavar="PORT", help="Port of the registry.  [default: 5000]")
]
SHARED_HELP = (
    "--config, --name, --host and --port can be given before or after the command; the one after it takes "
    "precedence: `deployer --name team status`."
)


class _Command(TyperCommand):
    """A command whose help shows arguments as Docker's does: `IMAGE...`, without braces and Python's types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer's own kind
        """The words after the command's name in its usage."""
        return [re.sub(r"\A\{(.*)\}", r"\1", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - Typer's own kinds
        """Write the lists of arguments and options."""
        write = formatter.write_dl

        def write_plain(rows: Iterable[tuple[str, str]], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            write([(re.sub(r" <[^>]*>\Z", "", name), text) for name, text in rows], *args, **kwargs)

        formatter.write_dl = write_plain
        super().format_options(ctx, formatter)
        formatter.write_dl = write


class Interruption(Exception):
    """The user ended the command; the words say how far it came, if that is known.

    No KeyboardInterrupt: Typer would end the program on one, without a word.
    """


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    epilog: str | None = None,
    recovers: bool = True,
    group: str = "",
    offers: tuple[Offer, ...] = (),
) -> Callable[..., Any]:
    """Register a command whose first parameter is a Session; the others are its own options.

    A parameter that is a frozen dataclass stands for an option of each of its fields. `offers` are the fields of
    `Presentation` that the command has as options, in the order of its help; the session keeps their values. The
    options that every command has come last, and may stand before the command as well, see `take_shared_options`.

    A command that `recovers` first fixes what one that was killed has left. `group` is the word before the name,
    where `app` holds the commands of one.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        called = f"{group} {name or function.__name__}".strip()
        COMMANDS.add(called)
        # Modules need Session for its type alone.
        signature = inspect.signature(function, locals={"Session": Session}, eval_str=True)
        own = list(signature.parameters.values())[1:]

        @wraps(function)
        def entry(context: typer.Context, **given: Any) -> None:  # noqa: ANN401 - whatever the command declares
            flags = {key: _nearest(context, key) for key in _SHARED}
            selection = Selection.of(**flags)
            session = Session(
                **flags,
                environment=os.environ,
                directory=_here(),
                out=Output(sys.stdout, sys.stderr, not os.environ.get("NO_COLOR"), selection),
                presentation=Presentation(**{key: given[key] for key in offers}),
            )
            try:
                if recovers:
                    recover(session, called)
                function(session, **{parameter.name: _value(parameter, given) for parameter in own})
            except DeployerError as error:
                error.advice = tuple(map(selection.applied, error.advice))
                raise
            except KeyboardInterrupt as error:
                raise Interruption(selection.applied(str(error))) from error

        context = _option("context", typer.Context, inspect.Parameter.empty)
        offered = {one.name: one for one in _options_of(Presentation)}
        taken = [option for parameter in own for option in _options(parameter)]
        _declare(entry, [context, *taken, *(offered[key] for key in offers), *shared_parameters()])
        app.command(name, cls=_Command, epilog=epilog)(entry)
        return function

    return register


def command_group(
    app: typer.Typer, name: str, *, about: str, example: str, kind: type[TyperGroup] | None = None
) -> typer.Typer:
    """Add a group for commands of one name; `kind` is the class that finds the command, if it is not Typer's own."""
    group = typer.Typer(
        name=name, cls=kind, help=about, epilog=f"{example} {SHARED_HELP}", no_args_is_help=True, rich_markup_mode=None
    )
    take_shared_options(group)
    app.add_typer(group)
    return group


def take_shared_options(app: typer.Typer) -> None:
    """Let the options that every command has stand before the commands of a group without its own options."""

    def entry(**_given: Any) -> None:  # noqa: ANN401 - the command itself looks for them
        pass

    _declare(entry, shared_parameters())
    app.callback()(entry)


def shared_parameters() -> list[inspect.Parameter]:
    """The options that every command has, as a group of commands takes them."""
    return [_option(key, annotation, None) for key, annotation in _SHARED.items()]


def _options(parameter: inspect.Parameter) -> Iterable[inspect.Parameter]:
    """The options that one parameter of a command stands for."""
    if is_dataclass(parameter.annotation):
        return _options_of(parameter.annotation)
    return (parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY),)


def _options_of(kind: Any) -> Iterator[inspect.Parameter]:  # noqa: ANN401 - any dataclass
    annotations = get_type_hints(kind, include_extras=True)
    return (_option(one.name, annotations[one.name], one.default) for one in fields(kind))


def _value(parameter: inspect.Parameter, given: dict[str, Any]) -> Any:  # noqa: ANN401 - as each option is typed
    if is_dataclass(parameter.annotation):
        kind: Any = parameter.annotation
        return kind(**{one.name: given[one.name] for one in fields(kind)})
    return given[parameter.name]


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401 - as each option is typed
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _declare(entry: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    """Give a function the parameters that Typer is to read."""
    vars(entry)["__signature__"] = inspect.Signature(parameters)
    vars(entry).pop("__wrapped__", None)
    entry.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _nearest(context: typer.Context, key: str) -> Any:  # noqa: ANN401 - as each option is typed
    """An option's value where it is last on the line: after the command, or before it."""
    place: Any = context
    while place is not None:
        if place.params.get(key) is not None:
            return place.params[key]
        place = place.parent
    return None


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise HostError("The current directory no longer exists.", ("cd ~",), str(error)) from error


_SHARED: dict[str, Any] = {"config": ConfigOption, "name": NameOption, "host": HostOption, "port": PortOption}
