"""Local images of random content, under names that were perhaps another image's before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.archive import archive
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def local_images() -> Iterator[Callable[..., str]]:
    """Makes local images and returns their IDs; their names go at the end, and what had a name before has it again."""
    before: dict[str, str] = {}

    def make(name: str, size: int = 1000) -> str:
        before.setdefault(name, docker("image", "inspect", "--format", "{{.Id}}", name, check=False).strip())
        return docker("import", "-", name, stdin=archive(size)).strip()

    yield make
    for name, previous in before.items():
        docker("image", "rm", name, check=False)
        if previous:
            docker("image", "tag", previous, name)
