"""A Docker daemon of the tests' own; the machine's other engines are left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.run import OWN, PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Dockerd:
    """A daemon in a folder and its own network namespace.

    Without the namespace it would take the bridge docker0 from the machine's own engine. `enter` is
    the command that enters the namespace and then becomes the daemon.
    """

    folder: Path
    file: Path
    arguments: tuple[str, ...] = ()
    enter: tuple[str, ...] = ("unshare", "--net", "--")
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER_", "DEPLOYER_", "XDG_"))}
        return {**kept, "DOCKER_HOST": f"unix://{self.socket}", "HOME": str(self.folder)}

    def start(self) -> None:
        program = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if program is None or os.geteuid() != 0:
            pytest.fail("These tests start a dockerd of their own, which needs Docker Engine and root.", pytrace=False)
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *self.enter,
                    *(program, "--host", f"unix://{self.socket}", "--config-file", str(self.file)),
                    *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
                    *("--pidfile", str(self.folder / "docker.pid"), "--bridge", "none", "--iptables=false"),
                    *self.arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(["docker", "info"], env=self.environment, capture_output=True, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"dockerd did not start:\n{(self.folder / 'log').read_text()[-3000:]}", pytrace=False)
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def deployer(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a deployer command as a user of this daemon."""
        return subprocess.run(
            [sys.executable, "-m", "deployer", *words],
            **{"env": self.environment, "cwd": self.folder, "capture_output": True, "text": True, **options},
            check=False,
        )

    def info(self) -> dict[str, Any]:
        done = subprocess.run(
            ["docker", "info", "--format", "{{json .RegistryConfig}}"],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        return dict(json.loads(done.stdout))

    def trusted(self) -> set[str]:
        return {name for name, index in self.info()["IndexConfigs"].items() if not index["Secure"]}

    def survived(self) -> bool:
        return self.process is not None and self.process.poll() is None


@contextmanager
def temporary_dockerd(name: str) -> Iterator[Dockerd]:
    """A daemon, not yet started, with an empty daemon.json; it and its folder go at the end."""
    # A socket's path may have 107 characters at most, and pytest's folders are long.
    folder = Path("/tmp") / f"{OWN}-{name}"
    folder.mkdir(mode=0o755)
    made = Dockerd(folder, folder / "daemon.json")
    made.file.write_text("{}\n")
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
