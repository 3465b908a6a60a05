"""A repository's view: all its tags, in a real browser, on the deployed registry."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, expect

from deployer.registry.content import placeholder
from tests.browser.conftest import PLAIN_HOST
from tests.browser.pages import answer, filter_box, focus, hold, press, row, rows, until
from tests.support.content import (
    build_image,
    empty_repository,
    push_artifact,
    push_image,
    push_index,
    push_many_tags,
)
from tests.support.registry_content import DOCKER, TYPES, Image, push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Locator, Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

OVERVIEW = re.compile(r"/overview/tags/")
NOTHING_MAY = {"push": False, "delete": False}


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


@pytest.fixture(scope="module")
def many_tags(client: httpx.Client) -> str:
    push_many_tags(client, "page/many", [f"build-{number}" for number in range(1, 1001)], images=20)
    return "page/many"


class TestTags:
    def test_a_tag_shows_digest_size_platform_and_age(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        created = (datetime.now(UTC) - timedelta(days=3, hours=1)).isoformat()
        pushed = {
            media: push_image(client, f"page/{media}", "1.0", media=media, created=created, layers=("x", "y" * 5000))
            for media in ("docker", "oci")
        }
        for media, image in pushed.items():
            page = open_page(f"/repository/page/{media}")
            tag = row(page, "1.0")
            expect(tag).to_contain_text(image.digest.removeprefix("sha256:")[:12])
            expect(tag.get_by_role("button", name="Copy the digest of 1.0")).to_have_attribute("title", image.digest)
            expect(tag.get_by_role("link", name="1.0")).to_have_attribute("href", f"/repository/page/{media}/tag/1.0")
            expect(tag.locator(".size")).to_have_text(f"{image.size} B")
            expect(tag.locator(".platforms")).to_have_text("linux/amd64")
            expect(tag.locator(".created time")).to_have_text("3 days ago")
            expect(tag.locator(".created time")).to_have_attribute("title", re.compile(r"20\d\d"))
            expect(page.locator("pre")).to_contain_text(f"docker pull {page_stack.address}/page/{media}:1.0")

    def test_an_index_shows_its_platforms_and_no_attestation(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")
        oci = push_index(client, "page/index", "oci", platforms=platforms, attestations=True)
        push_index(client, "page/index", "docker", platforms=platforms, media="docker")
        page = open_page("/repository/page/index")
        for tag in ("oci", "docker"):
            expect(row(page, tag).locator(".chip")).to_have_text(["linux/amd64", "linux/arm64", "linux/arm/v7"])
            expect(row(page, tag).locator(".size")).to_contain_text("3 platforms together")
        expect(row(page, "oci").locator(".size")).to_contain_text(f"{oci.size} B")
        expect(row(page, "oci")).not_to_contain_text("unknown")

    def test_tags_on_one_digest_name_each_other(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        for tag in ("1.0", "1.0.3", "latest"):
            push_image(client, "page/siblings", tag)
        push_image(client, "page/siblings", "other", layers=("other",))
        page = open_page("/repository/page/siblings")
        expect(row(page, "latest")).to_contain_text("same image: 1.0, 1.0.3")
        expect(row(page, "1.0")).to_contain_text("same image: 1.0.3, latest")
        expect(row(page, "other").locator(".created time")).to_be_visible()
        expect(row(page, "other")).not_to_contain_text("same image")

    def test_the_repositorys_size_counts_shared_layers_once(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        images = [build_image(layers=("shared" * 300, name)) for name in ("one", "two")]
        for number, image in enumerate(images):
            push(client, "page/shared", str(number), image)
        push(client, "page/shared", "again", images[0])
        blobs = {blob for image in images for blob in image.blobs}
        page = open_page("/repository/page/shared")
        expect(page.locator("h1 + .count")).to_have_text(f"3 tags · {sum(map(len, blobs))} B")

    def test_tags_are_sorted_by_name_age_and_size(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        for tag, day, weight in (("1.10", 2, 90), ("1.9", 3, 10), ("1.2", 1, 5000)):
            words = "".join(chr(33 + position % 90) + str(position) for position in range(weight))
            push_image(client, "page/sorted", tag, created=f"2024-01-0{day}T00:00:00Z", layers=(words,))
        page = open_page("/repository/page/sorted")
        tags = page.locator("#tags .tag")
        expect(tags).to_have_text(["1.9", "1.10", "1.2"])
        expect(page.get_by_role("columnheader", name="Created")).to_have_attribute("aria-sort", "descending")
        page.locator("#tags .header .name .sort").click()
        expect(tags).to_have_text(["1.2", "1.9", "1.10"])
        page.get_by_role("button", name="Size").click()
        expect(tags).to_have_text(["1.2", "1.10", "1.9"])
        page.reload()
        expect(tags).to_have_text(["1.2", "1.10", "1.9"])
        # What was chosen holds everywhere, until something else is.
        page.goto("/repository/page/sorted")
        expect(tags).to_have_text(["1.2", "1.10", "1.9"])
        filter_box(page).fill("1.1")
        expect(tags).to_have_text(["1.10"])

    def test_a_thousand_tags_are_one_request_few_rows_and_all_sorted(self, many_tags: str, page: Page) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/repository/{many_tags}?sort=name")
        expect(page.locator("h1 + .count")).to_have_text(re.compile("^1,000 tags"))
        expect(page.locator("#tags .tag").first).to_have_text("build-1")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(row(page, "build-1000").locator(".created time")).to_be_in_viewport()
        assert rows(page).count() < 200
        page.get_by_role("button", name="Created").click()
        page.get_by_role("button", name="Created").click()
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator("#tags .tag").first).to_have_text("build-20")
        assert len([url for url in asked if "/overview/tags/" in url or "/v2/" in url]) == 1

    def test_leaving_cancels_what_is_being_read(self, client: httpx.Client, page: Page) -> None:
        push_image(client, "page/left", "1.0")
        failed: list[str] = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.route(OVERVIEW, lambda _route: None)
        page.goto("/repository/page/left")
        expect(page.get_by_role("heading", level=1)).to_have_text("page/left")
        page.get_by_role("link", name="Repositories").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
        until(page, lambda: any("/overview/tags/" in url for url in failed))

    def test_what_was_shown_before_is_shown_at_once_and_read_again(self, client: httpx.Client, page: Page) -> None:
        push_image(client, "page/again", "1.0")
        page.goto("/repository/page/again")
        expect(row(page, "1.0")).to_be_visible()
        page.get_by_role("link", name="Repositories").click()
        push_image(client, "page/again", "2.0")
        held: list[Route] = []
        page.route(OVERVIEW, hold(held))
        page.go_back()
        expect(row(page, "1.0")).to_be_visible()
        expect(row(page, "2.0")).to_have_count(0)
        # What is asked from now on is answered.
        page.unroute(OVERVIEW)
        # The list of repositories, left in the meantime, had asked too.
        for route in held:
            with contextlib.suppress(Error):
                route.continue_()
        expect(row(page, "2.0")).to_be_visible()

    def test_a_repository_without_tags_says_so(
        self, page: Page, client: httpx.Client, page_stack: DeployedStack
    ) -> None:
        empty_repository(client, "page/empty")
        page.goto("/repository/page/empty")
        expect(page.get_by_role("heading", name="page/empty has no tags")).to_be_visible()
        commands = page.locator("pre:visible")
        expect(commands.first).to_contain_text(f"docker push {page_stack.address}/page/empty")
        expect(commands.last).to_have_text("deployer delete --repository page/empty")
        expect(filter_box(page)).to_be_hidden()

    def test_an_unknown_repository_and_an_impossible_name_say_so(self, page: Page, watch: Watch) -> None:
        watch.expect("status of 404")
        page.goto("/repository/page/no-such")
        expect(page.get_by_role("heading", name="Repository page/no-such not found")).to_be_visible()
        page.goto("/repository/Page%20<b>")
        expect(page.get_by_role("heading", name="Invalid repository name")).to_be_visible()
        page.goto("/elsewhere")
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()

    def test_what_fails_can_be_read_again(self, page: Page, watch: Watch, client: httpx.Client) -> None:
        watch.expect("status of 500")
        push_image(client, "page/flaky", "good")
        page.route(OVERVIEW, answer({"errors": [{"code": "X", "message": "<b>told</b>"}]}, 500))
        page.goto("/repository/page/flaky")
        expect(page.get_by_role("alert")).to_contain_text("HTTP 500: <b>told</b>")
        page.unroute(OVERVIEW)
        page.get_by_role("button", name="Try again").click()
        expect(row(page, "good").locator(".created time")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)

    def test_html_in_what_an_image_controls_stays_text(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        evil = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>'
        push_image(
            client, "page/evil", "config",
            config_extra={"author": evil, "created": evil, "os": evil, "architecture": evil, "variant": evil},
        )  # fmt: skip
        push_artifact(client, "page/evil", "artifact", artifactType=f"application/{evil}")
        push_artifact(client, "page/evil", "type", config_type=f"application/{evil}")
        page = open_page("/repository/page/evil")
        for tag in ("artifact", "type", "config"):
            expect(row(page, tag).locator(".platforms")).to_contain_text("<img src=x")
        expect(row(page, "config").locator(".created")).to_have_text("\u2013")
        expect(page.locator("main img, main script")).to_have_count(0)
        assert page.evaluate("window.ran") is None

    def test_an_artifact_is_named_as_what_it_is(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        chart = push_artifact(client, "page/chart", "0.1.0")
        page = open_page("/repository/page/chart")
        expect(row(page, "0.1.0").locator(".chip")).to_have_text("cncf.helm")
        command = re.compile(r"^helm pull --plain-http oci://.+/page/chart --version 0\.1\.0")
        expect(page.locator("pre")).to_contain_text(command)
        expect(row(page, "0.1.0").locator(".size")).to_have_text(f"{chart.size} B")

    def test_half_deleted_and_lost_tags_are_named(self, client: httpx.Client, page: Page) -> None:
        made = push_image(client, "page/broken", "good")
        left = placeholder.make("half", made.digest, TYPES[DOCKER]["manifest"], "nonce")
        push(client, "page/broken", "half", Image(left.content, left.media_type, (placeholder.CONFIG,)))
        stored = client.get("/overview/tags/page/broken").json()
        stored["tags"] |= {"damaged": "", "dangling": "sha256:" + "0" * 64}
        page.route(OVERVIEW, answer(stored))
        page.goto("/repository/page/broken")
        expect(row(page, "half")).to_contain_text("partially deleted")
        for tag in ("damaged", "dangling"):
            expect(row(page, tag)).to_contain_text("manifest missing")
        expect(row(page, "good").locator(".fault")).to_have_count(0)


class TestSelecting:
    TAGS = ("1.1", "1.2", "1.3", "1.4", "2.1")

    @pytest.fixture
    def page(self, client: httpx.Client, open_page: Callable[..., Page]) -> Page:
        for tag in self.TAGS:
            push_image(client, "page/selecting", tag, layers=("base", tag))
        return open_page("/repository/page/selecting?sort=name")

    def box(self, page: Page, tag: str) -> Locator:
        return page.get_by_role("checkbox", name=f"Select {tag}", exact=True)

    def selected(self, page: Page) -> list[str]:
        return [tag for tag in self.TAGS if self.box(page, tag).is_checked()]

    def test_several_all_and_none_are_selected(self, page: Page) -> None:
        self.box(page, "1.1").check()
        self.box(page, "1.3").check()
        bar = page.locator(".selection")
        expect(bar).to_contain_text("2 tags selected · frees up to")
        every = page.get_by_role("checkbox", name="Select all shown tags")
        assert every.evaluate("box => box.indeterminate") is True
        every.check()
        assert self.selected(page) == list(self.TAGS)
        page.get_by_role("button", name="Clear", exact=True).click()
        assert self.selected(page) == []
        expect(bar).to_be_hidden()

    @pytest.mark.parametrize("by", ["mouse", "keyboard"])
    def test_shift_selects_a_range(self, page: Page, by: str) -> None:
        def choose(tag: str, *, shift: bool) -> None:
            if by == "mouse":
                self.box(page, tag).click(modifiers=["Shift"] if shift else [])
            else:
                press(self.box(page, tag), "Shift+Space" if shift else "Space")

        choose("1.4", shift=False)
        choose("1.2", shift=True)
        assert self.selected(page) == ["1.2", "1.3", "1.4"]
        choose("1.3", shift=True)
        assert self.selected(page) == ["1.4"]

    def test_arrow_keys_go_from_box_to_box(self, page: Page) -> None:
        press(self.box(page, "1.1"), "ArrowDown")
        expect(self.box(page, "1.2")).to_be_focused()
        page.keyboard.press("Space")
        assert self.selected(page) == ["1.2"]

    def test_all_that_are_shown_are_those_that_the_search_found(self, page: Page) -> None:
        filter_box(page).fill("1.")
        page.get_by_role("checkbox", name="Select all shown tags").check()
        filter_box(page).fill("2.")
        expect(page.locator(".selection")).to_contain_text("4 tags selected, 4 not shown")
        filter_box(page).fill("")
        assert self.selected(page) == ["1.1", "1.2", "1.3", "1.4"]

    def test_who_may_not_delete_sees_no_control_for_it(self, client: httpx.Client, page: Page) -> None:
        stored = client.get("/overview/tags/page/selecting").json()
        page.route(OVERVIEW, answer({**stored, "may": NOTHING_MAY}))
        page.reload()
        expect(row(page, "1.1").locator(".created time")).to_be_visible()
        expect(page.get_by_role("checkbox")).to_have_count(0)
        expect(page.get_by_role("button", name=re.compile("Delete"))).to_have_count(0)
        press(row(page, "1.1").get_by_role("link"), "Delete")
        expect(page.get_by_role("dialog")).to_have_count(0)


class TestWays:
    def test_the_focus_stays_on_its_row_when_rows_are_sorted(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        for tag, day in (("1", 2), ("2", 1), ("3", 3)):
            push_image(client, "page/focus", tag, created=f"2024-01-0{day}T00:00:00Z")
        page = open_page("/repository/page/focus?sort=name")
        button = page.get_by_role("button", name="Copy the pull command for 2")
        focus(button)
        page.evaluate("document.querySelector('.created .sort').click()")
        expect(page.locator("#tags .tag")).to_have_text(["3", "1", "2"])
        expect(button).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_role("button", name="Copy the pull command for 1")).to_be_focused()

    def test_copying_works_on_plain_http(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, watch: Watch
    ) -> None:
        watch.expect("Cross-Origin-Opener-Policy")
        push_image(client, "page/copied", "1.0")
        base = f"http://{PLAIN_HOST}:{page_stack.port}"
        page = open_page("/repository/page/copied", base=base)
        assert page.evaluate("isSecureContext") is False
        button = page.get_by_role("button", name="Copy the pull command for 1.0")
        button.click()
        expect(page.locator("#announcer")).to_have_text("Copied")
        expect(button).to_be_focused()
        press(filter_box(page), "Control+V")
        # What was copied is a reference, which the search opens.
        expect(page).to_have_url(f"{base}/repository/page/copied/tag/1.0")

    @pytest.mark.parametrize("width", [320, 390, 768])
    def test_nothing_is_wider_than_a_narrow_screen(
        self, client: httpx.Client, open_page: Callable[..., Page], width: int
    ) -> None:
        tag = "a" * 120
        push_index(client, "page/narrow", tag, platforms=("linux/amd64", "linux/arm64/v8", "linux/arm/v7"))
        page = open_page("/repository/page/narrow", viewport={"width": width, "height": 800})
        expect(page.locator(".created time")).to_be_visible()
        page.get_by_role("checkbox", name=f"Select {tag}").check()
        expect(page.locator(".selection")).to_contain_text("1 tag selected · frees")
        expect(page.locator(".selection")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.get_by_role("button", name="Copy the pull command")).to_be_in_viewport()
