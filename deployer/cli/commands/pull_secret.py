"""The command for Kubernetes clusters that pull: pull-secret."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployer.cli import ask_password as asking
from deployer.cli.commands.users import UserArgument
from deployer.cli.session import Session, command

_EXAMPLE = """Example, for a cluster that pulls as the user ci:

deployer pull-secret ci --password-stdin < ci.password | kubectl apply -f -

Pods use it by `imagePullSecrets: [{name: registry-HOST}]`.
"""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, "pull-secret", epilog=_EXAMPLE)(pull_secret)


def pull_secret(
    session: Session,
    user: UserArgument,
    secret_name: Annotated[
        str | None,
        typer.Option("--secret-name", metavar="NAME", help="The Secret's name.  [default: registry-HOST]"),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", metavar="NS", help="Its namespace.  [default: the one of kubectl]", show_default=False
        ),
    ] = "",
    from_stdin: asking.StdinOption = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there, for your eyes only.", show_default=False),
    ] = None,
) -> None:
    """Print the Kubernetes Secret by which a cluster pulls as a user.

    A manifest of type kubernetes.io/dockerconfigjson. It holds the password, which is asked for and checked
    first: against the users that this machine keeps, or by a sign-in where the registry runs elsewhere.
    """
    from deployer.cli.commands.browse import registry_of
    from deployer.host.files import PRIVATE, write_atomically
    from deployer.registry.login.credentials import Credentials
    from deployer.workflows.users import accounts
    from deployer.workflows.users import pull_secret as workflow

    settings = session.settings
    accounts.check_name(user)
    called = workflow.default_name(settings.host) if secret_name is None else secret_name
    workflow.check_names(called, namespace)
    known = workflow.kept_here(settings, session.deployment)
    if known:
        accounts.find(known, user)
    credentials = Credentials(user, asking.present(session.out, user, from_stdin=from_stdin))
    if known:
        workflow.check_against(known, credentials)
    else:
        with registry_of(session, credentials) as client:
            workflow.check_at(client)
    text = workflow.manifest(settings, credentials, name=called, namespace=namespace)
    if settings.is_loopback:
        session.out.warn(f"Only this machine reaches {settings.address}: a cluster's nodes look for it on themselves.")
    if output is None:
        session.out.line(text.rstrip())
    else:
        write_atomically(session.directory / output, text.encode(), PRIVATE)
        session.out.note(f"Wrote {session.directory / output}. Next: kubectl apply -f {output}")
