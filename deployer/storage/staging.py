"""Blobs that are first written next to the storage, verified there, and then moved into it, each in one step.

A kill leaves files next to the storage, which the next run or `gc` removes.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from deployer.errors import BackupError, EngineError, StorageError
from deployer.layout import BLOBS, STORAGE
from deployer.rendering.snippets import backup_script, storage_script
from deployer.settings.values.reserve import LEAST_FREE_BYTES
from deployer.storage.access import REMOVED, of_storage
from deployer.storage.removal import blob_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.engine import Engine


@dataclass(frozen=True)
class Staging:
    """A folder for blobs in the container that has the storage mounted, on the same disk; `purpose` names it.

    Every method raises StorageError or EngineError.
    """

    engine: Engine
    container: str
    purpose: str

    @property
    def folder(self) -> str:
        """Where it is in the container; blobs are below it with the whole path that they have in the storage."""
        # What `gc` empties too, if a command that was killed is never repeated.
        return f"{REMOVED}/{self.purpose}"

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Begin with an empty folder, and leave none: after an error, it may be what fills the disk."""
        self.clear()
        try:
            yield
        finally:
            with suppress(EngineError, StorageError):
                self.clear()

    def room(self) -> int:
        """Bytes that may be written: those that are free on the disk of the storage, without what stays free."""
        return max(0, int(self._run("space", STORAGE).decode().strip() or 0) - LEAST_FREE_BYTES)

    def expect_room(self, size: int, advice: str) -> None:
        """Make sure that `size` bytes can be written. Raises BackupError."""
        room = self.room()
        if size > room:
            raise BackupError(
                f"The disk with the registry's images has room for {room:,} bytes, and {LEAST_FREE_BYTES:,} must "
                f"stay free; {size:,} are needed.",
                (advice,),
            )

    @contextmanager
    def writing(self, digest: str) -> Iterator[IO[bytes]]:
        """Write a blob: what goes into the stream is its content."""
        path = f"{self.folder}{BLOBS}/{blob_folder(digest)}/data"
        try:
            with self.engine.containers.feed_script(self.container, storage_script("stage"), path) as stream:
                yield stream
        except EngineError as error:
            raise of_storage(error) from error

    def place(self) -> tuple[str, ...]:
        """Verify all blobs, and move them into the storage; return the digests of those that are not what they say."""
        printed = self._run("place", f"{self.folder}{BLOBS}", BLOBS).decode().splitlines()
        if printed[-1:] != ["# end"]:
            raise StorageError("The blobs could not be moved into place.", ("Run the command again.",))
        paths = (line.removeprefix("damaged ").split("/") for line in printed[:-1])
        return tuple(f"{kind}:{value}" for kind, _, value, _ in paths)

    def clear(self) -> None:
        """Remove the folder, with what an interrupted run has left in it."""
        self._run("unstage", self.folder)

    def _run(self, script: str, *arguments: str) -> bytes:
        try:
            return self.engine.containers.run_script(self.container, backup_script(script), *arguments)
        except EngineError as error:
            raise of_storage(error) from error
