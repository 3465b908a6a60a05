"""An image of many layers, as a registry's users push it."""

from __future__ import annotations

import io
import json
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

from tests.support.archive import archive
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYERS = 20
_LAYER_SIZE = 100_000


def load_new_image(name: str) -> None:
    """Give the engine a new image of random layers under this name."""
    layers = {f"{number}.tar": archive(_LAYER_SIZE) for number in range(_LAYERS)}
    digests = [f"sha256:{sha256(layer).hexdigest()}" for layer in layers.values()]
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": digests}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": list(layers)}]
    described = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    docker("load", stdin=_packed({**layers, **described}))


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
