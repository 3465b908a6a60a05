"""The web page, in a real browser, on the deployed registry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import answer, filter_box, row, rows
from tests.support.content import (
    push_image,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

CATALOG = re.compile(r"/v2/_catalog")
MANY = 10_000


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


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


class TestLooks:
    @pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
    def test_the_theme_is_the_systems(self, open_page: Callable[..., Page], scheme: str, is_dark: bool) -> None:
        page = open_page("/", color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
        assert (brightness < 80) is is_dark

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
