"""What the services of a deployment wrote."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.errors import NotFound, UsageError

if TYPE_CHECKING:
    from deployer.workflows.deployment.stack import Stack

# What Docker takes: a duration, seconds since 1970, or a moment by RFC 3339, truncated at any point.
_SINCE = re.compile(
    r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+|\d{9,}(\.\d+)?"
    r"|\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?"
)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?")


def follow_logs(stack: Stack, services: tuple[str, ...], *, follow: bool, tail: str, since: str) -> None:
    """Let Compose print the services' logs. Raises UsageError for an unknown service, NotFound for none."""
    if tail and not (tail.isdecimal() or tail == "all"):
        raise UsageError(f"--tail must be a number of lines, not '{tail}'.")
    if since and not (_SINCE.fullmatch(since) and _is_on_the_calendar(since)):
        raise UsageError(
            f"--since must be a duration such as 10m or 1h30m, or a time such as 2026-01-31, not '{since}'."
        )
    containers = stack.containers()
    known = [container.service for container in containers]
    if not known and stack.deployment.is_begun:
        raise NotFound("The registry is not running.", ("deployer up",))
    if not known or not stack.deployment.is_there:
        raise NotFound(f"No deployment named '{stack.deployment.name}' on this machine.", ("deployer up",))
    for service in services:
        if service not in known:
            raise UsageError(f"Unknown service '{service}'.", tuple(f"deployer logs {one}" for one in known))
    stack.engine.compose.follow_logs(stack.project(), services, follow=follow, tail=tail, since=since)


def _is_on_the_calendar(since: str) -> bool:
    found = _MOMENT.match(since)
    if found is None:
        return True
    year, month, day, hour, minute, second = (int(number or 0) for number in found.groups())
    try:
        datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return False
    return True
