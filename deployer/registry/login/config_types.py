"""The types of the values in Docker's config.json; one that is wrong costs Docker every saved password.

docker/cli, cli/config/configfile/file.go and cli/config/types/authconfig.go: Go's encoding/json reads everything
else, and reports the first such value; Docker then leaves out the step that decodes each `auth`. Fields that
only some versions from 20.10 on know are kept apart: the others ignore them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.printable import excerpt


class JsonObject(tuple[tuple[str, Any], ...]):
    """A JSON object with all of its pairs, in their order: Go merges objects that are written twice."""

    __slots__ = ()


@dataclass(frozen=True)
class _Each:
    """An object whose values are all of one type, whatever their names."""

    of: _Type


@dataclass(frozen=True)
class _ListOfText:
    """A list of strings."""


@dataclass(frozen=True)
class _Text:
    """A string."""


# An object with these fields, by their name in lower case; others are ignored.
_Fields = Mapping[str, "_Type"]
_Type = _Text | _ListOfText | _Each | _Fields

_TEXT = _Text()
_TEXTS = _Each(_TEXT)
_WORDS = {_Text: "a string", _ListOfText: "a list of strings"}


def _texts(names: str) -> dict[str, _Type]:
    return dict.fromkeys(names.split(), _TEXT)


_ALL_VERSIONS: _Fields = {
    "auths": _Each(_texts("username password auth serveraddress identitytoken registrytoken")),
    "httpheaders": _TEXTS,
    "credhelpers": _TEXTS,
    "prunefilters": _ListOfText(),
    "proxies": _Each(_texts("httpproxy httpsproxy noproxy ftpproxy")),
    "clipluginsextradirs": _ListOfText(),
    "plugins": _Each(_TEXTS),
    "aliases": _TEXTS,
    **_texts("credsstore currentcontext detachkeys psformat imagesformat networksformat pluginsformat volumesformat"),
    **_texts("statsformat serviceinspectformat servicesformat tasksformat secretformat configformat nodesformat"),
}
_SOME_VERSIONS: _Fields = {
    # Up to 28.
    "experimental": _TEXT,
    "auths": _Each(_texts("email")),
    # Up to 23, and of Kubernetes up to 20.10.
    "stackorchestrator": _TEXT,
    "kubernetes": _texts("allnamespaces"),
    # From 23, and from 28.
    "proxies": _Each(_texts("allproxy")),
    "features": _TEXTS,
}


@dataclass(frozen=True)
class WrongType:
    """A value of the wrong type: the field's path, and what it must be in words. The value may be a secret."""

    field: str
    must_be: str


def wrong_type(document: object) -> WrongType | None:
    """The first value that is of the wrong type for every version of Docker."""
    return _wrong(document, _ALL_VERSIONS, ())


def wrong_for_some(document: object) -> WrongType | None:
    """The first value that is of the wrong type for some versions, and ignored by the others."""
    return _wrong(document, _SOME_VERSIONS, ())


def _wrong(value: object, expected: _Type, path: tuple[str, ...]) -> WrongType | None:
    # Go leaves a field as it is for null.
    if value is None:
        return None
    if isinstance(expected, _Text) and isinstance(value, str):
        return None
    if isinstance(expected, _ListOfText) and isinstance(value, list):
        return _told(path, expected) if any(_wrong(item, _TEXT, path) for item in value) else None
    if isinstance(expected, _Text | _ListOfText) or not isinstance(value, JsonObject):
        return _told(path, expected)
    for name, item in value:
        inner = expected.of if isinstance(expected, _Each) else expected.get(name.casefold())
        found = None if inner is None else _wrong(item, inner, (*path, name))
        if found:
            return found
    return None


def _told(path: tuple[str, ...], expected: _Type) -> WrongType:
    return WrongType(excerpt(".".join(path)), _WORDS.get(type(expected), "an object"))
