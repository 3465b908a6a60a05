"""The web page, in a real browser, on the deployed registry."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PLAIN_HOST
from tests.support.content import (
    empty_repository,
    push_artifact,
    push_image,
    push_index,
    push_many_tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Locator, Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

CATALOG = re.compile(r"/v2/_catalog")
MANIFESTS = re.compile(r"/v2/.+/manifests/")
MANY = 10_000


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


@pytest.fixture(scope="module")
def many_tags(client: httpx.Client) -> str:
    push_many_tags(client, "page/many", [f"build-{number}" for number in range(1, 1001)], images=20)
    return "page/many"


def rows(page: Page) -> Locator:
    return page.locator("main .rows > .row")


def row(page: Page, tag: str) -> Locator:
    return page.locator("#tags .rows > .row").filter(has=page.get_by_text(tag, exact=True))


def filter_box(page: Page) -> Locator:
    return page.get_by_role("searchbox")


def answer(body: object, status: int = 200) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps(body))


def names_of(many: int) -> list[str]:
    return [f"group-{number // 100}/service-{number}" for number in range(many)]


class TestRepositories:
    def test_a_pushed_image_is_listed_and_found(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "page/listed", "1.0")
        push_image(client, "page/other", "1.0")
        page = open_page()
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
        page.get_by_role("searchbox").fill("LISTED page")
        expect(page.get_by_role("link", name="page/listed")).to_be_visible()
        expect(page.get_by_role("link", name="page/other")).to_have_count(0)
        expect(page.locator("h1 + .count")).to_have_text(re.compile(r"^1 of \d+$"))
        expect(page.get_by_role("status")).to_have_text(re.compile(r"^1 of \d+ repositories$"))
        filter_box(page).press("Enter")
        expect(page).to_have_url(re.compile("/repository/page/listed$"))

    def test_a_filter_has_its_address(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "page/listed", "1.0")
        page = open_page("/?filter=page/listed")
        expect(filter_box(page)).to_have_value("page/listed")
        expect(page.get_by_role("link", name="page/listed")).to_be_visible()
        filter_box(page).fill("no such repository")
        expect(page.get_by_text("Nothing here matches “no such repository”.")).to_be_visible()
        page.get_by_role("button", name="Clear the filter").click()
        expect(filter_box(page)).to_be_focused()
        expect(page).to_have_url(re.compile("/$"))

    def test_ten_thousand_are_one_request_and_few_rows(self, page: Page) -> None:
        requests: list[str] = []

        def catalogue(route: Route) -> None:
            requests.append(route.request.url)
            answer({"repositories": names_of(MANY)})(route)

        page.route(CATALOG, catalogue)
        page.goto("/")
        expect(page.locator("h1 + .count")).to_have_text("10,000")
        assert rows(page).count() < 200
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.get_by_role("link", name="group-99/service-9999")).to_be_in_viewport()
        assert rows(page).count() < 200
        expect(page.get_by_role("link", name="group-99/service-9999")).to_have_attribute("href", re.compile("9999$"))
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        filter_box(page).fill("service")
        expect(page.get_by_role("link", name="group-0/service-0", exact=True)).to_be_in_viewport()
        filter_box(page).fill("service-4321")
        expect(page.get_by_role("link", name="group-43/service-4321")).to_be_in_viewport()
        expect(rows(page)).to_have_count(2)
        assert len(requests) == 1

    def test_no_row_is_missing_while_scrolling(self, page: Page) -> None:
        page.route(CATALOG, answer({"repositories": names_of(MANY)}))
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        for step in range(12):
            page.evaluate("part => scrollTo(0, document.body.scrollHeight * part)", step / 12)
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            uncovered = page.evaluate(
                """() => Array.from({length: 8}, (_, part) => 120 + part * (innerHeight - 300) / 8)
                     .filter(y => !document.elementFromPoint(innerWidth / 2, y)?.closest('.row')).length"""
            )
            assert step == 0 or uncovered == 0

    def test_an_empty_registry_says_how_to_push(self, page: Page, page_stack: DeployedStack) -> None:
        nothing: tuple[list[str] | None, ...] = ([], None)
        for repositories in nothing:
            page.route(CATALOG, answer({"repositories": repositories}))
            page.goto("/")
            expect(page.get_by_role("heading", name="Nothing has been pushed here yet")).to_be_visible()
            expect(page.locator("pre")).to_contain_text(f"docker tag IMAGE {page_stack.address}/NAME")
            expect(page.locator("pre")).to_contain_text(f"docker push {page_stack.address}/NAME")
            expect(filter_box(page)).to_be_hidden()
            page.unroute(CATALOG)

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (429, "is asked too much"),
            (500, "met a fault"),
            (503, "does not answer"),
        ],
    )
    def test_a_fault_is_a_sentence_and_can_be_tried_again(
        self, page: Page, watch: Watch, client: httpx.Client, status: int, sentence: str
    ) -> None:
        push_image(client, "page/listed", "1.0")
        watch.expect(f"status of {status}")
        page.route(CATALOG, answer({"errors": [{"code": "X", "message": "<b>told</b> by the registry"}]}, status))
        page.goto("/")
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        expect(page.get_by_role("alert")).to_contain_text(f"HTTP {status}: <b>told</b> by the registry")
        page.unroute(CATALOG)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(rows(page).first).to_be_visible()

    def test_no_registry_and_no_connection_are_sentences(self, page: Page, watch: Watch) -> None:
        watch.expect("net::ERR_FAILED")
        page.route(CATALOG, lambda route: route.fulfill(body="<html>", content_type="text/html"))
        page.goto("/")
        expect(page.get_by_role("alert")).to_contain_text("not a registry")
        page.route(CATALOG, lambda route: route.abort())
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")

    def test_a_catalogue_in_pages_is_followed(self, page: Page, watch: Watch) -> None:
        watch.expect("status of 400")
        link = {"Link": '</v2/_catalog?last=page%2Fone&n=1000>; rel="next"', "Content-Type": "application/json"}

        def paged(route: Route) -> None:
            if "n=1000000" in route.request.url:
                answer({"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}, 400)(route)
            elif "last=" in route.request.url:
                answer({"repositories": ["page/two"]})(route)
            else:
                route.fulfill(headers=link, body=json.dumps({"repositories": ["page/one"]}))

        page.route(CATALOG, paged)
        page.goto("/")
        expect(page.get_by_role("link", name="page/one")).to_be_visible()
        expect(page.get_by_role("link", name="page/two")).to_be_visible()


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
            expect(tag.locator(".size")).to_have_text(f"{image.size} B")
            expect(tag.locator(".platforms")).to_have_text("linux/amd64")
            expect(tag.locator("time")).to_have_text("3 days ago")
            expect(tag.locator("time")).to_have_attribute("title", re.compile(r"20\d\d"))
            expect(page.locator("pre")).to_contain_text(f"docker pull {page_stack.address}/page/{media}:1.0")

    def test_an_index_shows_its_platforms_and_no_attestation(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        platforms = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7")
        oci = push_index(client, "page/index", "oci", platforms=platforms, attestations=True)
        push_index(client, "page/index", "docker", platforms=platforms, media="docker")
        page = open_page("/repository/page/index")
        for tag in ("oci", "docker"):
            expect(row(page, tag).locator(".chip")).to_have_text(list(platforms))
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
        expect(row(page, "other").locator("time")).to_be_visible()
        expect(row(page, "other")).not_to_contain_text("same image")

    def test_tags_are_sorted_by_name_age_and_size(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        for tag, day, weight in (("1.10", 2, 90), ("1.9", 3, 10), ("1.2", 1, 5000)):
            words = "".join(chr(33 + position % 90) + str(position) for position in range(weight))
            push_image(client, "page/sorted", tag, created=f"2024-01-0{day}T00:00:00Z", layers=(words,))
        page = open_page("/repository/page/sorted")
        tags = page.locator("#tags .tag")
        expect(tags).to_have_text(["1.2", "1.9", "1.10"])
        expect(page.locator("#tags time")).to_have_count(3)
        page.get_by_role("button", name="Created").click()
        expect(tags).to_have_text(["1.9", "1.10", "1.2"])
        expect(page.get_by_role("columnheader", name="Created")).to_have_attribute("aria-sort", "descending")
        page.get_by_role("button", name="Size").click()
        expect(tags).to_have_text(["1.2", "1.10", "1.9"])
        page.reload()
        expect(tags).to_have_text(["1.2", "1.10", "1.9"])
        filter_box(page).fill("1.1")
        expect(tags).to_have_text(["1.10"])

    def test_a_thousand_tags_are_few_rows_and_all_sorted(self, many_tags: str, open_page: Callable[..., Page]) -> None:
        page = open_page(f"/repository/{many_tags}")
        expect(page.locator("h1 + .count")).to_have_text("1,000 tags")
        expect(page.locator("#tags .tag").first).to_have_text("build-1")
        expect(row(page, "build-1").locator("time")).to_be_visible()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(row(page, "build-1000")).to_be_in_viewport()
        assert rows(page).count() < 200
        page.get_by_role("button", name="Created").click()
        expect(page.locator(".progress")).to_be_hidden(timeout=120_000)
        page.get_by_role("button", name="Created").click()
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator("#tags .tag").first).to_have_text("build-20")

    def test_leaving_cancels_what_is_being_read(self, many_tags: str, page: Page) -> None:
        asked: list[str] = []
        held: list[Route] = []

        def hold(route: Route) -> None:
            asked.append(route.request.url)
            held.append(route)

        page.route(MANIFESTS, hold)
        page.goto(f"/repository/{many_tags}")
        expect(row(page, "build-1")).to_be_visible()
        page.get_by_role("link", name="Repositories").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
        page.wait_for_timeout(300)
        assert 1 <= len(asked) <= 6
        page.unroute(MANIFESTS)

    def test_a_repository_without_tags_says_so(
        self, page: Page, client: httpx.Client, page_stack: DeployedStack
    ) -> None:
        empty_repository(client, "page/empty")
        page.goto("/repository/page/empty")
        expect(page.get_by_role("heading", level=2)).to_have_text(
            re.compile("^(page/empty has no tags|There is no repository page/empty here)$")
        )
        expect(page.locator("pre:visible")).to_contain_text(f"docker push {page_stack.address}/page/empty")
        nothing: tuple[list[str] | None, ...] = ([], None)
        for tags in nothing:
            page.route("**/tags/list*", answer({"name": "page/empty", "tags": tags}))
            page.reload()
            expect(page.get_by_role("heading", name="page/empty has no tags")).to_be_visible()
            page.unroute("**/tags/list*")

    def test_an_unknown_repository_and_an_impossible_name_say_so(self, page: Page, watch: Watch) -> None:
        watch.expect("status of 404")
        page.goto("/repository/page/no-such")
        expect(page.get_by_role("heading", name="There is no repository page/no-such here")).to_be_visible()
        page.goto("/repository/Page%20<b>")
        expect(page.get_by_role("heading", name="No repository can have this name")).to_be_visible()
        page.goto("/elsewhere")
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()

    def test_details_that_fail_can_be_read_again(self, page: Page, watch: Watch, client: httpx.Client) -> None:
        watch.expect("status of 500")
        push_image(client, "page/flaky", "good")
        push_image(client, "page/flaky", "bad", layers=("bad",))
        page.route("**/manifests/bad", answer({}, 500))
        page.goto("/repository/page/flaky")
        expect(page.get_by_text("The details of 1 tag could not be read.")).to_be_visible()
        expect(row(page, "bad")).to_contain_text("could not be read")
        expect(row(page, "good").locator("time")).to_be_visible()
        page.unroute("**/manifests/bad")
        page.get_by_role("button", name="Try again").click()
        expect(row(page, "bad").locator("time")).to_be_visible()
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
        expect(row(page, "config").locator(".created")).to_have_text("unknown")
        expect(page.locator("main img, main script")).to_have_count(0)
        assert page.evaluate("window.ran") is None

    def test_an_artifact_is_named_as_what_it_is(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        chart = push_artifact(client, "page/chart", "0.1.0")
        page = open_page("/repository/page/chart")
        expect(row(page, "0.1.0").locator(".chip")).to_have_text("cncf.helm")
        expect(row(page, "0.1.0").locator(".size")).to_have_text(f"{chart.size} B")


class TestWays:
    DEEP = "page/deep/er/and/deeper"

    def test_a_deep_name_opens_from_its_address_and_back_leads_back(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, self.DEEP, "1.0")
        page = open_page(f"/repository/{self.DEEP}")
        title = page.get_by_role("heading", level=1)
        expect(title).to_have_text(self.DEEP)
        expect(row(page, "1.0").locator("time")).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="er", exact=True).click()
        expect(page).to_have_url(re.compile(r"/\?filter=page%2Fdeep%2Fer%2F$"))
        expect(page.get_by_role("link", name=self.DEEP)).to_be_visible()
        expect(title).to_be_focused()
        page.go_back()
        expect(title).to_have_text(self.DEEP)
        page.go_forward()
        expect(title).to_have_text("Repositories")
        expect(filter_box(page)).to_have_value("page/deep/er/")
        page.get_by_role("link", name=self.DEEP).click()
        expect(page).to_have_title(re.compile(f"^{self.DEEP}"))

    def test_back_leads_to_where_one_was(self, page: Page) -> None:
        page.route(CATALOG, answer({"repositories": names_of(MANY)}))
        page.route("**/tags/list*", answer({"tags": []}))
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        page.evaluate("scrollTo(0, 200000)")
        link = page.locator(".rows a").nth(14)
        expect(link).to_be_in_viewport()
        name = link.inner_text()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.go_back()
        expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()

    def test_the_list_goes_by_keyboard(self, page: Page) -> None:
        page.route(CATALOG, answer({"repositories": names_of(MANY)}))
        page.route("**/tags/list*", answer({"tags": []}))
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        page.keyboard.press("/")
        expect(filter_box(page)).to_be_focused()
        page.keyboard.type("group-7/")
        expect(filter_box(page)).to_have_value("group-7/")
        page.keyboard.press("Escape")
        expect(filter_box(page)).to_have_value("")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("link", name="group-0/service-0", exact=True)).to_be_focused()
        for _ in range(100):
            page.keyboard.press("ArrowDown")
        focused = page.get_by_role("link", name="group-1/service-100", exact=True)
        expect(focused).to_be_focused()
        expect(focused).to_be_in_viewport()
        page.keyboard.press("End")
        expect(page.get_by_role("link", name="group-99/service-9999")).to_be_focused()
        page.keyboard.press("Home")
        expect(page.get_by_role("link", name="group-0/service-0", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/repository/group-0/service-0$"))

    def test_the_focus_stays_on_its_row_when_rows_are_sorted(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        for tag, day in (("1", 2), ("2", 1), ("3", 3)):
            push_image(client, "page/focus", tag, created=f"2024-01-0{day}T00:00:00Z")
        page = open_page("/repository/page/focus")
        expect(page.locator("#tags time")).to_have_count(3)
        button = page.get_by_role("button", name="Copy the pull command of 2")
        button.focus()
        page.evaluate("document.querySelector('.created .sort').click()")
        expect(page.locator("#tags .tag")).to_have_text(["3", "1", "2"])
        expect(button).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_role("button", name="Copy the pull command of 1")).to_be_focused()

    def test_copying_works_on_plain_http(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, watch: Watch
    ) -> None:
        watch.expect("Cross-Origin-Opener-Policy")
        push_image(client, "page/copied", "1.0")
        base = f"http://{PLAIN_HOST}:{page_stack.port}"
        page = open_page("/repository/page/copied", base=base)
        assert page.evaluate("isSecureContext") is False
        button = page.get_by_role("button", name="Copy the pull command of 1.0")
        button.click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        expect(button).to_be_focused()
        filter_box(page).focus()
        page.keyboard.press("Control+V")
        expect(filter_box(page)).to_have_value(f"docker pull {PLAIN_HOST}:{page_stack.port}/page/copied:1.0")


class TestLooks:
    @pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
    def test_the_theme_is_the_systems(self, open_page: Callable[..., Page], scheme: str, is_dark: bool) -> None:
        page = open_page("/", color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
        assert (brightness < 80) is is_dark

    @pytest.mark.parametrize("width", [320, 390, 768])
    def test_nothing_is_wider_than_a_narrow_screen(
        self, client: httpx.Client, open_page: Callable[..., Page], width: int
    ) -> None:
        push_index(client, "page/narrow", "a" * 120, platforms=("linux/amd64", "linux/arm64/v8", "linux/arm/v7"))
        page = open_page("/repository/page/narrow", viewport={"width": width, "height": 800})
        expect(page.locator("time")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        pull = page.get_by_role("button", name="Copy the pull command")
        expect(pull).to_be_in_viewport()

    def test_rows_keep_their_place_while_details_arrive(self, client: httpx.Client, page: Page) -> None:
        push_image(client, "page/still", "1.0")
        push_index(client, "page/still", "2.0", platforms=("linux/amd64", "linux/arm64/v8"))
        held: list[Route] = []
        released = False

        def hold(route: Route) -> None:
            if released:
                route.continue_()
            else:
                held.append(route)

        page.route(MANIFESTS, hold)
        page.goto("/repository/page/still")
        last = row(page, "2.0")
        expect(last).to_be_visible()
        before = last.bounding_box()
        released = True
        for route in held:
            route.continue_()
        expect(last.locator("time")).to_be_visible()
        assert last.bounding_box() == before

    def test_the_page_comes_with_a_strict_policy_and_fetches_nothing_from_elsewhere(
        self, page: Page, page_stack: DeployedStack
    ) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        response = page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert response is not None
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert all(url.startswith(page_stack.url) for url in asked)
