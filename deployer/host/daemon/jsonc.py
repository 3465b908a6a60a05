"""daemon.json as text: one entry is put in or taken out, and every other character stays."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from deployer.host.daemon.value_types import kind_of

KEY = "insecure-registries"
_MIRRORS = "registry-mirrors"

_SPACE = " \t\r\n"
_SPACES = re.compile(r"[ \t\r\n]*")
_CLOSING = {"{": "}", "[": "]"}


class Fault(ValueError):
    """What is wrong in the text, in words, and the line and column where."""

    def __init__(self, text: str, at: int, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.line = text.count("\n", 0, at) + 1
        self.column = at - text.rfind("\n", 0, at)


@dataclass(frozen=True)
class Word:
    """A string of the text, and where it is."""

    text: str
    start: int


@dataclass(frozen=True)
class Key:
    """A key of the file, its value and where that is; `members` are the value's, None if it is not an object."""

    name: Word
    members: tuple[Word, ...] | None
    value: Any = None
    value_start: int = 0


@dataclass(frozen=True)
class _Part:
    """A member of an object or an element of a list, and where it is; elements have no name."""

    start: int
    name: str
    name_end: int
    value_start: int
    end: int
    value: Any


@dataclass(frozen=True)
class _Group:
    """An object or a list: where its brackets are, and what is between them."""

    opening: int
    closing: int
    parts: tuple[_Part, ...]


def registries(text: str) -> tuple[str, ...] | None:
    """The entries of `insecure-registries`, None if there is no such key. Raises Fault."""
    member = _member(text, _top(text)) if text.strip(_SPACE) else None
    return None if member is None or member.value is None else tuple(member.value)


def entries(text: str) -> tuple[Word, ...]:
    """The entries of `insecure-registries`, with their places. Raises Fault."""
    member = _member(text, _top(text)) if text.strip(_SPACE) else None
    if member is None or member.value is None:
        return ()
    return tuple(Word(part.value, part.start) for part in _scan(text, member.value_start).parts)


def keys(text: str) -> tuple[Key, ...]:
    """The keys of the file, with their places. Raises Fault."""
    if not text.strip(_SPACE):
        return ()
    return tuple(
        Key(Word(part.name, part.start), _names(text, part), part.value, part.value_start) for part in _top(text).parts
    )


def names_mirrors(text: str) -> bool:
    """Whether the text names registry mirrors. Raises Fault."""
    if not text.strip(_SPACE):
        return False
    return any(part.name == _MIRRORS and part.value for part in _top(text).parts)


def merged(text: str, snippet: str) -> str:
    """The text with the snippet's registries listed in it. Raises Fault.

    A blank text becomes the snippet itself. `null` counts as absent, as it does for Docker.
    """
    if not text.strip(_SPACE):
        return snippet
    for entry in registries(snippet) or ():
        if entry not in (registries(text) or ()):
            text = _with(text, json.dumps(entry, ensure_ascii=False))
    return text


def without(text: str, address: str) -> str:
    """The text with the address on the list no more; an emptied list stays, as `[]`. Raises Fault.

    Docker keeps the old list when the key is missing on a reload, so the key must not go.
    """
    while any(bare(entry) == address for entry in registries(text) or ()):
        member = _member(text, _top(text))
        assert member is not None  # noqa: S101 - it has just been read from there
        group = _scan(text, member.value_start)
        text = _cut(text, group, next(i for i, part in enumerate(group.parts) if bare(part.value) == address))
    return text


def bare(entry: str) -> str:
    """An entry as Docker takes it: it drops a scheme (moby, registry/config.go)."""
    return re.sub(r"^https?://", "", entry, flags=re.IGNORECASE)


def _top(text: str) -> _Group:
    at = _skip(text, 0)
    if text[at : at + 1] in ("/", "#"):
        _fail(text, at)
    if text[at : at + 1] != "{":
        kind = {"[": "a list", '"': "a string"}.get(text[at : at + 1], "something else")
        raise Fault(text, at, f"found {kind} where Docker expects an object in braces")
    top = _scan(text, at)
    rest = _skip(text, top.closing + 1)
    if text[rest : rest + 1] in ("/", "#"):
        _fail(text, rest)
    if rest < len(text):
        raise Fault(text, rest, "something follows the closing brace")
    seen = set()
    for part in top.parts:
        if part.name in seen:
            raise Fault(text, part.start, f'"{part.name}" is listed twice')
        seen.add(part.name)
    return top


def _member(text: str, top: _Group) -> _Part | None:
    member = next((part for part in top.parts if part.name == KEY), None)
    if member is None or member.value is None:
        return member
    if not isinstance(member.value, list):
        raise Fault(
            text, member.value_start, f'"{KEY}" is {kind_of(member.value)}, where Docker expects a list of strings'
        )
    for part in _scan(text, member.value_start).parts:
        if not isinstance(part.value, str):
            raise Fault(text, part.start, f'"{KEY}" lists {kind_of(part.value)}, where Docker expects strings')
    return member


