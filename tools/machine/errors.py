"""What keeps us from going on."""

from __future__ import annotations


class RefusalError(Exception):
    """What keeps us from going on, and what to do about it, in a sentence."""
