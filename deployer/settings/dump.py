"""Settings as a deployer.yaml that says them all: what differs from the defaults."""

from __future__ import annotations

from dataclasses import Field, fields, is_dataclass
from typing import Any

import yaml

from deployer.settings.model import Settings
from deployer.settings.values import checks, duration


def dump(settings: Settings) -> bytes:
    """A deployer.yaml from which `load` makes the same settings, in any folder if their paths are absolute."""
    said = {"name": settings.name, **_differing(settings, Settings())}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True).encode()


def _differing(value: Any, default: Any) -> dict[str, Any]:  # noqa: ANN401 - any section of the settings
    found = {}
    for one in fields(value):
        now, usual = getattr(value, one.name), getattr(default, one.name)
        if now != usual:
            found[one.name] = _said(one, now, usual)
    return found


def _said(one: Field[Any], now: Any, usual: Any) -> Any:  # noqa: ANN401 - whatever a setting may be
    if is_dataclass(now):
        return _differing(now, usual)
    if one.metadata.get("write"):
        return one.metadata["write"](now)
    # A length of time is written with its unit.
    return duration.written(now) if one.metadata.get("check") is checks.age and now is not None else _plain(now)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a setting may be
    if is_dataclass(value) and not isinstance(value, type):
        return _differing(value, type(value)())
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int)) else str(value)
