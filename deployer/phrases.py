"""Phrases that several layers write: many words in a row, containers, sizes, and a digest as people know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MANY = 5
# Characters of the names in a command, of which digests have 71 each.
FIT = 250
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def first(words: Sequence[str]) -> Sequence[str]:
    """The first of the words, as many as a command can be read with; the very first in any case."""
    count, length = 0, 0
    for word in words[:MANY]:
        length += len(word) + 1
        if count and length > FIT:
            break
        count += 1
    return words[:count]


def listed(words: Sequence[str], most: int = MANY) -> str:
    """The words in a row; of more than `most` the first, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def in_command(words: Sequence[str]) -> str:
    """The first of the words as a command takes them, and behind them how many more there are."""
    shown = first(words)
    more = f" (and {len(words) - len(shown)} more)" if len(words) > len(shown) else ""
    return " ".join(shown) + more


def containers_in_words(names: Sequence[str]) -> str:
    """One container or several, by name."""
    return f"the {'container' if len(names) == 1 else 'containers'} {', '.join(names)}"


def short(digest: str) -> str:
    """The first 12 characters of a digest, as Docker shows it."""
    return digest.partition(":")[2][:12]


def size(count: int) -> str:
    """A number of bytes, in powers of 1000 and three digits as Docker shows it: "76.1 MB"."""
    # Rounded as a whole number: a half is a half, and what becomes 1000 belongs to the next unit.
    step = int(10 ** max(0, len(str(count)) - 3))
    rounded = (count + step // 2) // step * step
    unit = min(len(_UNITS) - 1, (len(str(rounded)) - 1) // 3)
    whole, part = divmod(rounded, 1000**unit)
    digits = f"{part:0{3 * unit}}".rstrip("0") if unit else ""
    return f"{whole}{'.' if digits else ''}{digits} {_UNITS[unit]}"
