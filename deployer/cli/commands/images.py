"""Commands that carry images to the registry and from it: push, pull."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deployer.cli.commands.browse import registry_of
from deployer.cli.session import DryRunOption, JsonOption, Session, command
from deployer.errors import EXIT_FAILURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from deployer.workflows.transfer.publish import Pull, Push, TransferOutcome
    from deployer.workflows.transfer.remarks import Transfer

_PUSH_EXAMPLE = "Example: `deployer push centos:7-git` tags it localhost:5000/centos:7-git and pushes that."
_PULL_EXAMPLE = "Example: `deployer pull centos:7-git` pulls localhost:5000/centos:7-git and names it centos:7-git."

Item = TypeVar("Item", "Push", "Pull")

JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, metavar="N", help="How many at once.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_PUSH_EXAMPLE)(push)
    command(app, epilog=_PULL_EXAMPLE)(pull)


def push(
    session: Session,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Images of this machine.", show_default=False)],
    rename: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Another name in the registry; for one IMAGE.")
    ] = None,
    jobs: JobsOption = 3,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tag images for the registry and push them.

    Another registry's address in the name is dropped: ghcr.io/acme/app:1 goes to acme/app:1. A
    name that is wrong is told before anything is tagged; a push that fails does not stop the
    others, and then the exit code is 1.
    """
    from deployer.workflows.transfer import publish
    from deployer.workflows.transfer.remarks import Transfer

    session.require_deployment()
    address = session.settings.address
    pushes = publish.plan_push(images, rename, address, session.engine)
    _remark(session, Transfer.PUSH)
    if dry_run:
        _print_plan(session, [(item.source, str(item.target)) for item in pushes], as_json=as_json)
        return
    listener = _listener(session, pushes, lambda item: item.source, as_json=as_json)
    with _told("pushed"):
        outcomes = publish.push_all(pushes, address, session.engine, jobs=jobs, on_line=listener)
    _finish(session, outcomes, "pushed", as_json=as_json)


def pull(
    session: Session,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Images of the registry.", show_default=False)],
    platform: Annotated[
        str,
        typer.Option(
            "--platform",
            metavar="OS/ARCH",
            help="Of an image for several platforms, pull this one; as with docker pull.  [default: the engine's]",
            show_default=False,
        ),
    ] = "",
    jobs: JobsOption = 3,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Pull images from the registry, and give each its short name.

    An image of that short name that is here already loses the name to the pulled one. An image
    that is not for the platform of this machine's engine is told with the platforms that it has:
    `deployer pull app:1 --platform linux/arm64` pulls one of those.
    """
    from deployer.workflows.transfer import publish
    from deployer.workflows.transfer.remarks import Transfer

    session.require_deployment()
    address = session.settings.address
    pulls = publish.plan_pull(images, address, session.engine, platform)
    _remark(session, Transfer.PULL, platform)
    if dry_run:
        _print_plan(session, [(str(item.source), item.short or str(item.source)) for item in pulls], as_json=as_json)
        return
    listener = _listener(session, pulls, lambda item: str(item.source.at("")), as_json=as_json)
    with _told("pulled"):
        outcomes = publish.pull_all(pulls, session.engine, lambda: registry_of(session), jobs=jobs, on_line=listener)
    if not as_json:
        _note_names(session, pulls, outcomes)
    _finish(session, outcomes, "pulled", as_json=as_json)


def _remark(session: Session, transfer: Transfer, platform: str | None = None) -> None:
    """Say beforehand what makes Docker do something else than usual."""
    from deployer.workflows.transfer.remarks import remarks

    for remark in remarks(transfer, session.settings, session.engine, session.environment, platform or ""):
        session.out.note(f"Note: {remark}")


@contextmanager
def _told(word: str) -> Iterator[None]:
    """Let an interruption say how far it came."""
    from deployer.workflows.transfer.publish import Interrupted

    try:
        yield
    except Interrupted as stop:
        raise KeyboardInterrupt(f"Interrupted: {stop.done} of {stop.total} {word}.") from stop


def _listener(
    session: Session, items: Sequence[Item], name: Callable[[Item], str], *, as_json: bool
) -> Callable[[Item, str], None] | None:
    """Where Docker's lines go: None lets it draw on the terminal itself."""
    if as_json:
        return lambda _item, _line: None
    if len(items) == 1:
        return None if session.out.is_terminal else lambda _item, line: session.out.line(line)
    width = max(len(name(item)) for item in items)
    return lambda item, line: session.out.line(f"{name(item).ljust(width)} | {line}")


def _print_plan(session: Session, pairs: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        session.out.json([{"source": source, "target": target} for source, target in pairs])
        return
    for source, target in pairs:
        session.out.line(f"{source} -> {target}")
    session.out.note("Dry run: nothing was changed.")


def _note_names(session: Session, pulls: Sequence[Pull], outcomes: Sequence[TransferOutcome]) -> None:
    for item, outcome in zip(pulls, outcomes, strict=True):
        if outcome.error is None and item.short is not None:
            now = session.engine.images.find(item.short)
            moved = item.replaces and now is not None and now.id != item.replaces
            before = f" (before, it named {item.replaces.removeprefix('sha256:')[:12]})" if moved else ""
            session.out.note(f"{item.short} names it here{before}.")


def _finish(session: Session, outcomes: Sequence[TransferOutcome], word: str, *, as_json: bool) -> None:
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if as_json:
        session.out.json([_outcome_json(outcome) for outcome in outcomes])
    for outcome in failed:
        if outcome.error is not None:
            if len(outcomes) > 1:
                session.out.note(f"{outcome.name}:")
            session.out.error(outcome.error)
    if len(outcomes) > 1:
        session.out.note(f"{len(outcomes) - len(failed)} of {len(outcomes)} {word}.")
    if failed:
        raise typer.Exit(EXIT_FAILURE)


def _outcome_json(outcome: TransferOutcome) -> dict[str, object]:
    return {
        "source": outcome.name,
        "target": outcome.target,
        "digest": outcome.transferred.digest if outcome.transferred else None,
        "size": outcome.transferred.size if outcome.transferred else None,
        "error": str(outcome.error) if outcome.error else None,
    }
