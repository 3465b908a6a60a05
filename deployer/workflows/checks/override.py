"""Variables in the user's Compose file that Compose would take from its own environment.

Compose substitutes every variable that it gets. Most of the user's do not reach it, and it reports their use itself;
those that it needs to find the engine and its files do, so their use is looked for here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from deployer.engine.environment import reaches_compose
from deployer.errors import HostError, UnsetVariables
from deployer.host.files import read_if_there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployer.engine.values import Project

# compose-spec/compose-go, template/template.go: $$ is a dollar sign; $NAME and ${NAME…} are variables.
_VARIABLE = re.compile(r"\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)")
# Files are only read where they could lead to a variable.
_SUSPECT = re.compile(r"[$\\]|environment|env_file|include|extends")


def refuse_variables(project: Project) -> None:
    """Make sure that Compose reads the user's files alike in every shell. Raises UnsetVariables and HostError."""
    used: dict[str, None] = {}
    for file in project.files[1:]:
        used |= dict.fromkeys(filter(reaches_compose, _Files(project.directory).names(file)))
    if used:
        raise UnsetVariables(tuple(used), "", takes_default=False)


class _Files:
    """The user's Compose files: the first, and those that it names."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen: set[Path] = set()

    def names(self, file: Path) -> Iterator[str]:
        """The variables that a Compose file and the files that it names use."""
        text = self._text(file)
        if not _SUSPECT.search(text):
            return
        try:
            document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader that knows Compose's own tags
        except (yaml.YAMLError, ValueError, RecursionError):
            # Compose says what is wrong with it.
            return
        yield from self._in(document, file.parent)

    def _in(self, node: object, folder: Path) -> Iterator[str]:
        if isinstance(node, str):
            yield from filter(None, _VARIABLE.findall(node))
        elif isinstance(node, list):
            for item in node:
                yield from self._in(item, folder)
        elif isinstance(node, dict):
            for key, value in node.items():
                yield from self._in(value, folder)
                yield from self._below(str(key), value, folder)

    def _below(self, key: str, value: object, folder: Path) -> Iterator[str]:
        """What a key means beside the text of its value."""
        if key == "environment":
            yield from _taken_over(value)
        elif key == "extends" and isinstance(value, dict):
            for path in _paths(value.get("file")):
                yield from self._of_paths(path, folder)
        elif key == "include":
            for path in _paths(value):
                yield from self._of_paths(path, folder)
        elif key == "env_file":
            for path in _paths(value):
                yield from _in_variables_file(self._text(folder / path))

    def _of_paths(self, path: str, folder: Path) -> Iterator[str]:
        # Paths in the override are relative to the project's directory, which is its own.
        yield from self.names(folder / path)

    def _text(self, file: Path) -> str:
        place = file.absolute()
        if place in self._seen:
            return ""
        self._seen.add(place)
        try:
            return (read_if_there(file) or b"").decode(errors="replace")
        except HostError:
            # Compose says so, with the file's name; what is included may be no file of this machine.
            return ""


def _taken_over(value: object) -> Iterator[str]:
    """The variables that `environment` takes over: of a service those without a value, of a secret the one named."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str) and "=" not in item)
    elif isinstance(value, dict):
        yield from (str(name) for name, text in value.items() if text is None)


def _in_variables_file(text: str) -> Iterator[str]:
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith("#"):
            yield from filter(None, _VARIABLE.findall(line)) if "=" in line else iter((line,))


def _paths(value: object) -> Iterator[str]:
    """The files that are named in any of Compose's forms: a path, `path:` with one or more, or a list of these."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item)
    elif isinstance(value, dict):
        yield from _paths(value.get("path"))
        yield from _paths(value.get("env_file"))


class _Loader(yaml.SafeLoader):
    """Reads YAML as SafeLoader does, and what has a tag of Compose's own (`!reset`, `!override`) as if it had none."""


def _untagged(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)
