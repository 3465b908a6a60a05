"""Configuration in, files out. Reads templates/, writes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer import __version__
from deployer.address import bracketed
from deployer.host.files import PRIVATE
from deployer.layout import (
    CA_NAME,
    CA_PATH,
    DISK_GUARD,
    DISK_HISTORY,
    DISK_NOTES,
    DISK_REFUSAL,
    GATE_HEADER,
    OWN_CERTIFICATE,
    OWN_KEY,
    PLACEHOLDER_HEADER,
    REGISTRY_FOLDER,
    SERVICE_FILES,
    SOCKETS,
    STORAGE,
    TOKEN_PATH,
    Service,
)
from deployer.rendering.rules import rule_files, user_files
from deployer.rendering.schedule import ScheduleInputs, run_script
from deployer.rendering.templates import File, render, templates_directory
from deployer.settings.values.reserve import RESERVED_INODES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account

# Those of the templates in overview/ that are parts of the registry's API, and not only asked for by the page.
_OF_THE_API = {"repositories.json", "oci-referrers.json", "oci-subject.json"}


@dataclass(frozen=True)
class ServiceImages:
    """The images that the services run; `page` is "" if the page has no service of its own."""

    registry: str
    frontend: str
    page: str = ""


@dataclass(frozen=True)
class Certificate:
    """A certificate of the user's own and its key, as their files hold them."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class RenderInputs:
    """What is kept beside the settings: the upload secret, the users, certificates; none of it shows when printed.

    With `user_namespaces` the engine makes root in containers another user of the machine. `schedule` is None if
    nothing is scheduled.
    """

    secret: str = field(repr=False)
    accounts: tuple[Account, ...] = ()
    certificate: Certificate | None = None
    acme_ca: bytes | None = None
    user_namespaces: bool = False
    schedule: ScheduleInputs | None = None


def render_deployment(settings: Settings, images: ServiceImages, inputs: RenderInputs) -> tuple[File, ...]:
    """Every file that `up` puts into the deployment's folder, but those that are the user's."""
    config = File(
        SERVICE_FILES[Service.REGISTRY],
        render("registry/config.yaml.j2", secret=inputs.secret, sockets=SOCKETS),
        PRIVATE,
    )
    with_page = settings.frontend.is_builtin
    caddyfile = File(SERVICE_FILES[Service.FRONTEND], _caddyfile(settings, with_page=with_page))
    compose = render(
        "compose.yaml.j2",
        name=settings.name,
        registry_image=images.registry,
        frontend_image=images.frontend,
        page_image=images.page,
        page_name=settings.frontend.page,
        host=_host_in_url(settings),
        port=settings.port,
        address=settings.address,
        storage=STORAGE,
        sockets=SOCKETS,
        data_directory=settings.registry.data_directory,
        ports=_ports(settings),
        user_namespaces=inputs.user_namespaces,
        scheduler=inputs.schedule.entrypoint if inputs.schedule else (),
        registry_digest=_digest(config),
        frontend_digest=_digest(caddyfile),
    )
    rendered = (File("compose.yaml", compose), config, caddyfile, *_disk_guard(settings))
    reloaded = (*_certificates(inputs), *user_files(settings, inputs.accounts), *rule_files(settings))
    scheduled = (run_script(inputs.schedule),) if inputs.schedule else ()
    page = page_files() if with_page else ()
    return (*rendered, *reloaded, *scheduled, *overview_files(with_page=with_page), *page)


def _caddyfile(settings: Settings, *, with_page: bool) -> bytes:
    return render(
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
        ca_name=f"{CA_NAME} {settings.name}",
        ca_path=CA_PATH,
        gate_header=GATE_HEADER,
        disk_notes=DISK_NOTES,
        disk_refusal=DISK_REFUSAL,
        token_path=TOKEN_PATH,
        placeholder_header=PLACEHOLDER_HEADER,
    )


def _disk_guard(settings: Settings) -> tuple[File, ...]:
    """The frontend's health check, with its values. It is read each time: another reserve needs no restart."""
    reserve = settings.registry.disk_reserve
    values = render(
        "frontend/disk.conf.j2",
        storage=STORAGE,
        registry_folder=REGISTRY_FOLDER,
        notes=DISK_NOTES,
        history=DISK_HISTORY,
        percent=reserve.percent,
        kibibytes=reserve.bytes // 1024,
        inodes=0 if reserve.is_off else RESERVED_INODES,
    )
    script = (templates_directory() / DISK_GUARD).read_bytes()
    return (File(DISK_GUARD, script), File("frontend/disk.conf", values))


def _host_in_url(settings: Settings) -> str:
    return settings.address.rpartition(":")[0]


def _certificates(inputs: RenderInputs) -> Iterable[File]:
    if inputs.certificate:
        yield File(OWN_CERTIFICATE, inputs.certificate.certificate)
        yield File(OWN_KEY, inputs.certificate.key, PRIVATE)
    if inputs.acme_ca:
        yield File("frontend/tls/acme.pem", inputs.acme_ca)


def page_files() -> tuple[File, ...]:
    """The web page's files."""
    return tuple(_unrendered("page", "frontend/page"))


def overview_files(*, with_page: bool) -> tuple[File, ...]:
    """The templates by which Caddy answers from the storage: parts of the registry's API, and what the page asks."""
    common = (templates_directory() / "frontend" / "overview.tmpl").read_bytes()
    return tuple(
        replace(file, content=common + file.content)
        for file in _unrendered("frontend/overview", "frontend/overview")
        if with_page or file.path.rpartition("/")[2] in _OF_THE_API
    )


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


def _ports(settings: Settings) -> list[str]:
    published = [f"{settings.port}:5000", *(f"{port}:{port}" for port in settings.acme_ports)]
    addresses = [f"{bracketed(address)}:" for address in settings.bind_addresses] or [""]
    return [f"{address}{one}" for address in addresses for one in published]


def _digest(*parts: File) -> str:
    return hashlib.sha256(b"".join(part.content for part in parts)).hexdigest()
