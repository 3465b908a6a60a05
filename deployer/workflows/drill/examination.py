"""Examining a drill's copy: who has access, whether every tag exists, and whether a sample of images is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host.files import read_if_there
from deployer.workflows.drill import admission, pulling
from deployer.workflows.drill.client import CopyClient, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.restic.repository import Progress
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.drill.copy import Copy
    from deployer.workflows.drill.pulling import Miss
    from deployer.workflows.restore.plan import RestorePlan


@dataclass(frozen=True)
class DrillTalk:
    """The messages and questions of a drill; `confirm_install` is asked before a package is installed."""

    say: Callable[[str], None]
    on_progress: Callable[[Progress], None]
    confirm_install: Callable[[str], None]
    quiet: bool = True


@dataclass(frozen=True)
class Examined:
    """What the copy provided: the images that were pulled, the number of their manifests and blobs, and bytes.

    `login` and `certificates` are sentences of what is wrong with these; `misses` are what it did not give.
    """

    sample: tuple[str, ...] = ()
    contents: int = 0
    bytes: int = 0
    login: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    misses: tuple[Miss, ...] = ()


def examine(stack: Stack, copy: Copy, plan: RestorePlan, count: int | None, talk: DrillTalk) -> Examined:
    """Ask a copy into which this plan was restored, for images of `count` repositories, None for all.

    Raises EngineError.
    """
    with CopyClient(copy.settings, copy.visitor, _trusted(stack, copy)) as client:
        talk.say("Testing login and certificates …")
        try:
            certificates = tuple(admission.certificate_differences(client, stack, copy))
            login = tuple(admission.login_differences(client, stack, copy))
        except Refused as refused:
            return Examined(login=(f"Cannot query the copy: {refused.words}.",))
        talk.say(f"Looking for all {len(plan.added)} tags …")
        tags = pulling.look_for(client, plan.added)
        sample = pulling.sample_of(tags.found, count, plan.backup.id)
        talk.say(f"Pulling {len(sample)} of them …")
        pulled = pulling.pull(client, sample, plan.stored, talk.on_progress)
    names = tuple(str(one.tag) for one in sample)
    return Examined(names, pulled.contents, pulled.bytes, login, certificates, (*tags.misses, *pulled.misses))


def _trusted(stack: Stack, copy: Copy) -> str:
    """The CA that the copy's clients trust: that of the backup, or where there is none, the one that it made."""
    if not copy.settings.tls.is_on:
        return ""
    return (copy.origin.ca or read_if_there(stack.deployment.ca_file) or b"").decode()
