"""up, down, status and logs on a real engine: what they change, and what they leave alone."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from deployer.layout import DISK_REFUSAL
from tests.support.cut_off import wait_until
from tests.support.registry_content import image, push, sha256
from tests.support.run import PATIENCE_SECONDS, free_port
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def running(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    stack = make_stack()
    stack.up()
    return stack


@pytest.fixture(scope="module")
def worn(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """What `restored` brings up."""
    return make_stack()


@pytest.fixture
def restored(worn: DeployedStack) -> DeployedStack:
    """A deployment of this module's, up as `up` alone leaves it, whatever a test before did to it."""
    worn.directory.mkdir(parents=True, exist_ok=True)
    (worn.directory / "compose.override.yaml").unlink(missing_ok=True)
    worn.up()
    return worn


def plan(stack: DeployedStack, *arguments: str, **settings: str) -> dict[str, str]:
    printed = stack.deployer("up", "--dry-run", "--json", *arguments, environment=settings, check=True).stdout
    return {change["service"]: change["action"] for change in json.loads(printed)["services"]}


KEPT = {"registry": "unchanged", "frontend": "unchanged"}


def test_a_second_up_changes_nothing(running: DeployedStack) -> None:
    before = running.containers()
    done = running.deployer("up", check=True)
    assert "nothing to change" in done.stderr
    assert running.containers() == before
    assert plan(running) == KEPT


def test_the_registry_is_reached_through_the_frontend_alone(running: DeployedStack) -> None:
    ports = docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", running.containers()["registry"])
    assert json.loads(ports) == {}
    bound = docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", running.containers()["frontend"])
    assert json.loads(bound) == {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(running.port)}]}


def test_services_are_locked_down(running: DeployedStack) -> None:
    for container in running.containers().values():
        host = json.loads(docker("inspect", "--format", "{{json .HostConfig}}", container))
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true", "label=level:s0:c71,c443"]
        assert host["RestartPolicy"]["Name"] == "always"
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/schedule", "/repository/team/app", "/repository/a/tag/1", "/repository/a%2fb"]
)
def test_each_view_of_the_page_has_an_address(running: DeployedStack, path: str) -> None:
    with running.client as client:
        answer = client.get(path)
    assert (answer.status_code, "<title>Registry</title>" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "path", ["/metrics", "/healthz", "/v3/", "/v2x/_catalog", "/repositoryx", "/schedule/x", "/.git/config"]
)
def test_there_is_nothing_at_any_other(running: DeployedStack, path: str) -> None:
    with running.client as client:
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (404, "There is nothing at this address.\n")
        # A reader gets the page, which says so.
        read = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (read.status_code, "<title>Registry</title>" in read.text) == (404, True)


def test_what_a_push_is_just_linking_is_asked_for_again(running: DeployedStack) -> None:
    """The registry empties a link before it writes it, and responds to a pull in between with "unknown error"."""
    picture = image("linked")
    with running.client as client:
        push(client, "stumble/app", "1", picture)
        digest = sha256(picture.blobs[0])
        volume = docker("volume", "inspect", "--format", "{{.Mountpoint}}", f"{running.name}_data").strip()
        link = Path(volume, "docker/registry/v2/repositories/stumble/app/_layers", digest.replace(":", "/"), "link")
        link.write_text("")
        assert client.get(f"/v2/stumble/app/blobs/{digest}").status_code == 500
        failed = [line for line in registry_log(running) if "response completed with error" in line and digest in line]
        assert len(failed) == 3, failed
        link.write_text(digest)
        assert client.get(f"/v2/stumble/app/blobs/{digest}").status_code == 200


def registry_log(stack: DeployedStack) -> list[str]:
    done = subprocess.run(
        ["docker", "logs", stack.containers()["registry"]], capture_output=True, check=True, text=True
    )  # fmt: skip
    return (done.stdout + done.stderr).splitlines()