def _names(text: str, part: _Part) -> tuple[Word, ...] | None:
    if not isinstance(part.value, dict):
        return None
    return tuple(Word(member.name, member.start) for member in _scan(text, part.value_start).parts)


def _scan(text: str, opening: int) -> _Group:
    """Read the object or list that begins there."""
    closing = _CLOSING[text[opening]]
    at = _skip(text, opening + 1)
    parts: list[_Part] = []
    while parts or text[at : at + 1] != closing:
        part = _part(text, at, named=closing == "}")
        parts.append(part)
        at = _skip(text, part.end)
        if text[at : at + 1] == closing:
            break
        at = _skip(text, _expect(text, at, ","))
    return _Group(opening, at, tuple(parts))


def _part(text: str, start: int, *, named: bool) -> _Part:
    name, name_end, value_start = "", start, start
    if named:
        _expect(text, start, '"')
        name, name_end = _value(text, start)
        value_start = _skip(text, _expect(text, _skip(text, name_end), ":"))
    value, end = _value(text, value_start)
    return _Part(start, name, name_end, value_start, end, value)


def _value(text: str, at: int) -> tuple[Any, int]:
    def refuse(constant: str) -> NoReturn:
        raise Fault(text, at, f"{constant} is not valid JSON")

    try:
        return json.JSONDecoder(parse_constant=refuse).raw_decode(text, at)
    except json.JSONDecodeError as error:
        if not error.msg.startswith(("Expecting", "Illegal")):
            words = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
            raise Fault(text, error.pos, words) from error
        _fail(text, error.pos)
    except Fault:
        raise
    except RecursionError as error:
        raise Fault(text, at, "the brackets are nested too deeply") from error
    except ValueError as error:
        raise Fault(text, at, "a number is too long") from error


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        _fail(text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACES.match(text, at)
    return found.end() if found else at


def _fail(text: str, at: int) -> NoReturn:
    """Say what is wrong at a place where JSON requires something else."""
    at = _skip(text, at)
    before = text[:at].rstrip(_SPACE)
    found = text[at : at + 1]
    if text.startswith(("//", "/*", "#"), at):
        raise Fault(text, at, "a comment starts here, but comments are not allowed in daemon.json")
    comma = len(before) - 1 if before.endswith(",") and found in ("}", "]") else at if found == "," else None
    if comma is not None and text[_skip(text, comma + 1) :][:1] in ("}", "]"):
        raise Fault(text, comma, "there is a comma after the last entry, which is not allowed in JSON")
    if not found:
        raise Fault(text, at, "the JSON is incomplete: the file ends too early")
    if found == "'":
        raise Fault(text, at, "strings must be in double quotes, not single quotes")
    if found in ('"', "{", "[") and before[-1:] not in ("{", "[", ",", ":"):
        raise Fault(text, at, "a comma or a colon is missing before this value")
    raise Fault(text, at, f"unexpected {found!r}")


def _with(text: str, entry: str) -> str:
    top = _top(text)
    member = _member(text, top)
    if member is None:
        return _inserted(text, top, f'"{KEY}"{_colon(text, top)}[{entry}]', top)
    if not member.value:
        return f"{text[: member.value_start]}[{entry}]{text[member.end :]}"
    return _inserted(text, _scan(text, member.value_start), entry, top)


def _inserted(text: str, group: _Group, piece: str, top: _Group) -> str:
    """Put a piece behind the last part, spaced as the parts before it are."""
    if not group.parts:
        inside = text[group.opening + 1 : group.closing]
        lead = f"{_line_start(inside)}  " if "\n" in inside else inside
        return f"{text[: group.opening + 1]}{lead}{piece}{text[group.opening + 1 :]}"
    last = group.parts[-1]
    if len(group.parts) > 1:
        gap = text[group.parts[-2].end : last.start].split(",", 1)[1]
    else:
        gap = text[group.opening + 1 : last.start]
        if "\n" not in gap:
            gap = " " if _colon(text, top)[-1] != ":" else ""
    gap = _line_start(gap) if "\n" in gap else gap
    return f"{text[: last.end]},{gap}{piece}{text[last.end :]}"


def _colon(text: str, top: _Group) -> str:
    if not top.parts:
        return ": "
    between = text[top.parts[-1].name_end : top.parts[-1].value_start]
    return ": " if "\n" in between else between


def _line_start(space: str) -> str:
    """The last line break of a stretch of white space, and the indentation behind it."""
    at = space.rindex("\n")
    return space[at - 1 if space[at - 1 : at] == "\r" else at :]


def _cut(text: str, group: _Group, index: int) -> str:
    parts = group.parts
    if len(parts) == 1:
        return f"{text[: group.opening]}[]{text[group.closing + 1 :]}"
    if index == 0:
        return text[: parts[0].start] + text[parts[1].start :]
    return text[: parts[index - 1].end] + text[parts[index].end :]
