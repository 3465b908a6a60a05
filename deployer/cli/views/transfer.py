"""How pushes and pulls are reported: the plan, Docker's progress, and how each ended."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.session import NOTHING_CHANGED
from deployer.workflows.transfer.pull import Pull
from deployer.workflows.transfer.remarks import Transfer
from deployer.workflows.transfer.transfers import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from deployer.cli.output import Output
    from deployer.cli.presentation import Presentation
    from deployer.workflows.transfer.push import Push
    from deployer.workflows.transfer.transfers import TransferOutcome

_DONE = {Transfer.PUSH: "pushed", Transfer.PULL: "pulled"}


def note_remarks(out: Output, remarks: Iterable[str]) -> None:
    """Say beforehand what makes Docker do something else than usual."""
    for remark in remarks:
        out.note(f"Note: {remark}")


def note_lost_names(out: Output, items: Sequence[Push | Pull]) -> None:
    """Say beforehand which images of this machine lose a name."""
    note_remarks(out, lost_names(items))


def lost_names(items: Sequence[Push | Pull]) -> list[str]:
    """A sentence for each image of this machine that loses names."""
    return [line for item in items for line in _lost_names(item)]


def _lost_names(item: Push | Pull) -> list[str]:
    # Only the registry knows what will be pulled.
    unless = " unless it is the one being pulled" if isinstance(item, Pull) else ""
    names: dict[str, list[str]] = {}
    for lost in item.loses:
        names.setdefault(lost.image_id, []).append(lost.name)
    return [
        f"The image {_short(image)} on this machine loses the {'name' if len(lost) == 1 else 'names'} "
        f"{' and '.join(lost)}{unless}."
        for image, lost in names.items()
    ]


def _short(image_id: str) -> str:
    """An image's ID as `docker images` shows it."""
    return image_id.removeprefix("sha256:")[:12]


@contextmanager
def counted_interruption(transfer: Transfer) -> Iterator[None]:
    """Let an interruption say how far it came."""
    try:
        yield
    except Interrupted as stop:
        raise KeyboardInterrupt(f"Interrupted: {stop.done} of {stop.total} {_DONE[transfer]}.") from stop


def listener(
    out: Output, presentation: Presentation, items: Sequence[Push | Pull]
) -> Callable[[Push | Pull, str], None] | None:
    """Where Docker's lines about each go; None lets Docker draw on the terminal itself."""
    if presentation.as_json:
        return lambda _item, _line: None
    if len(items) == 1:
        return None if out.is_terminal else lambda _item, line: out.line(line)
    width = max(len(item.label) for item in items)
    return lambda item, line: out.line(f"{item.label.ljust(width)} | {line}")


@dataclass(frozen=True)
class TransferPlanReport(Report):
    """What would be pushed or pulled."""

    items: Sequence[Push | Pull]

    def as_json(self) -> list[dict[str, Any]]:
        """Each with the name that it has, the one that it gets, and the images that lose a name here."""
        return [
            {
                "source": item.name,
                "target": item.target_name,
                "replaces": [{"name": lost.name, "image": lost.image_id} for lost in item.loses],
            }
            for item in self.items
        ]

    def print(self, out: Output) -> None:
        """Print a line for each."""
        for item in self.items:
            out.line(f"{item.name} -> {item.target_name}")
        note_lost_names(out, self.items)
        out.note(NOTHING_CHANGED)


@dataclass(frozen=True)
class TransferReport(Report):
    """How pushes or pulls ended."""

    transfer: Transfer
    outcomes: Sequence[TransferOutcome]

    def as_json(self) -> list[dict[str, Any]]:
        """Each with what came of it."""
        return [_outcome_json(outcome) for outcome in self.outcomes]

    def print(self, out: Output) -> None:
        """Say which names images of this machine got; the rest is Docker's own output."""
        for outcome in self.outcomes:
            if outcome.short is not None:
                other = _short(outcome.renamed_from)
                before = f" (previously {other})" if other else ""
                out.note(f"Tagged as {outcome.short} on this machine{before}.")

    def remark(self, out: Output) -> None:
        """Say what failed, and how many did not."""
        done = sum(outcome.error is None for outcome in self.outcomes)
        for outcome in self.outcomes:
            if outcome.error is not None:
                if len(self.outcomes) > 1:
                    out.note(f"{outcome.name}:")
                out.error(outcome.error)
        if len(self.outcomes) > 1:
            out.note(f"{done} of {len(self.outcomes)} {_DONE[self.transfer]}.")

    @property
    def has_failed(self) -> bool:
        """Whether one of them failed."""
        return any(outcome.error is not None for outcome in self.outcomes)


def _outcome_json(outcome: TransferOutcome) -> dict[str, Any]:
    return {
        "source": outcome.name,
        "target": outcome.target,
        "digest": outcome.transferred.digest if outcome.transferred else None,
        "size": outcome.transferred.size if outcome.transferred else None,
        "error": str(outcome.error) if outcome.error else None,
    }
