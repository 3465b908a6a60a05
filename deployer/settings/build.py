"""The settings made of what was written: each value is checked, and every mistake is found at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from deployer import suggest
from deployer.settings.model import Settings
from deployer.settings.values import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

Section = TypeVar("Section")


def paths(kind: type[Any] = Settings, prefix: str = "") -> Iterator[str]:
    """Every setting's name, such as "registry.image", groups included."""
    for known in fields(kind):
        yield f"{prefix}{known.name}"
        if "section" in known.metadata:
            yield from paths(known.metadata["section"], f"{prefix}{known.name}.")
        if "each" in known.metadata:
            yield from paths(known.metadata["each"], f"{prefix}{known.name}[].")


def build(kind: type[Section], written: Mapping[str, object], problems: list[str], prefix: str = "") -> Section:
    """Check what was written and make the settings of it; each mistake becomes a line in `problems`.

    Where there are problems, the result holds defaults in their places. Keys that begin with `x-`
    are the user's own.
    """
    written = {name: value for name, value in written.items() if not name.startswith("x-")}
    values: dict[str, object] = {}
    known = {found.name: found for found in fields(kind)}  # type: ignore[arg-type]
    for name, found in known.items():
        if name not in written:
            continue
        path, value = f"{prefix}{name}", written[name]
        try:
            values[name] = _value(found.metadata, value, problems, path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
    problems += [_unknown(f"{prefix}{name}") for name in written if name not in known]
    return kind(**values)


def _value(metadata: Mapping[str, Any], value: object, problems: list[str], path: str) -> object:
    if "section" in metadata:
        if metadata["short"] and not isinstance(value, Mapping):
            value = {metadata["short"]: value}
        return _group(metadata["section"], value, problems, path)
    if "each" in metadata:
        return _rules(metadata["each"], value, problems, path)
    return metadata["check"](value)


def _rules(kind: type[Section], value: object, problems: list[str], path: str) -> tuple[Section, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{checks.shown(value)} is not a list of rules")  # noqa: TRY004
    rules = []
    for number, written in enumerate(value):
        place = f"{path}[{number}]"
        if not isinstance(written, Mapping):
            problems.append(f"{place}: {checks.shown(written)} is not a rule")
            continue
        rules.append(_whole(kind, written, problems, place))
    return tuple(rules)


def _group(kind: type[Section], value: object, problems: list[str], path: str) -> Section:
    if not isinstance(value, Mapping):
        children = ", ".join(known for known in paths() if known.startswith(f"{path}."))
        raise ValueError(f"{checks.shown(value)} is not a group of settings; use: {children}")  # noqa: TRY004
    return _whole(kind, value, problems, path)


def _whole(kind: type[Section], written: Mapping[Any, object], problems: list[str], path: str) -> Section:
    """Build a group or a rule, and look whether its parts go together."""
    before = len(problems)
    made = build(kind, {str(key): inner for key, inner in written.items()}, problems, f"{path}.")
    complaint = getattr(made, "complaint", None)
    if complaint and len(problems) == before and (said := complaint()):
        problems.append(f"{path}: {said}")
    return made


def _unknown(path: str) -> str:
    numbers = re.findall(r"\[\d+\]", path)
    near = suggest.near(re.sub(r"\[\d+\]", "[]", path), paths(), most=1)
    meant = near[0].replace("[]", numbers[0] if numbers else "[0]") if near else ""
    return f"{path}: unknown setting" + (f", did you mean {meant}?" if near else "")
