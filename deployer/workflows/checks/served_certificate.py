"""The certificate of the user's own that is served: the copy in the deployment, whatever the user's file holds by now.

`up` takes the copy; a renewal is served only after the next one.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, HostError
from deployer.host.files import read_if_there
from deployer.layout import OWN_CERTIFICATE
from deployer.tls.verdict import Failure
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.refusals import Reason


@dataclass(frozen=True)
class _NextUp:
    """What `up` would make of the user's files: whether they hold another certificate, and why it would refuse them."""

    file: str
    is_other: bool
    ends: datetime | None = None
    refusal: DeployerError | None = None

    @property
    def is_renewed(self) -> bool:
        """Whether `up` would serve another certificate."""
        return self.is_other and self.refusal is None


def findings(settings: Settings, deployment: Deployment, now: datetime) -> tuple[Finding, ...]:
    """What clients have, or will soon have, against the certificate that is served, and what `up` would change."""
    content = read_if_there(deployment.directory / OWN_CERTIFICATE)
    if not content or not settings.tls.is_own:
        return ()
    from deployer.tls.certificate import facts_of, path_of, read_all

    try:
        path = [facts_of(one) for one in path_of(read_all(content))]
    except HostError as error:
        sentence = f"{deployment.directory / OWN_CERTIFICATE}: {error.message}"
        return (Finding(FindingState.WRONG, sentence, ("deployer up   (writes it again)",)),)
    return _judged(path, settings, _next_up(settings, content, now), now)


def _judged(
    path: Sequence[CertificateFacts], settings: Settings, upcoming: _NextUp, now: datetime
) -> tuple[Finding, ...]:
    from deployer.tls.own_certificate import expiring

    if refused := _refused(settings, path, now):
        return (_not_accepted(*refused, settings, upcoming),)
    if soon := expiring(settings.address, min(one.not_after for one in path), now):
        return (Finding(FindingState.NOTE, soon, _renewal(settings, upcoming)),)
    if upcoming.refusal:
        sentence = f"{upcoming.refusal.message} The registry serves the one that it has, but `deployer up` will fail."
        return (Finding(FindingState.NOTE, sentence, upcoming.refusal.advice, upcoming.refusal.original),)
    if upcoming.is_renewed:
        sentence = f"{upcoming.file} has another certificate than the one that is served."
        return (Finding(FindingState.NOTE, sentence, (_apply(upcoming),)),)
    return ()


def refusal_of_file(settings: Settings, deployment: Deployment, now: datetime) -> str:
    """Why `up` would refuse the user's files, "" if it would not, or if `findings` says nothing of that."""
    content = read_if_there(deployment.directory / OWN_CERTIFICATE)
    refusal = _next_up(settings, content, now).refusal if content and settings.tls.is_own else None
    return refusal.message if refusal else ""


def _next_up(settings: Settings, served: bytes, now: datetime) -> _NextUp:
    tls = settings.tls
    from deployer.tls.own_certificate import check_own

    try:
        found = check_own(Path(tls.certificate), Path(tls.key), settings.host, now)
        return _NextUp(tls.certificate, read_if_there(Path(tls.certificate)) != served, found.not_after)
    except DeployerError as error:
        return _NextUp(tls.certificate, _is_other(Path(tls.certificate), served), refusal=error)


def _is_other(file: Path, served: bytes) -> bool:
    try:
        content = read_if_there(file)
    except HostError:
        return False
    return content not in {None, served}


def _refused(settings: Settings, path: Sequence[CertificateFacts], now: datetime) -> tuple[Failure, Reason] | None:
    """Why clients refuse what is served, in the words that they use for it; in OpenSSL's order."""
    from deployer.tls.refusals import reason_of

    if not path[0].covers(settings.host):
        failure = Failure.OTHER_NAME
    elif any(one.not_after < now for one in path):
        failure = Failure.EXPIRED
    elif any(one.not_before > now for one in path):
        failure = Failure.NOT_YET_VALID
    else:
        return None
    reason = reason_of(failure, settings.address, path[0], now)
    return (failure, reason) if reason else None


def _not_accepted(failure: Failure, reason: Reason, settings: Settings, upcoming: _NextUp) -> Finding:
    advice = reason.advice
    if failure is Failure.EXPIRED:
        # The clock is the rarer cause here: the file says when it was to be renewed.
        is_told = not upcoming.is_other
        advice = (*_renewal(settings, upcoming, refusal_is_told=is_told), advice[0])
    elif upcoming.is_renewed:
        advice = (_apply(upcoming), *advice)
    return Finding(FindingState.WRONG, reason.sentence, advice)


def _renewal(settings: Settings, upcoming: _NextUp, *, refusal_is_told: bool = False) -> tuple[str, ...]:
    """How another certificate comes to be served."""
    if upcoming.is_renewed:
        return (_apply(upcoming),)
    if upcoming.refusal and not refusal_is_told:
        return (upcoming.refusal.message, *upcoming.refusal.advice, "Then: deployer up")
    file, key = (shlex.quote(one) for one in (settings.tls.certificate, settings.tls.key))
    return (f"Renew it: put the new certificate in {file} and its key in {key}, then: deployer up",)


def _apply(upcoming: _NextUp) -> str:
    until = f", until {upcoming.ends:%Y-%m-%d}" if upcoming.ends else ""
    return f"deployer up   (applies the renewed certificate in {upcoming.file}{until})"
