"""Writing deployer.yaml, and showing what `up` would use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import EngineError, UsageError
from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.paths import Deployment
from deployer.phrases import listed
from deployer.rendering import snippets
from deployer.rendering.deployment import render_deployment
from deployer.rendering.templates import File
from deployer.workflows.deployment import files, provision
from deployer.workflows.deployment.up_plan import choose_images

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.rendering.deployment import ServiceImages
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.stack import Stack


@dataclass(frozen=True)
class Rendered:
    """Every file that `up` would use: the deployment's own, and what building images needs."""

    files: tuple[File, ...]
    secret: str

    def shown(self) -> tuple[File, ...]:
        """The same files, fit to be shown."""
        return tuple(snippets.without_secret(file, self.secret) for file in self.files)


def configuration(settings: Settings) -> str:
    """A commented deployer.yaml with these settings."""
    return snippets.configuration_file(settings)


def write_configuration(path: Path, settings: Settings, *, force: bool) -> str:
    """Write a commented deployer.yaml and return its text.

    Raises UsageError if a file is there already, unless `force`, and HostError.
    """
    text = configuration(settings)
    if read_if_there(path) is not None and not force:
        raise UsageError(
            f"{path} already exists and was not changed.",
            (f"deployer init --force   (overwrites it; the old one is kept as {path.name}.old)",),
        )
    previous = read_if_there(path)
    if previous is not None and previous != text.encode():
        write_atomically(path.with_name(path.name + ".old"), previous, PUBLIC)
    write_atomically(path, text.encode(), PUBLIC)
    return text


def rendered(stack: Stack) -> Rendered:
    """Render everything, starting nothing; works without an engine too."""
    images = _images(stack)
    inputs = stack.inputs()
    own = render_deployment(stack.settings, images, inputs)
    build = {images.registry, images.frontend} & {provision.BUILT_REGISTRY, provision.BUILT_FRONTEND}
    building = snippets.image_files() if build else ()
    return Rendered((*own, *(File(f"images/{file.path}", file.content) for file in building)), inputs.secret)


def write_rendered(folder: Path, what: Rendered) -> tuple[Path, ...]:
    """Write the files into a folder and return where they are.

    Raises UsageError where one would take the place of a file that deployer did not write, or of a deployment's own,
    and HostError.
    """
    deployment = Deployment(folder.name, folder)
    if deployment.record_file.exists() or deployment.owned_file.exists():
        raise UsageError(
            f"{folder} is the directory of a deployment, whose files only `deployer up` changes. Nothing was written.",
            ("Give an empty or new directory: deployer render --output DIR",),
        )
    if not (read_if_there(folder / "compose.yaml") or b"").startswith(files.OWN_HEADER):
        present = ((file, read_if_there(folder / file.path)) for file in what.files)
        foreign = [file.path for file, before in present if before not in {None, file.content}]
        if foreign:
            raise UsageError(
                f"{folder} has files that deployer did not write: {listed(foreign)}. Nothing was written.",
                ("Give an empty or new directory: deployer render --output DIR",),
            )
    for file in what.files:
        write_atomically(folder / file.path, file.content, file.mode)
    return tuple(folder / file.path for file in what.files)


def difference(stack: Stack, what: Rendered) -> dict[str, str]:
    """What `up` would change in the deployed files: for each its path and a unified diff."""
    own = [file for file in what.files if not file.path.startswith("images/")]
    found = files.changes(stack.deployment, own)
    return {change.path: files.diff(change, (what.secret,)) for change in found}


def _images(stack: Stack) -> ServiceImages:
    try:
        choices, _ = choose_images(stack, stack.engine.containers.of_project(stack.deployment.name))
    except EngineError:
        choices = provision.choose_all(stack.settings, lambda _: False, None)
    return provision.named(choices)
