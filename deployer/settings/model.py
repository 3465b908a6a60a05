"""The settings: their names, types, defaults and checks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deployer import address, suggest
from deployer.settings.access import (
    EXPECT,
    AccessRule,
    Expectation,
    Group,
    expectations,
    for_users,
    group_of,
    groups,
    written_expectations,
    written_groups,
)
from deployer.settings.retention import RetentionRule
from deployer.settings.schedule import ScheduleSettings
from deployer.settings.setting import checked as _checked
from deployer.settings.setting import list_of as _list_of
from deployer.settings.setting import section as _section
from deployer.settings.values import checks
from deployer.settings.values.checks import DATA_IN_VOLUME
from deployer.settings.values.reserve import RESERVE_AUTO, Reserve

DEFAULT_PORT = 5000
DEFAULT_REGISTRY_IMAGE = "registry:3"
DEFAULT_BACKUP_IMAGE = "restic/restic:0.18.1"
DEFAULT_FRONTEND_IMAGE = "caddy:2"


class ImagePolicy(StrEnum):
    """Where the services' images come from; the values are those of deployer.yaml."""

    AUTO = "auto"
    PULL = "pull"
    BUILD = "build"


class Page(StrEnum):
    """What is at `/`; the values are those of deployer.yaml."""

    BUILTIN = "builtin"
    KWK = "kwk"
    JOXIT = "joxit"
    NONE = "none"


class TlsMode(StrEnum):
    """How the port is encrypted; the values are those of deployer.yaml, "" if it says nothing."""

    UNSET = ""
    OFF = "off"
    INTERNAL = "internal"
    ACME = "acme"


# Pages that run as their own service, and their images.
PAGE_IMAGES = {Page.KWK: "konradkleine/docker-registry-frontend:v2", Page.JOXIT: "joxit/docker-registry-ui:2"}


@dataclass(frozen=True)
class RegistrySettings:
    """The registry service: its image, where it stores images, and how much of that disk stays free."""

    image: str = _checked(checks.image, DEFAULT_REGISTRY_IMAGE, "The registry's image: distribution 3 or 2.8.")
    data: str = _checked(
        checks.data,
        DATA_IN_VOLUME,
        "Where images are stored: `volume` for a Docker volume, or a directory, relative to this file.",
    )
    reserve: str = _checked(
        checks.reserve,
        RESERVE_AUTO,
        "Free space on the disk with the images below which new uploads are refused: `auto` (5 % of the disk, at most "
        "2 GB), a size such as `2GB`, a share such as `10%`, or `off`.",
    )

    @property
    def disk_reserve(self) -> Reserve:
        """The reserve, as its parts."""
        return Reserve.of(self.reserve)

    @property
    def data_directory(self) -> Path | None:
        """The directory that holds the images, or None for a named volume."""
        return None if self.data == DATA_IN_VOLUME else Path(self.data)


@dataclass(frozen=True)
class FrontendSettings:
    """The frontend service: its image, and the page at `/`, with the image of one that is not ours."""

    image: str = _checked(checks.image, DEFAULT_FRONTEND_IMAGE, "The frontend's image: Caddy 2.")
    page: Page = _checked(
        checks.one_of(Page),
        Page.BUILTIN,
        "The page at `/`: `builtin`; `kwk` (docker-registry-frontend, for registry 2.8); `joxit` (docker-registry-ui); "
        "or `none`.",
    )
    page_image: str = _checked(
        checks.image,
        "",
        "The image of the `kwk` or `joxit` page, for example on a mirror. Default: the image on Docker Hub.",
    )

    @property
    def is_builtin(self) -> bool:
        """Whether the page is ours."""
        return self.page is Page.BUILTIN

    @property
    def has_page(self) -> bool:
        """Whether there is a page at all."""
        return self.page is not Page.NONE

    @property
    def page_service_image(self) -> str:
        """The image of the page's own service, "" if the page has none."""
        official = PAGE_IMAGES.get(self.page, "")
        return (self.page_image or official) if official else ""

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if self.page_image and self.page not in PAGE_IMAGES:
            return (
                f"page_image does not apply to page: {self.page}; set page: {' or '.join(PAGE_IMAGES)}, or "
                "remove page_image"
            )
        return ""


