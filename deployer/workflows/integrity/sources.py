"""Sources of intact blobs: backups of this deployment, or another registry."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from deployer.errors import Denied, NotFound, RegistryError, UsageError
from deployer.layout import BLOBS
from deployer.reference import is_repository
from deployer.registry.content.manifests import digest_of
from deployer.registry.protocol.place import Place
from deployer.restic.repository import Repository
from deployer.storage.helper import REGISTRY_TOOLS
from deployer.storage.removal import blob_folder
from deployer.workflows.backup.catalog import PartKind, whole
from deployer.workflows.restore.plan import stored_blobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from typing import IO

    from deployer.engine.engine import Engine
    from deployer.registry.client import RegistryClient
    from deployer.restic.target import Target
    from deployer.storage.helper import HelperTools
    from deployer.storage.staging import Staging
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.backup.create import Machine
    from deployer.workflows.integrity.faults import Fault

_FROM_EXAMPLE = "deployer check --repair --from registry.example.com:5000/mirror"


class Source(Protocol):
    """A source of blobs. As text, it is what the user calls it."""

    @property
    def tools(self) -> HelperTools:
        """What the container needs in which they are fetched."""

    def offers(self, wanted: Collection[Fault]) -> Mapping[str, int]:
        """The wanted blobs that it offers, with their sizes in bytes. Whether they are intact, only `fetch` shows."""

    def fetch(self, wanted: Collection[Fault], staging: Staging) -> Iterator[str]:
        """Fetch blobs into the storage, each verified; the digests of those that were whole, once they are there."""


@dataclass(frozen=True)
class BackupSource:
    """The backups at a target. `look` is opened for looking, where the storage is not; see `backup.reader`."""

    engine: Engine
    target: Target
    machine: Machine
    deployment: str
    password: str = field(repr=False)
    look: Repository = field(repr=False)

    def __str__(self) -> str:
        return f"the backups at {self.target}"

    @property
    def tools(self) -> HelperTools:
        """Restic, and the target."""
        return self.machine.tools(self.target, self.deployment)

    def offers(self, wanted: Collection[Fault]) -> Mapping[str, int]:
        """Those of the newest backup that has them."""
        left = {one.digest for one in wanted}
        found: dict[str, int] = {}
        for _, sizes in _holding(self.look, left):
            new = {digest: size for digest, size in sizes.items() if digest in left}
            found |= new
            left -= new.keys()
        return found

    def fetch(self, wanted: Collection[Fault], staging: Staging) -> Iterator[str]:
        """From the newest backup in which each is whole: one that was made after the damage has that too."""
        repository = Repository(self.engine, staging.container, self.target)
        repository.open(self.password, self.machine.environment)
        left = {one.digest for one in wanted}
        for backup, sizes in _holding(repository, left):
            there = left & sizes.keys()
            if there:
                paths = [f"{BLOBS}/{blob_folder(digest)}" for digest in sorted(there)]
                repository.restore(backup.parts[PartKind.BLOBS], staging.folder, paths)
                new = there.difference(staging.place())
                left -= new
                yield from new


def _holding(repository: Repository, left: AbstractSet[str]) -> Iterator[tuple[Backup, dict[str, int]]]:
    """Each whole backup, the newest first, with the sizes of its blobs; as long as something is `left` to be found."""
    for backup in reversed(whole(repository.parts())):
        if not left:
            return
        # An empty one was cut off before the backup was made.
        yield backup, {digest: size for digest, size in stored_blobs(repository, backup).items() if size}


@dataclass(frozen=True)
class Origin:
    """Another registry, and what comes before the names of repositories there."""

    url: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """What `--from` says: HOST[:PORT][/PREFIX]. Raises UsageError.

        As Docker does, port 443 is assumed without one; with one, the registry itself tells whether it uses TLS.
        """
        if "@" in text:
            # It may be a password.
            raise UsageError(
                "--from does not accept a user name or a password.",
                ("Log in first: docker login HOST:PORT", _FROM_EXAMPLE),
            )
        scheme, has_scheme, rest = text.rpartition("://")
        try:
            parts = urlsplit(f"//{rest}")
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        prefix = parts.path.strip("/")
        is_plain = re.fullmatch(r"[A-Za-z0-9._\[\]:-]+(/[^\s?#@]*)?", rest) is not None
        if not parts.hostname or not is_plain or (has_scheme and scheme not in {"http", "https"}):
            raise UsageError(f"--from: '{text}' is not in the form HOST[:PORT][/PREFIX].", (_FROM_EXAMPLE,))
        if prefix and not is_repository(prefix):
            raise UsageError(f"--from: '{prefix}' cannot be a prefix of a repository name.", (_FROM_EXAMPLE,))
        assumed = "http" if port or Place.of(f"http://{parts.netloc}").is_loopback else "https"
        return cls(f"{scheme if has_scheme else assumed}://{parts.netloc}", prefix)

    def __str__(self) -> str:
        return "/".join(filter(None, (Place.of(self.url).address, self.prefix)))

    def repository(self, name: str) -> str:
        """A repository's name there."""
        return f"{self.prefix}/{name}" if self.prefix else name


