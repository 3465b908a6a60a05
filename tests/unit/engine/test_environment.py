from __future__ import annotations

import errno
import gc
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployer.engine.environment import ClientEnvironment, ClientPurpose, names_an_engine
from deployer.errors import HostError
from deployer.host import scratch
from tests.support.docker_variables import CONFIGURATION, EVERYTHING, PROXY

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = (ClientPurpose.OURS, ClientPurpose.COMPOSE, ClientPurpose.BUILD)
# Compose is run only for an engine of this machine.
ELSEWHERE = {"SSH_AUTH_SOCK", "HTTPS_PROXY", "no_proxy", "LC_ALL"}
ADDRESS = {
    "DOCKER_HOST": "tcp://127.0.0.1:2376",
    "DOCKER_CONTEXT": "there",
    "DOCKER_CERT_PATH": "/certificates",
    "DOCKER_TLS": "1",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CUSTOM_HEADERS": "a=b",
    "SSH_AUTH_SOCK": "/run/agent",
    "HTTPS_PROXY": "http://proxy",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/roots.pem",
    "PATH": "/bin",
    "LC_ALL": "C",
    "TERM": "dumb",
}


def environment_of(folder: Path, settings: Mapping[str, Any] | str | None, **more: str) -> dict[str, str]:
    """The variables of a user whose config.json holds these settings."""
    docker = folder / ".docker"
    docker.mkdir(exist_ok=True)
    if settings is not None:
        text = settings if isinstance(settings, str) else json.dumps(dict(settings))
        (docker / "config.json").write_text(text)
    return {"HOME": str(folder), **more}


def configuration(variables: Mapping[str, str]) -> dict[str, Any]:
    return dict(json.loads((Path(variables["DOCKER_CONFIG"]) / "config.json").read_text()))


