"""The deployment's own files in a backup: settings, users, secrets, certificates. Their content is secret."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import __version__
from deployer.errors import BackupError, ConfigurationError
from deployer.host.files import read_if_there
from deployer.settings.dump import dump
from deployer.settings.load import Flags, load
from deployer.workflows.backup.catalog import FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.paths import Deployment
    from deployer.settings.load import Loaded
    from deployer.settings.model import Settings

# The name of the archive in a backup, and of what describes it.
ARCHIVE = "deployment.tar"
_ABOUT = "about.json"


class Kept(StrEnum):
    """The files in the archive, by their names in it."""

    SETTINGS = "deployer.yaml"
    OVERRIDE = "compose.override.yaml"
    USERS = "users"
    SECRETS = "secrets"
    CERTIFICATE = "certificate.pem"
    KEY = "key.pem"
    AUTHORITY = "authority.pem"
    # The frontend's volume: the CA and the certificates that Caddy made or got.
    FRONTEND = "frontend.tar"


_SECRET = frozenset({Kept.USERS, Kept.SECRETS, Kept.KEY, Kept.FRONTEND})


@dataclass(frozen=True)
class About:
    """Where the deployment was reached, what ran it, and whether its secrets are in the archive."""

    name: str
    host: str
    port: int
    images: Mapping[str, str]
    with_secrets: bool = True
    deployer: str = __version__
    format: int = FORMAT


@dataclass(frozen=True)
class Archive:
    """What the archive holds."""

    about: About
    files: Mapping[Kept, bytes] = field(repr=False)

    def pack(self) -> bytes:
        """The archive's bytes: the same for the same content."""
        about = json.dumps(asdict(self.about), sort_keys=True).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in sorted(
                {_ABOUT: about, **{str(kept): one for kept, one in self.files.items()}}.items()
            ):
                entry = tarfile.TarInfo(str(name))
                entry.size, entry.mode = len(content), 0o600
                archive.addfile(entry, io.BytesIO(content))
        return packed.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Archive:
        """What `pack` has packed. Raises BackupError for anything else, and for what a newer deployer has made."""
        found: dict[str, bytes] = {}
        try:
            # A header that was cut is an end for the library.
            if not packed.endswith(bytes(2 * tarfile.BLOCKSIZE)):
                raise tarfile.ReadError("unexpected end")
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
                for entry in archive:
                    stream = archive.extractfile(entry)
                    found[entry.name] = stream.read() if stream else b""
            said = json.loads(found[_ABOUT])
            if int(said["format"]) > FORMAT:
                raise _newer(str(said.get("deployer", "?")))
            about = About(**said)
        except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
            raise BackupError("The deployment's files in the backup are damaged.", (), str(error)) from error
        return cls(about, {kept: found[kept] for kept in Kept if kept in found})


def collect(
    loaded: Loaded, deployment: Deployment, images: Mapping[str, str], frontend: bytes | None, *, secrets: bool
) -> Archive:
    """Everything that makes another deployment this one's equal. Raises HostError."""
    settings = loaded.settings
    paths = {
        Kept.OVERRIDE: deployment.override_file,
        Kept.USERS: deployment.users_file,
        Kept.SECRETS: deployment.secrets_file,
        **{kept: Path(path) for kept, path in files_of(settings).items()},
    }
    read = {kept: read_if_there(path) for kept, path in paths.items()}
    found = {**read, Kept.FRONTEND: frontend, Kept.SETTINGS: _settings(loaded)}
    kept = {
        kept: content for kept, content in found.items() if content is not None and (secrets or kept not in _SECRET)
    }
    return Archive(About(settings.name, settings.host, settings.port, images, secrets), kept)


def files_of(settings: Settings) -> dict[Kept, str]:
    """The files that the settings name and a backup keeps, by their paths."""
    tls = settings.tls
    named = {Kept.CERTIFICATE: tls.certificate, Kept.KEY: tls.key, Kept.AUTHORITY: tls.authority}
    return {kept: path for kept, path in named.items() if path}


def _settings(loaded: Loaded) -> bytes:
    """The user's own file if it says everything, or else one that does: flags and variables count too."""
    source = loaded.source
    if source is not None and _alone(source) == loaded.settings:
        return read_if_there(source) or b""
    return dump(loaded.settings)


def _alone(source: Path) -> Settings | None:
    """The settings that a file makes by itself; None if it makes sense with a variable or a flag alone."""
    try:
        return load(Flags(config=source), {}, source.parent).settings
    except ConfigurationError:
        return None


def _newer(version: str) -> BackupError:
    return BackupError(
        f"The backup was made by a newer deployer ({version}); this is {__version__}.",
        ("Install that version, then run the command again.",),
    )
