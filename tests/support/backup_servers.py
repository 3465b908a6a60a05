"""Servers that backups go to, each with what a user sets so that restic may use it: SFTP, restic's REST API, S3."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from tests.support.run import PATIENCE_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True)
class BackupServer:
    """A target, and the variables with which a user reaches it."""

    target: str
    environment: Mapping[str, str]


@contextmanager
def sftp(folder: Path) -> Iterator[BackupServer]:
    """An SSH server that serves a folder to one key, which is in a home of its own, as is the server's own."""
    port, home = free_port(), folder / "home"
    (home / ".ssh").mkdir(parents=True)
    (folder / "served").mkdir()
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (home / ".ssh/id_ed25519").write_bytes(user_key.export_private_key())
    (home / ".ssh/id_ed25519").chmod(0o600)
    # Its own configuration is read, wherever the home is.
    (home / ".ssh/config").write_text(
        f"Host nas\n  HostName 127.0.0.1\n  Port {port}\n  UserKnownHostsFile ~/.ssh/nas\n"
    )
    (home / ".ssh/nas").write_bytes(f"[127.0.0.1]:{port} ".encode() + host_key.export_public_key())

    class Served(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, chroot=str(folder / "served").encode())

        def exit(self) -> None:
            # As OpenSSH's server ends; without it, restic 0.14 takes the end for a failure.
            self.channel.exit(0)

    async def listen() -> asyncssh.SSHAcceptor:
        authorized = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
        return await asyncssh.listen(
            "127.0.0.1", port, server_host_keys=[host_key], authorized_client_keys=authorized, sftp_factory=Served
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(PATIENCE_SECONDS)
    try:
        yield BackupServer("sftp:ann@nas:/backups of ann", {"HOME": str(home)})
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def rest(folder: Path, *options: str) -> Iterator[BackupServer]:
    """A server of restic's REST API, with a login, and rclone's options."""
    user, password = "ann", "p@ss/w:rd"
    port = free_port()
    command = (
        "rclone",
        "serve",
        "restic",
        str(folder),
        "--addr",
        f"127.0.0.1:{port}",
        "--user",
        user,
        "--pass",
        password,
        *options,
    )
    with _running(command, port):
        login = {"RESTIC_REST_USERNAME": user, "RESTIC_REST_PASSWORD": password}
        yield BackupServer(f"rest:http://127.0.0.1:{port}/registry/", login)


@contextmanager
def s3(_: Path) -> Iterator[BackupServer]:
    """S3 as moto serves it, in memory."""
    port = free_port()
    with _running((sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)), port):
        login = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
        yield BackupServer(f"s3:http://127.0.0.1:{port}/backups/registry", login)


@contextmanager
def _running(command: tuple[str, ...], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(10 * PATIENCE_SECONDS):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


BACKUP_SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[BackupServer]]] = {
    "sftp": sftp,
    "rest": rest,
    "s3": s3,
}
