"""Commands about the access rules: access explain, diff, test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command, command_group

if TYPE_CHECKING:
    from deployer.cli.session import Session

_GROUP_EXAMPLE = "Example: `deployer access explain alice push team/app` says which rule allows it, or why none does."
_EXPLAIN_EXAMPLE = (
    "Example: `deployer access explain anonymous pull public/app` shows whether the image can be pulled without login."
)
_DIFF_EXAMPLE = "Example: run `deployer access diff` after editing the rules in deployer.yaml, before `deployer up`."
_TEST_EXAMPLE = "Example: `deployer access test` checks `expect: [{ci: [cannot delete team/*]}]` in deployer.yaml."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    about = "Explain, compare and test the access rules in deployer.yaml."
    group = command_group(app, "access", about=about, example=_GROUP_EXAMPLE)
    command(group, "explain", epilog=_EXPLAIN_EXAMPLE, group="access", offers=("as_json",))(explain)
    command(group, "diff", epilog=_DIFF_EXAMPLE, group="access", offers=("as_json",))(diff)
    command(group, "test", epilog=_TEST_EXAMPLE, group="access", offers=("as_json",))(test)


def explain(
    session: Session,
    who: Annotated[
        str,
        typer.Argument(metavar="WHO", help="A user, `anonymous` (without login), or `group:NAME`.", show_default=False),
    ],
    action: Annotated[str, typer.Argument(metavar="ACTION", help="pull, push or delete.", show_default=False)],
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A repository or an image, such as team/app:1.2.", show_default=False)
    ],
) -> None:
    """Show whether someone may do something, and which rule says so.

    If no rule allows it, shows the rules that lack only one thing: the user, the action or the repository.
    Exit code 1 means no.
    """
    from deployer.cli.views.access.rules import AnswerReport
    from deployer.workflows.users import rules

    session.show(AnswerReport(rules.answer(session.stack, session.accounts(), who, action, image)))


def diff(session: Session) -> None:
    """Show what the rules in deployer.yaml would change for whom.

    Compares them with the rules that the running registry uses, and counts the repositories that this concerns.
    """
    from deployer.cli.views.access.rules import DifferenceReport
    from deployer.workflows.users import rules

    session.require_deployment()
    session.show(DifferenceReport(rules.difference(session.stack, session.accounts())))


def test(session: Session) -> None:
    """Check that the rules say what `expect` in deployer.yaml says.

    `render` and `up` check the same, and refuse to go on if it is not so. Exit code 1 means that some
    expectation is not met.
    """
    from deployer.cli.views.access.rules import ExpectationsReport
    from deployer.workflows.users import rules

    session.show(ExpectationsReport(rules.test(session.settings, session.accounts())))
