"""The oldest versions that will do, and how to read one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Version = tuple[int, ...]

OLDEST_PYTHON = (3, 11)
# As deployer/workflows/checks/preflight.py, which cannot be imported before deployer is installed.
OLDEST_COMPOSE = (2, 8)
OLDEST_NODE = (18,)
# Exactly this one: another finds other faults.
TYPESCRIPT = "7.0.2"


def version_of(text: str) -> Version:
    """Return the leading numbers of a version: `v2.40.3`, `1:2.26.1-4` and `20.19.2+dfsg` all have some."""
    found = re.match(r"(?:\d+:)?v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(number) for number in found[1].split(".")) if found else ()