@dataclass(frozen=True)
class TlsSettings:
    """How the one port is encrypted.

    By Caddy's own CA (`internal`), by an ACME server's certificates (`acme`, by default
    a public one's), by your own certificate with its key, or not at all: `off` where that
    is said, and "" if nothing is.
    """

    mode: TlsMode = _checked(
        checks.tls_mode(TlsMode),
        TlsMode.UNSET,
        "`off`, `internal` (the registry's own CA) or `acme`. A plain value of `tls` sets the mode.",
    )
    certificate: str = _checked(checks.file, "", "Path to your own certificate, with its chain, in PEM format.")
    key: str = _checked(checks.file, "", "Path to the certificate's private key.")
    email: str = _checked(checks.email, "", "For `acme`: the e-mail address of the account.")
    directory: str = _checked(
        checks.acme_directory, "", "For `acme`: the directory URL of an ACME server other than Let's Encrypt."
    )
    authority: str = _checked(checks.file, "", "For `acme`: the path to the CA certificate of that server.")

    @property
    def is_on(self) -> bool:
        """Whether the port speaks HTTPS."""
        return self.mode in {TlsMode.INTERNAL, TlsMode.ACME} or self.is_own

    @property
    def is_internal(self) -> bool:
        """Whether the certificate is by the registry's own CA."""
        return self.mode is TlsMode.INTERNAL

    @property
    def is_acme(self) -> bool:
        """Whether the certificate is fetched by ACME."""
        return self.mode is TlsMode.ACME

    @property
    def is_off(self) -> bool:
        """Whether it is said that there is none; by default that is left open."""
        return self.mode is TlsMode.OFF

    @property
    def is_own(self) -> bool:
        """Whether the certificate is the user's own."""
        return bool(self.certificate)

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if bool(self.certificate) != bool(self.key):
            return "certificate and key must be set together"
        if self.certificate and self.mode:
            return f"mode is {self.mode}, but your own certificate is set: remove one of them"
        if not self.is_acme and (self.email or self.directory or self.authority):
            return "email, directory and authority are for ACME: set mode: acme, or remove them"
        return ""


