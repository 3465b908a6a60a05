"""The engine's images: `docker image`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.engine.environment import ClientPurpose
from deployer.engine.values import LocalImage, Transferred
from deployer.errors import ImageNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from deployer.engine.client import Client

# The closing lines of a push, and of a pull.
_TRANSFERRED = re.compile(r"^(\S+: digest: (?P<pushed>\S+) size: (?P<size>\d+)|Digest: (?P<pulled>\S+))$")
# moby, daemon/images/image.go and daemon/containerd/image.go; docker/cli says "Error: " before it.
_MISSING = re.compile(r"no such image: (\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_SHOWN = ("--format", "{{.Id}} {{.Size}}")


@dataclass
class Images:
    """The images that the engine has. Every method raises EngineError."""

    client: Client

    def find(self, name: str) -> LocalImage | None:
        """The image of that name or ID, or None."""
        try:
            return _image(self.client.run("image", "inspect", *_SHOWN, name))
        except ImageNotFound:
            return None

    def find_all(self, names: Iterable[str]) -> dict[str, LocalImage | None]:
        """The image of each of these names or IDs, or None. One run of the client, however many they are."""
        wanted = tuple(dict.fromkeys(names))
        if len(wanted) < 2:
            return {name: self.find(name) for name in wanted}
        done = self.client.begin("image", "inspect", *_SHOWN, *wanted)
        found = [_image(line) for line in done.stdout.splitlines() if line.strip()]
        # What is here is printed in this order, and what is not is complained of by its name.
        missing = set(_MISSING.findall(done.stderr))
        here = [name for name in wanted if missing.isdisjoint({name, f"{name}:latest"})]
        if len(here) != len(found) or (done.returncode != 0 and not missing):
            return {name: self.find(name) for name in wanted}
        return {**dict.fromkeys(wanted), **dict(zip(here, found, strict=True))}

    def has(self, name: str) -> bool:
        """Whether an image of that name is here."""
        return self.find(name) is not None

    def names(self) -> tuple[str, ...]:
        """The names of all images that have one."""
        lines = self.client.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        return tuple(line for line in lines if "<none>" not in line)

    def volumes(self, name: str) -> frozenset[str] | None:
        """The places for which an image asks for volumes; None for an image that is not here."""
        try:
            (found,) = self.client.inspect("image", [name])
        except ImageNotFound:
            return None
        return frozenset((found.get("Config") or {}).get("Volumes") or ())

    def environments(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """The variables that each of these images sets, by name or ID; some may be secret. Raises ImageNotFound."""
        wanted = tuple(dict.fromkeys(names))
        found = self.client.inspect("image", wanted)
        return {
            name: dict(word.partition("=")[::2] for word in (one.get("Config") or {}).get("Env") or ())
            for name, one in zip(wanted, found, strict=True)
        }

    def digests(self, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """For each of these images, by ID, its digests in the registries that have it (`caddy@sha256:…`).

        None for one that was made here, or that is not here.
        """
        wanted = tuple(dict.fromkeys(ids))
        try:
            found = {one["Id"]: tuple(one.get("RepoDigests") or ()) for one in self.client.inspect("image", wanted)}
        except ImageNotFound:
            found = {}
        return {one: found.get(one, ()) for one in wanted}

    def tag(self, image: str, name: str) -> None:
        """Give an image one more name."""
        self.client.run("image", "tag", image, name)

    def untag(self, name: str) -> None:
        """Take a name from an image; the image goes only when it was its last."""
        self.client.run("image", "rm", "--no-prune", name)

    def push(self, name: str, *, address: str, on_line: Callable[[str], None] | None) -> Transferred | None:
        """Push an image.

        With `on_line` None, Docker draws its own progress on the terminal, and None is returned;
        otherwise each line goes to `on_line`, and what Docker says at the end is returned.
        """
        return self._transfer(("push",), name, address, on_line)

    def pull(
        self, name: str, *, address: str, on_line: Callable[[str], None] | None, platform: str = ""
    ) -> Transferred | None:
        """Pull an image, for the engine's platform or another; progress and answer as with `push`."""
        return self._transfer(("pull", *(("--platform", platform) if platform else ())), name, address, on_line)

    def fetch(self, name: str) -> None:
        """Pull an image for a service of ours."""
        self._transfer(("pull",), name, "the image's registry", lambda _: None, ClientPurpose.FETCH)

    def stop_transfers(self) -> None:
        """End every running push and pull."""
        self.client.stop_streams()

    def import_image(self, archive: Path, name: str) -> None:
        """Make an image of a root file system in a tar archive."""
        self.client.run("image", "import", str(archive), name)

    def build(self, context: Path, dockerfile: Path, name: str) -> None:
        """Build an image."""
        self.client.run(
            "image", "build", "--file", str(dockerfile), "--tag", name, str(context), purpose=ClientPurpose.BUILD
        )

    def _transfer(
        self,
        words: tuple[str, ...],
        name: str,
        address: str,
        on_line: Callable[[str], None] | None,
        purpose: ClientPurpose = ClientPurpose.USER,
    ) -> Transferred | None:
        last: list[Transferred] = []

        def watch(line: str) -> None:
            match = _TRANSFERRED.match(line)
            if match:
                digest = match["pushed"] or match["pulled"]
                last.append(Transferred(digest, int(match["size"]) if match["size"] else None))
            if on_line is not None:
                on_line(line)

        listener = watch if on_line else None
        self.client.stream("image", *words, name, on_line=listener, address=address, purpose=purpose)
        return last[-1] if last else None


def _image(line: str) -> LocalImage:
    found, size = line.split()
    return LocalImage(found, int(size))
