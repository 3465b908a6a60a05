"""The settings: their names, types, defaults and checks."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from deployer.settings import checks
from deployer.settings.checks import DATA_IN_VOLUME, Check

Section = TypeVar("Section")

DEFAULT_PORT = 5000
DEFAULT_REGISTRY_IMAGE = "registry:3"
DEFAULT_FRONTEND_IMAGE = "caddy:2"
# Pages that run as a service of their own, and their images.
PAGE_IMAGES = {"kwk": "konradkleine/docker-registry-frontend:v2", "joxit": "joxit/docker-registry-ui:2"}

Images = Literal["auto", "pull", "build"]
Page = Literal["builtin", "kwk", "joxit", "none"]
TlsMode = Literal["", "off", "internal", "acme"]
Order = Literal["later", "created", "pushed"]


def _checked(check: Check, default: Any, about: str) -> Any:  # noqa: ANN401 - dataclasses.field is as loose
    """A setting; `about` is its line in docs/reference/settings.md."""
    return field(default=default, metadata={"check": check, "about": about})


def _section(kind: type[Any], about: str, *, short: str = "") -> Any:  # noqa: ANN401
    """A group of settings; a plain value in its place is the one that `short` names."""
    return field(default_factory=kind, metadata={"section": kind, "short": short, "about": about})


def _list_of(kind: type[Any], about: str) -> Any:  # noqa: ANN401
    return field(default=(), metadata={"each": kind, "about": about})


@dataclass(frozen=True)
class RegistrySettings:
    """The registry service: its image, and where the images that it keeps lie."""

    image: str = _checked(checks.image, DEFAULT_REGISTRY_IMAGE, "The registry's image: distribution 3 or 2.8.")
    data: str = _checked(
        checks.data,
        DATA_IN_VOLUME,
        "Where images are stored: `volume` for a Docker volume, or a directory, relative to this file.",
    )

    @property
    def data_directory(self) -> Path | None:
        """The directory that holds the images, or None for a named volume."""
        return None if self.data == DATA_IN_VOLUME else Path(self.data)


@dataclass(frozen=True)
class FrontendSettings:
    """The frontend service: its image, and the page at `/`, with the image of one that is not ours."""

    image: str = _checked(checks.image, DEFAULT_FRONTEND_IMAGE, "The frontend's image: Caddy 2.")
    page: Page = _checked(
        checks.one_of(*get_args(Page)),
        "builtin",
        "The page at `/`: `builtin`; `kwk` (docker-registry-frontend, for registry 2.8); `joxit` (docker-registry-ui); "
        "or `none`.",
    )
    page_image: str = _checked(
        checks.image,
        "",
        "The image of the `kwk` or `joxit` page, such as one on a mirror. Default: the page's own on Docker Hub.",
    )

    @property
    def is_builtin(self) -> bool:
        """Whether the page is ours."""
        return self.page == "builtin"

    @property
    def page_service_image(self) -> str:
        """The image of the page's own service, "" where the page has none."""
        official = PAGE_IMAGES.get(self.page, "")
        return (self.page_image or official) if official else ""

    def complaint(self) -> str:
        """Why the settings cannot be meant together, "" where they can."""
        if self.page_image and self.page not in PAGE_IMAGES:
            return (
                f"page_image is another page's, and page is {self.page}: "
                f"write page: {' or '.join(PAGE_IMAGES)} beside it, or leave it out"
            )
        return ""


