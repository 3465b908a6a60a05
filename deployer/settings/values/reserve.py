"""How much of the disk with the images must stay free, as the setting says it: auto, 2GB, 10%, off."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deployer.settings.values import size

RESERVE_AUTO = "auto"
RESERVE_OFF = "off"
EXPECTED = "is not a valid reserve: use auto, off, a size with its unit, such as 2GB, or a share such as 10%"
# Inodes that stay free, unless that is more than a twentieth of them; a layer takes about eight.
RESERVED_INODES = 10_000
# Bytes that commands leave free on any disk: below this the registry's own small files cannot be written safely.
LEAST_FREE_BYTES = 100 * 2**20

_SHARE = re.compile(r"(\d{1,2}) ?%")
_MOST_PERCENT = 50
# The disk guard counts in KiB.
_LEAST_BYTES = 1024


@dataclass(frozen=True)
class Reserve:
    """A share of the disk, in percent, or a number of bytes, whichever is less."""

    percent: int = 100
    bytes: int = 2**60

    @classmethod
    def of(cls, text: str) -> Reserve:
        """What a setting says. Raises ValueError with a sentence."""
        if text == RESERVE_AUTO:
            # A large disk needs no more reserve than a small one, and a small one has little to spare.
            return cls(5, 2 * 1000**3)
        if text == RESERVE_OFF:
            return cls(0, 0)
        if share := _SHARE.fullmatch(text.strip()):
            if not 1 <= int(share[1]) <= _MOST_PERCENT:
                raise ValueError(f"'{text}' is not a valid reserve: a share is from 1% to {_MOST_PERCENT}%")
            return cls(percent=int(share[1]))
        found = size.find(text, needs_unit=True)
        if found is None:
            raise ValueError(f"'{text}' {EXPECTED}")
        if found < _LEAST_BYTES:
            raise ValueError(f"'{text}' is not a valid reserve: to have none, use off")
        return cls(bytes=min(found, cls.bytes))

    @property
    def is_off(self) -> bool:
        """Whether the disk may be filled completely."""
        return not (self.percent and self.bytes)

    def least_free(self, total: int) -> int:
        """Bytes that a command leaves free on a disk of this size: with less, pushes would be refused."""
        return max(LEAST_FREE_BYTES, min(total * self.percent // 100, self.bytes))
