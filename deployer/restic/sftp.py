"""A backup target that is reached over SSH: its address, and how restic's container logs in there."""

from __future__ import annotations

import re
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.values import HostMount
from deployer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

PREFIX = "sftp:"
EXAMPLE = "sftp:USER@HOST:/PATH, or with a port sftp://USER@HOST:PORT//PATH"
# Restic's two forms (its manual, "Preparing a new repository"); a name that begins with "-" would be an option of ssh.
_NAME = r"(?P<user>[\w.][\w.+-]*)@(?P<host>[\w.][\w.-]*|\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\])"
_FORMS = (
    re.compile(rf"sftp://{_NAME}(?::(?P<port>\d{{1,5}}))?/(?P<path>[^\x00-\x1f]+)"),
    re.compile(rf"sftp:(?!//){_NAME}:(?P<port>)(?P<path>[^\x00-\x1f]+)"),
)
_SSH_FOLDER = "/root/.ssh"
_AGENT = "/ssh-agent"
_AGENT_VARIABLE = "SSH_AUTH_SOCK"


@dataclass(frozen=True)
class SftpServer:
    """The server of an `sftp:` target. `port` is "" for the one that SSH itself chooses."""

    user: str
    host: str
    port: str

    @classmethod
    def parse(cls, written: str) -> Self:
        """The server in a target. Raises UsageError."""
        for form in _FORMS:
            found = form.fullmatch(written)
            if found and 0 < int(found["port"] or 1) <= 65535:
                return cls(found["user"], found["host"].strip("[]"), found["port"] or "")
        raise UsageError(f"'{written}' is not a valid SFTP target.", (f"Use {EXAMPLE}.",))

    @property
    def login(self) -> str:
        """How a user logs in there by hand."""
        port = f"-P {self.port} " if self.port else ""
        return f"sftp {port}{self.user}@{self.host}"

    def mounts(self, environment: Mapping[str, str]) -> tuple[HostMount, ...]:
        """What `ssh` needs of this machine: the user's keys and known hosts, and the agent if one runs."""
        folder, agent = _folder(environment), _agent(environment)
        found = [HostMount(folder, _SSH_FOLDER, is_read_only=True)] if folder.is_dir() else []
        return (*found, *([HostMount(agent, _AGENT)] if agent else ()))

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What restic's container is told by its environment: the command that reaches the server."""
        # Root reads a file of the user's there: ssh accepts such a configuration only if it is named.
        config = ("-F", f"{_SSH_FOLDER}/config") if (_folder(environment) / "config").is_file() else ()
        port = ("-p", self.port) if self.port else ()
        options = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ServerAliveInterval=30")
        command = shlex.join(("ssh", *config, *options, *port, "-l", self.user, self.host, "-s", "sftp"))
        agent = {_AGENT_VARIABLE: _AGENT} if _agent(environment) else {}
        return {"SFTP_COMMAND": command, **agent}


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home()) / ".ssh"


def _agent(environment: Mapping[str, str]) -> Path | None:
    """The agent's socket, if there is one; the variable may still be set after the agent has ended."""
    written = environment.get(_AGENT_VARIABLE)
    try:
        return Path(written) if written and stat.S_ISSOCK(Path(written).stat().st_mode) else None
    except OSError:
        return None