@dataclass(frozen=True)
class RegistrySource:
    """Another registry, in whose repositories of the same names the blobs may be."""

    client: RegistryClient
    origin: Origin

    def __str__(self) -> str:
        return f"the registry {self.origin}"

    @property
    def tools(self) -> HelperTools:
        """Nothing: they come through this program."""
        return REGISTRY_TOOLS

    def offers(self, wanted: Collection[Fault]) -> Mapping[str, int]:
        """Those that it answers to have, where the user may pull. Raises Denied if that is nowhere."""
        denied: list[Denied] = []
        sizes = self.client.each(lambda one: self._size(one, denied), wanted)
        found = {one.digest: size for one, size in zip(wanted, sizes, strict=True) if size is not None}
        if denied and not found:
            raise denied[0]
        return found

    def fetch(self, wanted: Collection[Fault], staging: Staging) -> Iterator[str]:
        """One after the other, from the first repository that has it."""
        for one in wanted:
            if any(self._fetch(one, name, staging) for name in map(self.origin.repository, one.repositories)):
                yield from {one.digest}.difference(staging.place())

    def _size(self, one: Fault, denied: list[Denied]) -> int | None:
        for name in map(self.origin.repository, one.repositories):
            try:
                size = self._size_in(name, one)
            except Denied as error:
                denied.append(error)
                continue
            if size is not None:
                return size
        return None

    def _size_in(self, repository: str, one: Fault) -> int | None:
        if not one.is_manifest:
            return self.client.blob_size(repository, one.digest)
        content = self._manifest(repository, one.digest)
        return None if content is None else len(content)

    def _fetch(self, one: Fault, repository: str, staging: Staging) -> bool:
        with suppress(Denied):
            return self._fetch_from(repository, one, staging)
        return False

    def _fetch_from(self, repository: str, one: Fault, staging: Staging) -> bool:
        if one.is_manifest:
            content = self._manifest(repository, one.digest)
            if content is not None:
                with staging.writing(one.digest) as stream:
                    stream.write(content)
            return content is not None
        if self.client.blob_size(repository, one.digest) is None:
            return False
        with staging.writing(one.digest) as stream:
            return self.client.read_blob(repository, one.digest, _Into(stream))

    def _manifest(self, repository: str, digest: str) -> bytes | None:
        try:
            content = self.client.document(repository, digest).content
        except NotFound:
            return None
        return content if digest_of(content, digest.partition(":")[0]) == digest else None


@dataclass
class _Into:
    """Writes into a stream that cannot go back."""

    stream: IO[bytes]
    has_begun: bool = False

    def begin(self) -> None:
        """Raises RegistryError if the connection has broken in the middle."""
        if self.has_begun:
            raise RegistryError("The connection to the registry was lost.", ("Run the command again.",))
        self.has_begun = True

    def write(self, piece: bytes) -> None:
        """Pass it on."""
        self.stream.write(piece)
