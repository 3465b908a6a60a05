"""Which vulnerabilities reach a deployment: none whose condition it does not meet, and all that no one can judge."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deployer.errors import UsageError
from deployer.paths import Deployment
from deployer.workflows.upgrade.advisories import Advisory, load
from deployer.workflows.upgrade.exposure import CONDITIONS, Layout, exposure, layout_of
from tests.support.fake_engine import service_container

GOLDEN = Path(__file__).parents[3] / "golden"
RENDERED = [path.parent for path in sorted(GOLDEN.glob("*/registry"))]
ISSUE = ("CVE-2026-33540", "CVE-2026-35172", "CVE-2026-41888")


def known(name: str) -> Advisory:
    return next(one for one in load(None).known if one.id == name)


@pytest.mark.parametrize("folder", RENDERED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", ISSUE)
def test_no_rendered_configuration_is_affected_by_those_of_the_registry(folder: Path, name: str) -> None:
    layout = layout_of(Deployment(folder.name, folder), ())
    assert layout.registry[0]["storage"]["delete"] == {"enabled": True}
    assert not exposure(known(name).needs, layout).reaches


@pytest.mark.parametrize("folder", RENDERED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("needs", sorted(CONDITIONS))
def test_no_rendered_configuration_has_what_a_known_condition_asks_for(folder: Path, needs: str) -> None:
    found = exposure(needs, layout_of(Deployment(folder.name, folder), ()))
    assert (found.reaches, bool(found.reason)) == (False, True)


@pytest.mark.parametrize(
    ("needs", "layout"),
    [
        ("pull-through-cache", Layout(({"proxy": {"remoteurl": "https://registry.example.com"}},))),
        ("redis-cache", Layout(({"storage": {"cache": {"blobdescriptor": "redis"}}},))),
        ("redis-cache", Layout(({}, {"redis": {"addrs": ["cache:6379"]}}))),
        ("deletion-disabled", Layout(({"storage": {"delete": {"enabled": False}}},))),
        ("deletion-disabled", Layout(({"storage": {}},))),
        ("client-certificates", Layout(caddyfile="tls {\n\tclient_auth {\n")),
        ("escaped-path", Layout(caddyfile="\t@private path /a%2Fb/*\n")),
        ("many-hosts", Layout(caddyfile="https://a.example " * 101)),
        ("reachable-admin", Layout(caddyfile="{\n\tadmin 0.0.0.0:2019\n}\n")),
        ("reachable-admin", Layout(caddyfile="{\n\tadmin 127.0.0.1:2019\n}\n", is_isolated=False)),
        ("fastcgi", Layout(caddyfile="php_fastcgi app:9000")),
        ("forward-auth", Layout(caddyfile="forward_auth login:80 {")),
    ],
)
def test_a_configuration_with_the_condition_is_affected(needs: str, layout: Layout) -> None:
    assert exposure(needs, layout).reaches


@pytest.mark.parametrize("needs", ["unknown", "nothing", "a word of a newer list"])
def test_an_unknown_condition_affects_every_deployment(needs: str) -> None:
    assert exposure(needs, Layout()).reaches


def test_variables_of_the_users_own_count(tmp_path: Path) -> None:
    registry = service_container("registry", "running")
    registry.environment.update(REGISTRY_PROXY_REMOTEURL="https://registry.example.com")  # type: ignore[attr-defined]
    assert exposure("pull-through-cache", layout_of(Deployment("x", tmp_path), (registry,))).reaches


@pytest.mark.parametrize(
    ("version", "package", "fixed", "older"),
    [
        ("2.8.2+ds1", "2.8.2+ds1-1", False, True),
        ("2.8.2+ds1", "2.8.2+ds1-1+deb12u1", True, True),
        ("3.0.0", "", False, False),
        ("3.1.0", "", False, False),
        ("v3.1.1", "", True, False),
        ("3.10.0", "", True, False),
        ("", "", False, False),
        ("latest", "", False, False),
    ],
)
def test_the_versions_that_have_a_vulnerability(version: str, package: str, fixed: bool, older: bool) -> None:
    advisory = Advisory("CVE-1", "registry", "3.0.0", "3.1.1", "nothing", "", debian="2.8.2+ds1-1+deb12u1")
    assert (advisory.is_fixed_in(version, package), advisory.is_older(version)) == (fixed, older)


def test_the_package_has_a_dated_list_with_those_of_the_issue() -> None:
    found = load(None)
    assert set(ISSUE) <= {one.id for one in found.known}
    assert found.dated.year >= 2026
    # A condition that is misspelt would reach everyone.
    assert {one.needs for one in found.known} - CONDITIONS.keys() <= {"unknown", "nothing"}


@pytest.mark.parametrize(
    "text", ["", "- a", "dated: 2026-01-01\nadvisories: [{id: x}]", "a: [", "dated: soon\nadvisories: []"]
)
def test_a_file_that_is_no_list_is_refused_with_its_form(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"is not a list of advisories\.") as raised:
        load(file)
    assert "dated" in raised.value.advice[0]


def test_a_list_of_the_users_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    one = {"id": "CVE-1", "component": "registry", "since": "2.0", "fixed": "9.0", "needs": "nothing", "summary": "s"}
    file.write_text(yaml.safe_dump({"dated": "2027-01-01", "advisories": [one]}))
    assert [found.id for found in load(file).of("registry", "3.1.1")] == ["CVE-1"]
    with pytest.raises(UsageError, match="there is no file"):
        load(tmp_path / "none")
