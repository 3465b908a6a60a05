"""JSON that strangers wrote, read as Go and browsers read it: manifests and configurations."""

from __future__ import annotations

import json
from typing import Any

# More digits than any number that Go or a browser distinguishes from infinity; Python refuses thousands of them.
_MOST_DIGITS = 400
# What is not a whole number up to here is another one in browsers (Number.MAX_SAFE_INTEGER).
MOST_BYTES = 2**53 - 1


def read_json(content: bytes | str) -> Any:  # noqa: ANN401 - whatever it says
    """What it says; bytes that are not UTF-8 are replaced. Raises ValueError if it is no JSON, or too deep."""
    try:
        return DECODER.decode(content if isinstance(content, str) else content.decode(errors="replace"))
    except RecursionError as error:
        raise ValueError(str(error)) from error


def read_size(value: object) -> int | None:
    """The bytes that a descriptor says; None if it says none that can be."""
    return value if type(value) is int and 0 <= value <= MOST_BYTES else None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _refused(constant: str) -> float:
    # Python's own reader takes NaN and Infinity.
    raise ValueError(f"{constant} is not JSON")


DECODER = json.JSONDecoder(parse_int=_number, parse_constant=_refused)
