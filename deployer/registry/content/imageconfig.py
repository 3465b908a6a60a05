"""An image's configuration: when it was made, for what platform, and how containers of it start."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.registry.content.json_text import read_json
from deployer.registry.content.moments import parse_time
from deployer.registry.content.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# No command reads a larger one: nothing is then known of it, and nothing is decided by it. The page's overview has a
# smaller bound for each (templates/frontend/overview/tags.json), and as many bytes for all.
CONFIG_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class ImageConfig:
    """What people want to know of an image; empty if the image does not say."""

    created: datetime | None = None
    platform: Platform | None = None
    author: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


def parse_config(content: bytes) -> ImageConfig:
    """Read a configuration (OCI image specification, config.md; Docker's has the same names).

    Registries do not check configurations, so whatever is not as it should be counts as absent.
    """
    try:
        document = read_json(content)
    except ValueError:
        return ImageConfig()
    if not isinstance(document, dict):
        return ImageConfig()
    inner = document.get("config")
    runtime: dict[str, Any] = inner if isinstance(inner, dict) else {}
    platform = Platform(*(_text(document.get(key)) for key in ("os", "architecture", "variant", "os.version")))
    return ImageConfig(
        created=parse_time(document.get("created")),
        platform=platform if platform.is_known else None,
        author=_text(document.get("author")),
        labels=_texts(runtime.get("Labels")),
        entrypoint=_list(runtime.get("Entrypoint")),
        command=_list(runtime.get("Cmd")),
        environment=_list(runtime.get("Env")),
        working_directory=_text(runtime.get("WorkingDir")),
        user=_text(runtime.get("User")),
        ports=_names(runtime.get("ExposedPorts")),
        volumes=_names(runtime.get("Volumes")),
    )


def is_config(content: bytes) -> bool:
    """Whether a configuration is a JSON object, as Docker needs it."""
    try:
        return isinstance(read_json(content), dict)
    except ValueError:
        return False


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    """Names and texts; what is not text is shown as written, and not left out."""
    if not isinstance(value, dict):
        return {}
    return {key: text if isinstance(text, str) else _written(text) for key, text in value.items()}


def _written(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def _list(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _names(value: object) -> tuple[str, ...]:
    return tuple(sorted(value)) if isinstance(value, dict) else ()
