"""Phrases that several floors write: many words in a row, and a digest as people know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MANY = 5


def listed(words: Sequence[str], most: int = MANY) -> str:
    """The words in a row; of more than `most` the first, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def short(digest: str) -> str:
    """The first 12 characters of a digest, as Docker shows it."""
    return digest.partition(":")[2][:12]