@dataclass(frozen=True)
class RetentionRule:
    """Which tags of which repositories may go. `older_than` in seconds.

    A tag goes when all that is given says so: it is matched, not protected, not among the newest
    `keep` images, and old enough. With `untagged`, manifests that no tag reaches go too.
    `by` says what age and newness are: `created`, `pushed`, or `later`, the age from the later of the
    two, and the newest by their creation. Where a creation time is not real, the push is in.
    """

    repositories: tuple[str, ...] = _checked(
        checks.globs, ("*",), "The repositories of the rule. `*` matches any part of a name, `?` one character."
    )
    keep: int | None = _checked(checks.count, None, "Keep this many of the newest images of each repository.")
    older_than: int | None = _checked(checks.age, None, "Remove only what is older, such as `30d`, `12h` or `2w`.")
    match: str | None = _checked(checks.pattern, None, "Remove only tags that this regular expression matches.")
    protect: str | None = _checked(checks.pattern, None, "Never remove tags that this regular expression matches.")
    by: Order = _checked(
        checks.one_of(*get_args(Order)),
        "later",
        "What age counts from: `later` of creation and push, `created`, or `pushed`.",
    )
    untagged: bool = _checked(checks.yes_or_no, False, "Remove manifests without a tag, too.")

    @property
    def takes_tags(self) -> bool:
        """Whether it says which tags go: with `untagged` alone, none do."""
        return self.keep is not None or self.older_than is not None or self.match is not None

    def complaint(self) -> str:
        """Why the rule cannot be meant, "" where it can."""
        if self.takes_tags or self.untagged:
            return ""
        return "the rule does not say what goes: give keep, older_than, match or untagged"


@dataclass(frozen=True)
class TlsSettings:
    """How the one port is encrypted.

    By Caddy's own CA (`internal`), by an ACME server's certificates (`acme`, by default
    a public one's), by a certificate of your own with its key, or not at all: `off` where that
    is said, and "" where nothing is.
    """

    mode: TlsMode = _checked(
        checks.tls_mode,
        "",
        "`off`, `internal` (the registry's own CA) or `acme`. A plain value of `tls` sets the mode.",
    )
    certificate: str = _checked(checks.file, "", "The path of your own certificate, with its chain, in PEM.")
    key: str = _checked(checks.file, "", "The path of the certificate's private key.")
    email: str = _checked(checks.email, "", "For `acme`: the address of the account.")
    directory: str = _checked(
        checks.acme_directory, "", "For `acme`: the directory URL of another ACME server than Let's Encrypt."
    )
    authority: str = _checked(checks.file, "", "For `acme`: the path of the CA certificate of that server.")

    @property
    def is_on(self) -> bool:
        """Whether the port speaks HTTPS."""
        return self.mode in {"internal", "acme"} or self.is_own

    @property
    def is_off(self) -> bool:
        """Whether it is said that there is none; by default that is left open."""
        return self.mode == "off"

    @property
    def is_own(self) -> bool:
        """Whether the certificate is the user's own."""
        return bool(self.certificate)

    def complaint(self) -> str:
        """Why the settings cannot be meant together, "" where they can."""
        if bool(self.certificate) != bool(self.key):
            return "a certificate and its key go together: give both, certificate and key"
        if self.certificate and self.mode:
            return f"mode is {self.mode}, and a certificate of your own is given: leave one of them out"
        if self.mode != "acme" and (self.email or self.directory or self.authority):
            return "email, directory and authority are for ACME: write mode: acme beside them, or leave them out"
        return ""


