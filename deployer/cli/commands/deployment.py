"""Commands that run the registry: up, down, status, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.session import DryRunOption, JsonOption, Session, YesOption, command
from deployer.errors import EXIT_FAILURE

if TYPE_CHECKING:
    from deployer.workflows.deployment.down import DownPlan
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.deployment.up_plan import UpPlan
    from deployer.workflows.diagnosis.status import Status

_UP_EXAMPLE = """\
Example: `deployer up` brings a registry up at localhost:5000;
`deployer up --host 192.168.100.2 --dry-run` says what that change would touch."""
_DOWN_EXAMPLE = "Example: `deployer down` stops the registry and keeps every image in it."
_STATUS_EXAMPLE = "Example: `deployer status --json | jq .ready`. The exit code is 1 while it is not healthy."
_LOGS_EXAMPLE = "Example: `deployer logs -f registry`"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_UP_EXAMPLE)(up)
    command(app, epilog=_DOWN_EXAMPLE)(down)
    command(app, epilog=_STATUS_EXAMPLE)(status)
    command(app, epilog=_LOGS_EXAMPLE)(logs)


def stack_of(session: Session) -> Stack:
    """The deployment that the session's settings name."""
    from deployer.workflows.deployment.stack import Stack

    return Stack(session.settings, session.deployment, session.engine)


