"""Rendered files, to the byte: tests/golden holds what each variant gives.

`make golden` writes them anew; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from deployer import render
from deployer.render import ServiceImages
from deployer.settings import FrontendSettings, RegistrySettings, Settings, build

GOLDEN = Path(__file__).parents[1] / "golden"
SECRET = "0123456789abcdef" * 4
IMAGES = ServiceImages("registry:3", "caddy:2")

VARIANTS = {
    "default": Settings(),
    "address": Settings(name="team", host="192.168.100.2", port=443),
    "ipv6": Settings(host="::1", port=5001),
    "bound": Settings(host="registry.example", bind="10.1.2.3"),
    "directory": Settings(registry=RegistrySettings(image="registry:2", data="/srv/my images/$HOME")),
    "no-page": Settings(frontend=FrontendSettings(page="none")),
}


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_as_its_golden_files(variant: str) -> None:
    files = render.files(VARIANTS[variant], IMAGES, SECRET)
    for file in files:
        if not file.path.startswith("frontend/page/"):
            check_golden(f"{variant}/{file.path}", file.text)


def test_the_images_files_are_as_their_golden_files() -> None:
    for file in render.image_files():
        check_golden(f"images/{file.path}", file.text)


def test_the_configuration_file_is_as_its_golden_file_and_can_be_read_back() -> None:
    text = render.configuration_file(VARIANTS["directory"])
    check_golden("deployer.yaml", text)
    problems: list[str] = []
    assert build(Settings, yaml.safe_load(text), problems) == VARIANTS["directory"]
    assert problems == []


def test_the_page_comes_along_only_where_it_is_wanted() -> None:
    with_page = {file.path for file in render.files(VARIANTS["default"], IMAGES, SECRET)}
    without = {file.path for file in render.files(VARIANTS["no-page"], IMAGES, SECRET)}
    assert "frontend/page/index.html" in with_page
    assert not any(path.startswith("frontend/page/") for path in without)


def test_only_the_file_with_the_secret_is_private_and_it_is_hidden_when_shown() -> None:
    for file in render.files(VARIANTS["default"], IMAGES, SECRET):
        holds = SECRET.encode() in file.content
        assert file.mode == (0o600 if holds else 0o644)
        assert holds == (file.path == "registry/config.yaml")
        assert SECRET.encode() not in render.without_secret(file, SECRET).content


def test_a_missing_value_is_an_error_and_not_an_empty_string() -> None:
    with pytest.raises(UndefinedError):
        render._render("compose.yaml.j2", name="x")


def test_the_registry_is_never_published() -> None:
    for variant in VARIANTS.values():
        compose = yaml.safe_load(render.files(variant, IMAGES, SECRET)[0].content)
        assert "ports" not in compose["services"]["registry"]
        assert len(compose["services"]["frontend"]["ports"]) == 1


def test_a_change_of_the_page_setting_concerns_the_frontend_alone() -> None:
    def labels(variant: Settings) -> dict[str, str]:
        compose = yaml.safe_load(render.files(variant, IMAGES, SECRET)[0].content)
        return {name: service["labels"]["deployer.files"] for name, service in compose["services"].items()}

    before, after = labels(VARIANTS["default"]), labels(VARIANTS["no-page"])
    assert before["registry"] == after["registry"]
    assert before["frontend"] != after["frontend"]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_whatever_stands_in_a_value_comes_out_of_the_compose_file_again(text: str) -> None:
    compose = render.files(Settings(registry=RegistrySettings(data=text)), IMAGES, SECRET)[0]
    mounts = yaml.safe_load(compose.content)["services"]["registry"]["volumes"]
    assert mounts[-1]["source"].replace("$$", "$") == str(Path(text)) or text == "volume"


def test_the_daemon_snippet_is_json() -> None:
    assert json.loads(render.daemon_snippet("192.168.100.2:5000")) == {"insecure-registries": ["192.168.100.2:5000"]}