def test_a_changed_setting_touches_exactly_the_services_it_concerns(restored: DeployedStack) -> None:
    stack = restored
    first = stack.containers()
    no_page = {"DEPLOYER_FRONTEND_PAGE": "none"}

    # A mounted file changes, and nothing in the Compose file but its digest.
    assert plan(stack, **no_page) == {"registry": "unchanged", "frontend": "recreate"}
    assert stack.containers() == first
    stack.deployer("up", environment=no_page, check=True)
    second = stack.containers()
    assert second["registry"] == first["registry"]
    assert second["frontend"] != first["frontend"]
    assert httpx.get(f"{stack.url}/", timeout=PATIENCE_SECONDS).status_code == 404

    # Another name in front of the same address concerns no service at all.
    assert plan(stack, "--host", "127.0.0.1", **no_page) == KEPT

    # A file of the page changes: it is served at once, and no service is recreated.
    stack.deployer("up", check=True)
    third = stack.containers()
    page = stack.directory / "frontend" / "page" / "index.html"
    page.write_text("edited by hand")
    assert plan(stack) == KEPT
    stack.deployer("up", check=True)
    assert page.read_text() != "edited by hand"
    assert stack.containers() == third

    # The registry's own file changes.
    stack.deployer("up", check=True)
    (stack.directory / "registry" / "config.yaml").write_text("version: 0.1\n")
    stack.deployer("up", check=True)
    assert "rootdirectory" in (stack.directory / "registry" / "config.yaml").read_text()


@pytest.mark.parametrize("killed_between", [False, True])
def test_a_service_that_runs_on_a_file_changed_by_hand_is_made_again_and_no_other(
    restored: DeployedStack, make_image: Callable[..., str], killed_between: bool
) -> None:
    stack = restored
    first = stack.containers()
    file = stack.directory / "registry" / "config.yaml"
    rendered = file.read_text()
    file.write_text(rendered.replace("  delete:\n    enabled: true\n", ""))
    docker("restart", "--time", "1", first["registry"])
    make_image("once:1")
    stack.deployer("push", "once:1", check=True)
    assert "Deleting is disabled" in stack.deployer("delete", "once:1", "--yes").stderr
    if killed_between:
        # The file is right again, and the process still has what it read.
        file.write_text(rendered)

    assert plan(stack) == {"registry": "recreate", "frontend": "unchanged"}
    assert "(its file was changed)" in stack.deployer("up", "--dry-run", check=True).stdout
    stack.up()
    second = stack.containers()
    assert second["registry"] != first["registry"]
    assert second["frontend"] == first["frontend"]
    stack.deployer("delete", "once:1", "--yes", check=True)
    assert plan(stack) == KEPT
    docker("image", "rm", f"{stack.address}/once:1", check=False)

    (stack.directory / "frontend" / "Caddyfile").write_text(":5000 {\n\trespond 418\n}\n")
    docker("restart", "--time", "1", second["frontend"])
    stack.up()
    third = stack.containers()
    assert third["frontend"] != second["frontend"]
    assert third["registry"] == second["registry"]
    assert httpx.get(f"{stack.url}/v2/", timeout=PATIENCE_SECONDS).status_code == 200
    assert plan(stack) == KEPT


def test_the_users_override_is_obeyed_and_kept(restored: DeployedStack) -> None:
    stack = restored
    override = stack.directory / "compose.override.yaml"
    override.write_text("services: {registry: {labels: {mine: 'yes'}}}\n")
    assert plan(stack) == {"registry": "recreate", "frontend": "unchanged"}
    stack.up()
    assert docker("inspect", "--format", "{{.Config.Labels.mine}}", stack.containers()["registry"]).strip() == "yes"
    assert override.read_text() == "services: {registry: {labels: {mine: 'yes'}}}\n"
    spare = free_port()
    override.write_text(f'services: {{frontend: {{ports: ["127.0.0.1:{spare}-{spare}:5001"]}}}}\n')
    stack.up()
    assert stack.deployer("status", "--json", check=True).returncode == 0
    override.write_text("services: {registry: {lables: 1}}\n")
    refused = stack.deployer("up")
    assert refused.returncode == 1
    assert "lables" in refused.stderr
    stack.deployer("down", "--volumes", "--yes")
    assert override.exists()
    override.unlink()


