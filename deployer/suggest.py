"""What was most likely meant: the names that are like one that is not there."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 3
# By how much less like it another name may be than the one that is most like it.
_ABOUT = 0.1


def near(name: str, known: Iterable[str], *, most: int = _MOST, likeness: float = 0.6) -> list[str]:
    """The known names that are most like this one, the likest first; `likeness`, up to 1, is how much at the least."""
    return difflib.get_close_matches(name, list(known), n=most, cutoff=likeness)


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Advice that names the repositories or images that are most like this one, or nothing."""
    candidates = list(known)
    last = name.rpartition("/")[2]
    same_end = [candidate for candidate in candidates if candidate.rpartition("/")[2] == last]
    found = near(name, candidates, most=_MOST)
    # A long common beginning makes everything alike: only what is about as near as the nearest counts.
    likeness = {candidate: difflib.SequenceMatcher(None, candidate, name).ratio() for candidate in found}
    found = [candidate for candidate in found if likeness[candidate] > max(likeness.values()) - _ABOUT]
    found = list(dict.fromkeys([*found, *same_end]))[:_MOST]
    return (f"Did you mean {' or '.join(found)}?",) if found else ()
