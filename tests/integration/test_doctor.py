"""doctor: everything that is wrong, each with the command that fixes it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from deployer.record import Record
from tests.support.run import free_port
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stack import DeployedStack


def findings(stack: DeployedStack, *arguments: str, code: int) -> list[dict[str, object]]:
    done = stack.deployer("doctor", "--json", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def own(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """A deployment in which no other test has put anything odd."""
    made = make_stack()
    made.up()
    return made


def test_all_is_well(own: DeployedStack) -> None:
    assert {finding["state"] for finding in findings(own, code=0)} == {"ok"}


def test_a_docker_context_that_is_gone_is_named_with_what_ends_it(stack: DeployedStack, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "gone"}')
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    for command in ("status", "doctor", "up"):
        done = stack.deployer(command, environment=environment)
        assert done.returncode == 1, command
        told = done.stdout + done.stderr
        assert 'Docker\'s context "gone" does not exist.' in told
        assert "→ docker context use default" in told
        assert "deployer doctor" not in told
    # What is advised works, while Docker finds nothing else.
    chosen = subprocess.run(["docker", "context", "use", "default"], env={**os.environ, **environment}, check=False)
    assert chosen.returncode == 0
    assert stack.deployer("status", environment=environment).returncode == 0


def test_a_plugin_that_does_not_run_and_a_context_that_does_not_count(stack: DeployedStack, tmp_path: Path) -> None:
    plugin = tmp_path / "cli-plugins/docker-compose"
    plugin.parent.mkdir()
    plugin.write_text("no program\n")
    plugin.chmod(0o755)
    environment = {
        "DOCKER_CONFIG": str(tmp_path),
        "DOCKER_CONTEXT": "another",
        "DOCKER_HOST": "unix:///var/run/docker.sock",
        "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
    }
    done = stack.deployer("doctor", "--json", environment=environment)
    found = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    sentences = {
        one["state"]: "\n".join(each["sentence"] for each in found if each["state"] == one["state"]) for one in found
    }
    assert "The Docker plugin compose cannot be run" in sentences["wrong"]
    assert str(plugin) in str([one["original"] for one in found])
    assert "DOCKER_HOST and DOCKER_CONTEXT are both set" in sentences["note"]
    assert "pulls for the platform linux/arm64" in sentences["note"]
    assert "deployer doctor" not in done.stdout


def test_nothing_deployed_and_nothing_answering(fresh_stack: DeployedStack) -> None:
    found = findings(fresh_stack, code=1)
    wrong = [finding for finding in found if finding["state"] == "wrong"]
    assert [finding["sentence"] for finding in wrong] == [f"Nothing responds at {fresh_stack.url}."]
    assert any(
        "is running on this machine." in str(finding["sentence"]) for finding in found if finding["state"] == "note"
    )


def test_a_name_that_does_not_resolve(fresh_stack: DeployedStack) -> None:
    wrong = [one for one in findings(fresh_stack, "--host", "registry.invalid", code=1) if one["state"] == "wrong"]
    assert wrong[0]["sentence"] == "The name registry.invalid does not resolve on this machine."
    assert "The Docker engine does not trust registry.invalid" in str(wrong[1]["sentence"])
    assert f"deployer configure-daemon --host registry.invalid --port {fresh_stack.port}" in str(wrong[1]["advice"])


def test_a_clients_question_says_nothing_of_the_deployment_here(fresh_stack: DeployedStack) -> None:
    # AnonymousVolume, with a host and port that are not the deployment's: another registry is meant.
    client = {"DEPLOYER_NAME": "", "DEPLOYER_PORT": ""}
    record = fresh_stack.directory.with_name("registry") / "address.json"
    record.parent.mkdir(parents=True)
    record.write_bytes(Record("localhost", fresh_stack.port).content)
    for host in ("127.9.9.9", "registry.invalid"):
        done = fresh_stack.deployer("doctor", "--json", "--host", host, "--port", str(free_port()), environment=client)
        sentences = [finding["sentence"] for finding in json.loads(done.stdout)]
        assert done.returncode == 1
        assert not [sentence for sentence in sentences if "'registry'" in sentence or "Port " in sentence]
        assert any(host in sentence for sentence in sentences)


@pytest.mark.parametrize("service", ["registry", "frontend"])
def test_a_paused_service_is_not_waited_for(own: DeployedStack, service: str) -> None:
    docker("pause", own.containers()[service])
    try:
        found = findings(own, code=1)
    finally:
        docker("unpause", own.containers()[service])
    said = [str(one["sentence"]) for one in found if one["state"] != "ok"]
    assert f"The service {service} is paused." in said
    assert f"The registry was not contacted, because the service {service} is paused." in said
    assert not any("respond" in sentence for sentence in said), said


def test_a_stopped_service_and_changed_settings(own: DeployedStack) -> None:
    docker("stop", "--time", "1", own.containers()["registry"])
    sentences = [str(one["sentence"]) for one in findings(own, code=1) if one["state"] == "wrong"]
    assert "The service registry is exited." in sentences
    own.up()
    changed = findings(own, "--port", str(free_port()), code=1)
    assert any("differ from the settings" in str(one["sentence"]) for one in changed)
