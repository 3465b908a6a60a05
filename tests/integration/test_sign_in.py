"""Login on a real deployment: a change takes effect at once, drops nothing, and no secret shows."""

from __future__ import annotations

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.bounded import run_bounded
from tests.support.registry_content import image, push, sha256
from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import client_of, password_of, write_rules, write_users
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.stack import DeployedStack


# What Linux, the frontend and the client between them hold of a request that no one reads is less.
MORE_THAN_IS_BUFFERED = 16_000_000


@pytest.fixture
def signed_in(fresh_stack: DeployedStack) -> DeployedStack:
    """A deployment of the test's own with the users anna and bert."""
    write_users(fresh_stack, ["anna", "bert"])
    fresh_stack.up()
    return fresh_stack


@pytest.fixture(scope="module")
def shared(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """One deployment for the tests that change nothing in it."""
    stack = make_stack()
    write_users(stack, ["anna", "bert"])
    stack.up()
    yield stack
    stack.remove()


def status(stack: DeployedStack, user: str | None, path: str = "/v2/") -> int:
    with client_of(stack, user) as client:
        return client.get(path).status_code


def started(stack: DeployedStack) -> dict[str, str]:
    """When each container was started, by its ID: another value after a restart or when recreated."""
    return {
        container: docker("inspect", "--format", "{{.State.StartedAt}}", container)
        for container in stack.containers().values()
    }


def test_without_rules_everyone_who_logs_in_may_do_everything(shared: DeployedStack) -> None:
    assert [status(shared, user) for user in ("anna", "bert", None)] == [200, 200, 401]
    with client_of(shared, "bert") as bert:
        assert bert.get("/overview/stored").status_code == 200
        assert bert.post("/v2/any/blobs/uploads/").status_code == 202
        bert.auth = httpx.BasicAuth("bert", password_of("anna"))
        assert bert.get("/v2/").status_code == 401


@pytest.mark.parametrize("wrong", ["", "bert:", "ber:x", ":", "BERT:x", "bert\x00:x", "bert:" + "x" * 80])
def test_what_is_no_login_is_refused(shared: DeployedStack, wrong: str) -> None:
    with client_of(shared, None) as client:
        user, _, password = wrong.partition(":")
        assert client.get("/v2/", auth=(user, password)).status_code == 401
        assert client.get("/v2/", headers={"Authorization": f"Bearer x{len(wrong)}"}).status_code == 401


def test_a_changed_user_takes_effect_at_once_and_nothing_is_restarted(signed_in: DeployedStack) -> None:
    before = started(signed_in)
    write_users(signed_in, ["anna", "carl"])
    changed = signed_in.deployer("up", "--yes", check=True)
    assert "frontend: reload" in changed.stderr
    assert [status(signed_in, user) for user in ("anna", "bert", "carl")] == [200, 401, 200]
    write_rules(signed_in, [{"users": ["carl"], "allow": ["pull"]}])
    planned = signed_in.deployer("up", "--dry-run", check=True)
    assert "service  frontend: reload (its users, rules or certificate changed)" in planned.stdout
    assert status(signed_in, "anna", "/overview/stored") == 200
    signed_in.up()
    assert [status(signed_in, user, "/overview/stored") for user in ("anna", "carl")] == [403, 200]
    assert started(signed_in) == before
    again = signed_in.deployer("up", "--yes", check=True)
    assert "nothing to change" in again.stderr


def test_an_upload_in_progress_goes_on_while_users_change(signed_in: DeployedStack) -> None:
    content = b"x" * 2 * MORE_THAN_IS_BUFFERED
    begun, changed = Event(), Event()

    def slowly() -> Iterator[bytes]:
        yield content[:MORE_THAN_IS_BUFFERED]
        begun.set()
        # The rest comes when another configuration is in effect.
        changed.wait(PATIENCE_SECONDS)
        yield content[MORE_THAN_IS_BUFFERED:]

    with client_of(signed_in, "anna") as anna, ThreadPoolExecutor() as pool:
        where = anna.post("/v2/big/blobs/uploads/").headers["Location"]
        uploading = pool.submit(anna.patch, where, content=slowly())
        assert begun.wait(PATIENCE_SECONDS)
        write_users(signed_in, ["anna", "carl"])
        signed_in.up()
        changed.set()
        answer = uploading.result(timeout=PATIENCE_SECONDS)
        assert answer.status_code == 202
        joint = "&" if "?" in answer.headers["Location"] else "?"
        done = anna.put(f"{answer.headers['Location']}{joint}digest={sha256(content)}")
        assert done.status_code == 201
    assert status(signed_in, "carl") == 200


def test_who_is_removed_during_a_push_ends_with_the_request_in_progress(signed_in: DeployedStack) -> None:
    begun, removed = Event(), Event()

    def slowly() -> Iterator[bytes]:
        yield b"x" * MORE_THAN_IS_BUFFERED
        begun.set()
        removed.wait(PATIENCE_SECONDS)
        yield b"y" * 100_000

    with client_of(signed_in, "bert") as bert, ThreadPoolExecutor() as pool:
        where = bert.post("/v2/big/blobs/uploads/").headers["Location"]
        uploading = pool.submit(bert.patch, where, content=slowly())
        assert begun.wait(PATIENCE_SECONDS)
        write_users(signed_in, ["anna"])
        signed_in.up()
        removed.set()
        answer = uploading.result(timeout=PATIENCE_SECONDS)
        assert answer.status_code == 202
        assert bert.put(f"{answer.headers['Location']}&digest={sha256(b'x')}").status_code == 401
    assert status(signed_in, "anna") == 200


def test_docker_is_told_when_its_user_is_gone(signed_in: DeployedStack, make_image: Callable[..., str]) -> None:
    folder = signed_in.folder / "docker"
    docker_as = ["docker", "--config", str(folder)]
    name = f"{signed_in.address}/gone:1"
    make_image(name)
    try:
        login = run_bounded(
            [*docker_as, "login", "--username", "bert", "--password-stdin", signed_in.address],
            stdin=password_of("bert").encode(),
        )
        assert login.returncode == 0, login.stderr
        assert run_bounded([*docker_as, "push", name]).returncode == 0
        write_users(signed_in, ["anna"])
        signed_in.up()
        refused = run_bounded([*docker_as, "push", name])
        assert refused.returncode != 0
        assert b"unauthorized: authentication required" in refused.stderr
    finally:
        docker("image", "rm", name, check=False)


def test_a_change_that_was_cut_off_is_finished_by_the_next_command(signed_in: DeployedStack) -> None:
    # As a command leaves it that was killed between writing the users and telling the frontend.
    (signed_in.directory / ".unread").write_text("user remove bert")
    write_users(signed_in, ["anna"])
    said = signed_in.deployer("status", check=True)
    assert "`deployer user remove bert` was interrupted. Check whether it took effect" in said.stderr
    assert [status(signed_in, user) for user in ("anna", "bert")] == [200, 401]
    assert not (signed_in.directory / ".unread").exists()


def test_a_change_of_rules_that_was_cut_off_is_told_until_up_has_made_it(signed_in: DeployedStack) -> None:
    write_rules(signed_in, [{"users": ["anna"], "allow": ["pull"]}])
    signed_in.up()
    # As `up` leaves it that was killed before it told the frontend.
    (signed_in.directory / ".unfinished").touch()
    for _ in range(2):
        said = signed_in.deployer("status", check=True)
        assert (
            "`deployer up` was interrupted; the previous users, rules or certificates may still be in effect"
            in said.stderr
        )
    done = signed_in.deployer("up", "--yes", check=True).stderr
    assert "frontend: reload" in done
    assert "interrupted" not in done, "it is the one that finishes it"
    assert signed_in.deployer("status", check=True).stderr == ""


def test_a_paused_frontend_learns_of_a_change_when_it_goes_on(signed_in: DeployedStack) -> None:
    frontend = signed_in.containers()["frontend"]
    docker("pause", frontend)
    try:
        removed = signed_in.deployer("user", "remove", "bert", "--yes", check=True)
        assert "The change takes effect when the registry is started" in removed.stderr
    finally:
        docker("unpause", frontend)
    # Its health may not be known yet again.
    signed_in.deployer("status")
    assert [status(signed_in, user) for user in ("anna", "bert")] == [200, 401]


def test_tls_goes_only_when_that_is_agreed_to(fresh_stack: DeployedStack) -> None:
    fresh_stack.deployer("up", "--yes", environment={"DEPLOYER_TLS": "internal"}, check=True)
    refused = fresh_stack.deployer("up", environment={"DEPLOYER_TLS": "off"})
    assert refused.returncode == 1
    assert "TLS is turned off; passwords and images are then sent unencrypted." in refused.stderr
    fresh_stack.deployer("up", "--yes", environment={"DEPLOYER_TLS": "off"}, check=True)
    assert httpx.get(f"{fresh_stack.url}/v2/", trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200


def test_rules_go_only_when_that_is_agreed_to(signed_in: DeployedStack) -> None:
    write_rules(signed_in, [{"users": ["anna"], "allow": ["pull"]}])
    signed_in.up()
    file = signed_in.folder / "deployer.yaml"
    rules = file.read_text()
    file.unlink()
    # As from a folder where the file is not: users change, and the rules stay.
    (signed_in.directory / ".unread").touch()
    signed_in.deployer("status", check=True)
    assert status(signed_in, "bert", "/overview/stored") == 403
    refused = signed_in.deployer("up")
    assert refused.returncode == 1
    assert "The current access rules are removed; every logged-in user can then do everything." in refused.stderr
    assert status(signed_in, "bert", "/overview/stored") == 403
    signed_in.up()
    assert status(signed_in, "bert", "/overview/stored") == 200
    file.write_text(rules)
    signed_in.up()
    assert status(signed_in, "bert", "/overview/stored") == 403


@pytest.mark.parametrize("left", ["empty", "gone"])
def test_login_goes_only_when_that_is_agreed_to(signed_in: DeployedStack, left: str) -> None:
    """A file that a power cut emptied, or a backup did not have, opens the registry to no one."""
    users = signed_in.directory / "users"
    kept = users.read_bytes()
    users.unlink() if left == "gone" else users.write_bytes(b"")
    said = signed_in.deployer("status").stdout
    problem = f"{users} has no users, but the running registry has 2: `deployer up` would turn login off."
    assert problem in said
    assert problem in signed_in.deployer("doctor").stdout
    refused = signed_in.deployer("up")
    assert refused.returncode == 1
    assert f"Login will be turned off: {users} has no users, but the running registry has 2." in refused.stderr
    assert "Run the command again with --yes." not in refused.stderr
    # A script that always says --yes opens the registry to no one either.
    refused = signed_in.deployer("up", "--yes")
    assert refused.returncode == 1
    assert "deployer user list" in refused.stderr
    assert status(signed_in, None) == 401
    assert "Login will be turned off:" in signed_in.deployer("up", "--dry-run").stderr
    users.write_bytes(kept)
    assert "nothing to change" in signed_in.deployer("up", check=True).stderr


def test_users_survive_a_restart_and_down_and_up(signed_in: DeployedStack) -> None:
    signed_in.deployer("down", "--yes", check=True)
    signed_in.up()
    assert [status(signed_in, user) for user in ("anna", None)] == [200, 401]


# -- what stops `up`


def test_a_rule_for_nobody_stops_up_before_anything_changes(signed_in: DeployedStack) -> None:
    before = started(signed_in)
    write_rules(signed_in, [{"users": ["anna", "zoe"], "allow": ["pull"]}])
    refused = signed_in.deployer("up", "--yes")
    assert refused.returncode == 2
    assert "access[0].users: no such user 'zoe': deployer user add zoe" in refused.stderr
    assert started(signed_in) == before
    assert status(signed_in, "bert", "/overview/stored") == 200


def test_a_damaged_users_file_stops_up_and_names_the_line(signed_in: DeployedStack) -> None:
    with (signed_in.directory / "users").open("a") as file:
        file.write("carl:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=\nnonsense\n")
    refused = signed_in.deployer("up", "--yes")
    assert refused.returncode == 1
    assert "line 3: the password of 'carl' is stored as a SHA-1 hash; only bcrypt is supported" in refused.stderr
    assert "line 4: not in the form NAME:HASH" in refused.stderr
    assert status(signed_in, "anna") == 200


def test_passwords_do_not_cross_a_network_in_the_clear_unless_that_is_said(fresh_stack: DeployedStack) -> None:
    write_users(fresh_stack, ["anna"])
    abroad = {"DEPLOYER_HOST": "registry.example", "DEPLOYER_BIND": "127.0.0.1"}
    refused = fresh_stack.deployer("up", "--yes", environment=abroad)
    assert refused.returncode == 2
    assert "Passwords would be sent to registry.example unencrypted" in refused.stderr
    assert fresh_stack.containers() == {}
    said = fresh_stack.deployer("up", "--yes", environment={**abroad, "DEPLOYER_TLS": "off"}, check=True)
    assert "Passwords and images are sent unencrypted" in said.stderr
    shown = fresh_stack.deployer("status", environment={**abroad, "DEPLOYER_TLS": "off"}, check=True)
    assert "Login:        1 user, full access. Passwords and images are sent" in shown.stdout


# -- who sees what


def test_no_secret_shows_anywhere(shared: DeployedStack) -> None:
    users = (shared.directory / "users").read_text()
    hashes = re.findall(r"\$2b\$\S+", users)
    assert len(hashes) == 2
    containers = list(shared.containers().values())
    shown = [shared.deployer(*words).stdout for words in (["render"], ["render", "--json"], ["status", "--json"])]
    changed = shared.deployer("render", "--diff", environment={"DEPLOYER_FRONTEND_PAGE": "none"}).stdout
    shown += [changed, *(docker("inspect", one) for one in containers), *(docker("logs", one) for one in containers)]
    shown += [docker("top", one) for one in containers]
    assert "# ---- frontend/access/users" in shown[0]
    for one in shown:
        for secret in (*hashes, password_of("anna"), json.dumps(password_of("anna"))[1:-1]):
            assert secret not in one
    private = [path for path in shared.directory.rglob("*") if path.is_file() and hashes[0] in path.read_text()]
    assert {path.name for path in private} == {"users"}
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_the_registry_is_reached_by_the_frontend_alone(shared: DeployedStack) -> None:
    registry = json.loads(docker("inspect", shared.containers()["registry"]))[0]
    (network,) = registry["NetworkSettings"]["Networks"].values()
    assert not any(registry["NetworkSettings"]["Ports"].values())
    address = network["IPAddress"]
    listening = docker("exec", shared.containers()["registry"], "cat", "/proc/net/tcp", "/proc/net/tcp6")
    # 0A is LISTEN; 0100007F and its IPv6 form are loopback; Docker's resolver is on 127.0.0.11.
    listeners = [line.split()[1] for line in listening.splitlines() if " 0A " in line]
    assert listeners
    assert all(place.split(":")[0].endswith(("0100007F", "0B00007F")) for place in listeners), listeners
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}:5000/v2/", trust_env=False, timeout=PATIENCE_SECONDS)
    frontend = docker("inspect", "--format", "{{.Config.Image}}", shared.containers()["frontend"]).strip()
    beside = ["docker", "run", "--rm", "--network", f"{shared.name}_default", "--entrypoint", "wget", frontend]
    for target in (
        f"http://{address}:5000/v2/", "http://registry:5000/v2/", "http://registry:5001/debug/health",
        "http://frontend:2019/config/", "http://frontend:2020/v2/_catalog", "http://frontend:5001/v2/",
    ):  # fmt: skip
        done = subprocess.run([*beside, "-q", "-T", "3", "-O", "-", target], capture_output=True, check=False)
        assert done.returncode != 0, target
        assert not done.stdout


def test_upkeep_needs_no_login_on_the_machine_itself(signed_in: DeployedStack) -> None:
    with client_of(signed_in, "anna") as anna:
        for words in ("old", "new"):
            push(anna, "left", "1", image(words))
    time.sleep(1.1)
    done = signed_in.deployer("gc", "--untagged", "--yes", "--older-than", "1s")
    assert done.returncode == 0, done.stderr
    assert "Freed" in done.stdout + done.stderr
    found = json.loads(signed_in.deployer("status", "--json", check=True).stdout)
    assert found["ready"]
    assert found["sign_in"] == "2 users, full access"
