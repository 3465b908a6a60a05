"""Templates rendered: undefined names refused, and every value quoted for the file that it is put into."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deployer.host.files import PUBLIC

# YAML 1.1, section 5.1: other characters may be in a file as they are.
_UNPRINTABLE = re.compile("[\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff]")


@dataclass(frozen=True)
class File:
    """One rendered file: its path below the deployment's folder, its bytes, its mode."""

    path: str
    content: bytes
    mode: int = PUBLIC

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()


@cache
def templates_directory() -> Path:
    """The folder templates/: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def render(template: str, **values: object) -> bytes:
    """A template of templates/ with these values."""
    return _environment().get_template(template).render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_directory()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - YAML, Caddy and Docker files; `yaml` and `json` quote what goes in
    )
    environment.filters["yaml"] = quoted_for_compose
    environment.filters["json"] = _quoted
    environment.filters["caddy"] = _quoted_for_caddy
    environment.filters["sh"] = shlex.quote
    environment.filters["systemd"] = _quoted_for_systemd
    return environment


def _quoted(value: object) -> str:
    # JSON is YAML, so one quoting serves both, but for characters that YAML takes only escaped.
    text = json.dumps(value if isinstance(value, (bool, int)) else str(value), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def quoted_for_compose(value: object) -> str:
    """A value as the Compose file has it."""
    # Compose reads `$` as the start of a variable, but not `$$`.
    return _quoted(value).replace("$", "$$")


def _quoted_for_caddy(value: object) -> str:
    # Checked values hold no brace, so none becomes one of Caddy's placeholders.
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted_for_systemd(value: str) -> str:
    # systemd.service(5), "Command lines": specifiers and variables are written twice to be none.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
