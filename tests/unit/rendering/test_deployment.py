"""Rendered files, to the byte: tests/golden has what each variant gives.

`default` has all of its files, another variant only those that differ from them; files.txt lists which files each has.
`make golden` writes them; check the difference before it is committed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from deployer import __version__
from deployer.rendering import snippets
from deployer.rendering.deployment import Certificate, RenderInputs, ServiceImages, render_deployment
from deployer.rendering.schedule import MachineUser, ScheduleInputs, run_script, units
from deployer.rendering.templates import render, templates_directory
from deployer.settings.access import AccessRule
from deployer.settings.build import build
from deployer.settings.model import (
    FrontendSettings,
    ImagePolicy,
    Page,
    RegistrySettings,
    Settings,
    TlsMode,
    TlsSettings,
)
from deployer.settings.values.account import Account
from deployer.settings.values.checks import ANONYMOUS

GOLDEN = Path(__file__).parents[2] / "golden"
SECRET = "0123456789abcdef" * 4
IMAGES = ServiceImages("registry:3", "caddy:2")
HASH = "$2b$12$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
CA = b"""\
-----BEGIN CERTIFICATE-----
MIIBmjCCAT+gAwIBAgIUbC/24+a8QJ/Ug2uKd3tnTQB6OwUwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWQXV0aG9yaXR5IG9mIHRoZSB0ZXN0czAgFw0yNjExMjYxNDU4
MDdaGA8yMTI2MTEwMjE0NTgwN1owITEfMB0GA1UEAwwWQXV0aG9yaXR5IG9mIHRo
ZSB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLnPJiJDhg4wChfEFyUR
AA529eg8BslR4opTTS4ldKAGtgFH1l7k/1ugu3TiZpSoME5pbrHEfebM7YbtqDqg
PPmjUzBRMB0GA1UdDgQWBBSjHgG1rOG1p9y6ex889+n38Qu8DTAfBgNVHSMEGDAW
gBSjHgG1rOG1p9y6ex889+n38Qu8DTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0kAMEYCIQCS1WogCukmlxAbjRF+Cgp4If6sNm+GASB9BZt8yJd81wIhALgd
AyxIEu6Abo45aSH46AU9m9vm/wBB8q9ZHUND26Ed
-----END CERTIFICATE-----
"""
ACCOUNTS = (Account("admin", HASH), Account("user.01", HASH))
RULES = (
    AccessRule(("admin",), allow=("pull", "push", "delete")),
    AccessRule(("user.01", "admin"), ("team/*", "centos", "a?c"), ("pull",)),
    AccessRule(("*",), ("public/*",), ("push",)),
)

VARIANTS = {
    "default": Settings(),
    "address": Settings(name="team", host="192.168.100.2", port=443),
    "ipv6": Settings(host="::1", port=5001),
    "bound": Settings(host="registry.example", bind="10.1.2.3"),
    "directory": Settings(registry=RegistrySettings(image="registry:2", data="/srv/my images/$HOME")),
    "no-page": Settings(frontend=FrontendSettings(page=Page.NONE)),
    "kwk": Settings(host="::1", port=5001, images=ImagePolicy.BUILD, frontend=FrontendSettings(page=Page.KWK)),
    "joxit": Settings(
        host="registry.example", tls=TlsSettings(TlsMode.INTERNAL), frontend=FrontendSettings(page=Page.JOXIT)
    ),
    "users": Settings(name="team", host="192.168.100.2", tls=TlsSettings(TlsMode.INTERNAL)),
    "rules": Settings(name="team", host="registry.example", tls=TlsSettings(TlsMode.INTERNAL), access=RULES),
    "public": Settings(
        name="team",
        host="registry.example",
        tls=TlsSettings(TlsMode.INTERNAL),
        access=(*RULES, AccessRule((ANONYMOUS,), ("open/*", "centos"), ("pull",))),
    ),
    "acme": Settings(host="registry.example.org", port=443, tls=TlsSettings(TlsMode.ACME, email="me@example.org")),
    "acme-private": Settings(
        host="registry.example.org",
        bind="10.1.2.3",
        tls=TlsSettings(TlsMode.ACME, directory="https://ca.example.org/acme/directory", authority="/etc/ca.pem"),
    ),
    "scheduled": Settings(),
}
SCHEDULE = ScheduleInputs(
    "/opt/it's/bin/python",
    ("--name", "registry", "--config", "/srv/my $files/deployer.yaml"),
    Path("/home/me/.local/share/deployer/registry"),
    {"HOME": "/home/me", "HTTPS_PROXY": "http://me:pass'word@proxy.example"},
    MachineUser(1000, 1001, (27, 999)),
)


def images_of(variant: Settings) -> ServiceImages:
    """What `up` would choose where the official images are here."""
    return replace(IMAGES, page=variant.frontend.page_service_image)


def kept_of(variant: str) -> RenderInputs:
    """What is kept beside the settings of a variant."""
    accounts = ACCOUNTS if variant in {"users", "rules", "public"} else ()
    schedule = SCHEDULE if variant == "scheduled" else None
    return RenderInputs(SECRET, accounts, acme_ca=CA if variant == "acme-private" else None, schedule=schedule)


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


# Every change of a file changes the digest of the service's files, and every release the version.
PASSING = re.compile(rf'(?<=deployer\.files: ")[0-9a-f]{{64}}(?=")|(?<=version "){re.escape(__version__)}(?=")')


# Seven files begin with it.
OVERVIEW = (templates_directory() / "frontend" / "overview.tmpl").read_text()


@cache
def rendered_files(variant: str) -> dict[str, str]:
    """The text of each file of a variant by its path, but for the page's; what files share is named once."""
    files = render_deployment(VARIANTS[variant], images_of(VARIANTS[variant]), kept_of(variant))
    return {
        file.path: PASSING.sub("…", file.text.replace(OVERVIEW, "… overview.tmpl …\n"))
        for file in files
        if not file.path.startswith("frontend/page/")
    }


