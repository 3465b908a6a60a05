"""Settings written as a deployer.yaml, from which the same settings are read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployer.errors import ConfigurationError
from deployer.settings.access import AccessRule
from deployer.settings.dump import dump
from deployer.settings.load import Assumed, Flags, load
from deployer.settings.model import (
    ImagePolicy,
    RegistrySettings,
    Settings,
    TlsMode,
    TlsSettings,
)
from deployer.settings.retention import AgeBasis, RetentionRule

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def read(content: bytes, *, name: str = "deployer.yaml", **flags: str) -> Settings:
    """The settings that a file of this content makes, in a folder of another machine."""
    with TemporaryDirectory() as folder:
        assumed = Assumed(Path(folder, name), content)
        return load(Flags(**flags), {"HOME": folder}, Path(folder), assumed=assumed).settings  # type: ignore[arg-type]


def test_the_defaults_are_a_name_alone() -> None:
    assert dump(Settings()) == b"name: registry\n"
    assert read(dump(Settings())) == Settings()


WHOLE = {
    "name": "team",
    "host": "registry.example.com",
    "port": 443,
    "bind": "0.0.0.0",
    "tls": {
        "mode": "acme",
        "email": "ann@example.com",
        "directory": "https://acme.example/dir",
        "authority": "/ca.pem",
    },
    "images": "build",
    "registry": {"data": "/srv/my images"},
    "frontend": {"page": "none"},
    "backup": {"image": "mirror.example/restic:1"},
    "groups": {"developers": ["alice", "no"]},
    "access": [
        {"allow": ["pull"], "groups": ["developers"]},
        {"users": ["ann", "null", "no"], "allow": ["pull", "push", "delete"]},
        {"users": ["*"], "repositories": ["team/*", "a?b"], "allow": ["pull"]},
    ],
    "expect": [{"ci": ["can pull and push team/*"]}, {"group:developers": ["cannot delete *"]}],
    "retention": [
        {"repositories": ["ci/*"], "keep": 5, "older_than": "30d", "match": "^(pr|no)-\\d+: #x", "by": "pushed"},
        {"untagged": True, "protect": "^v"},
    ],
}


def test_everything_that_can_be_said_is_said() -> None:
    made = read(yaml.safe_dump(WHOLE).encode())
    assert read(dump(made)) == made
    said = yaml.safe_load(dump(made))
    assert list(said) == list(WHOLE)
    assert said["registry"] == {"data": "/srv/my images"}


@pytest.mark.parametrize("word", ["null", "no", "0x10", "1e3", "05000", "~x", "é", "=", "2026-02-30"])
def test_words_that_yaml_would_guess_at_are_the_same_words(word: str) -> None:
    made = Settings(retention=(RetentionRule(match=word),), access=(AccessRule(("a",), allow=("pull",)),))
    assert read(dump(made)) == made


def test_an_own_certificate_is_at_its_absolute_path(tmp_path: Path) -> None:
    made = read(b"tls: {certificate: a.pem, key: b.pem}\nregistry: {data: images}\n")
    assert Path(made.tls.certificate).is_absolute()
    assert read(dump(made)) == made


@pytest.mark.parametrize("mode", [mode for mode in TlsMode if mode is not TlsMode.ACME])
def test_every_mode_of_tls_is_read_again(mode: TlsMode) -> None:
    made = Settings(tls=TlsSettings(mode))
    assert read(dump(made)) == made


def _rules(**parts: SearchStrategy[Any]) -> SearchStrategy[tuple[RetentionRule, ...]]:
    rule = st.builds(RetentionRule, **parts)
    return st.lists(rule.filter(lambda one: not one.complaint()), max_size=3).map(tuple)


NAMES = st.lists(st.sampled_from(["*", "team/*", "a?b", "app", "0"]), min_size=1, unique=True).map(tuple)
PATTERNS = st.sampled_from([None, "^v", "null", "no", "~", "#x", "a: b", "é", "'", '"', "-", "0x1", "\\d+$"])
SETTINGS = st.builds(
    Settings,
    name=st.sampled_from(["registry", "team", "0", "null", "1e3"]),
    port=st.integers(1, 65535),
    tls=st.sampled_from([TlsSettings(), TlsSettings(TlsMode.OFF), TlsSettings(TlsMode.INTERNAL)]),
    images=st.sampled_from([ImagePolicy.AUTO, ImagePolicy.BUILD]),
    registry=st.builds(RegistrySettings, data=st.sampled_from(["volume", "/srv/images", "/srv/my #1: é", "/srv/it's"])),
    access=st.lists(
        st.builds(
            AccessRule,
            users=st.sampled_from([("ann",), ("null", "no"), ("*",)]),
            repositories=NAMES,
            allow=st.just(("pull",)),
        ),
        max_size=3,
    ).map(tuple),
    retention=_rules(
        repositories=NAMES,
        keep=st.none() | st.integers(1, 1000),
        older_than=st.sampled_from([None, 1, 90, 3600, 30 * 86400, 7 * 86400 * 9_999_999]),
        match=PATTERNS,
        protect=PATTERNS,
        by=st.sampled_from(AgeBasis),
        untagged=st.booleans(),
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(SETTINGS)
def test_any_settings_are_read_again(made: Settings) -> None:
    assert read(dump(made)) == made


def test_an_assumed_file_counts_as_the_file_does(tmp_path: Path) -> None:
    assumed = Assumed(tmp_path / "deployer.yaml", b"name: team\nport: 5001\n")
    found = load(Flags(port="5002"), {"HOME": str(tmp_path), "DEPLOYER_HOST": "a.example"}, tmp_path, assumed=assumed)
    assert (found.settings.name, found.settings.port, found.settings.host) == ("team", 5002, "a.example")
    assert (found.source, found.described) == (tmp_path / "deployer.yaml", "team")
    assert not (tmp_path / "deployer.yaml").exists()


def test_a_file_that_is_there_is_before_an_assumed_one(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_text("port: 5003\n")
    assumed = Assumed(tmp_path / "deployer.yaml", b"port: 5001\n")
    assert load(Flags(), {"HOME": str(tmp_path)}, tmp_path, assumed=assumed).settings.port == 5003


@pytest.mark.parametrize("content", [b"port: none\n", b"\xff", b"a: [", b"unknown: 1\n"])
def test_mistakes_in_an_assumed_file_are_said_with_its_path(tmp_path: Path, content: bytes) -> None:
    assumed = Assumed(tmp_path / "deployer.yaml", content)
    with pytest.raises(ConfigurationError) as caught:
        load(Flags(), {"HOME": str(tmp_path)}, tmp_path, assumed=assumed)
    assert str(tmp_path / "deployer.yaml") in f"{caught.value} {caught.value.problems}"


def test_paths_of_an_assumed_file_are_relative_to_where_it_will_be(tmp_path: Path) -> None:
    assumed = Assumed(tmp_path / "there" / "deployer.yaml", b"registry: {data: images}\n")
    found = load(Flags(), {"HOME": str(tmp_path)}, tmp_path, assumed=assumed)
    assert found.settings.registry.data == str(tmp_path / "there" / "images")
