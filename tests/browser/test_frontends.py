"""What registry frontends offer, row by row. Each is proved here end to end; the views' own tests have the details.

What is deleted, and what stays, is proved in test_deleting_page.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PLAIN_HOST
from tests.browser.pages import press, row
from tests.support import showcase as shown
from tests.support.content import build_image, push_image
from tests.support.page_views import BY_NAME
from tests.support.registry_content import push
from tests.support.stored import IMAGES, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.conftest import Watch, Windows
    from tests.support.stack import DeployedStack

MANY = 10_000


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


def tags(page: Page) -> Locator:
    return page.locator("#tags .tag")


def section(page: Page, title: str) -> Locator:
    return page.locator("main section").filter(has=page.get_by_role("heading", name=title, exact=True))


class TestFinding:
    @pytest.fixture
    def crowded(self, make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
        """A registry whose storage has very many repositories."""
        stack = make_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
        stack.up()
        for number in range(MANY):
            place = Stored(stack).repository(f"group-{number // 100}/service-{number}")
            (place / "_manifests" / "tags" / "1.0").mkdir(parents=True)
        yield stack
        stack.remove()

    def test_every_repository_listed_however_many(self, crowded: DeployedStack, open_page: Callable[..., Page]) -> None:
        page = open_page("/", base=crowded.url)
        expect(page.locator("h1 + .count")).to_have_text("10,000")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.get_by_role("link", name="group-99/service-9999")).to_be_in_viewport()
        assert page.locator("#repositories .row").count() < 200

    def test_search(self, windows: Windows) -> None:
        """All repositories, and the tags of one."""
        page = windows.show(BY_NAME["list"])
        page.get_by_role("searchbox").fill("proxy GATE")
        expect(page.locator("#repositories a")).to_have_text([re.compile("auth-proxy")])
        page.keyboard.press("Enter")
        expect(page.locator("#tags time").first).to_be_visible()
        page.get_by_role("searchbox").fill("7.6")
        expect(tags(page)).to_have_text(["7.6.0"])

    def test_names_of_any_depth(self, windows: Windows) -> None:
        page = windows.show(BY_NAME["folders"])
        *folders, leaf = shown.DEEP.split("/")
        for folder in folders:
            page.get_by_role("treeitem", name=re.compile(f"^{folder}")).click()
        page.get_by_role("treeitem", name=re.compile(f"^{leaf}")).click()
        expect(page).to_have_url(re.compile(f"/repository/{shown.DEEP}$"))
        expect(tags(page).first).to_be_visible()


class TestTags:
    def test_tag_sort_name_natural_date_size(self, windows: Windows) -> None:
        page = windows.show(BY_NAME["repository"])
        page.set_viewport_size({"width": 1280, "height": 4000})
        expect(tags(page)).to_have_count(40)
        page.locator("#tags .header .name .sort").click()
        expect(page.locator("#tags .header .name")).to_have_attribute("aria-sort", "ascending")
        names = tags(page).all_inner_texts()
        assert names.index("2.11.2") < names.index("2.12.0") < names.index("2.15.0-rc.1") < names.index("latest")
        page.get_by_role("button", name="Created").click()
        # What was created at one moment is in the order of its pushes.
        expect(tags(page).first).to_have_text(re.compile(r"^(edge|2\.15\.0-rc\.1)$"))
        expect(tags(page).last).to_have_text(re.compile(r"^v?2\.10\.0$"))
        page.get_by_role("button", name="Size").click()
        expect(tags(page).first).to_have_text("2")
        expect(page.locator("#tags .size").nth(1)).to_contain_text("3 platforms together")

    def test_digest_size_created(self, windows: Windows) -> None:
        """Of all platforms."""
        page = windows.show(BY_NAME["repository-filtered"])
        tag = row(page, "2.14")
        digest = tag.get_by_role("button", name="Copy the digest of 2.14").get_attribute("title")
        assert re.fullmatch("sha256:[0-9a-f]{64}", digest or "")
        expect(tag.locator(".size")).to_contain_text(re.compile(r"21\.\d MB"))
        expect(tag.locator(".size")).to_contain_text("3 platforms together")
        expect(tag.locator(".created time")).to_have_text("5 days ago")

    def test_multi_platform_index(self, windows: Windows) -> None:
        page = windows.show(BY_NAME["image-of-platforms"])
        # arm64 is v8 if nothing else is said.
        platforms = [platform.removesuffix("/v8") for platform in shown.PLATFORMS]
        expect(page.get_by_role("tab")).to_have_text(platforms)
        digests = set()
        for platform in reversed(platforms):
            page.get_by_role("tab", name=platform).click()
            expect(page).to_have_url(re.compile(f"platform={platform.replace('/', '(/|%2F)')}"))
            panel = page.get_by_role("tabpanel")
            expect(panel).not_to_have_attribute("aria-busy", "true")
            digests.add(panel.locator("dd button").first.get_attribute("title"))
            expect(panel.locator(".referrers")).to_contain_text("Provenance")
            expect(panel.locator(".referrers")).to_contain_text("SBOM")
        assert len(digests) == 3

    def test_oci_artifacts_and_referrers(self, windows: Windows) -> None:
        page = windows.show(BY_NAME["repository-of-charts"])
        expect(page.locator("main .command")).to_contain_text(re.compile("helm pull .*oci://"))
        expect(page.locator("#tags .chip").first).to_have_text("cncf.helm")
        page = windows.show(BY_NAME["chart"])
        expect(section(page, "Pull")).to_contain_text(re.compile("helm pull .*oci://"))
        expect(page.locator("main")).not_to_contain_text("docker pull")
        expect(section(page, "Helm chart")).to_contain_text("2.14.2")
        page = windows.show(BY_NAME["files"])
        expect(section(page, "Pull")).to_contain_text("oras pull")
        expect(section(page, "Files")).to_contain_text("modules.tgz")
        page = windows.show(BY_NAME["image-signed"])
        attached = page.locator(".referrers")
        expect(attached).to_contain_text("Signature")
        expect(attached).to_contain_text("SBOM")

    def test_layer_history_labels_env(self, windows: Windows) -> None:
        page = windows.show(BY_NAME["image"])
        expect(section(page, "History")).to_contain_text("COPY dist/ /srv/app/")
        expect(section(page, "History")).to_contain_text("1.9 MB")
        expect(section(page, "Labels")).to_contain_text("https://git.example.com/data/postgres")
        expect(section(page, "Configuration")).to_contain_text("APP_VERSION=16.4")
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(4)

    def test_deduplicated_size_of_a_repository(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        common, one, other = ("".join(map(str, range(start, start + 9000))) for start in (0, 50_000, 80_000))
        first = build_image(layers=(common, one))
        second = build_image(layers=(common, other), created="2024-01-01T00:00:00Z")
        for tag, image in (("1.0", first), ("1.1", second), ("latest", second)):
            push(client, "frontends/shared", tag, image)
        stored = sum(map(len, {*first.blobs, *second.blobs}))
        assert stored < first.size + second.size
        page = open_page("/repository/frontends/shared")
        expect(page.locator(".title")).to_contain_text(f"{stored / 1000:.1f} kB")


class TestPulling:
    TOOLS = ("docker pull", "podman pull", "skopeo copy", "image: ")

    def test_pull_command_to_copy(self, windows: Windows, showcase: DeployedStack) -> None:
        """For docker, podman, skopeo and Kubernetes, by tag and by digest."""
        page = windows.show(BY_NAME["image"])
        pull = section(page, "Pull")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        for reference in (r":16\.4", "@sha256:[0-9a-f]{64}"):
            for position, command in enumerate(self.TOOLS):
                # What was announced of the command before is no sign that this one is copied.
                page.evaluate("document.querySelector('#announcer').textContent = ''")
                pull.get_by_role("button").nth(position).click()
                expect(page.get_by_role("status")).to_have_text("Copied")
                words = page.evaluate("navigator.clipboard.readText()")
                assert words.startswith(command)
                assert re.search(f"{showcase.address}/{shown.IMAGE}{reference}", words)
            pull.get_by_label("By digest").check()

    def test_copy_works_on_plain_http(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, watch: Watch
    ) -> None:
        watch.expect("Cross-Origin-Opener-Policy")
        push_image(client, "frontends/copied", "1.0")
        page = open_page("/repository/frontends/copied", base=f"http://{PLAIN_HOST}:{page_stack.port}")
        assert page.evaluate("isSecureContext") is False
        page.get_by_role("button", name="Copy the pull command for 1.0").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        page.evaluate("document.body.prepend(document.createElement('textarea'))")
        press(page.locator("textarea"), "Control+V")
        command = f"docker pull {PLAIN_HOST}:{page_stack.port}/frontends/copied:1.0"
        expect(page.locator("textarea")).to_have_value(command)


class TestPeople:
    def test_works_with_login_same_origin(self, browser: Browser, windows: Windows, showcase: DeployedStack) -> None:
        page = windows.page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/")
        expect(page.locator("header")).to_contain_text(shown.OWNER)
        page.get_by_role("link", name=shown.IMAGE, exact=True).click()
        expect(page.locator("#tags time").first).to_be_visible()
        assert asked
        assert all(url.startswith(showcase.url) for url in asked)
        without = browser.new_context(base_url=showcase.url)
        assert without.request.get("/").status == 401
        without.close()

    def test_read_only_for_readers(self, windows: Windows) -> None:
        """Each user sees what they may do."""
        controls = re.compile("delete", re.IGNORECASE)
        for user, may_delete in ((shown.OWNER, True), (shown.READER, False)):
            page = windows.page(user)
            for path, ready in (
                (f"/repository/{shown.IMAGE}", "#tags time"),
                (BY_NAME["image"].path, ".image section"),
            ):
                page.goto(path)
                expect(page.locator(ready).first).to_be_visible()
                assert (page.get_by_role("button", name=controls).count() > 0) is may_delete
                assert may_delete or page.get_by_role("checkbox").count() == 0

    def test_languages(self, open_page: Callable[..., Page]) -> None:
        """The browser's, and the one that is chosen."""
        japanese = open_page("/", locale="ja-JP")
        expect(japanese.get_by_role("heading", level=1)).to_have_text("リポジトリ")
        page = open_page("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
        choose_language(page, "日本語")
        expect(page.get_by_role("heading", level=1)).to_have_text("リポジトリ")
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("リポジトリ")
        choose_language(page, "English")
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")

    def test_dark_theme(self, windows: Windows) -> None:
        for theme, is_dark in (("light", False), ("dark", True)):
            page = windows.show(BY_NAME["list"], theme=theme)
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
            assert (brightness < 80) is is_dark

    def test_accessible(self, windows: Windows) -> None:
        """From the list to the command of one image, all by keyboard."""
        page = windows.show(BY_NAME["list"])
        page.keyboard.press("/")
        page.keyboard.type("postgres")
        expect(page.locator("#repositories a")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("link", name=shown.IMAGE)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_role("table", name=f"Tags of {shown.IMAGE}")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("16.4")
        expect(page.get_by_role("status")).to_have_text(re.compile("1 of 5 tags"))
        page.keyboard.press("ArrowDown")
        expect(page.locator("#tags :focus")).to_have_count(1)
        reach(page, page.get_by_role("link", name="16.4", exact=True))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{shown.IMAGE}:16.4")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        reach(page, page.get_by_role("button", name="Copy the command for Docker"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Copied")

    def test_nothing_fetched_from_elsewhere(self, windows: Windows, showcase: DeployedStack) -> None:
        page = windows.page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        response = page.goto("/")
        assert response is not None
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not re.search("unsafe|https?:|data:|[*]", policy)
        for name in ("list", "repository", "image", "chart"):
            windows.show(BY_NAME[name])
        assert all(url.startswith(f"{showcase.url}/") for url in asked)

    def test_deep_links(self, windows: Windows) -> None:
        """Each view opens from its address, and one goes back and forward."""
        page = windows.show(BY_NAME["list-filtered"])
        walked = ("repository-filtered", "image-of-platforms", "chart")
        titles = [page.title(), *(windows.show(BY_NAME[name]).title() for name in walked)]
        assert len(set(titles)) == len(titles)
        page.get_by_role("navigation").get_by_role("link").last.click()
        expect(page).to_have_url(re.compile(f"/repository/{shown.CHART}$"))
        for title in reversed(titles):
            page.go_back()
            expect(page).to_have_title(title)
        expect(page.get_by_role("searchbox")).to_have_value("platform")
        page.go_forward()
        expect(page).to_have_title(titles[1])
        expect(page.get_by_role("searchbox")).to_have_value("2.14")

    def test_narrow_screens(self, windows: Windows) -> None:
        for name, reached in (
            ("list", "#repositories a"),
            ("repository", "#tags .pull button"),
            ("image", "main .command button"),
        ):
            page = windows.show(BY_NAME[name], width=320)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            page.locator(reached).first.click(trial=True)


def choose_language(page: Page, language: str) -> None:
    with page.expect_navigation():
        page.get_by_role("combobox").select_option(language)


def reach(page: Page, wanted: Locator, most: int = 40) -> None:
    """Press Tab until it has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"The Tab key does not lead to {wanted}.")
