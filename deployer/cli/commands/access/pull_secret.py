"""The command for Kubernetes clusters that pull: pull-secret."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import ask_password as asking
from deployer.cli.options import UserArgument
from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_EXAMPLE = """Example, for a cluster that pulls as user ci:

deployer pull-secret ci --password-stdin < ci.password | kubectl apply -f -

Reference it in pods with `imagePullSecrets: [{name: registry-HOST}]`.
"""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, "pull-secret", epilog=_EXAMPLE)(pull_secret)


def pull_secret(
    session: Session,
    user: UserArgument,
    secret_name: Annotated[
        str | None,
        typer.Option("--secret-name", metavar="NAME", help="Name of the Secret.  [default: registry-HOST]"),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace",
            metavar="NS",
            help="Namespace of the Secret.  [default: kubectl's current namespace]",
            show_default=False,
        ),
    ] = "",
    from_stdin: asking.StdinOption = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the Secret to FILE, readable only by you.", show_default=False
        ),
    ] = None,
) -> None:
    """Print a Kubernetes Secret for pulling as a user.

    Prints a manifest of type kubernetes.io/dockerconfigjson. It contains the password, which is prompted for
    and verified first: against the users stored on this machine, or by logging in if the registry runs on
    another machine.
    """
    from deployer.cli.views.access import users as views
    from deployer.workflows.users import pull_secret as workflow

    file = None if output is None else session.directory / output
    request = workflow.SecretRequest(user, secret_name, namespace, file)
    ask = partial(asking.present, session.out, user, from_stdin=from_stdin)
    text = workflow.issue(session.settings, session.deployment, request, ask=ask, registry=session.registry)
    views.print_secret(session.out, session.settings, text, directory=session.directory, file=output)
