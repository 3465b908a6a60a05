"""What we say, and what we show of what others said."""

from __future__ import annotations


def say(words: str) -> None:
    """Print at once, so that our words stand before those of the programs that we start."""
    print(words, flush=True)


def last_lines(text: str, count: int = 15) -> str:
    """Return the end of a log, indented."""
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])
