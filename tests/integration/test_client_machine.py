"""A client machine, across a wire from a registry without TLS."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.archive import archive
from tests.support.client_machine import SERVER, client_machine
from tests.support.signed_in import password_of, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.dockerd import Dockerd
    from tests.support.stack import DeployedStack


@pytest.fixture
def client() -> Iterator[Dockerd]:
    with client_machine() as made:
        yield made


def test_a_client_from_refusal_to_trust_to_a_pulled_image(
    make_stack: Callable[..., DeployedStack], client: Dockerd
) -> None:
    stack = make_stack(DEPLOYER_HOST=SERVER)
    stack.folder.mkdir(parents=True, exist_ok=True)
    brought_up = stack.deployer("up", "--yes", check=True)
    assert f"Registry: {SERVER}:{stack.port}" in brought_up.stdout
    assert "anyone who can reach port" in brought_up.stderr
    here = ("--host", SERVER, "--port", str(stack.port))
    client.start()
    try:
        subprocess.run(
            ["docker", "import", "-", "centos:7-git"], input=archive(1000), env=client.environment, check=True
        )

        refused = client.deployer("push", "centos:7-git", *here)
        assert refused.returncode == 1
        assert f"The Docker engine does not trust {SERVER}:{stack.port}" in refused.stderr
        assert f"deployer configure-daemon --host {SERVER} --port {stack.port}" in refused.stderr
        ill = client.deployer("doctor", *here)
        assert ill.returncode == 1
        assert f"The Docker engine does not trust {SERVER}:{stack.port}" in ill.stdout

        asked = client.deployer("configure-daemon", *here)
        assert asked.returncode == 1
        assert "nothing is encrypted" in asked.stderr
        assert client.trusted() == set()
        trusted = client.deployer("configure-daemon", "--yes", *here)
        assert trusted.returncode == 0, trusted.stdout + trusted.stderr

        pushed = client.deployer("push", "centos:7-git", *here)
        assert pushed.returncode == 0, pushed.stderr
        assert "7-git: digest: sha256:" in pushed.stdout
        assert client.deployer("catalog", *here).stdout == "centos\n"
        assert client.deployer("pull", "centos:7-git", *here).returncode == 0
        assert client.deployer("delete", "centos:7-git", "--yes", *here).returncode == 0
        well = client.deployer("doctor", *here)
        assert well.returncode == 0, well.stdout

        removed = client.deployer("configure-daemon", "--remove", *here)
        assert removed.returncode == 0, removed.stderr
        assert client.deployer("push", "centos:7-git", *here).returncode == 1
    finally:
        client.stop()
        stack.remove()


def test_a_client_sends_its_password_in_the_clear_only_where_that_is_said(
    make_stack: Callable[..., DeployedStack], client: Dockerd
) -> None:
    stack = make_stack(DEPLOYER_HOST=SERVER, DEPLOYER_TLS="off")
    write_users(stack, ["ann"])
    stack.up()
    address, here = f"{SERVER}:{stack.port}", ("--host", SERVER, "--port", str(stack.port))
    told = {**client.environment, "DEPLOYER_TLS": "off"}
    auth = base64.b64encode(f"ann:{password_of('ann')}".encode()).decode()
    (client.folder / ".docker").mkdir()
    (client.folder / ".docker/config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    client.start()
    try:
        refused = client.deployer("catalog", *here)
        assert refused.returncode == 1
        assert f"{address} requires login over plain HTTP" in refused.stderr
        assert f"{address} requires login over plain HTTP" in client.deployer("doctor", *here).stdout
        listed = client.deployer("catalog", *here, env=told)
        assert listed.returncode == 0, listed.stderr
        assert "responds as a registry." in client.deployer("doctor", *here, env=told).stdout
    finally:
        client.stop()
        stack.remove()