def test_a_stopped_service_is_started_again(restored: DeployedStack) -> None:
    stack = restored
    docker("stop", "--time", "1", stack.containers()["registry"])
    status = stack.deployer("status")
    assert status.returncode == 1
    assert "The service registry is exited." in status.stderr
    assert plan(stack) == {"registry": "start", "frontend": "unchanged"}
    before = stack.containers()
    stack.up()
    assert stack.containers() == before
    assert stack.deployer("status").returncode == 0


def test_a_service_that_lost_its_network_is_reported_and_recreated(restored: DeployedStack) -> None:
    network, frontend = f"{restored.name}_default", f"{restored.name}-frontend-1"
    docker("network", "disconnect", network, frontend)
    connect = f"docker network connect {network} {frontend}"
    for command in ("status", "doctor"):
        told = restored.deployer(command)
        assert connect in told.stdout + told.stderr
        assert "iptables" not in told.stdout + told.stderr
    assert plan(restored) == {"frontend": "recreate", "registry": "unchanged"}
    docker(*connect.split()[1:])
    assert plan(restored) == {"frontend": "unchanged", "registry": "unchanged"}

    # As a `docker network prune` while they were stopped: they know the network by its ID.
    docker("stop", *restored.containers().values())
    docker("network", "rm", network)
    assert plan(restored) == {"frontend": "recreate", "registry": "recreate"}
    restored.up()
    restored.deployer("status", check=True)


def test_other_volumes_and_networks_in_the_override_are_in_the_plan(restored: DeployedStack) -> None:
    override, other = restored.directory / "compose.override.yaml", f"{restored.name}_other"
    for kind in ("volume", "network"):
        key = "data" if kind == "volume" else "default"
        override.write_text(f"{kind}s: {{{key}: {{external: true, name: {other}}}}}\n")
        refused = restored.deployer("up", "--dry-run")
        assert refused.returncode == 1
        assert f"docker {kind} create {other}" in refused.stderr
    override.write_text("volumes: {data: {labels: {a: b}}}\n")
    assert "exists with different options" in restored.deployer("up", "--dry-run").stderr

    override.write_text(f"networks: {{default: {{name: {other}}}}}\n")
    assert plan(restored) == {"frontend": "recreate", "registry": "recreate"}
    restored.up()
    kept = restored.containers()
    assert other in docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", kept["frontend"])
    assert plan(restored) == KEPT
    restored.up()
    assert restored.containers() == kept

    override.write_text(f"volumes: {{data: {{name: {other}}}}}\n")
    told = restored.deployer("up", "--dry-run")
    assert f"the registry will use the volume {other}" in told.stdout + told.stderr


