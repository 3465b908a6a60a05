"""Where backups go: the forms that are taken, and what restic is told of them."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import UsageError
from deployer.restic.target import Target

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ["s3:https://minio.example/bucket", "s3:s3.amazonaws.com/bucket/folder", "rest:http://10.0.0.1:8000/name/"]


@pytest.mark.parametrize("written", SERVERS)
def test_a_server_is_as_it_is_written_and_needs_a_network(written: str, tmp_path: Path) -> None:
    target = Target.parse(written, tmp_path)
    assert (str(target), target.directory, target.mounts({}), target.network) == (written, None, (), "host")


@pytest.mark.parametrize("written", ["backups", "./backups", "other/../backups", "{here}/backups", "~/backups"])
def test_a_directory_is_an_absolute_path_without_a_network(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    target = Target.parse(written.format(here=tmp_path), tmp_path)
    assert target.directory == tmp_path / "backups"
    assert str(target) == str(tmp_path / "backups")
    assert [(one.source, one.target) for one in target.mounts({})] == [(tmp_path / "backups", "/backup")]
    assert target.network == "none"


def test_a_directory_by_way_of_a_link_is_the_one_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert Target.parse("link", tmp_path) == Target.parse("there", tmp_path)


OTHERS = ["rclone:a:b", "b2:bucket", "azure:c:/", "gs:b:/", "swift:c:/"]
# Nothing of restic's: as scp and others would take it. None is a directory beside the settings by mistake.
NO_FORMS = [
    "nas:backups",
    "ann@nas:/backups",
    "backup@nas.example:",
    "ftp://h/x",
    "https://h/x",
    "SFTP:u@h:/x",
    "[::1]:x",
]


@pytest.mark.parametrize("written", [*OTHERS, *NO_FORMS])
def test_another_server_is_refused_and_never_taken_for_a_directory(written: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Backups cannot go to") as caught:
        Target.parse(written, tmp_path)
    assert "s3:https://HOST/BUCKET" in caught.value.advice[0]


def test_a_directory_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    assert Target.parse("./nas:backups", tmp_path).directory == tmp_path / "nas:backups"
    assert Target.parse("disk/nas:backups", tmp_path).directory == tmp_path / "disk/nas:backups"
    with pytest.raises(UsageError) as caught:
        Target.parse("my nas:backups", tmp_path)
    assert caught.value.advice[1].endswith("'./my nas:backups'")


@pytest.mark.parametrize("written", ["", "  "])
def test_nothing_is_refused(written: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        Target.parse(written, tmp_path)


def test_a_home_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="~nobody-of-this-name"):
        Target.parse("~nobody-of-this-name/backups", tmp_path)


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(UsageError, match="circle"):
        Target.parse("circle/backups", tmp_path)


@given(password=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\n\r"), min_size=1))
def test_a_shell_reads_the_password_as_it_is(password: str) -> None:
    lines = Target("rest:http://h/").variables(password, {})
    done = subprocess.run(
        ["sh", "-c", lines.decode() + 'printf %s "$RESTIC_PASSWORD"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == password


def test_a_server_gets_the_credentials_that_it_needs_and_nothing_else() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "", "HTTPS_PROXY": "http://p:1", "HOME": "/root"}
    assert Target("s3:h/b").variables("pass word", environment).decode().splitlines() == [
        "export AWS_ACCESS_KEY_ID=id",
        "export HTTPS_PROXY=http://p:1",
        "export RESTIC_REPOSITORY=s3:h/b",
        "export RESTIC_PASSWORD='pass word'",
        "export RESTIC_PROGRESS_FPS=2",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("rest:http://h:8000/x/", "rest:http://ann:p%40ss%2Fw%3Ard@h:8000/x/"),
        ("rest:http://bob:other@h:8000/x/", "rest:http://bob:other@h:8000/x/"),
        ("rest:http://h/a@b/", "rest:http://ann:p%40ss%2Fw%3Ard@h/a@b/"),
        ("s3:http://h/b", "s3:http://h/b"),
    ],
)
def test_a_rest_server_gets_its_login_in_the_url(written: str, told: str) -> None:
    login = {"RESTIC_REST_USERNAME": "ann", "RESTIC_REST_PASSWORD": "p@ss/w:rd"}
    lines = Target(written).variables("p", login).decode().splitlines()
    assert f"export RESTIC_REPOSITORY={shlex.quote(told)}" in lines


def test_a_directory_needs_no_credentials(tmp_path: Path) -> None:
    told = Target.parse("x", tmp_path).variables("p", {"AWS_ACCESS_KEY_ID": "id"}).decode()
    assert "AWS" not in told
    assert "export RESTIC_REPOSITORY=/backup\n" in told
