"""In which lines of deployer.yaml the settings are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator


def lines_of(text: bytes) -> dict[str, int]:
    """The line of each setting and of each entry of a list, by its name as in messages: `access[1].users`.

    Lines count from 1. Of what is not valid YAML, none is known.
    """
    try:
        root = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return {}
    return dict(_below(root, "")) if root is not None else {}


def _below(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield f"{path}[{number}]", inner.start_mark.line + 1
            yield from _below(inner, f"{path}[{number}]")
    elif isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            if isinstance(key, yaml.ScalarNode):
                place = f"{path}.{key.value}" if path else str(key.value)
                yield place, key.start_mark.line + 1
                yield from _below(inner, place)