def test_a_killed_up_is_finished_by_the_next(make_stack: Callable[..., DeployedStack]) -> None:
    stack = make_stack()
    reached = (
        stack.directory.exists,
        (stack.directory / "compose.yaml").exists,
        lambda: docker("network", "ls", "--quiet", "--filter", f"name={stack.name}_"),
        lambda: "registry" in stack.containers(),
        lambda: "frontend" in stack.containers(),
    )
    for moment in reached:
        process = subprocess.Popen(
            stack.command("up", "--yes"),
            cwd=stack.folder,
            env=stack.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert wait_until(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for path in stack.directory.rglob("*.yaml") if stack.directory.exists() else ():
            assert yaml.safe_load(path.read_text()) is not None, f"{path} is half-written"
    stack.up()
    assert stack.deployer("status").returncode == 0
    stack.remove()


def test_an_interrupted_up_says_to_run_it_again_and_that_finishes_it(fresh_stack: DeployedStack) -> None:
    fresh_stack.folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        fresh_stack.command("up", "--yes", "--port", str(fresh_stack.port)),
        cwd=fresh_stack.folder,
        env=fresh_stack.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    # Before it has begun its work, Python itself would take the signal.
    assert wait_until(fresh_stack.directory.exists)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130, error
    again = f"deployer up --port {fresh_stack.port}"
    assert error.endswith(f"Interrupted. To continue, run: {again}\n")
    fresh_stack.up()
    assert fresh_stack.deployer("status").returncode == 0


def test_a_port_that_a_process_holds_is_told_before_anything_is_done(fresh_stack: DeployedStack) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", fresh_stack.port))
        held.listen()
        refused = fresh_stack.deployer("up", "--yes")
    assert refused.returncode == 1
    assert f"Port {fresh_stack.port} is already in use by " in refused.stderr
    assert f"(process {os.getpid()})" in refused.stderr
    advised = re.search(r"→ deployer up --port (\d+) ", refused.stderr)
    assert advised is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", int(advised[1])))
    assert fresh_stack.containers() == {}


def test_a_port_that_a_container_holds_is_told_with_its_name(
    fresh_stack: DeployedStack, running: DeployedStack
) -> None:
    refused = fresh_stack.deployer("up", "--yes", "--port", str(running.port))
    assert refused.returncode == 1
    assert f"Port {running.port} is already in use by the container {running.name}-frontend-1." in refused.stderr


def test_another_project_of_that_name_is_not_touched(fresh_stack: DeployedStack, running: DeployedStack) -> None:
    for command in (["up", "--yes"], ["down", "--volumes", "--yes"], ["status"]):
        refused = fresh_stack.deployer(*command, "--name", running.name)
        assert refused.returncode == 1
        assert f"A Compose project named '{running.name}' already exists" in refused.stderr
    assert running.deployer("status").returncode == 0


def test_an_address_of_another_machine_is_told(fresh_stack: DeployedStack) -> None:
    refused = fresh_stack.deployer("up", environment={"DEPLOYER_BIND": "203.0.113.7"})
    assert refused.returncode == 1
    assert "This machine has no address 203.0.113.7" in refused.stderr


def test_without_an_engine_each_command_says_so(fresh_stack: DeployedStack, tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    for command in (["up"], ["down"], ["status"], ["logs"], ["push", "a:1"], ["pull", "a:1"]):
        refused = fresh_stack.deployer(*command, environment=nowhere)
        assert refused.returncode == 1
        assert "No Docker engine responds at the address configured for the Docker client." in refused.stderr
        assert "Traceback" not in refused.stderr
    assert fresh_stack.deployer("doctor", environment=nowhere).returncode == 1
    assert "compose.yaml" in fresh_stack.deployer("render", environment=nowhere, check=True).stdout


def test_without_a_docker_client_that_is_said(fresh_stack: DeployedStack, tmp_path: Path) -> None:
    refused = fresh_stack.deployer("up", environment={"PATH": str(tmp_path)})
    assert refused.returncode == 1
    assert "The `docker` program is not installed on this machine." in refused.stderr


def test_without_the_compose_plugin_that_is_said(fresh_stack: DeployedStack, tmp_path: Path) -> None:
    # A client that knows every command but compose, as an installation without the plugin.
    client = tmp_path / "docker"
    client.write_text(
        '#!/bin/sh\n[ "$1" = compose ] && { echo "docker: \'compose\' is not a docker command." >&2; exit 1; }\n'
        f'exec {subprocess.run(["which", "docker"], check=True, capture_output=True, text=True).stdout.strip()} "$@"\n'
    )
    client.chmod(0o755)
    refused = fresh_stack.deployer("up", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert refused.returncode == 1
    assert "Docker's Compose plugin is missing or cannot be run." in refused.stderr


def test_a_service_that_does_not_stay_up_is_told_with_its_last_lines(make_stack: Callable[..., DeployedStack]) -> None:
    stack = make_stack()
    stack.directory.mkdir(parents=True)
    (stack.directory / "compose.override.yaml").write_text(
        "services: {registry: {entrypoint: [sh, -c, 'echo the reason; exit 7']}}\n"
    )
    refused = stack.deployer("up", "--yes", "--timeout", str(PATIENCE_SECONDS))
    assert refused.returncode == 1
    assert "The service registry does not keep running" in refused.stderr
    assert "| the reason" in refused.stderr
    (stack.directory / "compose.override.yaml").unlink()
    stack.remove()


def test_a_data_directory_holds_the_images_and_outlives_everything(
    make_stack: Callable[..., DeployedStack], make_image: Callable[..., str]
) -> None:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./my $images")
    stack.up()
    make_image("kept:1")
    stack.deployer("push", "kept:1", check=True)
    # No image would go, but the CA's key, the users and the files would.
    refused = stack.deployer("down", "--volumes")
    assert refused.returncode == 1
    assert f"volumes {stack.name}_frontend, {stack.name}_socket" in refused.stderr
    assert f"directory {stack.folder / 'my $images'}" in refused.stdout
    stack.deployer("down", "--volumes", "--yes", check=True)
    assert (stack.folder / "my $images" / "docker" / "registry" / "v2" / "repositories" / "kept").is_dir()
    stack.up()
    assert stack.deployer("catalog", check=True).stdout == "kept\n"
    docker("image", "rm", f"{stack.address}/kept:1", check=False)

    # Moving to another place would leave the images behind: that is a question.
    moved = stack.deployer("up", environment={"DEPLOYER_REGISTRY_DATA": "volume"})
    assert moved.returncode == 1
    assert "The existing images stay in" in moved.stderr
    assert stack.deployer("catalog", check=True).stdout == "kept\n"
    stack.remove()


def test_a_data_directory_on_a_read_only_disk_is_told(make_stack: Callable[..., DeployedStack]) -> None:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./readonly")
    place = stack.folder / "readonly"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)], check=True)
    try:
        refused = stack.deployer("up", "--yes")
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert refused.returncode == 1
    assert "is on a disk that is mounted read-only" in refused.stderr
    assert stack.containers() == {}


def test_images_whose_disk_is_not_mounted_are_missed_and_are_back_with_it(
    make_stack: Callable[..., DeployedStack],
) -> None:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./images")
    place, disk = stack.folder / "images", stack.folder / "disk"
    place.mkdir()
    disk.mkdir()
    (place / "THE_DISK_IS_NOT_MOUNTED").touch()
    subprocess.run(["mount", "--bind", str(disk), str(place)], check=True)
    try:
        stack.up()
        with stack.client as client:
            push(client, "kept", "1", image("kept"))
        # The machine starts again without it, and the services as they do then.
        docker("stop", *stack.containers().values())
        subprocess.run(["umount", str(place)], check=True)
        docker("start", *stack.containers().values())
        missed = stack.deployer("status")
        assert missed.returncode == 1
        assert f"{place} is not the directory that contained the images" in missed.stderr
        refused = stack.deployer("up")
        assert refused.returncode == 1
        assert f"{place}, which contained the images, is a different directory" in refused.stderr
        assert "Is its disk mounted?" in refused.stderr
        # Mounted now, it is not yet what the services have.
        subprocess.run(["mount", "--bind", str(disk), str(place)], check=True)
        late = stack.deployer("status")
        assert late.returncode == 1
        assert f"The registry still uses what was at {place} when it started" in late.stderr
        shown = stack.deployer("up", "--dry-run", check=True).stdout
        assert shown.count("recreate (the directory with its images was replaced)") == 2
        stack.up()
        assert stack.deployer("status").returncode == 0
        assert stack.deployer("catalog", check=True).stdout == "kept\n"
    finally:
        stack.remove()
        subprocess.run(["umount", "--quiet", str(place)], check=False)


def test_a_full_disk_is_told_before_and_after(
    make_stack: Callable[..., DeployedStack], make_image: Callable[..., str]
) -> None:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./small")
    place = stack.folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=130m", "tmpfs", str(place)], check=True)
    try:
        stack.up()
        (place / "filler").write_bytes(b"\0" * 110 * 2**20)
        make_image("big:1", 40_000_000)
        refused = stack.deployer("push", "big:1")
        assert refused.returncode == 1
        said = ("failed while responding", "it failed, is in maintenance", "A disk is full", DISK_REFUSAL)
        assert any(words in refused.stderr for words in said)
        status = stack.deployer("status")
        assert status.returncode == 1
        assert f"{DISK_REFUSAL.capitalize()} (" in status.stderr
        assert "→ deployer gc   (frees" in status.stderr
        stack.deployer("gc", "--yes", check=True)
        stack.deployer("down", check=True)
        refused = stack.deployer("up")
        assert refused.returncode == 1
        assert "The disk for pushed images is full" in refused.stderr
        assert "→ Free at least 100 MiB there in some other way" in refused.stderr
        assert "→ deployer gc" not in refused.stderr, "without containers it cannot run"
        (place / "filler").unlink()
        stack.up()
        stack.deployer("gc", "--yes", check=True)
    finally:
        stack.remove()
        docker("image", "rm", f"{stack.address}/big:1", check=False)
        subprocess.run(["umount", str(place)], check=True)


def test_down_with_volumes_asks_and_then_leaves_nothing(restored: DeployedStack) -> None:
    stack = restored
    refused = stack.deployer("down", "--volumes")
    assert refused.returncode == 1
    assert "Run the command again with --yes." in refused.stderr
    assert stack.deployer("status").returncode == 0
    shown = stack.deployer("down", "--volumes", "--dry-run", check=True).stdout
    assert f"{stack.name}_data: will be removed" in shown
    assert stack.deployer("status").returncode == 0
    stack.deployer("down", "--volumes", "--yes", check=True)
    assert stack.containers() == {}
    assert docker("volume", "ls", "--quiet", "--filter", f"name={stack.name}").strip() == ""
    assert not stack.directory.exists()
    again = stack.deployer("down", "--volumes", "--yes", check=True)
    assert "Nothing to do" in again.stderr


def test_two_commands_at_once_are_told_apart(make_stack: Callable[..., DeployedStack]) -> None:
    stack = make_stack()
    runs = [
        subprocess.Popen(
            stack.command("up", "--yes"), cwd=stack.folder, env=stack.environment, stderr=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    errors = [run.communicate()[1] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes in ([0, 0], [0, 1])
    if codes == [0, 1]:
        assert any("`deployer up` (process" in error for error in errors)
    assert stack.deployer("status").returncode == 0
    stack.remove()


def test_a_registry_that_does_not_answer_is_said_in_the_registrys_own_form(
    restored: DeployedStack,
) -> None:
    stack = restored
    docker("pause", stack.containers()["registry"])
    docker("unpause", stack.containers()["registry"])
    docker("stop", "--time", "1", stack.containers()["registry"])
    answer = httpx.get(f"{stack.url}/v2/_catalog", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "UNAVAILABLE"
    assert answer.headers["Retry-After"] == "5"


def test_a_lost_folder_is_made_again_and_the_services_with_it(restored: DeployedStack) -> None:
    stack = restored
    shutil.rmtree(stack.directory)
    assert plan(stack) == {"registry": "recreate", "frontend": "recreate"}
    stack.up()
    assert stack.deployer("status").returncode == 0
    assert plan(stack) == KEPT


def test_status_tells_where_it_is_and_not_where_the_settings_say(shared: DeployedStack) -> None:
    other = free_port()
    status = shared.deployer("status", "--port", str(other), environment={"DEPLOYER_REGISTRY_DATA": "volume"})
    assert status.returncode == 1
    assert f"The registry was started on port {shared.port}, but the settings say {other}" in status.stderr
    assert f"in {shared.folder / 'images'}" in status.stdout


def test_status_counts_no_other_registrys_repositories(restored: DeployedStack, running: DeployedStack) -> None:
    stack = restored
    # The frontend is stopped, and what answers at the settings' port is another deployment.
    docker("stop", "--time", "1", stack.containers()["frontend"])
    report = json.loads(stack.deployer("status", "--json", "--port", str(running.port)).stdout)
    assert report["repositories"] is None
    assert report["ready"] is False


def test_make_up_does_not_answer_for_its_user_where_images_are_at_stake(running: DeployedStack) -> None:
    before = running.containers()
    moved = running.deployer("up", "--install", environment={"DEPLOYER_REGISTRY_DATA": "./elsewhere"})
    assert moved.returncode == 1
    assert "The existing images stay in the volume" in moved.stderr
    assert running.containers() == before


@pytest.mark.parametrize("arguments", [["status"], ["render"], ["up", "--dry-run"]])
def test_a_closed_or_full_output_is_no_bug(running: DeployedStack, arguments: list[str]) -> None:
    command = " ".join(running.command(*arguments))
    closed = subprocess.run(["sh", "-c", f"{command} >&-"], env=running.environment, cwd=running.folder, check=False)
    assert closed.returncode == 0
    full = subprocess.run(
        ["sh", "-c", f"{command} >/dev/full"],
        env=running.environment,
        cwd=running.folder,
        check=False,
        capture_output=True,
    )
    assert b"Traceback" not in full.stderr
    head = subprocess.run(
        ["sh", "-c", f"{command} | head -1"],
        env=running.environment,
        cwd=running.folder,
        check=False,
        capture_output=True,
    )
    assert head.stderr == b"" or b"Error" not in head.stderr


def test_the_name_alone_finds_a_deployment_wherever_it_was_brought_up(
    make_stack: Callable[..., DeployedStack], make_image: Callable[..., str]
) -> None:
    stack = make_stack()
    # From another folder, with no variable: only --name says which.
    nothing = {"DEPLOYER_NAME": "", "DEPLOYER_PORT": ""}
    named = ("--name", stack.name)
    stack.folder.mkdir(parents=True, exist_ok=True)
    stack.deployer("up", "--yes", *named, "--port", str(stack.port), environment=nothing, check=True)
    make_image("named:1")
    stack.deployer("push", *named, "named:1", environment=nothing, check=True)
    assert stack.deployer("catalog", *named, environment=nothing, check=True).stdout == "named\n"
    docker("image", "rm", f"{stack.address}/named:1")
    assert f"{stack.address}" in stack.deployer("status", *named, environment=nothing, check=True).stdout
    again = stack.deployer("up", *named, environment=nothing, check=True)
    assert "nothing to change" in again.stderr
    assert f"Next: deployer push --name {stack.name} IMAGE" in again.stderr

    typo = stack.name.replace("test", "tst", 1)
    for command in (["push", "named:1"], ["pull", "named:1"], ["catalog"], ["tags", "named"], ["inspect", "named:1"],
                    ["delete", "named:1", "--yes"], ["status"], ["logs"], ["down", "--yes"]):  # fmt: skip
        refused = stack.deployer(*command, "--name", typo, environment=nothing)
        assert refused.returncode == 1
        assert f"No deployment named '{typo}' on this machine." in refused.stderr
        assert f"Did you mean --name {stack.name}?" in refused.stderr

    # Its files are gone, and it can still be taken down.
    shutil.rmtree(stack.directory)
    stack.deployer("down", "--volumes", "--yes", *named, environment=nothing, check=True)
    assert stack.containers() == {}


def test_logs_knows_its_services(running: DeployedStack) -> None:
    assert "frontend-1" in running.deployer("logs", "frontend", "--tail", "2", check=True).stdout
    refused = running.deployer("logs", "database")
    assert refused.returncode == 2
    assert "→ deployer logs frontend\n" in refused.stderr
    assert "→ deployer logs registry\n" in refused.stderr


def test_logs_follow_until_they_are_ended(running: DeployedStack) -> None:
    process = subprocess.Popen(
        running.command("logs", "--follow", "--tail", "0", "frontend"),
        cwd=running.folder,
        env=running.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        # It may take a moment until the first line would be seen.
        is_seen = False
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_seen:
            assert time.monotonic() < deadline
            httpx.get(f"{running.url}/v2/followed/tags/list", timeout=PATIENCE_SECONDS)
            is_seen = bool(select.select([process.stdout], [], [], 0.5)[0])
        line = process.stdout.readline()
        assert "/v2/followed/tags/list" in line
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert process.returncode == 130
    assert error == "Interrupted.\n"


def test_logs_since_takes_what_docker_takes_and_nothing_else(running: DeployedStack) -> None:
    for moment in ("10m", "1h30m", "0.5h", "2026-01-31", "2026-01-31T12:00:00Z", "1700000000"):
        assert running.deployer("logs", "--since", moment, check=True).stderr == ""
    for mistake in ("foo", "10", "yesterday", "10 m", "-1h"):
        refused = running.deployer("logs", f"--since={mistake}")
        assert refused.returncode == 2
        assert f"not '{mistake}'" in refused.stderr
