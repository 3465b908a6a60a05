"""What keeps us from continuing."""

from __future__ import annotations


class RefusalError(Exception):
    """What keeps us from continuing, and what to do about it, in a sentence."""
