"""What is backed up and checked: large images, thousands of repositories, and trees of a million links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.storage import StorageFolder

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORIES = 10_000
# Layers are compressed already, so they are random bytes; those of one image are of very different sizes.
_LAYERS = (24_000_000, 9_000_000, 4_000_000, 1_500_000, 900_000, 400_000, 150_000, 40_000, 8000, 2000)
_IMAGES = 50
# Of a tree of links, each repository: layers that others have too, and tags with layers of their own.
_SHARED = 20
_TAGS = 5
_OWN = 2
_LINKS = _SHARED + _TAGS * (_OWN + 4)
_POOL = 1000


def add_large_images(folder: Path) -> StorageFolder:
    """2 GB in 50 images."""
    storage = StorageFolder(folder)
    for number in range(_IMAGES):
        storage.add_image(f"team{number % 5}/app{number}", "1", number, [os.urandom(size) for size in _LAYERS])
    storage.age()
    return storage


def add_repositories(folder: Path) -> StorageFolder:
    """10,000 repositories, each of one small image."""
    storage = StorageFolder(folder)
    for number in range(REPOSITORIES):
        storage.add_image(f"team{number % 100:02}/app{number:05}", "1", number)
    storage.age()
    return storage


def add_links(storage: StorageFolder, first: int, last: int) -> None:
    """Repositories until there are `last` links, where there are `first` already."""
    pool = [storage.add_blob(f"shared layer {number}".encode()) for number in range(_POOL)]
    for number in range(first // _LINKS, last // _LINKS):
        name = f"team{number % 100:02}/app{number:05}"
        shared = [pool[(number + 7 * each) % _POOL] for each in range(_SHARED)]
        for tag in range(_TAGS):
            own = [f"layer {each} of {name}:{tag}".encode() for each in range(_OWN)]
            storage.add_image(name, f"1.{tag}", number * _TAGS + tag, [*shared, *own])
