"""The deployment's own files in a backup."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer import __version__
from deployer.errors import BackupError
from deployer.paths import Deployment
from deployer.settings.load import Assumed, Flags, load
from deployer.workflows.backup.archive import About, Archive, Kept, collect, files_of
from deployer.workflows.backup.catalog import FORMAT

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.settings.load import Loaded

ABOUT = About("registry", "registry.example", 443, {"registry": "registry:3"})
FILES = {Kept.SETTINGS: b"port: 443\n", Kept.USERS: b"ann:hash\n", Kept.FRONTEND: bytes(range(256)) * 9}


def test_what_is_packed_is_unpacked() -> None:
    made = Archive(ABOUT, FILES)
    assert Archive.unpack(made.pack()) == made
    assert Archive.unpack(Archive(ABOUT, {}).pack()).files == {}


def test_the_same_files_are_the_same_bytes() -> None:
    turned = dict(reversed(FILES.items()))
    assert Archive(ABOUT, FILES).pack() == Archive(ABOUT, turned).pack()
    assert Archive(ABOUT, FILES).pack() != Archive(ABOUT, {**FILES, Kept.KEY: b""}).pack()


@given(files=st.dictionaries(st.sampled_from(Kept), st.binary()))
def test_any_content_is_kept(files: dict[Kept, bytes]) -> None:
    assert Archive.unpack(Archive(ABOUT, files).pack()).files == files


def test_no_content_is_shown() -> None:
    assert "ann:hash" not in repr(Archive(ABOUT, FILES))


def packed(about: Any, **files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in {"about.json": json.dumps(about).encode(), **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


SAID = {"name": "registry", "host": "h", "port": 1, "images": {}, "with_secrets": True}


def test_a_newer_format_is_refused_by_the_version_that_made_it() -> None:
    with pytest.raises(BackupError, match=rf"newer deployer \(9\.0\); this is {__version__}") as caught:
        Archive.unpack(packed({"deployer": "9.0", "format": FORMAT + 1, "of": "another form"}))
    assert "Install that version" in caught.value.advice[0]


@pytest.mark.parametrize(
    "about",
    [None, [], "text", {}, {**SAID, "format": None}, {**SAID, "format": "x"}, {"format": FORMAT}],
)
def test_an_archive_with_another_description_is_damaged(about: Any) -> None:
    with pytest.raises(BackupError, match="files in the backup are damaged"):
        Archive.unpack(packed(about))


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 700, 1500, 2600])
def test_an_archive_that_was_cut_is_damaged(cut: int) -> None:
    whole = Archive(ABOUT, FILES).pack()
    with pytest.raises(BackupError, match="damaged"):
        Archive.unpack(whole[:cut])


@given(st.one_of(st.binary(), st.binary().map(gzip.compress), st.binary().map(lambda one: b"\x1f\x8b\x08\0" + one)))
def test_any_other_bytes_are_damage(content: bytes) -> None:
    with pytest.raises(BackupError, match="damaged"):
        Archive.unpack(content)


def test_unknown_files_in_it_are_left_out() -> None:
    about = {**SAID, "deployer": "1", "format": FORMAT}
    assert Archive.unpack(packed(about, users=b"u", other=b"o")).files == {Kept.USERS: b"u"}


class Home:
    """A deployment with all its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deployment = Deployment.of("registry", {"XDG_DATA_HOME": str(folder / "data")})
        self.deployment.directory.mkdir(parents=True)
        self.deployment.users_file.write_text("ann:hash\n")
        self.deployment.secrets_file.write_text("s3cr3t")
        self.deployment.override_file.write_text("services: {}\n")
        (folder / "cert.pem").write_text("certificate")
        (folder / "key.pem").write_text("private")

    def loaded(self, text: str | None, environment: dict[str, str] | None = None, **flags: str) -> Loaded:
        if text is not None:
            (self.folder / "deployer.yaml").write_text(text)
        return load(Flags(**flags), {"HOME": str(self.folder), **(environment or {})}, self.folder)  # type: ignore[arg-type]

    def archive(self, loaded: Loaded, *, secrets: bool = True) -> Archive:
        return collect(loaded, self.deployment, {"registry": "registry:3"}, b"tar", secrets=secrets)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


OWN = "tls: {certificate: cert.pem, key: key.pem}  # mine\nport: 5443\n"


def test_everything_that_is_there_is_collected(home: Home) -> None:
    found = home.archive(home.loaded(OWN))
    assert found.files == {
        Kept.SETTINGS: OWN.encode(),
        Kept.OVERRIDE: b"services: {}\n",
        Kept.USERS: b"ann:hash\n",
        Kept.SECRETS: b"s3cr3t",
        Kept.CERTIFICATE: b"certificate",
        Kept.KEY: b"private",
        Kept.FRONTEND: b"tar",
    }
    assert found.about == About("registry", "localhost", 5443, {"registry": "registry:3"})


def test_without_secrets_the_archive_has_none(home: Home) -> None:
    found = home.archive(home.loaded(OWN), secrets=False)
    assert set(found.files) == {Kept.SETTINGS, Kept.OVERRIDE, Kept.CERTIFICATE}
    assert not found.about.with_secrets
    for secret in (b"s3cr3t", b"private", b"ann:hash"):
        assert secret not in found.pack()


def test_what_is_not_there_is_left_out(home: Home) -> None:
    home.deployment.users_file.unlink()
    (home.folder / "key.pem").unlink()
    assert not {Kept.USERS, Kept.KEY} & set(home.archive(home.loaded(OWN)).files)


def restored(home: Home, found: Archive) -> Loaded:
    """The settings as another machine gets them."""
    (home.folder / "elsewhere").mkdir()
    assumed = Assumed(home.folder / "elsewhere" / "deployer.yaml", found.files[Kept.SETTINGS])
    return load(Flags(), {"HOME": str(home.folder / "elsewhere")}, home.folder / "elsewhere", assumed=assumed)


@pytest.mark.parametrize(
    ("text", "environment", "flags"),
    [
        (None, {}, {}),
        (None, {"DEPLOYER_HOST": "registry.example"}, {"port": "5443"}),
        ("port: 5001\n", {"DEPLOYER_TLS": "internal"}, {}),
        ("port: 5001\nname: team\n", {}, {"port": "5002"}),
        # A file that makes sense with a variable alone.
        ("tls: acme\n", {"DEPLOYER_HOST": "registry.example.com"}, {}),
        ("host: registry.example.com\n", {"DEPLOYER_TLS": "acme"}, {}),
    ],
)
def test_flags_and_variables_are_in_the_settings(
    home: Home, text: str | None, environment: dict[str, str], flags: dict[str, str]
) -> None:
    loaded = home.loaded(text, environment, **flags)
    assert restored(home, home.archive(loaded)).settings == loaded.settings


def test_the_files_that_settings_name_are_known_by_what_they_are(home: Home) -> None:
    assert files_of(home.loaded(OWN).settings) == {
        Kept.CERTIFICATE: str(home.folder / "cert.pem"),
        Kept.KEY: str(home.folder / "key.pem"),
    }
    assert files_of(home.loaded("port: 1\n").settings) == {}
