"""Reading repositories: from the frontend's overview what that tells, the rest from the registry, piece by piece."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from deployer.errors import Denied, LateAnswer, RegistryError, RegistryUnreachable, TryAgain
from deployer.reference import is_digest
from deployer.registry.content.imageconfig import parse_config
from deployer.registry.content.manifests import MANIFEST_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.registry.content.imageconfig import ImageConfig
    from deployer.registry.content.manifests import Descriptor, Manifest
    from deployer.registry.overview import Overview

# After this many missing responses in a row, no more are waited for: as many as are requested at once.
_MOST_IN_A_ROW = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class CircuitBreaker:
    """Many questions to one registry, of which one that fails is no reason to give up the rest."""

    _in_a_row: int = 0
    _answered: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def each(
        self, client: RegistryClient, ask: Callable[[Item], Result], items: Iterable[Item]
    ) -> list[Result | RegistryError]:
        """The result for every item, in order, or the error that its one answer was.

        Several are asked for at once. Raises Denied, and RegistryUnreachable if nothing answers any more.
        Where many answers in a row do not come, the rest are errors too, and are not waited for; if none ever
        came, the first error is raised.
        """

        def attempt(item: Item) -> Result | RegistryError:
            if self._in_a_row >= _MOST_IN_A_ROW:
                return LateAnswer("Skipped after several requests in a row got no response.")
            try:
                result = ask(item)
            except (LateAnswer, TryAgain) as error:
                self._count(late=True)
                return error
            except (RegistryUnreachable, Denied):
                raise
            except RegistryError as error:
                self._count(late=False)
                return error
            self._count(late=False)
            return result

        results = client.each(attempt, items)
        first = results[0] if results else None
        if not self._answered and isinstance(first, LateAnswer):
            raise first
        return results

    def _count(self, *, late: bool) -> None:
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if late else 0
            self._answered |= not late


@dataclass(frozen=True)
class Damaged:
    """A manifest, configuration or layer that cannot be pulled; `size` is that of its file, None if there is none.

    Of one that is `unlinked` the link in the repository is missing or damaged, and `size` is that of the link; it is
    `restorable` where that is all. `obstacle` is the path of what is in place of its file or link. What is `foreign` a
    tag names, and it is not a manifest. Where a manifest says another size than the file has, that is `stated`: one of
    the two is wrong.
    """

    digest: str
    size: int | None
    is_manifest: bool = False
    is_unlinked: bool = False
    is_restorable: bool = False
    obstacle: str = ""
    is_foreign: bool = False
    stated: int | None = None

    @property
    def is_here(self) -> bool:
        """Whether there is more of it than its name: it is not just missing."""
        return self.size is not None or self.is_unlinked or self.is_foreign or bool(self.obstacle)


@dataclass(frozen=True)
class Reader:
    """What one repository holds; `overview` is None if there is none."""

    client: RegistryClient
    repository: str
    overview: Overview | None = None
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    def each(self, ask: Callable[[Item], Result], items: Iterable[Item]) -> list[Result | RegistryError]:
        """The result for every item, in order, or the error that it was. Raises what CircuitBreaker.each raises."""
        return self.breaker.each(self.client, ask, items)

    @property
    def is_unchecked(self) -> bool:
        """Whether our own frontend did not look for damage here, or not everywhere."""
        return self.client.is_unchecked(self.repository)

    def known(self, tag: str) -> Manifest | None:
        """The manifest of a tag, if the overview has it."""
        return self.overview.manifests.get(self.overview.tags.get(tag, "")) if self.overview else None

    def digest(self, tag: str) -> str:
        """The digest in a tag's file, if the overview has it; otherwise ""."""
        found = self.overview.tags.get(tag, "") if self.overview else ""
        return found if is_digest(found) else ""

    def pushed(self, tag: str) -> datetime | None:
        """When a tag was last pushed, if the overview has it: a registry does not say."""
        return self.overview.pushed.get(tag) if self.overview else None

    def damaged(
        self, manifests: Iterable[str], parts: Iterable[Descriptor] = (), children: Iterable[Descriptor] = ()
    ) -> tuple[Damaged, ...]:
        """Those of these manifests, configurations and layers that the overview says no one can pull.

        `children` are the manifests among them that an index names, as it does.
        """
        if self.overview is None:
            return ()
        wrong, sizes, foreign = self.overview.damaged, self.overview.sizes, self.overview.foreign
        parts = tuple(parts)
        kinds = {**{part.digest: False for part in parts}, **dict.fromkeys(manifests, True)}
        stated = {
            one.digest: one.size
            for one in (*parts, *children)
            if one.size is not None and one.size != sizes.get(one.digest, one.size)
        }
        found = (
            Damaged(digest, None, is_manifest=True, is_foreign=True)
            if kind and digest in foreign
            else _damaged(self.overview, digest, is_manifest=kind)
            if digest in wrong
            else Damaged(digest, sizes[digest], kind, stated=stated[digest])
            for digest, kind in kinds.items()
            if digest in wrong or digest in stated or (kind and digest in foreign)
        )
        # A manifest that is larger than the registry reads may be whole, and a push would not help.
        return tuple(one for one in found if not (one.is_manifest and (one.size or 0) > MANIFEST_MAX_BYTES))

    def document(self, reference: str) -> Document:
        """A tag's or digest's manifest, as it is. Raises what RegistryClient.document raises."""
        return self.client.document(self.repository, reference)

    def manifest(self, digest: str) -> Manifest:
        """What a manifest says. Raises what RegistryClient.manifest raises."""
        known = self.overview.manifests.get(digest) if self.overview else None
        return known or self.client.manifest(self.repository, digest)

    def config(self, digest: str) -> ImageConfig:
        """What lists show of an image's configuration. Raises what RegistryClient.blob raises."""
        known = self.overview.configs.get(digest) if self.overview else None
        return known or parse_config(self.client.blob(self.repository, digest))


def _damaged(overview: Overview, digest: str, *, is_manifest: bool) -> Damaged:
    return Damaged(
        digest,
        overview.damaged[digest],
        is_manifest,
        is_unlinked=digest in overview.unlinked,
        is_restorable=overview.unlinked.get(digest, False),
        obstacle=overview.obstacles.get(digest, ""),
    )
