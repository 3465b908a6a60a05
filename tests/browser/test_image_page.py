"""The view of an image, in a real browser, on the deployed registry."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PLAIN_HOST
from tests.browser.pages import focus, hold, press, until
from tests.support.content import push_image, push_index, push_tag
from tests.support.image_view import commands, fact, section, setting, short
from tests.support.registry_content import DOCKER, OCI, Image, image, index, push, sha256
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

CONFIG = {
    "Entrypoint": ["/app", "--name=two words"],
    "Cmd": ["serve", 'a "word"'],
    "Env": ["PATH=/usr/bin", "EMPTY="],
    "WorkingDir": "/srv",
    "User": "1000:1000",
    "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGQUIT",
    "Labels": {"org.example.team": "core", "maintainer": "someone"},
    "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 30_000_000_000},
}
HISTORY = [
    {"created": "2024-06-01T00:00:00Z", "created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
    {"created": "2024-06-02T00:00:00Z", "created_by": "ENV A=1", "empty_layer": True},
    {"created": "2024-06-03T00:00:00Z", "created_by": "RUN |1 VERSION=7 /bin/sh -c make install # buildkit"},
]


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


class TestAnImage:
    @pytest.mark.parametrize("media", [DOCKER, OCI])
    def test_it_shows_what_it_is(self, client: httpx.Client, open_page: Callable[..., Page], media: str) -> None:
        created = (datetime.now(UTC) - timedelta(days=3, hours=1)).isoformat()
        extra = {"author": "Someone <s@example.test>", "docker_version": "20.10.24", "config": CONFIG}
        name = f"image/{media}"
        pushed = push_image(client, name, "1.0", media=media, created=created, config_extra=extra)
        for tag in ("1.10", "1.9"):
            push_image(client, name, tag, media=media, created=created, config_extra=extra)
        page = open_page(f"/repository/{name}/tag/1.0")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}:1.0")
        expect(page).to_have_title(re.compile(f"^{name}:1.0 · localhost"))
        expect(fact(page, "Digest").get_by_role("button")).to_have_attribute("title", pushed.digest)
        expect(fact(page, "Created")).to_contain_text("3 days ago")
        expect(fact(page, "Created")).to_contain_text(re.compile(r"20\d\d at"))
        expect(fact(page, "Size")).to_have_text(f"{pushed.size} B")
        expect(fact(page, "Type")).to_have_text("Docker image" if media == DOCKER else "OCI image")
        expect(fact(page, "Platform")).to_have_text("linux/amd64")
        expect(fact(page, "Author")).to_have_text("Someone <s@example.test>")
        expect(fact(page, "Docker version")).to_have_text("20.10.24")
        expect(fact(page, "Other tags").get_by_role("link")).to_have_text(["1.9", "1.10"])
        fact(page, "Other tags").get_by_role("link", name="1.9").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}:1.9")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}:1.0")

    def test_its_configuration_is_told_as_a_dockerfile_writes_it(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/config", "1.0", config_extra={"config": CONFIG})
        page = open_page("/repository/image/config/tag/1.0")
        expect(setting(page, "Entrypoint")).to_have_text('["/app", "--name=two words"]')
        expect(setting(page, "Command")).to_have_text('["serve", "a \\"word\\""]')
        expect(setting(page, "Environment")).to_have_text(["PATH=/usr/bin", "EMPTY="])
        expect(setting(page, "Working directory")).to_have_text("/srv")
        expect(setting(page, "User")).to_have_text("1000:1000")
        expect(setting(page, "Ports")).to_have_text(["80/tcp", "53/udp"])
        expect(setting(page, "Volumes")).to_have_text("/data")
        expect(setting(page, "Stop signal")).to_have_text("SIGQUIT")
        expect(setting(page, "Health check")).to_have_text("--interval=30s CMD curl -f localhost")
        expect(section(page, "Labels").locator("dt")).to_have_text(["maintainer", "org.example.team"])
        expect(setting(page, "org.example.team")).to_have_text("core")

    def test_its_history_is_a_dockerfile_with_the_layers(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/history", "1.0", layers=("base", "made" * 900), config_extra={"history": HISTORY})
        page = open_page("/repository/image/history/tag/1.0")
        steps = section(page, "History").get_by_role("listitem")
        expect(steps.locator(".step")).to_have_text(["ADD file:1 in /", "ENV A=1", "RUN make install"])
        expect(steps.nth(2).locator(".set")).to_have_text("arguments: VERSION=7")
        expect(steps.nth(1)).to_contain_text("no layer")
        layers = section(page, "Layers").locator("tbody tr")
        expect(layers).to_have_count(2)
        for step, layer in ((0, 0), (2, 1)):
            digest = layers.nth(layer).get_by_role("button").get_attribute("title")
            expect(steps.nth(step).locator(".made code")).to_have_attribute("title", str(digest))
            expect(steps.nth(step).locator(".made")).to_contain_text(layers.nth(layer).locator(".number").inner_text())
        expect(steps.nth(0).locator("time")).to_have_attribute("datetime", "2024-06-01T00:00:00.000Z")
        expect(layers.nth(0)).to_contain_text("tar+gzip")

    def test_a_history_of_other_layers_is_not_shown(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "image/mismatch", "1.0", layers=("one",), config_extra={"history": HISTORY})
        page = open_page("/repository/image/mismatch/tag/1.0")
        expect(section(page, "Layers")).to_contain_text("does not match these layers")
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(1)
        expect(section(page, "History")).to_have_count(0)

    def test_a_hundred_and_twenty_layers_are_all_there(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        history = [{"created_by": f"RUN /bin/sh -c step {number} # buildkit"} for number in range(120)]
        layers = [f"layer {number}" for number in range(120)]
        push_image(client, "image/long", "1.0", layers=layers, config_extra={"history": history})
        page = open_page("/repository/image/long/tag/1.0")
        expect(section(page, "History").get_by_role("listitem")).to_have_count(120)
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(120)
        expect(section(page, "History").locator(".step").nth(119)).to_have_text("RUN step 119")

    def test_a_built_image_has_the_history_that_docker_tells(
        self, tmp_path: Path, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        name = f"{page_stack.address}/image/built:1.0"
        (tmp_path / "file").write_text("content")
        (tmp_path / "Dockerfile").write_text(
            "FROM deployer-registry:debian\nARG VERSION=1\nLABEL team=core\nCOPY file /file\n"
            'RUN echo "$VERSION" > /made\nENTRYPOINT ["/bin/ls", "-l"]\nCMD ["/"]\n'
        )
        docker("build", "--quiet", "--build-arg", "VERSION=7 8", "--tag", name, str(tmp_path))
        try:
            docker("push", name)
            told = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", name).splitlines()[::-1]
        finally:
            docker("image", "rm", name)
        page = open_page("/repository/image/built/tag/1.0")
        steps = section(page, "History").get_by_role("listitem")
        expect(steps).to_have_count(len(told))
        for position, line in enumerate(told):
            if not line:
                continue
            words = steps.nth(position).locator(".step").inner_text().split(" ", 1)[1]
            assert " ".join(words.split()) in " ".join(line.split())
        run = steps.filter(has_text='RUN echo "$VERSION" > /made')
        expect(run).to_have_count(1)
        expect(run.locator(".set")).to_have_text("arguments: VERSION=7 8")
        expect(steps.filter(has_text='CMD ["/"]')).to_have_count(1)
        expect(setting(page, "Entrypoint")).to_have_text('["/bin/ls", "-l"]')
        made = section(page, "History").locator(".made code")
        expect(made).to_have_count(section(page, "Layers").locator("tbody tr").count())

    def test_what_is_broken_is_said_and_the_rest_is_shown(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch
    ) -> None:
        watch.expect("status of 404")
        plain = image("layer")
        document = plain.document
        document["config"] |= {"digest": sha256(b"{"), "size": 1}
        push(
            client,
            "image/broken",
            "config",
            Image(json.dumps(document).encode(), plain.media_type, (b"{", plain.blobs[1])),
        )
        page = open_page("/repository/image/broken/tag/config")
        expect(section(page, "Configuration")).to_contain_text("is not valid")
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(1)
        section(page, "Raw content").get_by_text("Configuration").click()
        expect(section(page, "Raw content").locator("pre")).to_have_text("{")
        page.route(re.compile("/blobs/"), lambda route: route.fulfill(status=404, json={"errors": []}))
        page.reload()
        expect(section(page, "Configuration")).to_contain_text("is missing from the registry")
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(1)

    def test_a_tag_that_has_moved_shows_after_a_reload(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/moving", "1.0", layers=("before",))
        page = open_page("/repository/image/moving/tag/1.0")
        expect(fact(page, "Digest")).to_be_visible()
        after = push_image(client, "image/moving", "1.0", layers=("after",))
        page.reload()
        expect(fact(page, "Digest").get_by_role("button")).to_have_attribute("title", after.digest)

    def test_many_other_tags_are_a_few_links_and_one_to_the_rest(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        plain = image("layer")
        push(client, "image/tagged", "1", plain)
        for number in range(2, 21):
            push_tag(client, "image/tagged", str(number), plain)
        page = open_page("/repository/image/tagged/tag/1")
        expect(fact(page, "Other tags").get_by_role("link")).to_have_count(13)
        fact(page, "Other tags").get_by_role("link", name="+7").click()
        expect(page.get_by_role("searchbox")).to_have_value(plain.digest)


class TestCommands:
    def test_each_tool_has_its_command_by_tag_and_by_digest(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        pushed = push_image(client, "image/pull", "1.0")
        host = page_stack.address
        page = open_page("/repository/image/pull/tag/1.0")
        assert commands(page) == {
            "Docker": f"docker pull {host}/image/pull:1.0",
            "Podman": f"podman pull --tls-verify=false {host}/image/pull:1.0",
            "skopeo": f"skopeo copy --src-tls-verify=false docker://{host}/image/pull:1.0"
            " docker-archive:pull-1.0.tar:image/pull:1.0",
            "Kubernetes": f"image: {host}/image/pull:1.0",
        }
        page.get_by_label("By digest").check()
        assert commands(page)["Docker"] == f"docker pull {host}/image/pull@{pushed.digest}"
        page.get_by_role("button", name="Copy the command for Podman").click()
        expect(page.get_by_role("status")).to_have_text("Copied")

    def test_a_command_is_copied_on_plain_http(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        push_image(client, "image/pull", "1.0")
        page = open_page("/repository/image/pull/tag/1.0", base=f"http://{PLAIN_HOST}:{page_stack.port}")
        page.get_by_role("button", name="Copy the command for Kubernetes").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        page.evaluate("document.body.prepend(document.createElement('textarea'))")
        press(page.locator("textarea"), "Control+V")
        expect(page.locator("textarea")).to_have_value(f"image: {PLAIN_HOST}:{page_stack.port}/image/pull:1.0")

    def test_the_real_tools_take_them(
        self, tmp_path: Path, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        """A skopeo command writes an archive that Docker loads, of the platform that was chosen."""
        push_index(client, "image/tools", "1.0", platforms=("linux/amd64", "linux/arm64/v8"))
        page = open_page("/repository/image/tools/tag/1.0?platform=linux%2Farm64%2Fv8")
        for way in ("By tag", "By digest"):
            page.get_by_label(way).check()
            subprocess.run(commands(page)["skopeo"].split(), cwd=tmp_path, check=True, capture_output=True)
        archives = sorted(path.name for path in tmp_path.glob("*.tar"))
        assert archives == ["tools-1.0.tar", "tools.tar"]
        listed = subprocess.run(
            ["skopeo", "inspect", "--config", "docker-archive:tools-1.0.tar"],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        assert json.loads(listed.stdout)["architecture"] == "arm64"


class TestPlatforms:
    PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")

    def test_each_platform_is_a_tab_with_an_address(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_index(client, "image/index", "1.0", platforms=self.PLATFORMS)
        page = open_page("/repository/image/index/tag/1.0")
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_text(list(self.PLATFORMS))
        expect(tabs.first).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name="linux/amd64")).to_be_visible()
        assert "--platform" not in commands(page)["Docker"]
        page.get_by_role("tab", name="linux/arm64").click()
        expect(page.get_by_role("tabpanel", name="linux/arm64")).to_contain_text("docker pull --platform linux/arm64")
        expect(page).to_have_url(re.compile(r"\?platform=linux%2Farm64$"))
        page.reload()
        expect(page.get_by_role("tab", name="linux/arm64")).to_have_attribute("aria-selected", "true")
        page.get_by_role("tab", name="linux/arm/v7").click()
        expect(page.get_by_role("tabpanel", name="linux/arm/v7")).to_contain_text("--platform linux/arm/v7")
        page.go_back()
        expect(page.get_by_role("tab", name="linux/arm64")).to_have_attribute("aria-selected", "true")
        page.go_forward()
        expect(page.get_by_role("tab", name="linux/arm/v7")).to_have_attribute("aria-selected", "true")

    def test_the_arrow_keys_go_along_the_tabs(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_index(client, "image/index", "1.0", platforms=self.PLATFORMS)
        page = open_page("/repository/image/index/tag/1.0")
        focus(page.get_by_role("tab", name="linux/amd64"))
        for key, name in (
            ("ArrowRight", "linux/arm64"),
            ("End", "linux/arm/v7"),
            ("ArrowRight", "linux/amd64"),
            ("ArrowLeft", "linux/arm/v7"),
            ("Home", "linux/amd64"),
        ):
            page.keyboard.press(key)
            expect(page.get_by_role("tab", name=name)).to_be_focused()
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
            expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
            expect(page.locator("[role=tab][tabindex='0']")).to_have_count(1)

    def test_each_platform_leads_to_its_own_view(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_index(client, "image/index", "1.0", platforms=self.PLATFORMS)
        page = open_page("/repository/image/index/tag/1.0?platform=linux/arm/v7")
        digest = page.get_by_role("tabpanel").locator(".facts button").first.get_attribute("title")
        page.get_by_role("link", name="Open separately").click()
        expect(page).to_have_url(re.compile(f"/repository/image/index/digest/{digest}$"))
        expect(page.get_by_role("heading", level=1)).to_have_text(f"image/index@{short(str(digest))}")
        assert commands(page)["Docker"].endswith(f"/image/index@{digest}")
        expect(page.get_by_label("By tag")).to_have_count(0)
        page.go_back()
        expect(page.get_by_role("tab", name="linux/arm/v7")).to_have_attribute("aria-selected", "true")

    def test_a_platform_that_is_not_here_is_said_so(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        here = image("here")
        push(client, "image/partial", None, here)
        gone = image("gone", platform="linux/arm64")
        whole = index([(here, "linux/amd64"), (gone, "linux/arm64")])
        push(client, "image/partial", None, gone)
        push(client, "image/partial", "1.0", whole)
        assert client.delete(f"/v2/image/partial/manifests/{gone.digest}").status_code == 202
        page = open_page("/repository/image/partial/tag/1.0")
        expect(page.get_by_role("tab")).to_have_text(["linux/amd64", "linux/arm64not in this registry"])
        page.get_by_role("tab", name="linux/arm64").click()
        expect(page.get_by_role("tabpanel")).to_contain_text("This platform is not in the registry")

    def test_indexes_in_an_index_are_gone_through(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        inner_image, outer_image = image("inner", media=OCI, platform="linux/s390x"), image("outer", media=OCI)
        inner = index([(inner_image, "linux/s390x")], media=OCI)
        for part in (inner_image, outer_image, inner):
            push(client, "image/nested", None, part)
        push(client, "image/nested", "1.0", index([(outer_image, "linux/amd64"), (inner, None)], media=OCI))
        page = open_page("/repository/image/nested/tag/1.0")
        expect(page.get_by_role("tab")).to_have_text(["linux/amd64", "linux/s390x"])
        page.get_by_role("tab", name="linux/s390x").click()
        panel = page.get_by_role("tabpanel")
        expect(panel).to_contain_text("in a nested index, which many clients cannot pull")
        expect(panel.get_by_role("group", name="Docker", exact=True)).to_have_text(
            re.compile(rf"docker pull --platform linux/s390x \S+/image/nested@{inner.digest}$")
        )
        panel.get_by_role("link", name=short(inner.digest)).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"image/nested@{short(inner.digest)}")
        expect(page.get_by_role("tab")).to_have_text(["linux/s390x"])

    def test_an_index_without_a_tag_shows_its_platforms(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        parts = [image("one", media=OCI), image("two", media=OCI, platform="linux/arm64")]
        for part in parts:
            push(client, "image/untagged", None, part)
        whole = index(list(zip(parts, ("linux/amd64", "linux/arm64"), strict=True)), media=OCI)
        push(client, "image/untagged", None, whole)
        page = open_page(f"/repository/image/untagged/digest/{whole.digest}")
        expect(page.get_by_role("tab")).to_have_text(["linux/amd64", "linux/arm64"])
        expect(fact(page, "Size").first).to_contain_text("2 platforms together")

    def test_attestations_are_named_and_have_their_own_view(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_index(client, "image/attested", "1.0", attestations=True)
        page = open_page("/repository/image/attested/tag/1.0")
        expect(page.get_by_role("tab")).to_have_count(2)
        attached = section(page, "Signatures, attestations and more").get_by_role("listitem")
        expect(attached).to_have_count(1)
        attached.get_by_role("link", name="Provenance (SLSA v0.2), SBOM (SPDX)").click()
        expect(fact(page, "Type")).to_have_text("Provenance (SLSA v0.2), SBOM (SPDX)")
        assert list(commands(page)) == ["skopeo"]
        section(page, "Raw content").get_by_text("in-toto+json").first.click()
        expect(section(page, "Raw content").locator("pre")).to_contain_text(
            '"predicateType": "https://slsa.dev/provenance/v0.2"'
        )


class TestForEveryone:
    def test_a_reader_of_japanese_reads_it_all(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        extra = {"config": CONFIG, "history": HISTORY, "author": "山田"}
        push_image(client, "image/japanese", "1.0", layers=("one", "two"), config_extra=extra)
        page = open_page("/repository/image/japanese/tag/1.0", locale="ja-JP")
        for title in ("pull", "設定", "ラベル", "履歴", "レイヤー", "元のデータ"):
            expect(page.get_by_role("heading", level=2, name=title, exact=True)).to_be_visible()
        expect(setting(page, "作業ディレクトリ")).to_have_text("/srv")
        expect(fact(page, "作成者")).to_have_text("山田")
        page.get_by_role("button", name="Docker のコマンドをコピー").click()
        expect(page.get_by_role("status")).to_have_text("コピーしました")

    @pytest.mark.parametrize("width", [320, 375, 768])
    def test_it_fits_narrow_screens(self, client: httpx.Client, open_page: Callable[..., Page], width: int) -> None:
        long = "x" * 300
        extra = {
            "config": {"Labels": {long: long}, "Env": [long]},
            "history": [{"created_by": f"RUN {long}"}],
            "author": long,
        }
        push_image(client, "image/narrow", "a" * 120, config_extra=extra)
        platforms = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/ppc64le")
        push_index(client, "image/narrow", "index", platforms=platforms, attestations=True)
        for tag in ("a" * 120, "index"):
            page = open_page(f"/repository/image/narrow/tag/{tag}", viewport={"width": width, "height": 800})
            expect(section(page, "Raw content")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_what_is_read_is_announced(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "image/announced", "1.0")
        page = open_page("/repository/image/announced/tag/1.0")
        expect(page.get_by_role("status")).to_have_text("Showing image/announced:1.0")

    def test_what_is_attached_comes_without_moving_the_rest(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/still", "1.0", config_extra={"config": CONFIG})
        page = open_page("")
        held: list[Route] = []
        page.route(re.compile("/overview/referrers/"), hold(held))
        page.goto("/repository/image/still/tag/1.0")
        last = section(page, "Raw content")
        expect(last).to_be_visible()
        before = last.bounding_box()
        until(page, lambda: bool(held))
        for route in held:
            route.continue_()
        expect(section(page, "Signatures, attestations and more")).to_be_hidden()
        assert last.bounding_box() == before
