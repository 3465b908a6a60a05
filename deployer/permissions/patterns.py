"""What patterns of repository names have in common, by an example: a name that some match and others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SEPARATORS = "/._-"
# Patterns with `*` in their middle multiply; no rules that anyone wrote come near.
_MOST_STATES = 10_000

# How far a name is in a pattern: how many of its characters are passed, in each way that is still open.
_Progress = frozenset[int]


@dataclass(frozen=True)
class _State:
    """After some characters of a name: what may follow in a name, and how far each pattern is."""

    grammar: str
    wanted: tuple[_Progress, ...]
    excluded: tuple[_Progress, ...]


def example(wanted: Sequence[str], excluded: Iterable[str] = ()) -> str | None:
    """The shortest name of a repository that all of the `wanted` patterns match and none of the `excluded`; None if
    there is none.

    Patterns as in access rules, with `*` and `?`. Raises ConfigurationError for more patterns than can be compared.
    """
    others = tuple(dict.fromkeys(excluded))
    start = _State("", tuple(map(_begun, wanted)), tuple(map(_begun, others)))
    before: dict[_State, tuple[_State, str] | None] = {start: None}
    waiting = [start]
    for state in waiting:
        if _is_found(state, wanted, others):
            return "".join(reversed(list(_spelled(state, before))))
        if len(before) > _MOST_STATES:
            raise ConfigurationError(
                "The access rules have too many patterns with `*` in their middle to be compared.",
                ("Put `*` at the end of patterns: team/*",),
            )
        for character in _characters(state, wanted, others):
            after = _after(state, character, wanted, others)
            if after is not None and after not in before:
                before[after] = (state, character)
                waiting.append(after)
    return None


def _spelled(state: _State, before: dict[_State, tuple[_State, str] | None]) -> Iterator[str]:
    """The characters that led there, the last first."""
    step = before[state]
    while step is not None:
        yield step[1]
        step = before[step[0]]


def _characters(state: _State, wanted: Sequence[str], others: Sequence[str]) -> str:
    """What some pattern goes on with, one for all other letters, and what may stand between parts of a name."""
    far = zip((*wanted, *others), (*state.wanted, *state.excluded), strict=True)
    said = {pattern[place] for pattern, progress in far for place in progress if place < len(pattern)}
    other = next((one for one in _LETTERS if one not in said), "")
    return other + "".join(sorted(said.intersection(_LETTERS))) + _SEPARATORS


def _after(state: _State, character: str, wanted: Sequence[str], others: Sequence[str]) -> _State | None:
    grammar = _grammar(state.grammar, character)
    if grammar is None:
        return None
    on = tuple(_step(pattern, progress, character) for pattern, progress in zip(wanted, state.wanted, strict=True))
    if not all(on):
        return None
    off = tuple(_step(pattern, progress, character) for pattern, progress in zip(others, state.excluded, strict=True))
    if any(pattern.endswith("*") and len(pattern) in one for pattern, one in zip(others, off, strict=True)):
        # However the name goes on, it is excluded.
        return None
    return _State(grammar, on, off)


def _is_found(state: _State, wanted: Sequence[str], others: Sequence[str]) -> bool:
    return (
        state.grammar == "a"
        and all(len(pattern) in progress for pattern, progress in zip(wanted, state.wanted, strict=True))
        and not any(len(pattern) in progress for pattern, progress in zip(others, state.excluded, strict=True))
    )


def _grammar(before: str, character: str) -> str | None:
    """What of a name's end decides what may follow: "" where a part begins, "a" in one, or its last separators.

    Docker's distribution/reference: parts of letters and digits, with `.`, `_`, `__` or any number of `-` between them.
    """
    if character in _LETTERS:
        return "a"
    if character == "/":
        return "" if before == "a" else None
    if before == "a":
        return character
    if character == "-" and before == "-":
        return "-"
    return "__" if character == before == "_" else None


def _begun(pattern: str) -> _Progress:
    return _pruned(pattern, {0})


def _step(pattern: str, progress: _Progress, character: str) -> _Progress:
    after = set()
    for place in progress:
        if place == len(pattern):
            continue
        if pattern[place] == "*":
            after.add(place)
        elif pattern[place] in {"?", character}:
            after.add(place + 1)
    return _pruned(pattern, after)


def _pruned(pattern: str, places: set[int]) -> _Progress:
    """With what follows a `*` that may match nothing, and without what is behind the last one that was reached.

    Whatever matches from an earlier place matches from there too.
    """
    found = set(places)
    for place in sorted(places):
        following = place
        while following < len(pattern) and pattern[following] == "*":
            following += 1
            found.add(following)
    star = max((place for place in found if place < len(pattern) and pattern[place] == "*"), default=0)
    return frozenset(place for place in found if place >= star)
