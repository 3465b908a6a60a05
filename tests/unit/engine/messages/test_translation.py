"""What Docker itself complains of, as real ones print it, in the user's terms.

What the engine prints of a registry: test_registry.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from deployer.engine.messages import client, engine, registry
from deployer.engine.messages.ended import Ended
from deployer.engine.messages.translation import last_line, translate, translated
from deployer.errors import EngineError, EngineUnavailable, ImageInUse, ImageNotFound

if TYPE_CHECKING:
    from pathlib import Path

DAEMON = "Error response from daemon: "
SOCKET = "unix:///var/run/docker.sock"
DIAL = "unix /var/run/docker.sock"
HIDDEN = "context not found: open /root/.docker/contexts/meta/28/meta.json: no such file or directory"
CONTEXT = f'Failed to initialize: unable to resolve docker endpoint: context "gone": {HIDDEN}'
TLS = "Failed to initialize: unable to resolve docker endpoint: open /root/.docker/ca.pem: no such file or directory"
SSH = (
    'error during connect: Get "http://docker.example.com/v1.50/version": command [ssh -T -- far docker system dial] '
    "has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote "
    "host: stderr=ssh: Could not resolve hostname far: Name or service not known"
)

# (what is printed, how the sentence begins, how the first advice begins, its kind)
CLIENT = [
    (CONTEXT, 'Docker\'s context "gone" does not exist.', "docker context use default", EngineUnavailable),
    ('context "other" does not exist', 'Docker\'s context "other" does not exist.', "docker context use",
     EngineUnavailable),
    ('current context "a" is not found on the file system', 'Docker\'s context "a"', "docker context",
     EngineUnavailable),
    (TLS, "The Docker client cannot use its certificates", "unset DOCKER_TLS_VERIFY", EngineUnavailable),
    ('unable to resolve docker endpoint: parse "tcp://[::1": missing \']\' in host',
     "The Docker client is configured with an", "unset DOCKER_HOST", EngineUnavailable),
    ("ssh host connection is not valid: invalid SSH URL: hostname is empty",
     "The Docker client is configured with an", "unset DOCKER_HOST", EngineUnavailable),
    ("unable to parse docker host `foo`", "The Docker client is configured with an", "unset DOCKER_HOST",
     EngineUnavailable),
    ('error during connect: Get "http://foo:2375/v1.50/version": dial tcp: lookup foo: no such host',
     "No Docker engine responds at the address", "Start the engine that should listen there", EngineUnavailable),
    (SSH, "The Docker client cannot reach its engine over SSH: ssh: Could not", "ssh HOST docker", EngineUnavailable),
    ('error during connect: Get "https://10.0.0.9:2376/v1.50/info": x509: certificate signed by unknown authority',
     "The Docker client and the engine did not accept each other's certificates.", "Set DOCKER_TLS_VERIFY=1",
     EngineUnavailable),
    ('error during connect: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.41/info": EOF',
     "No Docker engine is running on this machine.", "sudo systemctl start docker", EngineUnavailable),
    ('error during connect: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1/info": net/http: invalid header field name "a"',
     "Docker's config.json has a header that HTTP does not allow.", "Correct HttpHeaders", EngineUnavailable),
    (f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?",
     "No Docker engine is running on this machine.", "sudo systemctl start docker", EngineUnavailable),
    (f"failed to connect to the docker API at {SOCKET}; check if the daemon is running: dial unix",
     "No Docker engine is running on this machine.", "sudo systemctl start docker", EngineUnavailable),
    ("Cannot connect to the Docker daemon at unix:///run/user/1000/docker.sock. Is the docker daemon running?",
     "The rootless Docker engine of the user with UID 1000 is not responding.",
     "systemctl --user start docker   (as that user", EngineUnavailable),
    (f"Cannot connect to the Docker daemon at {SOCKET}/. Is the docker daemon running?",
     "The Docker client is configured with an", f"export DOCKER_HOST={SOCKET}", EngineUnavailable),
    ("failed to connect to the docker API at unix:///tmp/my.sock//; check if the path is correct",
     "The Docker client is configured with an", "export DOCKER_HOST=unix:///tmp/my.sock", EngineUnavailable),
    (f'error during connect: Get "http://%2Fvar%2Frun%2Fdocker.sock%2F/v1.41/info": dial {DIAL}/: connect: not a',
     "The Docker client is configured with an", f"export DOCKER_HOST={SOCKET}", EngineUnavailable),
    ("Cannot connect to the Docker daemon at unix:///tmp/my.sock. Is the docker daemon running?",
     "No Docker engine responds at the address", "Start the engine that should listen there", EngineUnavailable),
    ("Cannot connect to the Docker daemon at unix:///VAR/run/docker.sock. Is the docker daemon running?",
     "No Docker engine responds at the address", "Start the engine", EngineUnavailable),
    ("Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?",
     "No Docker engine is running on this machine.", "sudo systemctl start docker", EngineUnavailable),
    ('parse "ssh://%zz": invalid URL escape "%zz"', "The Docker client is configured with an", "unset DOCKER_HOST",
     EngineUnavailable),
    ('unix socket path "/a/a" is too long', "The Docker client is configured with an", "unset DOCKER_HOST",
     EngineUnavailable),
    ('error during connect: Get "http://127.0.0.1:99999/v1.50/info": dial tcp: address 99999: invalid port',
     "The Docker client is configured with an invalid engine address.", "unset DOCKER_HOST", EngineUnavailable),
    (DAEMON + "401 Unauthorized", "The server at the engine's address is not a Docker engine.", "unset DOCKER_HOST",
     EngineUnavailable),
    ("failed to parse custom headers from DOCKER_CUSTOM_HEADERS environment variable: value must be formatted",
     "The variable DOCKER_CUSTOM_HEADERS has", "The format is NAME=VALUE", EngineUnavailable),
    ("permission denied while trying to connect to the docker API at unix:///run/user/1000/docker.sock",
     "You are not allowed to use this Docker engine", "unset DOCKER_HOST",
     EngineUnavailable),
    ("permission denied while trying to connect to the Docker daemon socket at unix:///tmp/my.sock: Get",
     "You do not have permission to use the Docker engine at /tmp/my.sock.", "ls -l /tmp/my.sock", EngineUnavailable),
    ("Cannot connect to the Docker daemon at unix:///home/ann/.docker/desktop/docker.sock. Is the docker da",
     "Docker Desktop is not responding.", "Start Docker Desktop.", EngineUnavailable),
    (f"permission denied while trying to connect to the Docker daemon socket at {SOCKET}",
     "You do not have permission to use the Docker engine", "sudo usermod", EngineUnavailable),
    (f"permission denied while trying to connect to the docker API at {SOCKET}",
     "You do not have permission to use the Docker engine", "sudo usermod", EngineUnavailable),
    (DAEMON + "client version 1.99 is too new. Maximum supported API version is 1.41",
     "The Docker client uses API version 1.99, but the engine supports at most 1.41.",
     "unset DOCKER_API_VERSION", EngineUnavailable),
    (DAEMON + "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client",
     "The Docker client or its Compose plugin uses API version 1.41, but the engine requires at least 1.44.",
     "unset DOCKER_API_VERSION", EngineUnavailable),
    ("request returned 404 Not Found; check if the server supports the requested API version",
     "The server at the engine's address is not a Docker engine.", "unset DOCKER_HOST", EngineUnavailable),
    ("ERROR: BuildKit is enabled but the buildx component is missing or broken.\n       Install the buildx",
     "Docker's buildx plugin is missing", "Install the package docker-buildx", EngineUnavailable),
    ("docker: 'compose' is not a docker command.", "Docker's Compose plugin is missing", "Install", EngineUnavailable),
    ("docker: unknown command: docker compose", "Docker's Compose plugin is missing", "Install", EngineUnavailable),
    ("unknown flag: --short\nSee 'docker --help'.", "Docker's Compose plugin is missing", "Install", EngineUnavailable),
    ("unknown shorthand flag: 'f' in -f", "Docker's Compose plugin is missing", "Install", EngineUnavailable),
    ('error getting credentials - err: exec: "docker-credential-desktop": executable file not found in $PATH',
     "Docker's config.json uses the credential helper docker-credential-desktop, which is not installed.",
     "Install it, or remove credsStore", EngineError),
    ("error getting credentials - err: exit status 1, out: `The keychain is locked.`",
     "Docker's credential helper returned no credentials: The keychain is locked.", "Unlock or repair", EngineError),
    ("Error: error contacting notary server: tls: first record does not look like a TLS handshake",
     "Docker Content Trust is enabled, but no Notary server responds for reg:5000.", "unset DOCKER_CONTENT_TRUST",
     EngineError),
    ("Error: remote trust data does not exist for reg:5000/app: reg:5000 does not have trust data for reg:5000/app",
     "Docker Content Trust is enabled, but reg:5000 has no signatures", "unset DOCKER_CONTENT_TRUST", EngineError),
    (DAEMON + "authorization denied by plugin opa: not for you",
     "The engine's authorization plugin opa does not allow this: not for you", "", EngineError),
]  # fmt: skip

RUNC = DAEMON + "failed to create task for container: OCI runtime create failed: runc create failed: "
BIND = DAEMON + 'invalid mount config for type "bind": bind source path does not exist: /srv/x'
POOLS = "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network"
CONFLICT = (
    'Conflict. The container name "/registry-frontend-1" is already in use by container "b17". You have to remove (or '
    "rename) that container to be able to reuse that name."
)
IN_USE = (
    "conflict: unable to remove repository reference (must force) - container b17 is using its referenced image 4f0"
)
ENGINE = [
    (
        DAEMON + "connection error: dial unix:///run/containerd/containerd.sock: timeout",
        "The engine's containerd",
        "sudo",
    ),
    (
        DAEMON + "all predefined address pools have been fully subnetted",
        "The engine has no address range",
        "docker net",
    ),
    (
        f"failed to create network registry_default: {DAEMON}{POOLS}",
        "The engine has no address range",
        "docker network",
    ),
    (
        DAEMON + "Pool overlaps with other one on this address space",
        "The address range",
        "Correct compose.override",
    ),
    (
        DAEMON + "error while removing network: network team_default has active endpoints (name:app id:1234)",
        "The network team_default is in use by other containers.",
        "docker network inspect team_default",
    ),
    (
        " Container a-db-1  Starting\ndb hook exited with status 3",
        "A hook of the service 'db' ended with exit code 3.",
        "Correct post_start or pre_stop of 'db' in compose.override.yaml",
    ),
    (
        "db hook exited with status 137",
        "A hook of the service 'db' ended with its container",
        "deployer logs db",
    ),
    (
        DAEMON + "driver failed programming external connectivity on endpoint x: Error starting userland proxy: error "
        "while calling PortManager.AddPort(): cannot expose privileged port 443, you can add 'net",
        "A rootless engine cannot publish port 443",
        "deployer up --port 5000",
    ),
    (
        DAEMON + "listen tcp4 10.9.9.9:80: bind: cannot assign requested address",
        "The engine's machine does not",
        "Set `bind`",
    ),
    (
        DAEMON + "Bind for 0.0.0.0:5000 failed: port is already allocated",
        "The port is already in use",
        "deployer up --port",
    ),
    (
        DAEMON + "failed to bind host port 0.0.0.0:80/tcp: address already in use",
        "The port is already in use",
        "deployer up --port",
    ),
    (
        DAEMON + "Unable to enable NAT: iptables failed: No chain/target/match by that name.",
        "The engine's firewall",
        "sudo",
    ),
    (
        DAEMON + "remove team_data: volume is in use - [b17]",
        "The volume team_data is in use",
        "docker ps --all --filter",
    ),
    (DAEMON + "get zz: no such volume", "No such volume: zz.", "docker volume ls"),
    (
        'external volume "mine" not found',
        "The volume mine, which a Compose file declares as external",
        "docker volume create mine",
    ),
    ("network front declared as external, but could not be found", "The network front,", "docker network create front"),
    (
        DAEMON + CONFLICT,
        "The container name registry-frontend-1 is already in use.",
        "docker rename registry-frontend-1",
    ),
    (
        DAEMON + "Mounts denied: \nThe path /srv/x is not shared from the host",
        "Docker Desktop cannot",
        "Add it in Docker",
    ),
    (BIND, "The engine cannot see /srv/x:", "docker context ls"),
    (
        DAEMON + "invalid mount config for type \"volume\": invalid mount path: 'x:/x' mount path must be absolute",
        "A mount in the deployment's files is not valid: invalid mount path: 'x:/x'",
        "Correct compose.override.yaml",
    ),
    (
        RUNC + "x: not a directory: Are you trying to mount a directory onto a file (or vice-versa)?",
        "There is a directory where",
        "deployer",
    ),
    (DAEMON + "configured logging driver does not support reading", "This container's log driver", "docker info"),
    (
        DAEMON + "cannot start a paused container, try unpause instead",
        "A container of the deployment is paused.",
        "docker unp",
    ),
    (
        DAEMON + "Container b17 is paused, unpause the container before exec",
        "A container of the deployment is pa",
        "docker",
    ),
    (
        DAEMON + "Container b17 is restarting, wait until the container is running",
        "The container b17 keeps restarting",
        "deployer logs",
    ),
    (DAEMON + "container b17 is not running", "The container b17 is not running.", "deployer up"),
    ('service "frontend" is not running', "The container frontend is not running.", "deployer up"),
    (DAEMON + "No such container: zz", "No such container: zz.", "deployer status"),
    (
        DAEMON + "container is marked for removal and cannot be started",
        "The container is being removed.",
        "Run the command",
    ),
    (
        'OCI runtime exec failed: exec failed: exec: "caddy": executable file not found in $PATH: unknown',
        "The image does not contain the program",
        "deployer render --diff",
    ),
    (
        RUNC + "exec /usr/bin/caddy: exec format error",
        "A program in the image was built for a different",
        "deployer up --build",
    ),
    (DAEMON + "write /x: no space left on device", "A disk is full", "docker system df"),
    (
        RUNC + "fork/exec /proc/self/exe: resource temporarily unavailable",
        "The engine's machine is out of memory",
        "Free",
    ),
    (
        "failed to register layer: potentially insufficient UIDs or GIDs available in user namespace",
        "The image contains",
        "Widen",
    ),
    ("failed to register layer: max depth exceeded", "The image has more layers than the engine supports.", "Build it"),
    (
        "validating /d/compose.override.yaml: services.x Additional property y is not allowed",
        "Docker Compose does",
        "Correct",
    ),
    (
        'service "page" refers to undefined network front: invalid compose project',
        "Docker Compose does not",
        "Correct comp",
    ),
    (
        "yaml: line 3: mapping values are not allowed in this context",
        "Docker Compose does not accept",
        "Correct compose",
    ),
    (
        "invalid reference format: repository name (library/UPPER) must be lowercase",
        "Invalid image name",
        "Use NAME",
    ),
]
OF_A_KIND = [
    (DAEMON + "No such image: zz:latest", ImageNotFound),
    ("tag does not exist: localhost:5000/zz:1", ImageNotFound),
    ("An image does not exist locally with the tag: localhost:5000/zz", ImageNotFound),
    (DAEMON + IN_USE, ImageInUse),
    (
        DAEMON + "conflict: unable to delete 4f0 (must be forced) - image is being used by stopped container b17",
        ImageInUse,
    ),
]


@pytest.mark.parametrize(("original", "message", "advice", "kind"), CLIENT)
def test_what_keeps_the_client_from_the_engine(
    original: str, message: str, advice: str, kind: type[EngineError]
) -> None:
    variables = {advice.split()[1]: "x"} if advice.startswith("unset ") else {}
    error = translate(original, address="reg:5000", variables=variables)
    assert error.message.startswith(message)
    assert "".join(error.advice[:1]).startswith(advice)
    assert type(error) is kind
    assert error.original == original


@pytest.mark.parametrize(("original", "message", "advice"), ENGINE)
def test_what_the_engine_and_compose_complain_of(original: str, message: str, advice: str) -> None:
    error = translate(original)
    assert error.message.startswith(message)
    assert error.advice[0].startswith(advice)
    assert "{" not in error.message + "".join(error.advice).replace("{{.LoggingDriver}}", "")


@pytest.mark.parametrize(("original", "kind"), OF_A_KIND)
def test_what_commands_tell_apart(original: str, kind: type[EngineError]) -> None:
    assert type(translate(original)) is kind


@pytest.mark.parametrize("place", ["tcp://127.0.0.1:1", "unix:///tmp/none.sock"])
@pytest.mark.parametrize(
    "words", ["Cannot connect to the Docker daemon at {}. Is", "failed to connect to the docker API at {}; check if"]
)
def test_an_engine_looked_for_elsewhere_is_not_this_machines_service(words: str, place: str) -> None:
    elsewhere = translate(words.format(place), variables={"DOCKER_HOST": place})
    assert "unset DOCKER_HOST" in elsewhere.advice[1]
    assert "systemctl" not in str(elsewhere.advice)


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({}, "docker context use default"),
        ({"DOCKER_CONTEXT": "far"}, "unset DOCKER_CONTEXT"),
        ({"DOCKER_HOST": "tcp://a:1"}, "unset DOCKER_HOST"),
        ({"DOCKER_CONTEXT": "far", "DOCKER_HOST": "tcp://a:1"}, "unset DOCKER_HOST"),
        ({"DOCKER_CONTEXT": "far", "DOCKER_HOST": ""}, "unset DOCKER_CONTEXT"),
    ],
)
def test_this_machines_engine_is_chosen_where_another_was(variables: dict[str, str], advice: str) -> None:
    for words in ("Cannot connect to the Docker daemon at tcp://a:1. Is", 'context "far": context not found'):
        assert advice in "".join(translate(words, variables=variables).advice)


# (the variables, what is printed, how the sentence begins, the first advice)
AT_FAULT = [
    ({"DOCKER_API_VERSION": "abc"}, DAEMON + "page not found",
     "The variable DOCKER_API_VERSION is not an API version", "unset DOCKER_API_VERSION"),
    ({"DOCKER_API_VERSION": "abc", "DOCKER_HOST": "tcp://a:1"},
     "request returned 400 Bad Request; check if the server supports the requested API version",
     "The variable DOCKER_API_VERSION is not an API version", "unset DOCKER_API_VERSION"),
    ({}, DAEMON + "page not found", "The server at the engine's address", "docker context use default"),
    ({}, DAEMON + "client version 1.99 is too new. Maximum supported API version is 1.41",
     "The Docker client uses API version 1.99", "Update the engine."),
    ({"DOCKER_TLS": "x"}, TLS, "The Docker client cannot use its certificates", "unset DOCKER_TLS   "),
    ({"DOCKER_TLS_VERIFY": "x"}, TLS, "The Docker client cannot use its certificates", "unset DOCKER_TLS_VERIFY   "),
    ({}, TLS, "The Docker client cannot use its certificates", "docker context use default"),
    ({"DOCKER_BUILDKIT": "x"}, 'DOCKER_BUILDKIT environment variable expects boolean value: strconv.ParseBool: parsing',
     "The variable DOCKER_BUILDKIT is not a boolean value.", "unset DOCKER_BUILDKIT"),
    ({"DOCKER_DEFAULT_PLATFORM": "moon"}, '"moon": unknown operating system or architecture: invalid argument',
     "Docker does not support the platform moon.", "Use OS/ARCH"),
    ({"DOCKER_DEFAULT_PLATFORM": "a/b/c/d"}, '"a/b/c/d": cannot parse platform specifier: invalid argument',
     "Docker does not support the platform a/b/c/d.", "Use OS/ARCH"),
    ({"DOCKER_CONTENT_TRUST": "1", "DOCKER_CONTENT_TRUST_SERVER": "x"},
     "error establishing connection to trust repository: valid https URL required for trust server, got x",
     "Docker Content Trust is enabled, but the Notary server", "unset DOCKER_CONTENT_TRUST   "),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "original", "message", "advice"), AT_FAULT)
def test_the_variable_at_fault_is_named_and_no_other(
    variables: dict[str, str], original: str, message: str, advice: str
) -> None:
    error = translate(original, address="reg:5000", variables=variables)
    assert error.message.startswith(message)
    assert error.advice[0].startswith(advice)
    unset = {line.split()[1] for line in error.advice if line.startswith("unset ")}
    assert unset <= set(variables)


def test_an_image_here_for_another_platform_is_told_apart_from_one_in_a_registry() -> None:
    words = "image with reference x:1 was found but does not match the specified platform: wanted linux/arm64"
    variables = {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}
    assert translate(DAEMON + words, variables=variables).advice[0] == "unset DOCKER_DEFAULT_PLATFORM"
    assert translate(DAEMON + words).advice[0].startswith("deployer up --build")
    assert (
        translate(DAEMON + words, address="reg:5000").message
        == "The image at reg:5000 is not available for this machine's platform."
    )


@pytest.mark.parametrize(
    ("original", "line"),
    [
        ("flux capacitor empty", "flux capacitor empty"),
        (" Network x  Creating\n Network x  Created\n" + DAEMON + "flux capacitor empty", "flux capacitor empty"),
        (
            "docker: " + DAEMON + "flux capacitor empty\n\nRun 'docker run --help' for more information",
            "flux capacitor empty",
        ),
        ("flux capacitor empty\nSee 'docker pull --help'.", "flux capacitor empty"),
        ('WARNING: old\ntime="2026-11-29T04:28:38Z" level=fatal msg="flux \\"x\\" empty"', 'flux "x" empty'),
        ("flux capacitor empty\nWARNING: Error loading config file: /root/.docker/config.json", "flux capacitor empty"),
        (
            "------\n > [2/2] RUN x:\n------\nERROR: failed to solve: flux capacitor empty",
            "flux capacitor empty",
        ),
        (
            "panic: flux capacitor empty\n\ngoroutine 1 [running]:\nmain.main()\n\t/docker.go:39 +0x25",
            "panic: flux cap",
        ),
        ("flux capacitor empty\nexit status 1", "flux capacitor empty"),
    ],
)
def test_what_nobody_foresaw_is_dockers_own_last_line(original: str, line: str) -> None:
    error = translate(original, address="reg:5000")
    assert type(error) is EngineError
    assert error.message.startswith(line)
    assert error.advice == ()
    assert error.original == original


def test_docker_that_says_nothing() -> None:
    assert translate("\n").message == "Docker failed and gave no reason."
    assert last_line("Usage:  docker") == ""


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("push", "--quiet", "localhost:5000/docker"), 1, "`docker push` ended with exit code 1 and gave no reason."),
        (("image", "inspect", "a", "b"), 3, "`docker image inspect` ended with exit code 3 and gave no reason."),
        (("compose", "--file", "a", "--project-name", "b", "up", "--detach"), -9,
         "`docker compose up` was killed by signal SIGKILL."),
        (("pull", "x"), 143, "`docker pull` was killed by signal SIGTERM."),
        (("pull", "x"), 255, "`docker pull` ended with exit code 255 and gave no reason."),
        (("compose",), 1, "`docker compose` ended with exit code 1 and gave no reason."),
        ((), 1, "`docker` ended with exit code 1 and gave no reason."),
    ],
)  # fmt: skip
def test_docker_that_says_nothing_is_told_by_its_command_and_its_end(
    arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    error = translate(" Container x  Starting\n", ended=Ended(arguments, code))
    assert error.message == sentence
    assert bool(error.advice) is ("SIGKILL" in sentence)
    # What it says counts, however it ended.
    assert translate("no such thing", ended=Ended(arguments, code)).message == "no such thing"


def test_what_python_on_whales_ran_is_told_without_its_environment() -> None:
    whole = ("env", "-u", "X", "DOCKER_CONFIG=/x", "/usr/bin/docker", "compose", "--file", "a", "up", "--detach")
    assert Ended.of_whole(whole, 1).command == "docker compose up"


def test_what_was_said_on_the_terminal_is_the_reason(tmp_path: Path) -> None:
    class Failed(Exception):
        docker_command = ("docker", "compose", "up")
        return_code, stdout, stderr = 1, None, None

    with (
        pytest.raises(EngineError, match="already in use") as caught,
        translated(drawn=lambda: "port is already allocated"),
    ):
        raise Failed
    assert caught.value.advice
    with pytest.raises(EngineError, match="`docker compose up` ended with exit code 1"), translated():
        raise Failed


def test_a_client_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    for error, words in (
        (FileNotFoundError(2, "x", "docker"), "not installed"),
        (PermissionError(13, "x", "docker"), "cannot be"),
    ):
        with pytest.raises(EngineUnavailable, match=words), translated():
            raise error
    # A full disk while Docker's lines are printed is not the client's failure.
    with pytest.raises(OSError, match="No space"), translated():
        raise OSError(28, "No space left on device")


def test_every_advised_command_of_ours_exists() -> None:
    from deployer.cli import main
    from deployer.cli.selection import COMMANDS

    assert main.app
    tables = (*client.TABLE, *engine.TABLE, *engine.LOCAL, *registry.TABLE)
    advised = {
        found for line in tables for text in line.advice for found in re.findall(r"(?:^|: )deployer ([a-z-]+)", text)
    }
    assert advised
    assert advised <= COMMANDS
