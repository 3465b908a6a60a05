from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from deployer.errors import HostError
from deployer.registry.login.credential_helper import platform_store
from deployer.registry.login.credentials import Credentials, find_credentials
from deployer.registry.login.docker_config import config_file
from tests.support.run import PATIENCE_SECONDS

ADDRESS = "registry.example:5000"
SECRET = "s3cret:with:colons"


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Home:
    """A user's Docker configuration and the programs on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environment = {"DOCKER_CONFIG": str(folder), "PATH": str(self.bin), "EXTRA": "kept"}

    def write(self, settings: Any) -> None:
        text = settings if isinstance(settings, str) else json.dumps(settings)
        (self.folder / "config.json").write_text(text)

    def helper(self, name: str, script: str) -> None:
        program = self.bin / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def find(self, address: str = ADDRESS, timeout: float = PATIENCE_SECONDS) -> Credentials | None:
        return find_credentials(address, self.environment, timeout=timeout)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_file_is_dockers_own() -> None:
    assert config_file({"DOCKER_CONFIG": "/etc/d", "HOME": "/home/me"}) == Path("/etc/d/config.json")
    assert config_file({"HOME": "/home/me"}) == Path("/home/me/.docker/config.json")


@pytest.mark.parametrize("key", [ADDRESS, f"https://{ADDRESS}", f"http://{ADDRESS}/v1/"])
def test_a_saved_login_is_found(home: Home, key: str) -> None:
    home.write({"auths": {"other:5000": {"auth": packed("x:y")}, key: {"auth": packed(f"ann:{SECRET}")}}})
    assert home.find() == Credentials("ann", SECRET)
    assert home.find("registry.example:5001") is None


def test_the_port_of_https_may_be_left_out(home: Home) -> None:
    home.write({"auths": {"registry.example": {"auth": packed(f"ann:{SECRET}")}}})
    assert home.find("registry.example:443") == Credentials("ann", SECRET)
    assert home.find("registry.example:80") is None


def test_padding_is_taken_off(home: Home) -> None:
    home.write({"auths": {ADDRESS: {"auth": packed("ann:pw\0\0")}}})
    assert home.find() == Credentials("ann", "pw")


def test_an_identity_token_is_no_password(home: Home) -> None:
    home.write({"auths": {ADDRESS: {"auth": packed("ann:"), "identitytoken": "t0ken"}}})
    assert home.find() == Credentials("ann", identity_token="t0ken")


@pytest.mark.parametrize(
    "settings", ["", "{}", "null", {"auths": {}}, {"auths": {ADDRESS: {}}}, {"auths": None, "credHelpers": None}]
)
def test_nothing_saved_is_nothing(home: Home, settings: Any) -> None:
    home.write(settings)
    assert home.find() is None


def test_no_file_is_nothing(home: Home) -> None:
    assert home.find() is None
    home.environment["DOCKER_CONFIG"] = str(home.folder / "nowhere")
    assert home.find() is None


def test_a_helper_is_asked_with_the_server_on_its_input(home: Home) -> None:
    answer = json.dumps({"ServerURL": ADDRESS, "Username": "ann", "Secret": SECRET})
    home.helper("vault", f"read -r server; [ \"$1 $server $EXTRA\" = 'get {ADDRESS} kept' ] && echo '{answer}'")
    home.write({"credsStore": "vault", "auths": {ADDRESS: {}}})
    assert home.find() == Credentials("ann", SECRET)


def test_a_helper_of_one_server_goes_before_the_store(home: Home) -> None:
    home.helper("one", 'echo \'{"Username": "one", "Secret": "1"}\'')
    home.helper("all", 'echo \'{"Username": "all", "Secret": "2"}\'')
    home.write({"credsStore": "all", "credHelpers": {ADDRESS: "one"}})
    assert home.find() == Credentials("one", "1")
    assert home.find("other:1") == Credentials("all", "2")


def test_a_helpers_token_is_an_identity_token(home: Home) -> None:
    home.helper("all", 'echo \'{"Username": "<token>", "Secret": "t0ken"}\'')
    home.write({"credsStore": "all"})
    assert home.find() == Credentials("<token>", identity_token="t0ken")


def test_what_a_helper_does_not_know_is_not_in_the_file_either(home: Home) -> None:
    home.helper("all", "echo credentials not found in native keychain; exit 1")
    home.write({"credsStore": "all", "auths": {ADDRESS: {"auth": packed("ann:pw")}}})
    assert home.find() is None


def test_where_a_helper_fails_the_file_counts(home: Home) -> None:
    home.write({"credsStore": "gone", "auths": {ADDRESS: {"auth": packed("ann:pw")}}})
    assert home.find() == Credentials("ann", "pw")


@pytest.mark.parametrize(
    ("platform", "name"), [("darwin", "osxkeychain"), ("linux", "secretservice"), ("linux", "pass")]
)
def test_each_platform_has_its_own_store(home: Home, platform: str, name: str) -> None:
    assert platform_store(home.environment, platform) == ""
    (home.bin / "pass").touch()
    if name == "pass":
        (home.bin / "pass").chmod(0o755)
    home.helper(name, "")
    assert platform_store(home.environment, platform) == name


def test_logins_in_a_variable_come_first(home: Home) -> None:
    home.write({"auths": {ADDRESS: {"auth": packed("ann:pw")}}})
    home.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {ADDRESS: {"auth": packed("ci:t")}}})
    assert home.find() == Credentials("ci", "t")
    home.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {f"https://{ADDRESS}": {"auth": packed("ci:t")}}})
    assert home.find() == Credentials("ann", "pw")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"auths": {}} {}',
        '{"credsStore": "x"}',
        '{"auths": {"a": {}}}',
        '{"auths": {"a": {"username": "b"}}}',
    ],
)
def test_a_variable_that_docker_ignores_is_named_where_there_is_no_other_login(home: Home, text: str) -> None:
    home.environment["DOCKER_AUTH_CONFIG"] = text
    with pytest.raises(HostError, match="DOCKER_AUTH_CONFIG"):
        home.find()
    home.write({"auths": {ADDRESS: {"auth": packed("ann:pw")}}})
    assert home.find() == Credentials("ann", "pw")


def test_without_a_home_folder_the_file_is_where_docker_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert config_file({}) == Path(".docker/config.json")
    assert config_file({"HOME": ""}) == Path(".docker/config.json")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo the keychain is locked; exit 1", "failed with exit code 1"),
        ("echo 'Secret: s3cret'", "something that is not a login"),
        ("echo '[]'", "something that is not a login"),
        ('echo \'{"Username": "ann", "Secret": 5}\'', "something that is not a login"),
    ],
)
def test_a_helper_that_fails_is_named(home: Home, script: str, words: str) -> None:
    home.environment["PATH"] += ":/usr/bin:/bin"
    home.helper("all", script)
    home.write({"credsStore": "all"})
    with pytest.raises(HostError, match=r"docker-credential-all.*" + words) as caught:
        home.find()
    assert "s3cret" not in f"{caught.value}{caught.value.original}{caught.value.__cause__}"


LOGIN = '{"ServerURL": "x", "Username": "ann", "Secret": "s3cret"}'


@pytest.mark.parametrize(
    "script",
    [
        f"echo '{LOGIN}'; exit 1",
        f"echo '{LOGIN}' >&2; exit 1",
        "echo 'the password is s3cret'; exit 1",
        "echo pass not initialized; echo the entry is s3cret; exit 2",
        "echo s3cret; exit 1",
    ],
)
def test_what_a_failing_helper_printed_is_not_told(home: Home, script: str) -> None:
    home.helper("all", script)
    home.write({"credsStore": "all"})
    with pytest.raises(HostError, match=r"docker-credential-all.*failed with exit code") as caught:
        home.find()
    assert "s3cret" not in "".join((str(caught.value), *caught.value.advice, caught.value.original))
    assert f"echo {ADDRESS} | docker-credential-all get" in caught.value.advice[0]


@pytest.mark.parametrize(
    "words",
    [
        "pass not initialized: exit status 1: Error: password store is empty. Try 'pass init'.",
        "exit status 2: gpg: decryption failed: No secret key",
        "Cannot autolaunch D-Bus without X11 $DISPLAY",
        "The name org.freedesktop.secrets was not provided by any .service files",
        "User interaction is not allowed. (-25308)",
    ],
)
def test_the_reasons_of_the_known_helpers_are_told(home: Home, words: str) -> None:
    home.environment["PATH"] += ":/usr/bin:/bin"
    home.helper("all", f"cat <<'END'\n{words}\nEND\nexit 1")
    home.write({"credsStore": "all"})
    with pytest.raises(HostError) as caught:
        home.find()
    assert caught.value.original.splitlines()[0] in words


def test_a_helper_that_does_not_answer_is_named(home: Home) -> None:
    home.environment["PATH"] += ":/usr/bin:/bin"
    home.helper("all", "exec sleep 300")
    home.write({"credsStore": "all"})
    with pytest.raises(HostError, match=r"docker-credential-all.*did not respond within 0.3 seconds"):
        home.find(timeout=0.3)


@pytest.mark.parametrize("name", ["missing", "../../bin/sh", "/bin/sh"])
def test_a_helper_that_is_not_installed_is_named(home: Home, name: str) -> None:
    home.write({"credsStore": name})
    with pytest.raises(HostError, match="not installed") as caught:
        home.find()
    assert f"docker login {ADDRESS}" in caught.value.advice[0]


def test_a_helper_that_cannot_be_run_is_named(home: Home) -> None:
    home.helper("all", "")
    (home.bin / "docker-credential-all").write_bytes(b"\x7fELF no program")
    home.write({"credsStore": "all"})
    with pytest.raises(HostError, match="cannot be run"):
        home.find()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"auths": {"a": {"auth": "c2VjcmV0"},}', "not valid JSON \\(line 1, column"),
        ("[]", "does not contain a JSON object"),
    ],
)
def test_a_damaged_file_is_named_without_its_secrets(home: Home, text: str, words: str) -> None:
    home.write(text)
    with pytest.raises(HostError, match=words) as caught:
        home.find()
    assert caught.value.__cause__ is None
    assert "c2VjcmV0" not in f"{caught.value}{caught.value.original}"


@pytest.mark.parametrize(
    "auth", ["not base64!", packed("no colon"), packed(":no user"), base64.b64encode(b"\xff\xfe:x").decode()]
)
def test_a_damaged_entry_is_named_without_its_secrets(home: Home, auth: str) -> None:
    home.write({"auths": {ADDRESS: {"auth": auth}}})
    with pytest.raises(HostError, match="is damaged") as caught:
        home.find()
    assert "with an editor" in caught.value.advice[0]
    assert caught.value.advice[1] == f"docker login {ADDRESS}"
    assert auth not in str(caught.value)


def test_a_damaged_neighbour_is_named_before_docker_deletes_logins_for_it(home: Home) -> None:
    entry, good = {"auth": "damaged!"}, {"auth": packed(f"ann:{SECRET}")}
    home.write({"auths": {"other:1": entry, "third:1": good}})
    with pytest.raises(HostError, match=r"The login for other:1 in .* is damaged") as caught:
        home.find()
    assert caught.value.advice[1] == f"docker login {ADDRESS}"
    assert "damaged!" not in str(caught.value)
    home.write({"auths": {"other:1": entry, ADDRESS: good}})
    assert home.find() == Credentials("ann", SECRET)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"HttpHeaders": {"User": "a", "X": 1}}, "'HttpHeaders.X' must be a string"),
        ({"HttpHeaders": [SECRET]}, "'HttpHeaders' must be an object"),
        ({"PSFORMAT": 5, "detachKeys": 5}, "'PSFORMAT' must be a string"),
        ({"pruneFilters": ["a", 5]}, "'pruneFilters' must be a list of strings"),
        ({"pruneFilters": SECRET}, "'pruneFilters' must be a list of strings"),
        ({"plugins": {"scan": {"enabled": True}}}, "'plugins.scan.enabled' must be a string"),
        ({"aliases": {"builder": 5}}, "'aliases.builder' must be a string"),
        ({"auths": {"x:1": {"auth": [SECRET]}}}, "'auths.x:1.auth' must be a string"),
        ({"credHelpers": {"x\x1b[2J": 5}}, "'credHelpers.x\ufffd[2J' must be a string"),
    ],
)
def test_a_value_of_the_wrong_type_costs_every_password(home: Home, fields: dict[str, Any], told: str) -> None:
    good = {"auth": packed(f"ann:{SECRET}")}
    home.write({**fields, "auths": {**fields.get("auths", {}), ADDRESS: good}})
    with pytest.raises(HostError) as caught:
        home.find()
    assert "config.json, where Docker stores its logins, has a value of the wrong type" in str(caught.value)
    assert str(caught.value).endswith(f"and Docker reads no password from it: {told}.")
    assert caught.value.advice[0] == "Correct it with an editor."
    assert caught.value.advice[1].startswith("`docker login` would overwrite")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"experimental": True}, "'experimental' must be a string"),
        ({"features": {"buildkit": True}}, "'features.buildkit' must be a string"),
        ({"kubernetes": {"allNamespaces": 1}}, "'kubernetes.allNamespaces' must be a string"),
        ({"proxies": {"default": {"allProxy": 1}}}, "'proxies.default.allProxy' must be a string"),
        ({"auths": {"x:1": {"email": 1}}}, "'auths.x:1.email' must be a string"),
    ],
)
def test_what_only_some_versions_stumble_over_is_told_where_there_is_no_login(
    home: Home, fields: dict[str, Any], told: str
) -> None:
    good = {"auth": packed(f"ann:{SECRET}")}
    home.write({**fields, "auths": {**fields.get("auths", {}), ADDRESS: good}})
    assert home.find() == Credentials("ann", SECRET)
    home.write({**fields, "auths": {**fields.get("auths", {}), "third:1": good}})
    with pytest.raises(HostError) as caught:
        home.find()
    assert str(caught.value).endswith(f"some versions of Docker read no password from it: {told}.")
    assert caught.value.advice[1].startswith("`docker login` would overwrite")


def test_files_that_cannot_be_read_are_named(home: Home) -> None:
    (home.folder / "config.json").mkdir()
    with pytest.raises(HostError, match="cannot be read"):
        home.find()
    (home.folder / "config.json").rmdir()
    (home.folder / "config.json").write_bytes(b"\xff\xfe")
    with pytest.raises(HostError, match="UTF-8"):
        home.find()


def test_secrets_do_not_show() -> None:
    shown = repr(Credentials("ann", SECRET, "t0ken"))
    assert "ann" in shown
    assert SECRET not in shown
    assert "t0ken" not in shown


def test_the_header_is_utf_8() -> None:
    assert Credentials("ann", "pä:ss").basic() == "Basic " + packed("ann:pä:ss")
