"""A client whose engine has a proxy: configure-daemon and doctor ask the registry the way that the engine goes."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.client_machine import SERVER, client_machine
from tests.support.proxy import proxy_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dockerd import Dockerd
    from tests.support.proxy import RecordingProxy
    from tests.support.stack import DeployedStack


def on_client(client: Dockerd, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program where the client's daemon runs: in its network, seeing its files."""
    spaces = f"/proc/{client.pid}/ns"
    enter = ["nsenter", f"--net={spaces}/net", f"--mount={spaces}/mnt", f"--wd={client.folder}"]
    kept = {key: value for key, value in client.environment.items() if not key.endswith("_PROXY")}
    return subprocess.run([*enter, *words], env=kept, capture_output=True, text=True, check=False)


@pytest.fixture
def behind(
    make_stack: Callable[..., DeployedStack], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], tuple[Dockerd, DeployedStack, RecordingProxy]]]:
    """Make a client whose engine has a proxy that answers with this status, 0 for one that lets all through."""
    with ExitStack() as stack:

        def make(status: int) -> tuple[Dockerd, DeployedStack, RecordingProxy]:
            client = stack.enter_context(client_machine(own_files=True))
            server = make_stack(DEPLOYER_HOST=SERVER, DEPLOYER_TLS="internal")
            stack.callback(server.remove)
            server.up()
            listener = socket.create_server((SERVER, 0))
            proxy = stack.enter_context(proxy_to(server.port, status=status, listener=listener))
            for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(variable, f"http://{SERVER}:{proxy.port}")
            client.start()
            return client, server, proxy

        yield make


def test_a_proxy_that_lets_it_through_is_used_and_told(
    behind: Callable[[int], tuple[Dockerd, DeployedStack, RecordingProxy]],
) -> None:
    client, server, proxy = behind(0)
    address = f"{SERVER}:{server.port}"
    done = on_client(client, *server.command("configure-daemon", "--host", SERVER, "--port", str(server.port), "--yes"))
    assert done.returncode == 0, done.stderr
    assert f"The Docker engine uses the proxy {SERVER}:{proxy.port} (HTTPS_PROXY)" in done.stderr
    assert f" for {address}" in done.stderr
    assert set(proxy.asked) == {f"CONNECT {address}"}
    proxy.asked.clear()
    refused = on_client(client, "docker", "pull", f"{address}/none")
    assert "manifest unknown" in refused.stderr
    assert set(proxy.asked) == {f"CONNECT {address}"}


def test_a_proxy_that_does_not_is_named_by_both(
    behind: Callable[[int], tuple[Dockerd, DeployedStack, RecordingProxy]],
) -> None:
    client, server, proxy = behind(403)
    here = ("--host", SERVER, "--port", str(server.port))
    for words in (("configure-daemon", *here, "--yes"), ("doctor", *here)):
        done = on_client(client, *server.command(*words))
        assert done.returncode == 1
        told = done.stdout + done.stderr
        assert (
            f"through the proxy {SERVER}:{proxy.port} (HTTPS_PROXY), which does not allow it: it responded 403" in told
        )
        assert f"Add {SERVER} to NO_PROXY" in told
    assert client.trusted() == set()
