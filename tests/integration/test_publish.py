"""push and pull on a real engine: progress, several at once, and what failures leave."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.host.lock import exclusive
from deployer.paths import Deployment
from deployer.workflows.upkeep.gate import Gate, GateHolder
from tests.integration.conftest import untag_all
from tests.support.archive import archive
from tests.support.content import push_artifact
from tests.support.dockerd import temporary_dockerd
from tests.support.other_registry import other_registry
from tests.support.registry_content import DOCKER, TYPES, sha256
from tests.support.run import PATIENCE_SECONDS, free_port
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack


@pytest.fixture(autouse=True)
def _forget(stack: DeployedStack) -> Iterator[None]:
    yield
    untag_all(stack)


def local_names() -> set[str]:
    return set(docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split())


def test_several_images_go_at_once_and_each_line_says_whose_it_is(
    stack: DeployedStack, make_image: Callable[..., str]
) -> None:
    names = [f"several/image{number}:1" for number in range(4)]
    for name in names:
        make_image(name)
    done = stack.deployer("push", *names, "--jobs", "4", check=True)
    for name in names:
        lines = [line.split(" | ", 1)[1] for line in done.stdout.splitlines() if line.startswith(f"{name} | ")]
        assert lines[0].startswith("The push refers to repository")
        assert "digest: sha256:" in lines[-1]
    assert "4 of 4 pushed." in done.stderr


def test_json_tells_digest_and_size_of_each(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("ghcr.io/acme/told:1")
    done = json.loads(stack.deployer("push", "ghcr.io/acme/told:1", "--json", check=True).stdout)
    answer = httpx.head(
        f"{stack.url}/v2/acme/told/manifests/1",
        headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
        timeout=PATIENCE_SECONDS,
    )
    assert done == [
        {
            "source": "ghcr.io/acme/told:1",
            "target": f"{stack.address}/acme/told:1",
            "digest": answer.headers["Docker-Content-Digest"],
            "size": int(answer.headers["Content-Length"]),
            "error": None,
        }
    ]


def test_on_a_terminal_docker_draws_its_own_progress(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("terminal:1", 300_000)
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        stack.command("push", "terminal:1"), stdout=terminal, stderr=terminal, cwd=stack.folder, env=stack.environment
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert process.wait() == 0
    assert b"\x1b[" in shown
    assert b"1: digest: sha256:" in shown


def own_names(stack: DeployedStack) -> set[str]:
    """The local names that the test gives: other tests tag images meanwhile, for other registries."""
    return {name for name in local_names() if name.startswith((f"{stack.address}/", "right:", "wrnog:"))}


def test_nothing_is_tagged_when_one_name_is_wrong(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("right:1")
    before = own_names(stack)
    refused = stack.deployer("push", "right:1", "wrnog:1")
    assert refused.returncode == 1
    assert "No such image on this machine: wrnog:1. Nothing was pushed." in refused.stderr
    assert own_names(stack) == before
    assert httpx.get(f"{stack.url}/v2/right/tags/list", timeout=PATIENCE_SECONDS).status_code == 404


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Upper:1", "has uppercase letters"),
        ("a:", "no tag after it"),
        ("a:1:2", "has two tags"),
        ("https://a:1", "starts with 'https://'"),
        ("../../etc/passwd", "has '.' or '..'"),
        ("a" * 256, "is too long"),
        ("a b", "contains a space"),
        ("", "is empty"),
        ("a//b", "has an empty path component"),
        ("a@sha256:beef", "is not a valid digest"),
    ],
)
def test_a_name_that_is_none_is_told_in_a_sentence(stack: DeployedStack, name: str, sentence: str) -> None:
    for command in ("push", "pull"):
        refused = stack.deployer(command, "--", name)
        assert refused.returncode == 2
        assert sentence in refused.stderr
        assert "Traceback" not in refused.stderr
        assert "Nothing was" not in refused.stderr
        beside = stack.deployer(command, "--", "right:1", name)
        assert beside.returncode == 2
        assert f" Nothing was {command}ed.\n" in beside.stderr


@contextmanager
def writes_waiting(stack: DeployedStack) -> Iterator[None]:
    """As while garbage is collected: no push ends meanwhile, however fast the machine is."""
    deployment = Deployment(stack.name, stack.directory)
    gate = Gate.of(deployment)
    with exclusive(deployment.lock_file, "gc"):
        gate.close(GateHolder("gc", os.getpid(), datetime.now(UTC)))
        try:
            yield
        finally:
            gate.open()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_push_leaves_no_tag(
    stack: DeployedStack, make_image: Callable[..., str], ending: signal.Signals
) -> None:
    name = f"interrupted{ending.value}:1"
    make_image(name, 200_000)
    with writes_waiting(stack):
        process = subprocess.Popen(
            stack.command("push", name),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=stack.folder,
            env=stack.environment,
        )
        assert process.stdout is not None
        assert "The push refers to repository" in process.stdout.readline()
        process.send_signal(ending)
        error = process.communicate()[1]
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "Interrupted: 0 of 1 pushed.\n" in error
    assert f"{stack.address}/{name}" not in local_names()


def test_one_push_that_fails_at_a_real_registry_does_not_stop_the_others(
    stack: DeployedStack, make_image: Callable[..., str], tmp_path: Path
) -> None:
    names = ["beside/a:1", "broken/app:1", "beside/b:1"]
    for name in names:
        make_image(name)
    with other_registry(stack, tmp_path) as other:
        # A file where a folder must be: this registry fails on that repository's manifests, which Docker tries once.
        broken = "/var/lib/registry/docker/registry/v2/repositories/broken/app"
        other.shell(f"mkdir -p {broken} && touch {broken}/_manifests")
        done = stack.deployer("push", *names, "--json", "--port", str(other.port))
        assert done.returncode == 1
        outcomes = {outcome["source"]: outcome for outcome in json.loads(done.stdout)}
        with other.client as client:
            pushed = [name for name in names if client.get(f"/v2/{name[:-2]}/manifests/1").status_code == 200]
    assert pushed == ["beside/a:1", "beside/b:1"]
    assert [name for name in names if outcomes[name]["error"] is None] == pushed
    assert "failed while responding" in outcomes["broken/app:1"]["error"]
    assert "2 of 3 pushed." in done.stderr
    here = {f"localhost:{other.port}/{name}" for name in names} & local_names()
    assert here == {f"localhost:{other.port}/{name}" for name in pushed}
    docker("image", "rm", *here)


def test_an_engine_that_stops_between_two_commands_is_said(stack: DeployedStack) -> None:
    with temporary_dockerd("stops") as daemon:
        daemon.start()
        subprocess.run(["docker", "import", "-", "kept:1"], input=archive(1000), env=daemon.environment, check=True)
        try_first = ("push", "kept:1", "--dry-run", "--port", str(stack.port))
        assert daemon.deployer(*try_first).stdout == f"kept:1 -> {stack.address}/kept:1\n"
        daemon.stop()
        for command in (try_first, ("pull", "kept:1"), ("status",), ("up", "--yes"), ("logs",)):
            refused = daemon.deployer(*command)
            assert refused.returncode == 1
            assert "No Docker engine responds at the address configured for the Docker client." in refused.stderr
            assert "DOCKER_HOST" in refused.stderr
        daemon.start()
        assert daemon.deployer(*try_first).returncode == 0


def test_a_short_name_that_moves_is_told(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    first = make_image("moving:1")
    stack.deployer("push", "moving:1", check=True)
    untag_all(stack)
    second = make_image("moving:1")
    assert first != second
    lost = second.removeprefix("sha256:")[:12]
    planned = stack.deployer("pull", "moving:1", "--dry-run", check=True)
    assert f"The image {lost} on this machine loses the name moving:1 unless it is the one" in planned.stderr
    done = stack.deployer("pull", "moving:1", check=True)
    assert done.stderr.index(f"The image {lost} on this machine loses") < done.stderr.index("Tagged as moving:1")
    assert f"previously {second.removeprefix('sha256:')[:12]}" in done.stderr
    assert docker("image", "inspect", "--format", "{{.Id}}", "moving:1").strip() == first


def test_a_missing_image_names_the_command_that_lists_them(stack: DeployedStack) -> None:
    refused = stack.deployer("pull", "no/such:1")
    assert refused.returncode == 1
    assert f"No repository named 'no/such' at {stack.address}." in refused.stderr
    assert "To list the repositories: deployer catalog" in refused.stderr
    assert "| Error response from daemon" in refused.stderr


def test_a_missing_tag_is_told_with_the_tags_that_are_like_it(
    stack: DeployedStack, make_image: Callable[..., str]
) -> None:
    make_image("near/centos:7-git")
    stack.deployer("push", "near/centos:7-git", check=True)
    refused = stack.deployer("pull", "near/centos:7-gti")
    assert refused.returncode == 1
    assert f"No image 'near/centos:7-gti' at {stack.address}." in refused.stderr
    assert "→ Did you mean near/centos:7-git?" in refused.stderr
    assert "| Error response from daemon" in refused.stderr


def test_an_index_in_an_index_is_told_with_the_command_that_pulls_it(
    stack: DeployedStack, make_image: Callable[..., str]
) -> None:
    make_image("publish/nested:real")
    stack.deployer("push", "publish/nested:real", check=True)
    platform = {"os": "linux", "architecture": "amd64"}

    def put(client: httpx.Client, tag: str, kind: str, content: bytes, **more: object) -> bytes:
        entry = {"mediaType": TYPES[DOCKER][kind], "digest": sha256(content), "size": len(content), **more}
        kept = TYPES[DOCKER]["index"]
        made = json.dumps({"schemaVersion": 2, "mediaType": kept, "manifests": [entry]}).encode()
        client.put(
            f"/v2/publish/nested/manifests/{tag}", content=made, headers={"Content-Type": kept}
        ).raise_for_status()
        return made

    with stack.client as client:
        accept = {"Accept": TYPES[DOCKER]["manifest"]}
        image = client.get("/v2/publish/nested/manifests/real", headers=accept).content
        inner = put(client, "inner", "manifest", image, platform=platform)
        put(client, "nest", "index", inner)
        put(client, "chosen", "index", inner, platform=platform)
        put(client, "silent", "manifest", image)
    engine = docker("version", "--format", "{{.Server.Version}}").strip()
    for tag in ("nest", "chosen", "silent"):
        done = stack.deployer("pull", f"publish/nested:{tag}")
        if done.returncode == 0:
            # With containerd's image store, and of the last one from 23.0 on.
            assert not engine.startswith("20.10.")
            continue
        told = "but its index does not say so" if tag == "silent" else "in a nested index"
        assert told in done.stderr
        assert "which this Docker engine cannot run" not in done.stderr
        advice = next(line for line in done.stderr.splitlines() if "→ deployer pull" in line)
        assert advice.endswith(f"@{sha256(image)}" if tag == "silent" else " publish/nested:inner")
        assert stack.deployer("pull", advice.split()[-1]).returncode == 0


def test_an_image_for_other_platforms_is_told_with_those_and_pulled_for_one(
    stack: DeployedStack, make_image: Callable[..., str]
) -> None:
    make_image("publish/foreign:real")
    stack.deployer("push", "publish/foreign:real", check=True)
    with stack.client as client:
        head = client.head("/v2/publish/foreign/manifests/real", headers={"Accept": TYPES[DOCKER]["manifest"]})
        child = {
            "mediaType": head.headers["Content-Type"],
            "digest": head.headers["Docker-Content-Digest"],
            "size": int(head.headers["Content-Length"]),
        }
        entries = [{**child, "platform": {"os": "linux", "architecture": "s390x"}}]
        kind = TYPES[DOCKER]["index"]
        whole = {"schemaVersion": 2, "mediaType": kind, "manifests": entries}
        made = client.put("/v2/publish/foreign/manifests/1", json=whole, headers={"Content-Type": kind})
        assert made.status_code == 201, made.text
        push_artifact(client, "publish/chart", "1")
    refused = stack.deployer("pull", "publish/foreign:1")
    assert refused.returncode == 1
    assert "has no image for linux/amd64. It has linux/s390x." in refused.stderr
    assert "→ deployer pull publish/foreign:1 --platform linux/s390x" in refused.stderr
    assert stack.deployer("pull", "publish/foreign:1", "--platform", "linux/s390x").returncode == 0
    assert "publish/foreign:1" in local_names()
    nowhere = stack.deployer("pull", "publish/foreign:1", "--platform", "linux/ppc64le")
    assert "has no image for linux/ppc64le. It has linux/s390x" in nowhere.stderr
    wrong = stack.deployer("pull", "publish/foreign:1", "--platform", "not a platform")
    assert (wrong.returncode, "is not a valid platform" in wrong.stderr) == (2, True)
    artifact = stack.deployer("pull", "publish/chart:1")
    assert artifact.returncode == 1
    assert "is a Helm chart, not an image that Docker can pull." in artifact.stderr
    assert stack.deployer("inspect", "publish/chart:1").returncode == 0


def test_a_pull_tells_the_digest_too(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("both/ways:1")
    pushed = json.loads(stack.deployer("push", "both/ways:1", "--json", check=True).stdout)
    untag_all(stack)
    pulled = json.loads(stack.deployer("pull", "both/ways:1", "--json", check=True).stdout)
    assert pulled[0]["digest"] == pushed[0]["digest"]
    assert pulled[0]["error"] is None


def test_nothing_at_the_address_is_said(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("lonely:1")
    port = str(free_port())
    refused = stack.deployer("push", "lonely:1", "--port", port)
    assert refused.returncode == 1
    assert f"Nothing responds at localhost:{port}." in refused.stderr
    assert f"deployer status --port {port}" in refused.stderr
    assert f"localhost:{port}/lonely:1" not in local_names()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(500, "failed while responding"), (401, "requires login"), (403, "does not allow this")],
)
def test_a_registrys_refusal_is_translated(
    stack: DeployedStack, make_image: Callable[..., str], status: int, sentence: str
) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def answer(self) -> None:
            ping = self.path == "/v2/"
            code, message = ("UNAUTHORIZED", "authentication required") if status == 401 else ("DENIED", "not you")
            refusal = json.dumps({"errors": [{"code": code, "message": message, "detail": "really"}]}).encode()
            body = b"{}" if ping else refusal
            self.send_response(200 if ping else status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    make_image("refused:1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        refused = stack.deployer("push", "refused:1", "--port", str(server.server_port))
    finally:
        server.shutdown()
        server.server_close()
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert f"localhost:{server.server_port}/refused:1" not in local_names()


def test_a_push_outlives_a_registry_that_restarts(stack: DeployedStack, make_image: Callable[..., str]) -> None:
    make_image("restart:1", 30_000_000)
    process = subprocess.Popen(
        stack.command("push", "restart:1"), stdout=subprocess.PIPE, text=True, cwd=stack.folder, env=stack.environment
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.2)
    docker("restart", "--time", "2", stack.containers()["registry"])
    output = process.communicate()[0]
    if process.returncode == 0:
        assert "digest: sha256:" in output
        docker("image", "rm", f"{stack.address}/restart:1")
        docker("pull", f"{stack.address}/restart:1")
    else:
        assert f"{stack.address}/restart:1" not in local_names()
