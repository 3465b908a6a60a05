"""Where backups go: a directory of this machine, or a server that restic itself can use."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from deployer.engine.values import HostMount
from deployer.errors import UsageError
from deployer.redaction import without_secrets
from deployer.restic import addresses, proxies, sftp
from deployer.restic.sftp import SftpServer
from deployer.settings.schedule import names_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.registry.connection.proxy import Proxy

_MOUNTED_AT = "/backup"
_SERVERS_IN_WORDS = "sftp:USER@HOST:/PATH, s3:https://HOST/BUCKET, or rest:URL"
# What restic reads for those servers (its manual, "Environment Variables").
_PASSED = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION"),
    *proxies.VARIABLES,
)


@dataclass(frozen=True)
class Target:
    """Where backups go. `directory` is one of this machine, None if they go to a server.

    `server` is one that is reached over SSH, otherwise None.
    """

    written: str
    directory: Path | None = None
    server: SftpServer | None = None

    @classmethod
    def parse(cls, written: str, folder: Path) -> Target:
        """Parse what a user wrote; a relative path is below `folder`. Raises UsageError."""
        if addresses.is_address(written):
            addresses.check(written)
            return cls(written)
        if written.startswith(sftp.PREFIX):
            return cls(written, server=SftpServer.parse(written))
        if names_server(written):
            # Other places of restic's, whose programs or credentials its container lacks; URLs; scp's HOST:PATH.
            raise UsageError(
                f"Backups cannot go to '{without_secrets(written)}'.",
                (
                    f"Use a directory (a network disk is one, once it is mounted), {_SERVERS_IN_WORDS}.",
                    *((f"If it is a directory: {shlex.quote(f'./{written}')}",) if "://" not in written else ()),
                ),
            )
        if not written.strip():
            raise UsageError("The backup target is empty.", ("deployer backup /mnt/nas/registry",))
        try:
            path = (folder / Path(written).expanduser()).resolve()
        except (OSError, RuntimeError) as error:
            # The home of an unknown user, or a loop of links.
            raise UsageError(f"'{written}' is not a valid directory.", ("Use its full path.",), str(error)) from error
        return cls(str(path), path)

    def check_login(self, environment: Mapping[str, str]) -> None:
        """Make sure that what restic needs to log in there is complete, as far as it is said.

        Raises UsageError, and ConfigurationError if the proxy on the way there cannot be used.
        """
        addresses.check_login(self.written, environment)
        self.proxy(environment)

    def proxy(self, environment: Mapping[str, str]) -> Proxy | None:
        """The proxy through which restic reaches it. Raises ConfigurationError if that cannot be used."""
        return None if self.directory else proxies.proxy_of(self.written, environment)

    def __str__(self) -> str:
        """Without the password that a URL may have."""
        return self.written if self.directory or self.server else without_secrets(self.written)

    @property
    def quoted(self) -> str:
        """For a shell."""
        return shlex.quote(str(self))

    def mounts(self, environment: Mapping[str, str]) -> tuple[HostMount, ...]:
        """What restic's container mounts from this machine."""
        if self.server is not None:
            return self.server.mounts(environment)
        return (HostMount(self.directory, _MOUNTED_AT),) if self.directory else ()

    @property
    def network(self) -> str:
        """The network of restic's container: for a server that of this machine, so that it reaches the same hosts."""
        return "none" if self.directory else "host"

    def variables(self, password: str, environment: Mapping[str, str]) -> bytes:
        """restic's environment variables, as lines for a shell. They contain secrets."""
        place = _MOUNTED_AT if self.directory else self._with_login(environment)
        passed = {} if self.directory else {name: environment[name] for name in _PASSED if environment.get(name)}
        login = self.server.variables(environment) if self.server else {}
        settings = {
            **passed,
            **login,
            "RESTIC_REPOSITORY": place,
            "RESTIC_PASSWORD": password,
            "RESTIC_PROGRESS_FPS": "2",
        }
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()).encode()

    def _with_login(self, environment: Mapping[str, str]) -> str:
        """The URL with the login for a REST server: older versions of restic read it only there."""
        user, password = (environment.get(f"RESTIC_REST_{name}", "") for name in ("USERNAME", "PASSWORD"))
        scheme, _, rest = self.written.partition("://")
        if not (self.written.startswith(addresses.REST) and user) or addresses.has_login(self.written):
            return self.written
        return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
