"""The contents of a drill's copy: everything in the backup, except what would affect anything outside the copy.

It listens on this machine only, stores images in its own volume, and does not use the user's Compose file, whose
mounts, networks and hooks are the real deployment's. No certificate is requested from an ACME server, and the user's
own is not served: Caddy would ask its issuer whether it is revoked. The copy has a CA then.
"""

from __future__ import annotations

import io
import secrets
import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import BackupError
from deployer.host import passwords
from deployer.rendering import snippets
from deployer.settings.access import AccessRule
from deployer.settings.load import Assumed, Flags, load
from deployer.settings.model import Page, TlsMode, TlsSettings
from deployer.settings.values import account
from deployer.settings.values.account import Account
from deployer.settings.values.checks import DATA_IN_VOLUME
from deployer.settings.values.reserve import RESERVE_OFF
from deployer.workflows.backup.archive import Kept
from deployer.workflows.deployment import ca
from deployer.workflows.restore.deployment import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.workflows.backup.archive import Archive

ADDRESS = "127.0.0.1"
# The lowest possible: a random password needs no slow check, and is used for minutes.
_COST = 4


@dataclass(frozen=True)
class Visitor:
    """A user that only the copy has, who may pull everything: only the hashes of the others are known."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Origin:
    """What a backup says of its deployment: its settings, its users, and the certificate of its CA, None for none."""

    settings: Settings
    accounts: tuple[Account, ...]
    ca: bytes | None
    archive: Archive

    @classmethod
    def read(cls, archive: Archive) -> Origin:
        """Read it. Raises BackupError for what is damaged, and ConfigurationError for settings that are refused."""
        said = Assumed(Path("/deployer.yaml"), settings_of(archive))
        settings = load(Flags(), {}, Path("/"), find=False, assumed=said).settings
        accounts, bad = account.parse(archive.files.get(Kept.USERS, b"").decode(errors="replace"))
        if bad:
            found = "; ".join(f"line {one.number}: {one.reason}" for one in bad)
            raise BackupError(
                f"The users in the backup are damaged: {found}.",
                ("Correct the users of the deployment (`deployer user list` shows them), then make a new backup.",),
            )
        content = archive.files.get(Kept.FRONTEND)
        found_ca = None if content is None else _ca_of(content)
        return cls(settings, accounts, found_ca if settings.tls.is_internal else None, archive)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What a drill does not test, in words."""
        override = self.archive.files.get(Kept.OVERRIDE)
        found = {
            "compose.override.yaml": override is not None and override != snippets.override().content,
            "the page": self.settings.frontend.page not in {Page.BUILTIN, Page.NONE},
            "the ACME certificate": self.settings.tls.is_acme,
            "users, access rules and certificates, which are not in the backup": not self._has_secrets,
        }
        return tuple(words for words, is_so in found.items() if is_so)

    @property
    def _has_secrets(self) -> bool:
        return self.archive.about.with_secrets


@dataclass(frozen=True)
class Copy:
    """A copy to be started: its settings, its files by their paths, and the user who pulls, None for no login."""

    settings: Settings
    archive: Archive
    files: Mapping[Path, Kept]
    visitor: Visitor | None
    origin: Origin

    @classmethod
    def of(cls, origin: Origin, deployment: Deployment, port: int) -> Copy:
        """The copy that is to have this name and directory."""
        visitor = Visitor(f"drill-{secrets.token_hex(6)}", secrets.token_urlsafe(24)) if origin.accounts else None
        content = {**origin.archive.files, Kept.OVERRIDE: snippets.drill_override()}
        if visitor is not None:
            added = Account(visitor.name, passwords.hashed(visitor.password, _COST))
            content[Kept.USERS] = account.written((*origin.accounts, added))
        if not origin.settings.tls.is_internal:
            content.pop(Kept.FRONTEND, None)
        paths = {
            deployment.override_file: Kept.OVERRIDE,
            deployment.users_file: Kept.USERS,
            deployment.secrets_file: Kept.SECRETS,
            certificate_file(deployment): Kept.CERTIFICATE,
            key_file(deployment): Kept.KEY,
        }
        return cls(
            settings=_settings(origin, deployment.name, port, visitor),
            archive=replace(origin.archive, files=content),
            files={path: kept for path, kept in paths.items() if kept in content},
            visitor=visitor,
            origin=origin,
        )


def certificate_file(deployment: Deployment) -> Path:
    """Where the user's own certificate of the backup is, to be looked at."""
    return deployment.directory / "certificate.pem"


def key_file(deployment: Deployment) -> Path:
    """Where its key is."""
    return deployment.directory / "key.pem"


def _settings(origin: Origin, name: str, port: int, visitor: Visitor | None) -> Settings:
    said = origin.settings
    serves_own_ca = said.tls.is_acme or said.tls.is_own
    pulls = (AccessRule((visitor.name,), ("*",), ("pull",)),) if visitor and said.access else ()
    return replace(
        said,
        name=name,
        port=port,
        bind=ADDRESS,
        tls=TlsSettings(TlsMode.INTERNAL) if serves_own_ca else said.tls,
        # No one pushes there, and the response to the start of an upload must come from the rules.
        registry=replace(said.registry, data=DATA_IN_VOLUME, reserve=RESERVE_OFF),
        frontend=replace(said.frontend, page=Page.NONE, page_image=""),
        # Rules are about users; of a backup without them, none exists.
        access=(*said.access, *pulls) if origin.accounts else (),
        expect=(),
        retention=(),
    )


def _ca_of(frontend: bytes) -> bytes | None:
    """The certificate of the CA among the frontend's data. Raises BackupError if that is damaged."""
    try:
        with tarfile.open(fileobj=io.BytesIO(frontend), mode="r:") as archive:
            for entry in archive:
                stream = archive.extractfile(entry)
                if entry.name.removeprefix("./") == ca.IN_FRONTEND and stream:
                    return stream.read()
    except tarfile.TarError as error:
        raise BackupError("The frontend's certificates in the backup are damaged.", (), str(error)) from error
    return None