@pytest.mark.parametrize("purpose", OURS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_what_docker_reads_does_not_reach_what_we_run(name: str, purpose: ClientPurpose, tmp_path: Path) -> None:
    user = environment_of(tmp_path, None, **{name: EVERYTHING[name]})
    assert ClientEnvironment(user).of(purpose).get(name) in {None, "0"}


@pytest.mark.parametrize("purpose", OURS)
def test_a_name_that_nobody_listed_does_not_pass(purpose: ClientPurpose, tmp_path: Path) -> None:
    user = environment_of(tmp_path, None, DOCKER_OF_TOMORROW="1", MEMORY="1g", REGISTRY_HTTP_ADDR=":1")
    chosen = ClientEnvironment(user).of(purpose)
    assert set(chosen) - {"DOCKER_BUILDKIT"} == {"HOME", "DOCKER_CONFIG"}


@pytest.mark.parametrize("purpose", ClientPurpose)
@pytest.mark.parametrize("name", ADDRESS)
def test_the_way_to_the_engine_passes(name: str, purpose: ClientPurpose, tmp_path: Path) -> None:
    user = environment_of(tmp_path, None, **{name: ADDRESS[name]})
    kept = purpose is not ClientPurpose.COMPOSE or name not in ELSEWHERE
    assert ClientEnvironment(user).of(purpose).get(name) == (ADDRESS[name] if kept else None)


def test_the_users_own_push_and_pull_have_the_users_environment(tmp_path: Path) -> None:
    user = environment_of(tmp_path, CONFIGURATION, **EVERYTHING)
    assert ClientEnvironment(user).of(ClientPurpose.USER) == user


def test_a_pull_for_our_services_logs_in_as_the_user_does_and_takes_this_machines_platform(tmp_path: Path) -> None:
    helpers = {"AWS_PROFILE": "work", "GNUPGHOME": "/keys", "DOCKER_AUTH_CONFIG": "{}", "DOCKER_CONFIG": "/theirs"}
    user = environment_of(tmp_path, CONFIGURATION, **{**EVERYTHING, **helpers})
    chosen = ClientEnvironment(user).of(ClientPurpose.FETCH)
    assert {name: chosen.get(name) for name in helpers} == helpers
    left = {name for name in chosen if name.startswith(("DOCKER_", "COMPOSE_", "BUILDX_", "BUILDKIT_"))}
    assert left == {"DOCKER_AUTH_CONFIG", "DOCKER_CONFIG"}


@pytest.mark.parametrize(
    "settings",
    [
        None,
        "",
        {},
        {"auths": {"a:1": {"auth": "eDp5"}}, "credsStore": "x", "credHelpers": {}},
        {"currentContext": "there", "HttpHeaders": {"X": "y"}, "cliPluginsExtraDirs": ["/opt"]},
        {"CURRENTCONTEXT": "there"},
    ],
)
def test_a_configuration_that_changes_nothing_is_used_as_it_is(settings: Any, tmp_path: Path) -> None:
    user = environment_of(tmp_path, settings)
    assert ClientEnvironment(user).of(ClientPurpose.OURS)["DOCKER_CONFIG"] == str(tmp_path / ".docker")


@pytest.mark.parametrize("key", sorted(set(CONFIGURATION) - {"credsStore"}))
def test_what_the_configuration_says_else_does_not_reach_what_we_run(key: str, tmp_path: Path) -> None:
    kept = {"currentContext": "there", "HttpHeaders": {"X": "y"}, "cliPluginsExtraDirs": ["/opt"]}
    secrets = {"auths": {"a:1": {"auth": "eDp5"}}, "credsStore": "x"}
    user = environment_of(tmp_path, {**kept, **secrets, key: CONFIGURATION[key]})
    environments = ClientEnvironment(user)
    assert configuration(environments.of(ClientPurpose.OURS)) == kept


def test_a_build_gets_the_proxies(tmp_path: Path) -> None:
    environments = ClientEnvironment(environment_of(tmp_path, CONFIGURATION))
    assert configuration(environments.of(ClientPurpose.BUILD)) == {"proxies": CONFIGURATION["proxies"]}
    assert PROXY not in str(configuration(environments.of(ClientPurpose.OURS)))


@pytest.mark.parametrize("text", ["{", "[]", "null", "\ufeff{}", "no JSON"])
def test_a_configuration_that_docker_leaves_aside_counts_as_none(text: str, tmp_path: Path) -> None:
    environments = ClientEnvironment(environment_of(tmp_path, text))
    assert configuration(environments.of(ClientPurpose.OURS)) == {}


def test_what_follows_the_first_value_is_not_read(tmp_path: Path) -> None:
    environments = ClientEnvironment(environment_of(tmp_path, '{"currentContext": "there", "psFormat": "x"} {"auths'))
    assert configuration(environments.of(ClientPurpose.OURS)) == {"currentContext": "there"}


def test_contexts_and_plugins_are_the_users(tmp_path: Path) -> None:
    user = environment_of(tmp_path, CONFIGURATION)
    for name in ("contexts", "cli-plugins"):
        (tmp_path / ".docker" / name).mkdir()
        (tmp_path / ".docker" / name / "kept").touch()
    environments = ClientEnvironment(user)
    folder = Path(environments.of(ClientPurpose.OURS)["DOCKER_CONFIG"])
    assert (folder / "contexts" / "kept").exists()
    assert (folder / "cli-plugins" / "kept").exists()


def test_contexts_that_this_user_may_not_see_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `sudo docker login`, which leaves a folder of root's."""
    user = environment_of(tmp_path, CONFIGURATION)
    stat_of = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent == tmp_path / ".docker":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat_of(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    environments = ClientEnvironment(user)
    folder = Path(environments.of(ClientPurpose.OURS)["DOCKER_CONFIG"])
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["config.json"]


def test_the_folder_is_its_users_alone_and_goes_at_the_end(tmp_path: Path) -> None:
    environments = ClientEnvironment(environment_of(tmp_path, CONFIGURATION))
    folder = Path(environments.of(ClientPurpose.OURS)["DOCKER_CONFIG"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert environments.of(ClientPurpose.OURS)["DOCKER_CONFIG"] == str(folder)
    del environments
    gc.collect()
    assert not folder.exists()
    assert (tmp_path / ".docker" / "config.json").exists()


def test_where_the_usual_place_is_full_the_folder_is_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setattr(scratch, "parents", lambda: (Path("/dev/null"), other))
    environments = ClientEnvironment(environment_of(tmp_path, CONFIGURATION))
    assert environments.of(ClientPurpose.OURS)["DOCKER_CONFIG"].startswith(str(other))


def test_without_any_place_it_is_said_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "parents", lambda: (Path("/dev/null"),))
    with pytest.raises(HostError, match="directory for temporary files") as caught:
        ClientEnvironment(environment_of(tmp_path, CONFIGURATION)).of(ClientPurpose.OURS)
    assert "TMPDIR" in caught.value.advice[0]


@pytest.mark.parametrize(
    ("settings", "variables", "expected"),
    [
        (None, {}, False),
        ({"currentContext": "default"}, {}, False),
        ({"currentContext": ""}, {}, False),
        ({"currentContext": "there"}, {}, True),
        (None, {"DOCKER_HOST": "ssh://there"}, True),
        (None, {"DOCKER_CONTEXT": "there"}, True),
    ],
)
def test_an_engine_may_be_named(settings: Any, variables: dict[str, str], expected: bool, tmp_path: Path) -> None:
    assert names_an_engine(environment_of(tmp_path, settings, **variables)) is expected
