from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path

import pytest

from deployer.cli.main import main
from deployer.errors import ConfigurationError
from deployer.paths import Deployment, config_home, data_home, deployment_names, home, user_home
from deployer.registry.connection.tls_context import installed
from deployer.registry.protocol.place import Place
from deployer.settings.load import Flags, load
from tests.support.run import free_port


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, as in a container that runs as a number."""

    def missing(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", missing)


def test_the_home_folder_is_the_variable_s_or_the_system_s() -> None:
    assert home({"HOME": "/home/me"}) == Path("/home/me")
    # An empty variable counts as none (docker/cli, getHomeDir).
    own = pwd.getpwuid(os.getuid()).pw_dir
    assert [str(home(environment)) for environment in ({}, {"HOME": ""})] == [own, own]


@pytest.mark.usefixtures("unknown")
def test_a_user_whom_the_system_does_not_know_is_told_what_to_set() -> None:
    assert user_home({}) is None
    for place in (home, config_home, data_home):
        with pytest.raises(ConfigurationError, match="HOME is not set") as caught:
            place({"HOME": ""})
        assert "export HOME=" in caught.value.advice[0]
    assert data_home({"XDG_DATA_HOME": "/data"}) == Path("/data/deployer")
    assert config_home({"XDG_CONFIG_HOME": "/config"}) == Path("/config")


@pytest.mark.usefixtures("unknown")
def test_what_needs_no_home_folder_works_without_one(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_text("port: 5001\n")
    assert load(Flags(), {"XDG_DATA_HOME": str(tmp_path)}, tmp_path).settings.port == 5001
    (tmp_path / "etc/docker/certs.d/reg:5000").mkdir(parents=True)
    (tmp_path / "etc/docker/certs.d/reg:5000/ca.crt").touch()
    assert len(installed(Place.of("https://reg:5000"), {}, root=tmp_path).ca_files) == 1


@pytest.mark.usefixtures("unknown")
def test_a_command_that_needs_a_home_folder_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["status"]) == 2
    said = capsys.readouterr().err
    assert "has no home directory" in said
    assert "bug" not in said


@pytest.mark.usefixtures("unknown")
def test_a_user_without_a_home_folder_may_speak_to_a_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job in a container that runs as a number: there is no deployment of its own that could need something."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert Deployment.known("registry", {}) is None
    assert Deployment.known("registry", {"XDG_DATA_HOME": "/data"}) == Deployment.of(
        "registry", {"HOME": "/x", "XDG_DATA_HOME": "/data"}
    )
    assert main(["catalog", "--port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert "Nothing responds" in said
    assert "home directory" not in said


def test_a_folder_has_one_name_that_is_the_one_in_composes_labels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = Path("/a/b/deployer")
    for given in ("/a/b", "/a/x/../b", "//a/b", "/a//b/", "/a/./b"):
        assert data_home({"XDG_DATA_HOME": given}) == expected
    assert data_home({"HOME": "/a/x/../b"}) == Path("/a/b/.local/share/deployer")
    monkeypatch.chdir(tmp_path)
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert data_home({"HOME": "."}) == own / ".local/share/deployer"


def test_a_folder_that_a_user_may_not_enter_is_no_deployment_for_what_needs_none(tmp_path: Path) -> None:
    long = {"XDG_DATA_HOME": str(tmp_path / ("x" * 300))}
    assert Deployment.known("registry", long) is None
    assert Deployment.known("registry", {"XDG_DATA_HOME": str(tmp_path)}) is not None


def test_a_deployment_of_another_user_is_none_of_this_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"XDG_DATA_HOME": str(tmp_path)}
    for name in ("mine", "theirs"):
        (tmp_path / "deployer" / name).mkdir(parents=True)
        (tmp_path / "deployer" / name / "compose.yaml").touch()
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == "theirs":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    assert deployment_names(found) == ("mine",)
    assert Deployment.known("mine", found) is not None
    assert Deployment.known("theirs", found) is None


@pytest.mark.parametrize("arguments", [["render", "--diff"], ["user", "list"]])
def test_a_place_that_cannot_be_looked_at_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ("x" * 300)))
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "cannot be read: File name too long." in said
