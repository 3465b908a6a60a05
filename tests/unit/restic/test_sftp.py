"""Targets over SSH: their forms, and what restic's container gets of its user."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from deployer.errors import UsageError
from deployer.rendering.snippets import backup_script
from deployer.restic.sftp import SftpServer
from deployer.restic.target import Target

if TYPE_CHECKING:
    from pathlib import Path

FORMS = {
    "sftp:ann@nas:/backups": SftpServer("ann", "nas", ""),
    "sftp:ann@nas.example:backups of ann": SftpServer("ann", "nas.example", ""),
    "sftp://ann@10.0.0.1:2222//backups": SftpServer("ann", "10.0.0.1", "2222"),
    "sftp://ann@nas//backups": SftpServer("ann", "nas", ""),
    "sftp://ann@[fe80::1%eth0]:22//backups": SftpServer("ann", "fe80::1%eth0", "22"),
    "sftp:ann@[::1]:/backups": SftpServer("ann", "::1", ""),
}
WRONG = (
    *("sftp:", "sftp:nas:/backups", "sftp://nas/backups", "sftp:ann@nas", "sftp:ann@nas:", "sftp://ann@nas:0//x"),
    *("sftp://ann@nas:65536//x", "sftp://ann@nas:port//x", "sftp:ann:secret@nas:/x", "sftp:ann@nas:/a\nb"),
    # Options of ssh.
    *("sftp:-oProxyCommand=x@nas:/x", "sftp:ann@-oProxyCommand=x:/x", "sftp://ann@-oProxyCommand=x//x"),
)


@pytest.mark.parametrize("written", FORMS)
def test_the_server_is_read_from_the_forms_that_restic_knows(written: str, tmp_path: Path) -> None:
    target = Target.parse(written, tmp_path)
    assert target.server == FORMS[written]
    assert (str(target), target.directory, target.network) == (written, None, "host")


@pytest.mark.parametrize("written", WRONG)
def test_another_form_is_refused_with_the_right_ones(written: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a valid SFTP target") as caught:
        Target.parse(written, tmp_path)
    assert "sftp:USER@HOST:/PATH" in caught.value.advice[0]


@pytest.mark.parametrize("with_config", [True, False])
def test_ssh_gets_the_folder_of_the_user_and_asks_nothing(tmp_path: Path, with_config: bool) -> None:
    (tmp_path / ".ssh").mkdir()
    if with_config:
        (tmp_path / ".ssh/config").touch()
    server = SftpServer("ann", "nas", "2222")
    (mount,) = server.mounts({"HOME": str(tmp_path)})
    assert (mount.source, mount.target, mount.is_read_only) == (tmp_path / ".ssh", "/root/.ssh", True)
    config = "-F /root/.ssh/config " if with_config else ""
    assert server.variables({"HOME": str(tmp_path)}) == {
        "SFTP_COMMAND": f"ssh {config}-o BatchMode=yes -o StrictHostKeyChecking=yes -o ServerAliveInterval=30 "
        "-p 2222 -l ann nas -s sftp"
    }


def test_a_user_without_keys_has_nothing_to_mount(tmp_path: Path) -> None:
    assert SftpServer("ann", "nas", "").mounts({"HOME": str(tmp_path)}) == ()


def test_an_agent_is_used_while_it_runs(tmp_path: Path) -> None:
    server, place = SftpServer("ann", "nas", ""), tmp_path / "agent"
    environment = {"HOME": str(tmp_path), "SSH_AUTH_SOCK": str(place)}
    assert server.mounts(environment) == ()
    assert "SSH_AUTH_SOCK" not in server.variables(environment)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(place))
        (mount,) = server.mounts(environment)
        assert (mount.source, mount.target) == (place, "/ssh-agent")
        assert server.variables(environment)["SSH_AUTH_SOCK"] == "/ssh-agent"


@pytest.mark.parametrize("over_ssh", [True, False])
def test_restic_reaches_the_server_by_this_command(tmp_path: Path, over_ssh: bool) -> None:
    target = Target.parse("sftp:ann@nas:/x" if over_ssh else str(tmp_path), tmp_path)
    restic = tmp_path / "restic"
    restic.write_text('#!/bin/sh\nprintf "<%s>\\n" "$@"\n')
    restic.chmod(0o755)
    scripts = [backup_script(name).replace("/tmp/settings", str(tmp_path / "settings")) for name in ("open", "restic")]
    told = target.variables("p", {"HOME": str(tmp_path)})
    subprocess.run(["sh", "-c", scripts[0]], input=told, check=True)
    done = subprocess.run(
        ["sh", "-c", scripts[1], "sh", "cat", "a b"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, check=True, text=True,
    )  # fmt: skip
    command = target.server.variables({"HOME": str(tmp_path)})["SFTP_COMMAND"] if target.server else ""
    login = ["<-o>", f"<sftp.command={command}>"] if over_ssh else []
    assert done.stdout.splitlines() == ["<--no-cache>", *login, "<cat>", "<a b>"]