def own_files(variant: str) -> dict[str, str]:
    """The files of a variant that differ from the default's."""
    common = {} if variant == "default" else rendered_files("default")
    return {path: text for path, text in rendered_files(variant).items() if common.get(path) != text}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_as_its_golden_files(variant: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(GOLDEN / variant, ignore_errors=True)
    for path, text in own_files(variant).items():
        check_golden(f"{variant}/{path}", text)
    kept = {str(path.relative_to(GOLDEN / variant)) for path in (GOLDEN / variant).rglob("*") if path.is_file()}
    assert kept == own_files(variant).keys()


def test_each_variant_has_the_files_that_are_listed() -> None:
    lines = (f"{variant}: {' '.join(sorted(rendered_files(variant)))}\n" for variant in VARIANTS)
    check_golden("files.txt", "".join(lines))


def test_the_images_files_are_as_their_golden_files() -> None:
    for file in snippets.image_files():
        check_golden(f"images/{file.path}", file.text)


def test_the_units_of_systemd_are_as_their_golden_files() -> None:
    jobs = {"backup": "*-*-* 02:30:00", "prune": "Sun *-*-* 04:30:00"}
    found = {
        **{f"system/{file.path}": file.text for file in units("team", SCHEDULE.directory, jobs, is_user=False)},
        **{f"user/{file.path}": file.text for file in units("team", Path("/srv/100% $x"), jobs, is_user=True)},
    }
    for path, text in found.items():
        check_golden(f"systemd/{path}", text)
    kept = {str(path.relative_to(GOLDEN / "systemd")) for path in (GOLDEN / "systemd").rglob("*") if path.is_file()}
    assert kept == found.keys()


def test_the_scripts_environment_reaches_the_command_whatever_is_in_it(tmp_path: Path) -> None:
    python = tmp_path / "it's python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$HTTPS_PROXY" "$@"\n')
    python.chmod(0o755)
    script = tmp_path / "run.sh"
    script.write_bytes(run_script(replace(SCHEDULE, python=str(python))).content)
    done = subprocess.run(["sh", str(script), "backup"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        SCHEDULE.environment["HTTPS_PROXY"], "-P", "-m", "deployer", "run-scheduled", "backup", *SCHEDULE.flags,
    ]  # fmt: skip


def test_containerds_file_is_as_its_golden_file_and_is_toml() -> None:
    check_golden("containerd/hosts.toml", snippets.containerd_hosts("192.168.100.2:5000").decode())
    read = tomllib.loads(snippets.containerd_hosts("[2001:db8::1]:5000").decode())
    assert read["host"]["https://[2001:db8::1]:5000"]["ca"] == "ca.crt"


def test_the_configuration_file_is_as_its_golden_file_and_can_be_read_back() -> None:
    text = snippets.configuration_file(VARIANTS["directory"])
    check_golden("deployer.yaml", text)
    problems: list[str] = []
    assert build(Settings, yaml.safe_load(text), problems) == VARIANTS["directory"]
    assert problems == []


def test_the_page_comes_along_only_where_it_is_wanted() -> None:
    with_page = {file.path for file in render_deployment(VARIANTS["default"], IMAGES, RenderInputs(SECRET))}
    assert "frontend/page/index.html" in with_page
    for other in ("no-page", "kwk", "joxit"):
        rendered = render_deployment(VARIANTS[other], images_of(VARIANTS[other]), RenderInputs(SECRET))
        assert not any(file.path.startswith("frontend/page/") for file in rendered), other


def test_only_files_with_secrets_are_private_and_those_are_hidden_when_shown() -> None:
    kept = replace(kept_of("users"), certificate=Certificate(b"public", b"a private key"), schedule=SCHEDULE)
    secrets = {"registry/config.yaml": SECRET, "frontend/access/users": HASH, "frontend/tls/key.pem": "a private key"}
    secrets["schedule/run.sh"] = "word@proxy.example"
    rendered = {file.path: file for file in render_deployment(VARIANTS["users"], IMAGES, kept)}
    for path, file in rendered.items():
        assert file.mode == (0o600 if path in secrets else 0o644), path
        assert (secrets.get(path, SECRET).encode() in file.content) == (path in secrets), path
        shown = snippets.without_secret(file, SECRET).content
        assert not any(secret.encode() in shown for secret in secrets.values())
    for printed in (repr(kept), str(kept)):
        assert not any(secret in printed for secret in secrets.values())


def test_a_missing_value_is_an_error_and_not_an_empty_string() -> None:
    with pytest.raises(UndefinedError):
        render("compose.yaml.j2", name="x")


def test_the_registry_is_never_published() -> None:
    for variant in VARIANTS.values():
        compose = yaml.safe_load(render_deployment(variant, IMAGES, RenderInputs(SECRET))[0].content)
        assert "ports" not in compose["services"]["registry"]
        config = yaml.safe_load(render_deployment(variant, IMAGES, RenderInputs(SECRET))[1].content)
        assert (config["http"]["net"], config["http"]["debug"]["addr"]) == ("unix", "127.0.0.1:5001")


@pytest.mark.parametrize("page", ["kwk", "joxit"])
def test_a_page_of_its_own_service_is_reached_by_the_frontend_alone_and_reaches_no_other(page: str) -> None:
    compose = yaml.safe_load(
        render_deployment(VARIANTS[page], images_of(VARIANTS[page]), RenderInputs(SECRET))[0].content
    )
    services = compose["services"]
    assert compose["networks"] == {"page": {"internal": True}}
    assert {name for name, service in services.items() if "page" in service.get("networks", [])} == {"page", "frontend"}
    assert services["page"]["networks"] == ["page"]
    assert not {"ports", "volumes"} & services["page"].keys()
    assert all(isinstance(value, str) for value in services["page"]["environment"].values())


def test_the_pull_lines_of_the_other_pages_name_the_address_of_clients() -> None:
    def environment(page: str) -> dict[str, str]:
        compose = yaml.safe_load(
            render_deployment(VARIANTS[page], images_of(VARIANTS[page]), RenderInputs(SECRET))[0].content
        )
        return dict(compose["services"]["page"]["environment"])

    kwk = environment("kwk")
    assert (kwk["ENV_REGISTRY_PROXY_FQDN"], kwk["ENV_REGISTRY_PROXY_PORT"]) == ("[::1]", "5001")
    assert environment("joxit")["PULL_URL"] == "registry.example:5000"


def test_the_configuration_file_shows_every_setting() -> None:
    # One whose default is to say nothing is commented out.
    shown = re.findall(r"^(?:# )?([a-z]+):", snippets.configuration_file(Settings()), re.MULTILINE)
    assert {one.name for one in fields(Settings)} - set(shown) == set()


def test_a_page_image_of_ones_own_can_be_read_back_from_the_configuration_file() -> None:
    settings = Settings(frontend=FrontendSettings(page=Page.JOXIT, page_image="mirror.example/ui:2"))
    problems: list[str] = []
    assert build(Settings, yaml.safe_load(snippets.configuration_file(settings)), problems) == settings
    assert problems == []


def test_a_change_of_the_page_setting_concerns_the_frontend_alone() -> None:
    def labels(variant: Settings) -> dict[str, str]:
        compose = yaml.safe_load(render_deployment(variant, IMAGES, RenderInputs(SECRET))[0].content)
        return {name: service["labels"]["deployer.files"] for name, service in compose["services"].items()}

    before, after = labels(VARIANTS["default"]), labels(VARIANTS["no-page"])
    assert before["registry"] == after["registry"]
    assert before["frontend"] != after["frontend"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_whatever_stands_in_a_value_comes_out_of_the_compose_file_again(text: str) -> None:
    compose = render_deployment(Settings(registry=RegistrySettings(data=text)), IMAGES, RenderInputs(SECRET))[0]
    mounts = yaml.safe_load(compose.content)["services"]["registry"]["volumes"]
    assert mounts[1]["source"].replace("$$", "$") == str(Path(text)) or text == "volume"


def test_the_daemon_snippet_is_json() -> None:
    assert json.loads(snippets.daemon_snippet("192.168.100.2:5000")) == {"insecure-registries": ["192.168.100.2:5000"]}


def test_an_acme_server_finds_the_port_that_it_looks_at() -> None:
    def ports(variant: str) -> list[str]:
        compose = yaml.safe_load(render_deployment(VARIANTS[variant], IMAGES, kept_of(variant))[0].content)
        return list(compose["services"]["frontend"]["ports"])

    assert ports("acme") == ["443:5000"]
    assert ports("acme-private") == ["10.1.2.3:5000:5000", "10.1.2.3:80:80"]


def test_where_the_engine_remaps_users_those_who_read_our_files_are_the_machines_own() -> None:
    settings = VARIANTS["joxit"]
    plain = yaml.safe_load(render_deployment(settings, images_of(settings), RenderInputs(SECRET))[0].content)
    remapped = yaml.safe_load(
        render_deployment(settings, images_of(settings), RenderInputs(SECRET, user_namespaces=True))[0].content
    )
    modes = {name: service.get("userns_mode") for name, service in remapped["services"].items()}
    # The page is someone else's, and reads nothing of ours.
    assert modes == {"registry": "host", "frontend": "host", "page": None}
    for service in remapped["services"].values():
        service.pop("userns_mode", None)
    assert remapped == plain


def test_a_changed_user_rule_or_certificate_recreates_no_service() -> None:
    def compose(settings: Settings, kept: RenderInputs) -> bytes:
        return render_deployment(settings, IMAGES, kept)[0].content

    plain = compose(VARIANTS["users"], RenderInputs(SECRET))
    assert compose(VARIANTS["users"], kept_of("users")) == plain
    assert compose(replace(VARIANTS["users"], access=RULES), kept_of("users")) == plain
    own = replace(VARIANTS["users"], tls=TlsSettings(certificate="/c", key="/k"))
    assert compose(own, RenderInputs(SECRET, certificate=Certificate(b"a", b"b"))) == compose(
        own, RenderInputs(SECRET, certificate=Certificate(b"c", b"d"))
    )


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Basic " + base64.b64encode(b"admin:x").decode(), True),
        ("bAsIc " + base64.b64encode(b"user.01:").decode(), True),
        ("Basic " + base64.b64encode(b"nobody:x").decode(), False),
        ("Basic " + base64.b64encode(b"admi:x").decode(), False),
        ("Basic " + base64.b64encode(b"admin2:x").decode(), False),
        ("Basic " + base64.b64encode(b"admin:x").decode().swapcase(), False),
        # As Caddy joins two headers, of which the first counts.
        ("Basic " + base64.b64encode(b"nobody:x").decode() + ",Basic " + base64.b64encode(b"admin:x").decode(), False),
        ("Basic " + base64.b64encode(b"admin:x").decode() + ",Basic " + base64.b64encode(b"nobody:x").decode(), False),
        ("Bearer x", False),
        ("", False),
    ],
)
def test_only_logins_of_users_are_checked_against_their_hashes(header: str, known: bool) -> None:
    rendered = {file.path: file for file in render_deployment(VARIANTS["users"], IMAGES, kept_of("users"))}
    found = re.search(r'not vars_regexp {header.Authorization} "(.*)"', rendered["frontend/access/sign-in"].text)
    assert found is not None
    assert bool(re.search(found[1], header)) is known
