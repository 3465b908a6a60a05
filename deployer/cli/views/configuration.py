"""How deployer.yaml and the rendered files are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.cli.output import Output
    from deployer.rendering.templates import File
    from deployer.settings.model import Settings


def print_configuration(out: Output, path: Path, text: str) -> None:
    """Print the configuration file that would be written."""
    out.text(text.rstrip())
    out.note(f"Dry run: {path} was not written.")


def print_written(out: Output, path: Path, settings: Settings, config: Path | None) -> None:
    """Say that the configuration file is written, and what to do next; `config` is its path if one was given."""
    out.note(f"Wrote {path}.")
    # The file has the other flags' values by now.
    out = replace(out, selection=Selection.of(config=config))
    if settings.tls.is_on:
        out.note("Next: deployer user add NAME   (to require login), then: deployer up")
    else:
        out.note("Next: deployer up")


@dataclass(frozen=True)
class RenderedReport(Report):
    """The files that `up` would use, fit to be shown."""

    files: tuple[File, ...]

    def as_json(self) -> dict[str, Any]:
        """Each file's path and content."""
        return {file.path: file.content.decode(errors="replace") for file in self.files}

    def print(self, out: Output) -> None:
        """Print each file under its path."""
        for file in self.files:
            out.line(out.bold(f"# ---- {file.path}"))
            out.text(file.content.decode(errors="replace").rstrip())
            out.line()


@dataclass(frozen=True)
class WrittenReport(Report):
    """Where the files were written."""

    paths: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """The paths."""
        return {"written": list(map(str, self.paths))}

    def print(self, out: Output) -> None:
        """Print a path a line."""
        out.line("\n".join(map(str, self.paths)))


@dataclass(frozen=True)
class DifferenceReport(Report):
    """What `up` would change in the deployed files: a diff for each path."""

    changed: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The diffs."""
        return {"changes": [{"path": path, "diff": text} for path, text in self.changed.items()]}

    def print(self, out: Output) -> None:
        """Print the diffs."""
        out.text("".join(self.changed.values()).rstrip() or "Nothing would change.")

    @property
    def has_failed(self) -> bool:
        """Whether something would change."""
        return bool(self.changed)
