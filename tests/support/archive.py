"""The content of an image that no one else has."""

from __future__ import annotations

import io
import os
import tarfile


def archive(size: int) -> bytes:
    """A root file system of one file of random bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return packed.getvalue()
