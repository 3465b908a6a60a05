"""The result of the last check, for commands that do not read every byte themselves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.host.timestamps import timestamp_of
from deployer.phrases import listed, short
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.images.states import CURE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.storage.snapshot import Snapshot


@dataclass(frozen=True)
class DamagedBlob:
    """A blob that was read and is not what its digest says, as its file was then, with the images that need it."""

    digest: str
    size: int
    modified: int
    images: tuple[str, ...]


@dataclass(frozen=True)
class LastCheck:
    """When everything was checked last, and when every byte of it was read, None for never; and what is damaged."""

    time: datetime | None = None
    full_time: datetime | None = None
    damaged: tuple[DamagedBlob, ...] = ()

    @property
    def digests(self) -> frozenset[str]:
        """The digests of what is damaged."""
        return frozenset(one.digest for one in self.damaged)

    def findings(self, snapshot: Snapshot, told: Collection[Finding]) -> Iterator[Finding]:
        """What of it is still as it was, but for what was `told` already."""
        named = {digest for finding in told for digest in finding.affected}
        for one in self.damaged:
            blob = snapshot.blobs.get(one.digest)
            is_same = blob is not None and (blob.size, blob.modified) == (one.size, one.modified)
            if is_same and one.digest not in named:
                yield self._finding(one)

    def _finding(self, one: DamagedBlob) -> Finding:
        who = f"{listed(one.images)} {'is' if len(one.images) == 1 else 'are'} incomplete: " if one.images else ""
        return Finding(
            FindingState.WRONG,
            f"{who}the file {short(one.digest)} is damaged, as `deployer check` found.",
            ("deployer check --repair", f"Or {CURE}, then push again."),
            affected=(*one.images, one.digest),
        )


def read(deployment: Deployment) -> LastCheck:
    """What the last check found; nothing for a file that is missing or cannot be read."""
    try:
        raw = json.loads(read_if_there(deployment.check_file) or b"{}")
        return LastCheck(
            _moment(raw.get("time")),
            _moment(raw.get("full_time")),
            tuple(DamagedBlob(**{**one, "images": tuple(one["images"])}) for one in raw.get("damaged", ())),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return LastCheck()


def keep(deployment: Deployment, last: LastCheck) -> None:
    """Remember it in place of the one before. Raises HostError."""
    written = {
        "time": last.time.isoformat() if last.time else None,
        "full_time": last.full_time.isoformat() if last.full_time else None,
        "damaged": [asdict(one) for one in last.damaged],
    }
    write_atomically(deployment.check_file, (json.dumps(written, indent=1) + "\n").encode(), PUBLIC)


def _moment(text: str | None) -> datetime | None:
    return timestamp_of(text) if text else None