@dataclass(frozen=True)
class BackupSettings:
    """How backups are made."""

    image: str = _checked(checks.image, DEFAULT_BACKUP_IMAGE, "The image for backups: restic 0.14 or newer.")


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured. `build.py` checks; the class itself holds any value."""

    name: str = _checked(
        checks.project_name, "registry", "Name of the Compose project and of the directory for its files."
    )
    host: str = _checked(
        checks.host, "localhost", "The host in image names: the name or IP address that clients connect to."
    )
    port: int = _checked(checks.port, DEFAULT_PORT, "The port of the registry and of the page.")
    bind: str = _checked(
        checks.bind,
        "auto",
        "Where to listen: `auto` (a loopback host: this machine only; any other: all addresses), or one IP address.",
    )
    tls: TlsSettings = _section(TlsSettings, "TLS on the port.", short="mode")
    images: ImagePolicy = _checked(
        checks.one_of(ImagePolicy),
        ImagePolicy.AUTO,
        "Where the images come from: `auto` (local if present, otherwise pulled, otherwise built), `pull`, or "
        "`build` (from Debian's and PyPI's packages).",
    )
    registry: RegistrySettings = _section(RegistrySettings, "The registry service.")
    frontend: FrontendSettings = _section(FrontendSettings, "The frontend service.")
    backup: BackupSettings = _section(BackupSettings, "Backups.")
    schedule: ScheduleSettings = _section(ScheduleSettings, "Commands that run on a schedule; `up` installs it.")
    groups: tuple[Group, ...] = _checked(
        groups,
        (),
        "Names for several users, for access rules: `{developers: [alice, bob]}`.",
        written_groups,
    )
    access: tuple[AccessRule, ...] = _list_of(
        AccessRule,
        "Access rules. What no rule allows is denied; without rules, every logged-in user may do everything.",
    )
    expect: tuple[Expectation, ...] = _checked(
        expectations,
        (),
        "What the access rules have to say, checked by `render`, `up` and `access test`: `[{ci: [can pull team/*, "
        "cannot delete team/*]}]`. Also of `anonymous` and of a group: `group:developers`.",
        written_expectations,
    )
    retention: tuple[RetentionRule, ...] = _list_of(
        RetentionRule, "What `deployer prune` removes: a tag that matches every condition of a rule."
    )

    @property
    def address(self) -> str:
        """What is before image names and in the browser: `host:port`."""
        return address.host_port(self.host, self.port)

    @property
    def url(self) -> str:
        """The address of the page, and of `/v2/` below it."""
        return f"{self._scheme}://{self.address}"

    @property
    def page_url(self) -> str:
        """The address of the page, "" if there is none."""
        return f"{self.url}/" if self.frontend.has_page else ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the host: Docker trusts such a registry without TLS."""
        return address.is_loopback(self.host)

    @property
    def bind_addresses(self) -> tuple[str, ...]:
        """The addresses to publish on; none means all of this machine's."""
        if self.bind != "auto":
            return () if ipaddress.ip_address(self.bind).is_unspecified else (self.bind,)
        if not self.is_loopback:
            return ()
        return (self.host,) if checks.is_address(self.host) else ("127.0.0.1",)

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the published port, whatever `host` resolves to."""
        bound = self.bind_addresses
        return f"{self._scheme}://{address.host_port(bound[0] if bound else '127.0.0.1', self.port)}"

    @property
    def acme_ports(self) -> tuple[int, ...]:
        """Further ports at which an ACME server looks whether the host is ours: 80, unless it can check ours."""
        return (80,) if self.tls.is_acme and self.port not in {80, 443} else ()

    @property
    def group_by_name(self) -> dict[str, Group]:
        """The groups of users."""
        return {one.name: one for one in self.groups}

    @property
    def user_rules(self) -> tuple[AccessRule, ...]:
        """The access rules, with the users of groups among their own."""
        return for_users(self.access, self.groups)

    @property
    def _scheme(self) -> str:
        return "https" if self.tls.is_on else "http"

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if said := self._complaint_of_groups():
            return said
        public = not self.is_loopback and not checks.is_address(self.host) and "." in self.host
        if self.tls.is_acme and not self.tls.directory and not public:
            return (
                f"tls: no public CA issues a certificate for '{self.host}': use a public name as host, or set "
                "tls: internal"
            )
        if (prune := self.schedule.prune).is_on and not (prune.says_what or self.retention):
            return f"schedule.prune: {prune.SAYS_NOTHING}"
        if self.images is ImagePolicy.PULL or (
            self.images is ImagePolicy.AUTO and self.registry.image != DEFAULT_REGISTRY_IMAGE
        ):
            return self.complaint_of_page(self.registry.image)
        # What `images: auto` takes for the default is known only when it is chosen.
        return ""

    def complaint_of_page(self, registry_image: str) -> str:
        """Why the page cannot read what this registry answers, "" if nothing is known against it.

        docker-registry-frontend reads schema 1 manifests alone, which distribution 3 has no more.
        """
        if self.frontend.page is not Page.KWK or not checks.is_registry_3(registry_image):
            return ""
        return (
            f"frontend.page: kwk needs registry 2.8, but {registry_image} is version 3: set registry: "
            '{image: "registry:2.8.3"}, or images: build'
        )

    def _complaint_of_groups(self) -> str:
        named = [(f"access[{number}].groups", name) for number, rule in enumerate(self.access) for name in rule.groups]
        named += [(EXPECT, name) for one in self.expect if (name := group_of(one.who)) is not None]
        for place, name in named:
            if name not in self.group_by_name:
                near = suggest.near(name, self.group_by_name, most=1)
                meant = f", did you mean {near[0]}?" if near else "; define it under `groups`"
                return f"{place}: no such group '{name}'{meant}"
        return ""