@dataclass(frozen=True)
class AccessRule:
    """Which users may do what with which repositories. What no rule allows is denied."""

    users: tuple[str, ...] = _checked(
        checks.users, (), "The users of the rule. `*` stands for everyone who is signed in."
    )
    repositories: tuple[str, ...] = _checked(
        checks.access_globs, ("*",), "The repositories of the rule. `*` matches any part of a name, `?` one character."
    )
    allow: tuple[str, ...] = _checked(checks.actions, (), "What is allowed: any of `pull`, `push`, `delete`.")

    def complaint(self) -> str:
        """Why the rule cannot be meant, "" where it can."""
        missing = [name for name in ("users", "allow") if not getattr(self, name)]
        return f"the rule does not say {' and '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured. `build` checks; the class itself holds any value."""

    name: str = _checked(checks.project_name, "registry", "The Compose project, and the folder of its files.")
    host: str = _checked(
        checks.host, "localhost", "The host in image names: what clients connect to, a name or an IP address."
    )
    port: int = _checked(checks.port, DEFAULT_PORT, "The port of the registry and of the page.")
    bind: str = _checked(
        checks.bind,
        "auto",
        "Where to listen: `auto` (a loopback host: this machine only; any other: all addresses), or one IP address.",
    )
    tls: TlsSettings = _section(TlsSettings, "How the port is encrypted.", short="mode")
    images: Images = _checked(
        checks.one_of(*get_args(Images)),
        "auto",
        "Where the images come from: `auto` (local, else pulled, else built), `pull`, or `build` (from Debian's and "
        "PyPI's packages).",
    )
    registry: RegistrySettings = _section(RegistrySettings, "The registry service.")
    frontend: FrontendSettings = _section(FrontendSettings, "The frontend service.")
    access: tuple[AccessRule, ...] = _list_of(
        AccessRule,
        "Who may do what. What no rule allows is denied; without rules, everyone who is signed in may do everything.",
    )
    retention: tuple[RetentionRule, ...] = _list_of(
        RetentionRule, "What `deployer prune` removes: a tag that matches every condition of a rule."
    )

    @property
    def address(self) -> str:
        """What is before image names and in the browser: `host:port`."""
        return f"{_in_url(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the page, and of `/v2/` below it."""
        return f"{self._scheme}://{self.address}"

    @property
    def page_url(self) -> str:
        """The address of the page, "" where there is none."""
        return f"{self.url}/" if self.frontend.page != "none" else ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the host: Docker trusts such a registry without TLS."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        return checks.is_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    @property
    def bind_addresses(self) -> tuple[str, ...]:
        """The addresses to publish on; none stands for all of this machine's."""
        if self.bind != "auto":
            return () if ipaddress.ip_address(self.bind).is_unspecified else (self.bind,)
        if not self.is_loopback:
            return ()
        return (self.host,) if checks.is_address(self.host) else ("127.0.0.1",)

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the published port, whatever `host` resolves to."""
        bound = self.bind_addresses
        return f"{self._scheme}://{_in_url(bound[0] if bound else '127.0.0.1')}:{self.port}"

    @property
    def acme_ports(self) -> tuple[int, ...]:
        """Further ports at which an ACME server looks whether the host is ours: 80, unless it can look at ours."""
        return (80,) if self.tls.mode == "acme" and self.port not in {80, 443} else ()

    @property
    def _scheme(self) -> str:
        return "https" if self.tls.is_on else "http"

    def complaint(self) -> str:
        """Why the settings cannot be meant together, "" where they can."""
        public = not self.is_loopback and not checks.is_address(self.host) and "." in self.host
        if self.tls.mode == "acme" and not self.tls.directory and not public:
            return (
                f"tls: no public CA gives a certificate for '{self.host}': give a public name as host, "
                "or write tls: internal"
            )
        if self.images == "pull" or (self.images == "auto" and self.registry.image != DEFAULT_REGISTRY_IMAGE):
            return self.complaint_of_page(self.registry.image)
        # What `images: auto` takes for the default is known only when it is chosen.
        return ""

    def complaint_of_page(self, registry_image: str) -> str:
        """Why the page cannot read what this registry answers, "" where nothing is known against it.

        docker-registry-frontend reads schema 1 manifests alone, which distribution 3 has no more.
        """
        if self.frontend.page != "kwk" or not checks.is_registry_3(registry_image):
            return ""
        return (
            f"frontend.page: kwk needs registry 2.8, and {registry_image} is version 3: write "
            'registry: {image: "registry:2.8.3"}, or images: build'
        )


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
        raise ValueError(f"{checks.shown(value)} is not a group of settings; it has: {children}")  # noqa: TRY004
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
    near = difflib.get_close_matches(re.sub(r"\[\d+\]", "[]", path), list(paths()), n=1, cutoff=0.6)
    meant = near[0].replace("[]", numbers[0] if numbers else "[0]") if near else ""
    return f"{path}: unknown setting" + (f", did you mean {meant}?" if near else "")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
