"""Each line of docs/reference/docker-configuration.md on logins: the real client and ours, side by side."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployer.errors import Denied, DeployerError, HostError
from tests.support.docker_login import SideBySide, keeps, packed, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ANN = "ann:pw"
ENTRY: dict[str, Any] = {"auth": packed(ANN)}
HELPER = "docker-credential-kept"
UNKNOWN = "echo credentials not found in native keychain; exit 1"
PLATFORM = "docker-credential-secretservice"


@pytest.fixture
def both(engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SideBySide]:
    # Paths in the environment may be relative.
    monkeypatch.chdir(tmp_path)
    with side_by_side(tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Case:
    """A config.json, helpers by name, and the credentials that arrive; `error` is how ours ends where none do."""

    name: str
    config: Any
    sent: str = ""
    helpers: Mapping[str, str] = field(default_factory=dict)
    error: type[DeployerError] = Denied


def of(name: str, sent: str = "", error: type[DeployerError] = Denied, **entry: Any) -> Case:
    """A case of one entry."""
    return Case(name, {"auths": {"{A}": entry}}, sent, error=error)


KEYS = [
    *(Case(key, {"auths": {key: ENTRY}}, ANN) for key in ("{A}", "https://{A}", "http://{A}/v1/", "{A}/v2/", "{A}/")),
    *(Case(key, {"auths": {key: ENTRY}}, ANN) for key in ("ftp://{A}/x", "HTTPS://{A}", "https://someone@{A}/")),
    *(Case(f"not {key}", {"auths": {key: ENTRY}}) for key in ("//{A}", " {A}", "127.0.0.1", "")),
]
ENTRIES = [
    of("user and password", ANN, username="ann", password="pw"),
    of("auth before user and password", ANN, username="bob", password="x", **ENTRY),
    of("auth with line ends", "ann:a longer password", auth=packed("ann:a longer password").replace("b", "\r\nb")),
    of("auth in base64 of URLs", auth="YW5uOsO_w7_Dvj4_", error=HostError),
    of("auth without padding", auth=packed("ann:pw1").rstrip("="), error=HostError),
    of("auth with a blank", auth=f" {packed(ANN)}", error=HostError),
    of("auth with NUL", ANN, auth=packed("ann:\0pw\0\0")),
    of("auth without a colon", auth=packed("ann"), error=HostError),
    of("auth without a name", auth=packed(":pw"), error=HostError),
    of("auth without a password", auth=packed("ann:")),
    of("auth with colons", "ann:p:w:", auth=packed("ann:p:w:")),
    of("auth in UTF-8", "änn:pä", auth=packed("änn:pä")),
    of("auth null", ANN, auth=None, username="ann", password="pw"),
    of("auth a number", auth=5, error=HostError),
    of("auth a number, user and password", ANN, auth=5, username="ann", password="pw"),
    of("identity token", identitytoken="t0ken"),
    of("identity token and auth", ANN, identitytoken="t0ken", **ENTRY),
    of("registry token", registrytoken="t0ken"),
    of("registry token and auth", registrytoken="t0ken", **ENTRY),
    of("empty"),
    of("server in it is not applied", ANN, serveraddress="elsewhere:1", **ENTRY),
    of("e-mail", ANN, email="ann@example.org", **ENTRY),
    Case("null entry", {"auths": {"{A}": None}}),
    Case("null entry hides an older key", {"auths": {"{A}": None, "https://{A}": ENTRY}}),
]
AUTHS = f'"auths": {{"{{A}}": {json.dumps(ENTRY)}}}'
FORMS = [
    Case("empty file", ""),
    Case("blanks", " \n\t"),
    Case("null", "null"),
    Case("a list", "[]", error=HostError),
    Case("auths null", {"auths": None}),
    Case("auths a list", {"auths": []}, error=HostError),
    Case("names in another case", {"AUTHS": {"{A}": {"Auth": packed(ANN)}}}, ANN),
    Case("unknown fields", {"x": {"auths": 1}, "auths": {"{A}": {**ENTRY, "y": 5}}}, ANN),
    Case("an entry twice", f'{{"auths": {{"{{A}}": {{"auth": "{packed("a:1")}"}}, {AUTHS[10:]}}}', ANN),
    Case("an entry twice is not merged", '{"auths": {"{A}": {"username": "ann"}, "{A}": {"password": "pw"}}}'),
    Case("auths twice are merged", f'{{{AUTHS}, "auths": {{"other": {{}}}}}}', ANN),
    Case("auths twice, then null", f'{{{AUTHS}, "auths": null}}'),
    Case("data after it", f"{{{AUTHS}}} and more", ANN),
    Case("byte order mark", f"\ufeff{{{AUTHS}}}", error=HostError),
    Case("UTF-16", f"{{{AUTHS}}}".encode("utf-16"), error=HostError),
    Case("bytes that are not UTF-8", b'{"x": "\xff", ' + AUTHS.encode() + b"}", ANN),
    Case("half a surrogate", '{"auths": {"{A}": {"username": "ann", "password": "\\ud800x"}}}', "ann:\ufffdx"),
    Case("a comment", f"// logins\n{{{AUTHS}}}", error=HostError),
    Case("a comma too many", f"{{{AUTHS},}}", error=HostError),
    Case("NaN", f'{{"x": NaN, {AUTHS}}}', error=HostError),
    Case("a very long number", f'{{"x": {"9" * 5000}, {AUTHS}}}', ANN),
    Case("nested without end", f'{{"x": {"[" * 11000}{"]" * 11000}, {AUTHS}}}', error=HostError),
    Case("cut off", f"{{{AUTHS}", error=HostError),
    Case("a tab in a text", f'{{"x": "a\tb", {AUTHS}}}', error=HostError),
]
# A value of the wrong type: Docker reads the rest, and decodes no `auth`.
WRONG = [
    *(
        Case(f"{name}: {json.dumps(value)}", {name: value, "auths": {"{A}": ENTRY}}, error=HostError)
        for name, value in {
            "psFormat": 5,
            "PSFORMAT": True,
            "detachKeys": ["a"],
            "credsStore": {},
            "currentContext": 1,
            "HttpHeaders": {"X": 1},
            "httpheaders": "X",
            "credHelpers": {"other": 5},
            "pruneFilters": "a=b",
            "PruneFilters": ["a", 5],
            "cliPluginsExtraDirs": {"a": "b"},
            "proxies": {"default": {"httpProxy": 1}},
            "Proxies": {"default": "http://proxy:3128"},
            "plugins": {"scan": {"enabled": True}},
            "Plugins": {"scan": "on"},
        }.items()
    ),
    *(
        Case(f"{name}: {json.dumps(value)}", {name: value, "auths": {"{A}": ENTRY}}, ANN)
        for name, value in {
            "psFormat": None,
            "HttpHeaders": None,
            "proxies": {"default": None, "other": {"httpProxy": None, "unknown": 1}},
            "plugins": {"scan": None, "other": {"enabled": None}},
            "pruneFilters": [None],
            "aliases": {},
            "$schema": 5,
        }.items()
    ),
    Case("another's auth a number", {"auths": {"other": {"auth": 5}, "{A}": ENTRY}}, error=HostError),
    Case("another's entry a text", {"auths": {"other": "x", "{A}": ENTRY}}, error=HostError),
    Case("auth, then a number", f'{{"auths": {{"{{A}}": {{"auth": "{packed(ANN)}", "auth": 5}}}}}}', error=HostError),
    Case("user and password survive", {"psFormat": 5, "auths": {"{A}": {"username": "ann", "password": "pw"}}}, ANN),
    Case(
        "not what auth has",
        {"psFormat": 5, "auths": {"{A}": {"username": "bob", "password": "x", **ENTRY}}},
        "bob:x",
    ),
    Case("a helper survives", {"psFormat": 5, "credsStore": "kept"}, "a:b", {HELPER: keeps("a", "b")}),
    Case("one of one server", {"credHelpers": {"x": 5, "{A}": "kept"}, "auths": {}}, "a:b", {HELPER: keeps("a", "b")}),
    Case("no login at all", {"psFormat": 5}, error=HostError),
    Case("the platform's store", {"psFormat": 5}, "a:b", {PLATFORM: keeps("a", "b")}),
]
STORE = {"credsStore": "kept"}
HELPERS = [
    Case("store", STORE, "hel:per", {HELPER: keeps("hel", "per")}),
    Case("store before auths", {**STORE, "auths": {"{A}": ENTRY}}, "hel:per", {HELPER: keeps("hel", "per")}),
    Case("store and an empty entry", {**STORE, "auths": {"{A}": {}}}, "hel:per", {HELPER: keeps("hel", "per")}),
    Case("store null", {"credsStore": None, "auths": {"{A}": ENTRY}}, ANN),
    Case("store has none", {**STORE, "auths": {"{A}": ENTRY}}, helpers={HELPER: UNKNOWN}),
    Case("store in other words", {**STORE, "auths": {"{A}": ENTRY}}, ANN, {HELPER: f"{UNKNOWN.replace(';', '.;')}"}),
    Case("store fails, alone", STORE, helpers={HELPER: "echo locked; exit 1"}, error=HostError),
    Case("store fails, auths", {**STORE, "auths": {"{A}": ENTRY}}, ANN, {HELPER: "echo locked; exit 1"}),
    Case("store not installed", STORE, error=HostError),
    Case("store not installed, auths", {**STORE, "auths": {"{A}": ENTRY}}, ANN),
    Case("store says nothing", {**STORE, "auths": {"{A}": ENTRY}}, ANN, {HELPER: "true"}),
    Case("store answers more", STORE, "hel:per", {HELPER: keeps("hel", "per") + "; echo more"}),
    Case("store answers {}", STORE, helpers={HELPER: "echo '{}'"}),
    Case("store in another case", STORE, "a:b", {HELPER: """echo '{"username": "a", "SECRET": "b"}'"""}),
    Case("store has a token", {**STORE, "auths": {"{A}": ENTRY}}, helpers={HELPER: keeps("<token>", "t0ken")}),
    Case("registry token", {**STORE, "auths": {"{A}": {"registrytoken": "t"}}}, helpers={HELPER: keeps("a", "b")}),
    Case("helper of one", {"credHelpers": {"{A}": "kept"}, "credsStore": "x"}, "a:b", {HELPER: keeps("a", "b")}),
    Case(
        "helper of none", {**STORE, "credHelpers": {"{A}": ""}, "auths": {"{A}": ENTRY}}, ANN, {HELPER: keeps("a", "b")}
    ),
    Case(
        "helper null", {**STORE, "credHelpers": {"{A}": None}, "auths": {"{A}": ENTRY}}, ANN, {HELPER: keeps("a", "b")}
    ),
    Case("helper of a URL", {"credHelpers": {"https://{A}": "x"}, "auths": {"{A}": ENTRY}}, ANN),
    Case("helper of another", {"credHelpers": {"other": "kept"}, "auths": {"{A}": ENTRY}}, ANN),
    Case("platform's store", {}, "a:b", {PLATFORM: keeps("a", "b")}),
    Case("platform's store, auths empty", {"auths": {}, "credsStore": ""}, "a:b", {PLATFORM: keeps("a", "b")}),
    Case("platform's store, not with auths", {"auths": {"other": {}}}, helpers={PLATFORM: keeps("a", "b")}),
    Case("pass", {}, "p:w", {PLATFORM: keeps("a", "b"), "pass": "true", "docker-credential-pass": keeps("p", "w")}),
    Case("pass without its helper", {}, helpers={PLATFORM: keeps("a", "b"), "pass": "true"}),
]


@pytest.mark.parametrize(
    "case", [*KEYS, *ENTRIES, *FORMS, *WRONG, *HELPERS], ids=lambda case: case.name.replace("{A}", "A")
)
def test_a_config_json_is_read_as_docker_reads_it(both: SideBySide, case: Case) -> None:
    both.write(case.config)
    for name, script in case.helpers.items():
        both.program(name, script)
    assert both.docker() == case.sent
    sent, error = both.ours()
    assert sent == case.sent
    assert isinstance(error, case.error) if not case.sent else error is None
    assert not re.search(r"pw|t0ken|YW5u", f"{error}{error and error.advice}{error and error.original}")


def _dangling(both: SideBySide) -> None:
    (both.home / "docker").mkdir()
    (both.home / "docker/config.json").symlink_to("nowhere")


def _linked(both: SideBySide) -> None:
    both.write({"auths": {"{A}": ENTRY}})
    (both.home / "docker/config.json").rename(both.home / "real.json")
    (both.home / "docker/config.json").symlink_to("../real.json")


def _in_circles(both: SideBySide) -> None:
    (both.home / "docker").mkdir()
    (both.home / "docker/config.json").symlink_to("config.json")


def _in_home(both: SideBySide) -> None:
    both.write({"auths": {"{A}": ENTRY}})
    (both.home / "docker").rename(both.home / ".docker")


def _of_old(both: SideBySide) -> None:
    (both.home / ".dockercfg").write_text(json.dumps({both.address: ENTRY}))


def _in_folder(both: SideBySide) -> None:
    both.write({"auths": {"{A}": ENTRY}})


@pytest.mark.parametrize(
    ("make", "variables", "sent", "error"),
    [
        (lambda both: (both.home / "docker/config.json").mkdir(parents=True), {}, "", HostError),
        (lambda both: (both.home / "docker").write_text("a file"), {}, "", HostError),
        (_in_circles, {}, "", HostError),
        (_dangling, {}, "", Denied),
        (_linked, {}, ANN, None),
        (_in_folder, {"DOCKER_CONFIG": "docker"}, ANN, None),
        (_in_home, {"DOCKER_CONFIG": ""}, ANN, None),
        (_in_home, {"DOCKER_CONFIG": "", "HOME": "."}, ANN, None),
        (_in_home, {"DOCKER_CONFIG": "~/.docker"}, "", Denied),
        (_of_old, {"DOCKER_CONFIG": ""}, "", Denied),
    ],
    ids=["folder", "parent a file", "links in circles", "dangling", "link", "relative", "home", ".", "~", ".dockercfg"],
)
def test_the_file_is_where_docker_has_it(
    both: SideBySide,
    make: Callable[[SideBySide], object],
    variables: dict[str, str],
    sent: str,
    error: type[DeployerError] | None,
) -> None:
    make(both)
    both.variables.update(variables)
    assert both.docker() == sent
    found, raised = both.ours()
    assert found == sent
    assert type(raised) is (error or type(None))


def test_a_helper_is_not_run_from_a_folder_that_the_path_names_relatively(both: SideBySide) -> None:
    both.write(STORE)
    both.program(HELPER, keeps("hel", "per"), "here")
    both.variables["PATH"] = f"here:{both.environment['PATH']}"
    assert both.docker() == ""
    sent, error = both.ours()
    assert sent == ""
    assert isinstance(error, HostError)
    assert "is not installed" in error.message


def test_a_user_whom_the_system_does_not_know_has_docker_s_folder_where_they_are(both: SideBySide) -> None:
    _in_home(both)
    both.variables.update(HOME="", DOCKER_CONFIG="")
    socket = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")).stat()
    number = "54321"
    for folder in (both.home, *both.home.parents[:2]):
        folder.chmod(0o755)
    assert both.docker("setpriv", "--reuid", number, "--regid", number, "--groups", str(socket.st_gid)) == ANN
    # Once it is that user, it may not be able to read the interpreter's own files.
    script = (
        "import os, sys; from deployer.registry.login.credentials import find_credentials\n"
        f"os.setgroups([]); os.setgid({number}); os.setuid({number})\n"
        "found = find_credentials(sys.argv[1], {}); print(f'{found.username}:{found.password}')"
    )
    words = [sys.executable, "-c", script, both.address]
    done = subprocess.run(words, cwd=both.home, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ANN


@dataclass(frozen=True)
class Difference:
    """What Docker and we do differently on purpose; `why` is in the reference."""

    why: str
    config: Any
    docker: str
    ours: str


@pytest.mark.parametrize(
    "case",
    [
        Difference("a helper outside of the PATH is not run", {"credsStore": "x/y"}, "a:b", ""),
    ],
    ids=lambda case: case.why,
)
def test_what_differs_on_purpose(both: SideBySide, case: Difference) -> None:
    both.write(case.config)
    both.program("y", keeps("a", "b"), "docker-credential-x")
    assert both.docker() == case.docker
    assert both.ours()[0] == case.ours


@pytest.mark.parametrize("damage", ['"broken:1": {"auth": 5}}}', '"broken:1": ', '"x": {}}, "psFormat": 5}'])
def test_docker_login_deletes_what_is_beside_damage_and_we_do_not_advise_it(both: SideBySide, damage: str) -> None:
    others = "".join(f'"other{number}:1": {json.dumps(ENTRY)}, ' for number in range(8))
    both.write('{"auths": {' + others + damage)
    _, error = both.ours()
    assert isinstance(error, HostError)
    assert "with an editor" in error.advice[0]
    words = ("docker", "login", "--username", "ann", "--password-stdin", both.address)
    subprocess.run(words, env=both.environment, input="pw", text=True, check=True, capture_output=True)
    kept = json.loads((both.home / "docker/config.json").read_text())["auths"]
    # With an `auth` that is not base64, chance says which of them go: Go's maps have no order.
    assert not any(kept.get(f"other{number}:1") == ENTRY for number in range(8))


def test_a_field_that_some_versions_of_docker_know_is_named_where_docker_stumbled_over_it(both: SideBySide) -> None:
    stumbles = _version() < (29,)
    both.write({"experimental": True, "auths": {"{A}": ENTRY}})
    assert both.docker() == ("" if stumbles else ANN)
    assert both.ours() == (ANN, None)
    pull = [sys.executable, "-m", "deployer", "--host", "127.0.0.1", "--port", str(both.port), "pull", "x:y"]
    done = subprocess.run(pull, env=both.environment, cwd=both.home, capture_output=True, text=True, check=False)
    assert ("'experimental' must be a string" in done.stderr) is stumbles
    assert ("→ docker login" in done.stderr) is False


def _version() -> tuple[int, ...]:
    command = ["docker", "version", "--format", "{{.Client.Version}}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in told.split(".")[:2])


def test_docker_auth_config_comes_first_from_docker_28_3_on(both: SideBySide) -> None:
    both.write({"auths": {"{A}": ENTRY}})
    both.variables["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {both.address: {"auth": packed("ci:token")}}})
    knows = _version() >= (28, 3)
    assert both.docker() == ("ci:token" if knows else ANN)
    assert both.ours() == ("ci:token", None)


def test_push_and_pull_name_a_helper_that_fails_and_the_way_past_it_works(both: SideBySide) -> None:
    both.write({"credsStore": "broken"})
    both.program("docker-credential-broken", f"{keeps('ann', 's3cret')}; exit 1")
    pull = [sys.executable, "-m", "deployer", "--host", "127.0.0.1", "--port", str(both.port), "pull", "x:y"]

    def pulled() -> str:
        done = subprocess.run(pull, env=both.environment, cwd=both.home, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "s3cret" not in done.stdout + done.stderr
        return done.stderr

    told = pulled()
    assert "'docker-credential-broken', which stores Docker's logins, failed with exit code 1" in told
    assert f'"credHelpers": {{"{both.address}": ""}}' in told
    both.write({"credsStore": "broken", "credHelpers": {"{A}": ""}})
    login = ["docker", "login", "--username", "ann", "--password-stdin", both.address]
    subprocess.run(login, env=both.environment, cwd=both.home, input=b"pw", capture_output=True, check=True)
    assert "No repository named 'x'" in pulled()
    assert "ann:pw" in both.seen