def up(
    session: Session,
    build: Annotated[
        bool, typer.Option("--build", help="Build the registry's image and the frontend's here again.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait until it answers.")
    ] = 60,
    install: Annotated[
        bool,
        typer.Option("--install", help="Install without asking what building images needs; moving data still asks."),
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the registry and its page up, or apply settings.

    Looks first for everything in the way (engine, port, disk, another deployment of that name),
    then writes the files, starts what is not running, recreates exactly the services whose
    settings changed, and returns when the registry and the page really answer. Running it again
    changes nothing.

    Volumes, networks, directories and files that are there already and that no `up` made are told
    and asked about before they are used; the answer is remembered.
    """
    from deployer.workflows.deployment import access, authority
    from deployer.workflows.deployment.up import Dialogue
    from deployer.workflows.deployment.up import up as bring_up
    from deployer.workflows.deployment.up_plan import plan_up

    stack = stack_of(session)
    accounts = access.accounts_of(session.deployment)
    exposed = access.exposure(session.settings, accounts)
    if exposed:
        session.out.warn(exposed)
    if dry_run:
        plan = plan_up(stack, rebuild=build)
        session.out.json(_plan_json(plan)) if as_json else _print_plan(session, plan)
        return
    try:
        plan = bring_up(
            stack,
            rebuild=build,
            timeout=timeout,
            dialogue=Dialogue(
                say=session.out.note,
                may_install=lambda question: session.out.confirm(question, yes=yes or install),
                may_lose=lambda question: session.out.confirm(question, yes=yes),
            ),
            quiet=not session.out.err.isatty(),
        )
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt("Interrupted. Run it again, and it goes on where it was: deployer up") from stop
    for remark in plan.remarks:
        session.out.warn(remark)
    settings = session.settings
    fingerprint = authority.fingerprint(session.deployment) if settings.tls.mode == "internal" else ""
    if as_json:
        found = {"address": settings.address, "page": _page(session), "authority_sha256": fingerprint or None}
        session.out.json({**found, **_plan_json(plan)})
        return
    changed = [
        f"{change.service}: {change.action.value}" for change in plan.services if change.action.value != "unchanged"
    ]
    session.out.note(
        "Nothing to change; it is running." if plan.is_empty else f"Done ({', '.join(changed) or 'files'})."
    )
    _print_addresses(session, fingerprint, signs_in=bool(accounts))


def _page(session: Session) -> str | None:
    return f"{session.settings.url}/" if session.settings.frontend.page != "none" else None


def _print_addresses(session: Session, fingerprint: str, *, signs_in: bool) -> None:
    settings, out = session.settings, session.out
    page = _page(session)
    fields = [("Registry", settings.address), *([("Page", page)] if page else [])]
    if fingerprint:
        fields.append(("CA", f"SHA-256 {fingerprint}"))
    out.fields(fields)
    if not settings.is_loopback:
        flags = f"--host {settings.host} --port {settings.port}"
        own = " --ca FILE" if settings.tls.is_own else ""
        who = "on every client that does not know its CA" if own else "on every client"
        out.note(f"Next: deployer configure-daemon {flags}{own}   ({who})")
    if signs_in:
        out.note(f"{'Next' if settings.is_loopback else 'Then'}: docker login {settings.address}")
    elif settings.is_loopback:
        out.note("Next: deployer push IMAGE")


def _plan_json(plan: UpPlan) -> dict[str, object]:
    return {
        "services": [
            {"service": change.service, "action": change.action.value, "reason": change.reason}
            for change in plan.services
        ],
        "images": [{"image": choice.name, "source": choice.source.value} for choice in plan.images],
        "files": [change.path for change in plan.files],
        "found": [{"kind": thing.kind.value, "name": thing.name} for thing in plan.found],
        "warnings": [*plan.warnings, *plan.remarks],
    }


def _print_plan(session: Session, plan: UpPlan) -> None:
    out = session.out
    for remark in plan.remarks:
        out.warn(remark)
    for warning in plan.warnings:
        out.warn(warning)
    if plan.is_empty:
        out.line("Nothing would change.")
        return
    for choice in plan.images:
        if choice.source.name != "HERE":
            out.line(f"image    {choice.name}: {choice.source.value}")
    for file in plan.files:
        out.line(f"file     {file.path}: {'removed' if file.after is None else 'written'}")
    for change in plan.services:
        out.line(f"service  {change.service}: {change.action.value}{f' ({change.reason})' if change.reason else ''}")
    out.note("Dry run: nothing was changed.")


def down(
    session: Session,
    volumes: Annotated[
        bool,
        typer.Option(
            "--volumes",
            help="Remove the pushed images too, for good, and all of the deployment's files, its users among them.",
        ),
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the registry; the images in it stay.

    Its containers and network are removed, and `deployer up` brings it back as it was. With
    --volumes its volumes, the pushed images in them, and its files are removed as well, after a
    question that names them; what was there before `up` is said to be so. A volume that another
    container uses, or that the files call external, stays.
    """
    from deployer.workflows.deployment import down as removal

    session.require_deployment(session.engine)
    stack = stack_of(session)
    plan = removal.plan(stack, volumes=volumes)
    if not as_json or dry_run:
        _print_down(session, plan, as_json=as_json)
    if dry_run:
        session.out.note("Dry run: nothing was changed.")
        return
    if plan.needs_yes:
        session.out.confirm(_down_question(session, plan, volumes=volumes), yes=yes)
    try:
        removal.apply(stack, plan, volumes=volumes, say=session.out.note)
    except KeyboardInterrupt as stop:
        again = f"deployer down{' --volumes' if volumes else ''}"
        raise KeyboardInterrupt(f"Interrupted. Run it again, and it goes on where it was: {again}") from stop
    if as_json:
        session.out.json(_down_json(plan))
    elif not plan.is_empty:
        session.out.note(
            "Done." if volumes or plan.hides_images else "Done. The images stay; `deployer up` brings them back."
        )


def _down_question(session: Session, plan: DownPlan, *, volumes: bool) -> str:
    from deployer.cli.views.words import counted
    from deployer.workflows.deployment.down import Sort

    if not volumes:
        places = "; ".join(map(str, plan.unnamed))
        what = "the volumes, and the pushed images in them," if plan.hides_images else "the volumes"
        return f"Leave {what} without a container ({places})? The next `up` starts with empty ones there."
    what = f"every image pushed to '{session.settings.name}'" if plan.loses_images else "what is listed"
    named, count = plan.names(Sort.VOLUME), len(plan.of(Sort.FILE))
    parts = [
        *([f"volume {', '.join(named)}"] if named else []),
        *([counted(count, "file")] if count else []),
        *([counted(plan.users, "user")] if plan.users else []),
    ]
    parts += [f"{one.sort} {one.name} {one.remark}" for one in plan.found]
    return f"Remove {what} ({'; '.join(parts)}), for good?"


def _down_json(plan: DownPlan) -> dict[str, object]:
    from deployer.workflows.deployment.down import Sort

    return {
        "containers": plan.names(Sort.CONTAINER),
        "networks": plan.names(Sort.NETWORK),
        "volumes": plan.names(Sort.VOLUME),
        "not_made_by_up": [one.name for one in plan.found],
        "files": plan.names(Sort.FILE),
        "users": plan.users,
        "kept": plan.kept,
        "unnamed": [{"volume": one.volume, "container": one.container, "place": one.target} for one in plan.unnamed],
    }


def _print_down(session: Session, plan: DownPlan, *, as_json: bool) -> None:
    from deployer.cli.views.words import counted
    from deployer.workflows.deployment.down import Sort

    if as_json:
        session.out.json(_down_json(plan))
        return
    if plan.is_empty:
        session.out.note(f"Nothing to do: '{session.settings.name}' is not running.")
    for one in plan.going:
        if one.sort is not Sort.FILE:
            remark = f" ({one.remark})" if one.remark else ""
            session.out.line(f"{one.sort:<10} {one.name}: to be removed{remark}")
    files = plan.of(Sort.FILE)
    if files:
        session.out.line(f"{'files':<10} {len(files)} in {session.deployment.directory}: to be removed")
    if plan.users:
        who = f"{counted(plan.users, 'user')}, with their passwords"
        session.out.line(f"{'users':<10} {who}: to be removed; until there are others there is no sign-in")
    if plan.loses_authority:
        session.out.warn("The registry's own CA goes too: after the next `up`, clients have to trust a new one.")
    for left in plan.unnamed:
        session.out.warn(
            f"{left.target} of {left.container} is on a volume without a name, {left.volume}. It stays, no container "
            "will use it any more, and `docker volume prune` would remove it."
        )
    for name in plan.kept:
        session.out.line(f"{'kept':<10} {name}: stays")


def status(session: Session, as_json: JsonOption = False) -> None:
    """Show how the registry is.

    Its services, their health, version and address, and what it holds. The exit code is 0 when
    everything answers, and 1 when not.
    """
    from deployer.workflows.diagnosis import status as workflow

    session.require_deployment(session.engine)
    found = workflow.read(stack_of(session))
    session.out.json(found.as_dict()) if as_json else _print_status(session, found)
    if not found.is_healthy:
        raise typer.Exit(EXIT_FAILURE)


def _print_status(session: Session, found: Status) -> None:
    from deployer.cli.views.upkeep import warn_of
    from deployer.cli.views.words import size

    out = session.out
    out.fields(
        [
            ("Registry", f"{found.address}   {out.good('ready') if found.is_healthy else out.bad('not ready')}"),
            *([("Page", found.page)] if found.page else []),
            ("Sign-in", found.sign_in),
            ("Encryption", found.encryption),
            ("Version", found.version or "unknown"),
            ("Repositories", "unknown" if found.repositories is None else str(found.repositories)),
            ("Images use", "unknown" if found.used_bytes is None else f"{size(found.used_bytes)} in {found.data}"),
            ("Garbage", "unknown" if found.garbage_bytes is None else _garbage(found.garbage_bytes)),
            ("Disk free", "unknown" if found.free_bytes is None else size(found.free_bytes)),
            *([("Writes", found.upkeep)] if found.upkeep else []),
        ]
    )
    if found.services:
        out.line()
        out.table(
            ("SERVICE", "STATE", "HEALTH", "RESTART", "IMAGE", "IMAGE SIZE", "CONTAINER"),
            [
                (
                    service.service,
                    service.state,
                    service.health or "-",
                    service.restart_policy,
                    service.image,
                    "-" if service.image_bytes is None else size(service.image_bytes),
                    service.container,
                )
                for service in found.services
            ],
        )
    for problem in found.problems:
        if found.unreadable and problem == found.unreadable.sentence:
            warn_of(out, found.unreadable)
        else:
            out.warn(problem)
    for finding in found.content:
        warn_of(out, finding)
    if not found.is_healthy:
        out.note("Next: deployer up" if not found.services else "Next: deployer logs, deployer doctor")


def _garbage(amount: int) -> str:
    from deployer.cli.views.words import size

    return f"{size(amount)}, which `deployer gc` frees" if amount else "none"


def logs(
    session: Session,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="registry, frontend, or page; or several.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come; Ctrl-C ends it.")] = False,
    tail: Annotated[str, typer.Option("--tail", metavar="N", help="Only the last N lines of each service.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Only lines since then, such as 10m.")] = "",
) -> None:
    """Show what the services wrote."""
    from deployer.workflows.diagnosis import status as workflow

    session.require_deployment(session.engine)
    workflow.follow_logs(stack_of(session), tuple(services or ()), follow=follow, tail=tail, since=since)
