"""The list of repositories, in a real browser, on the deployed registry."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import answer, filter_box, hold, hold_pauses, press, rows, until
from tests.support.content import build_image, empty_repository, push_image
from tests.support.registry_content import push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import httpx
    from playwright.sync_api import Locator, Page, Request, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

CATALOG = re.compile(r"/overview/catalog$")
DETAILS = re.compile(r"/overview/tags/")
CLOSED = re.compile(r"/overview/tags/page/closed$")
NOTHING_KNOWN = {"tags": {}, "manifests": {}, "may": {"push": True, "delete": True}}
# Of facts.js: so long a row stays in sight before it is asked for.
PAUSE_MILLISECONDS = 150
HREFS = "links => links.map((link) => link.getAttribute('href'))"
MANY = 10_000
NAMES = [f"group-{number // 100}/service-{number}" for number in range(MANY)]
ALL_OPEN = "+".join(f"group-{number}" for number in range(MANY // 100))
TREE = ("app", "team", "team/app", "team/app/worker", "team2/a", "team10/a", "zoo/deep/er/b", "zoo/deep/a", "zoo/a")


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


def row(page: Page, name: str) -> Locator:
    return rows(page).filter(has=page.locator(f'a[href="/repository/{name}"]'))


def branch(page: Page, path: str) -> Locator:
    """A row of the tree, by the words that it begins with."""
    return page.get_by_role("treeitem", name=re.compile(f"^{path.replace('/', '.')}( |$)"))


def serve(page: Page, names: Iterable[str], *, empty: Iterable[str] = ()) -> None:
    """Let the page believe that these are the repositories, each with one tag but the empty ones."""
    page.route(CATALOG, answer({"repositories": {**dict.fromkeys(names, 1), **dict.fromkeys(empty, 0)}, "all": True}))
    page.route(DETAILS, answer(NOTHING_KNOWN))


def addresses(page: Page, pattern: re.Pattern[str]) -> list[str]:
    """What is asked of such addresses from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if pattern.search(request.url):
            asked.append(request.url)

    page.on("request", note)
    return asked


def frames(page: Page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


class TestAll:
    def test_a_pushed_image_is_listed_and_found(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "page/listed", "1.0")
        push_image(client, "page/other", "1.0")
        page = open_page()
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
        filter_box(page).fill("LISTED page")
        expect(page.get_by_role("link", name="page/listed")).to_be_visible()
        expect(page.get_by_role("link", name="page/other")).to_have_count(0)
        expect(page.locator("h1 + .count")).to_have_text(re.compile(r"^1 of \d+$"))
        expect(page.get_by_role("status")).to_have_text(re.compile(r"^1 of \d+ repositories$"))
        press(filter_box(page), "Enter")
        expect(page).to_have_url(re.compile("/repository/page/listed$"))

    def test_a_filter_has_its_address(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_image(client, "page/listed", "1.0")
        page = open_page("/?filter=page/listed")
        expect(filter_box(page)).to_have_value("page/listed")
        expect(page.get_by_role("link", name="page/listed")).to_be_visible()
        filter_box(page).fill("no such repository")
        expect(page.get_by_text("No results for “no such repository”.")).to_be_visible()
        page.get_by_role("button", name="Clear filter").click()
        expect(filter_box(page)).to_be_focused()
        expect(page).to_have_url(re.compile("/$"))

    def test_ten_thousand_are_one_request_and_few_rows(self, page: Page) -> None:
        asked = addresses(page, CATALOG)
        serve(page, NAMES)
        page.goto("/")
        expect(page.locator("h1 + .count")).to_have_text("10,000")
        assert rows(page).count() < 200
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.get_by_role("link", name="group-99/service-9999")).to_be_in_viewport()
        assert rows(page).count() < 200
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        filter_box(page).fill("service")
        expect(page.get_by_role("link", name="group-0/service-0", exact=True)).to_be_in_viewport()
        filter_box(page).fill("service-4321")
        expect(page.get_by_role("link", name="group-43/service-4321")).to_be_in_viewport()
        expect(rows(page)).to_have_count(2)
        assert len(asked) == 1

    @pytest.mark.parametrize("shape", ["list", "folders"])
    def test_no_row_is_missing_and_nothing_is_late_while_scrolling(self, page: Page, shape: str) -> None:
        serve(page, NAMES)
        page.goto(f"/?as={shape}&open={ALL_OPEN}")
        expect(rows(page).nth(5)).to_be_visible()
        for step in range(1, 13):
            page.evaluate("part => scrollTo(0, document.body.scrollHeight * part)", step / 14)
            frames(page)
            uncovered = page.evaluate(
                """() => Array.from({length: 8}, (_, part) => 120 + part * (innerHeight - 300) / 8)
                     .filter(y => !document.elementFromPoint(innerWidth / 2, y)?.closest('.row')).length"""
            )
            assert uncovered == 0

    def test_an_empty_registry_says_how_to_push(self, page: Page, page_stack: DeployedStack) -> None:
        serve(page, [])
        page.goto("/")
        expect(page.get_by_role("heading", name="Nothing has been pushed here yet")).to_be_visible()
        expect(page.locator("pre")).to_contain_text(f"docker tag IMAGE {page_stack.address}/NAME")
        expect(page.locator("pre")).to_contain_text(f"docker push {page_stack.address}/NAME")
        expect(filter_box(page)).to_be_hidden()
        expect(page.get_by_role("button", name="Folders")).to_be_hidden()

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (429, "too many requests"),
            (500, "reported an error"),
            (503, "is not responding"),
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
        expect(page.get_by_role("alert")).to_contain_text("Cannot connect to the server")

    def test_back_leads_to_where_one_was(self, page: Page) -> None:
        serve(page, NAMES)
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        page.evaluate("scrollTo(0, 200000)")
        link = page.locator("#repositories a").nth(14)
        expect(link).to_be_in_viewport()
        name = link.inner_text()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.go_back()
        expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()

    def test_the_list_goes_by_keyboard(self, page: Page) -> None:
        serve(page, NAMES)
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

    @pytest.mark.parametrize("shape", ["list", "folders"])
    @pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
    def test_nothing_is_wider_than_a_narrow_screen(
        self, client: httpx.Client, open_page: Callable[..., Page], shape: str, locale: str
    ) -> None:
        push_image(client, "page/narrow/" + "deep/" * 12 + "a" * 60, "t" * 120)
        path = f"/?as={shape}&filter=page/narrow"
        page = open_page(path, viewport={"width": 320, "height": 800}, locale=locale)
        expect(rows(page).last).to_contain_text(re.compile("1 tag|タグ 1 件"))
        expect(rows(page).last.locator(".chip")).to_have_text("t" * 120)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

    def test_on_paper_stand_all_rows_and_no_controls(self, page: Page) -> None:
        serve(page, NAMES[:300])
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        assert rows(page).count() < 100
        page.emulate_media(media="print")
        expect(rows(page)).to_have_count(303)
        expect(filter_box(page)).to_be_hidden()
        heights = page.evaluate("[document.querySelector('#repositories').offsetHeight, document.body.offsetHeight]")
        assert heights[0] > 303 * 40
        assert heights[1] > heights[0]


class TestDetails:
    def test_the_last_push_the_size_and_the_number_of_tags_arrive_without_a_jump(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        old = build_image(layers=("shared" * 99, "one"), created="2019-01-01T00:00:00Z")
        new = build_image(layers=("shared" * 99, "two"), created="2023-05-06T07:08:09Z")
        for tag, image in (("2.1", new), ("1.0", old)):
            push(client, "page/facts", tag, image)
            # The storage's times are of whole seconds.
            time.sleep(1.1)
        push_image(client, "page/facts/after", "1")
        held: list[Route] = []
        page = open_page("")
        page.route(DETAILS, hold(held))
        page.goto("/?filter=page/facts")
        expect(row(page, "page/facts")).to_contain_text("2 tags")
        expect(row(page, "page/facts").locator(".weight")).to_be_empty()
        before = row(page, "page/facts/after").bounding_box()
        until(page, lambda: len(held) == 2)
        for route in held:
            route.continue_()
        expect(row(page, "page/facts").locator(".chip")).to_have_text("1.0")
        expect(row(page, "page/facts").locator(".newest")).to_have_attribute("title", re.compile(r"^Last push: 1\.0, "))
        shared = {part["digest"]: part["size"] for image in (old, new) for part in image.document["layers"]}
        size = sum(shared.values()) + sum(image.document["config"]["size"] for image in (old, new))
        expect(row(page, "page/facts").locator(".weight")).to_have_text(f"{size} B")
        assert row(page, "page/facts/after").bounding_box() == before

    def test_what_passes_by_is_not_asked_for(self, page: Page) -> None:
        asked = addresses(page, DETAILS)
        held: list[Route] = []
        rest = hold_pauses(page, PAUSE_MILLISECONDS)
        serve(page, NAMES)
        page.route(DETAILS, hold(held))
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        for step in range(200):
            page.evaluate("place => scrollTo(0, place)", step * 2000)
            frames(page)
        assert asked == []
        rest()
        until(page, lambda: len(held) == 6)
        near = {link.removeprefix("/repository/") for link in rows(page).get_by_role("link").evaluate_all(HREFS)}
        assert len(near) < 100
        assert {url.split("/overview/tags/")[1] for url in asked} <= near

    def test_six_at_once_and_none_for_what_was_scrolled_away_or_left(self, page: Page) -> None:
        held: list[Route] = []
        ended: list[Request] = []

        def note(request: Request) -> None:
            # What else the list reads may be given up too, when it is left.
            if DETAILS.search(request.url):
                ended.append(request)

        rest = hold_pauses(page, PAUSE_MILLISECONDS)
        serve(page, NAMES)
        page.route(DETAILS, hold(held))
        page.on("requestfailed", note)
        page.goto("/")
        expect(rows(page).first).to_be_visible()
        rest()
        until(page, lambda: len(held) == 6)
        page.evaluate("scrollTo(0, 100000)")
        frames(page)
        until(page, lambda: len(ended) == 6)
        rest()
        until(page, lambda: len(held) == 12)
        assert len(ended) == 6
        page.unroute(DETAILS)
        page.route(DETAILS, answer(NOTHING_KNOWN))
        page.locator("#repositories a").nth(14).click()
        expect(page.get_by_role("link", name="Repositories")).to_be_visible()
        until(page, lambda: len(ended) == 12)
        assert len(held) == 12

    def test_what_was_read_is_there_at_once_when_one_comes_back(self, page: Page) -> None:
        document = {
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:b", "size": 7},
            "layers": [],
        }
        known = {"document": document, "config": {"created": "2024-01-01T00:00:00Z"}}
        serve(page, ["page/kept"])
        page.route(DETAILS, answer({**NOTHING_KNOWN, "tags": {"9": "sha256:a"}, "manifests": {"sha256:a": known}}))
        page.goto("/")
        expect(row(page, "page/kept").locator(".weight")).to_have_text("7 B")
        row(page, "page/kept").get_by_role("link").click()
        expect(page.locator("#tags .tag")).to_have_text("9")
        held: list[Route] = []
        page.route(DETAILS, hold(held))
        page.go_back()
        expect(row(page, "page/kept").locator(".weight")).to_have_text("7 B")
        until(page, lambda: len(held) == 1)

    def test_one_that_may_not_be_read_has_no_details_and_is_asked_for_once(self, page: Page, watch: Watch) -> None:
        watch.expect("status of 403")
        asked = addresses(page, CLOSED)
        serve(page, ["page/closed", "page/open"])
        denied = answer({"errors": [{"code": "DENIED", "message": "denied"}]}, 403)
        page.route(CLOSED, denied)
        with page.expect_response(CLOSED):
            page.goto("/")
        expect(row(page, "page/open")).to_contain_text("0 B")
        # A row that left the view for a moment, as while the list comes, may have been asked for twice by then.
        told = len(asked)
        page.evaluate("dispatchEvent(new Event('resize'))")
        page.wait_for_timeout(400)
        expect(row(page, "page/closed")).to_contain_text("1 tag")
        expect(row(page, "page/closed")).not_to_contain_text("0 B")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert len(asked) == told


class TestFolders:
    def test_folders_of_any_depth_count_what_is_in_them(self, page: Page) -> None:
        serve(page, TREE)
        page.goto("/")
        page.get_by_role("button", name="Folders").click()
        expect(page.get_by_role("button", name="Folders")).to_have_attribute("aria-pressed", "true")
        expect(page).to_have_url(re.compile(r"/\?as=folders$"))
        top = page.get_by_role("treeitem")
        expect(top).to_have_count(5)
        expect(branch(page, "team")).to_have_accessible_name(re.compile("^team 2 repositories"))
        expect(branch(page, "zoo")).to_have_attribute("aria-expanded", "false")
        for depth, part in enumerate(("zoo", "deep", "er"), start=1):
            branch(page, part).click()
            expect(branch(page, part)).to_have_attribute("aria-expanded", "true")
            expect(branch(page, part)).to_have_attribute("aria-level", str(depth))
        branch(page, "b").click()
        expect(page).to_have_url(re.compile("/repository/zoo/deep/er/b$"))

    def test_what_is_open_stays_so_while_one_is_away_and_in_the_address(
        self, page: Page, open_page: Callable[..., Page]
    ) -> None:
        serve(page, TREE)
        page.goto("/?as=folders")
        branch(page, "zoo").click()
        branch(page, "deep").click()
        expect(page).to_have_url(re.compile(r"open=zoo\+zoo%2Fdeep$"))
        branch(page, "app").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("app")
        page.go_back()
        expect(branch(page, "er")).to_be_visible()
        address = page.url
        branch(page, "app").click()
        page.get_by_role("link", name="Repositories").click()
        expect(branch(page, "er")).to_be_visible()
        page.goto("/")
        expect(branch(page, "zoo")).to_be_visible()
        other = open_page("")
        serve(other, TREE)
        other.goto(address)
        expect(branch(other, "er")).to_be_visible()

    def test_a_folder_that_is_a_repository_opens_and_unfolds(self, page: Page) -> None:
        serve(page, TREE)
        page.goto("/?as=folders")
        team = branch(page, "team")
        team.locator(".fold").click()
        expect(team).to_have_attribute("aria-expanded", "true")
        expect(page).to_have_url(re.compile(r"open=team$"))
        team.locator(".leaf").click()
        expect(page).to_have_url(re.compile("/repository/team$"))

    def test_the_tree_goes_by_keyboard_and_is_one_stop(self, page: Page) -> None:
        serve(page, TREE)
        page.goto("/?as=folders")
        expect(page.get_by_role("treeitem")).to_have_count(5)
        press(page.get_by_role("button", name="Folders"), "Tab")
        expect(branch(page, "team")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(branch(page, "team")).to_have_attribute("aria-expanded", "true")
        expect(branch(page, "team")).to_be_focused()
        page.keyboard.press("ArrowRight")
        inner = page.locator('[aria-level="2"]')
        expect(inner).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(branch(page, "team")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(branch(page, "worker")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("#repositories :focus")).to_have_count(0)
        page.keyboard.press("Shift+Tab")
        expect(branch(page, "worker")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(inner).to_be_focused()
        expect(inner).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("End")
        expect(branch(page, "app").last).to_be_focused()
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/repository/team$"))

    def test_scrolled_far_away_the_tree_is_still_a_stop(self, page: Page) -> None:
        serve(page, [f"service-{number}" for number in range(MANY)])
        page.goto("/?as=folders")
        expect(page.get_by_role("treeitem").first).to_be_visible()
        page.evaluate("scrollTo(0, 200000)")
        frames(page)
        expect(page.locator('#repositories [tabindex="0"]')).to_have_count(1)

    def test_a_search_opens_the_folders_around_what_it_finds(self, page: Page) -> None:
        serve(page, TREE)
        page.goto("/?as=folders&open=team2")
        filter_box(page).fill("er")
        expect(page.get_by_role("treeitem")).to_have_count(4)
        expect(branch(page, "worker")).to_be_visible()
        expect(page.locator("h1 + .count")).to_have_text("2 of 9")
        branch(page, "zoo/deep/er").click()
        expect(page.get_by_role("treeitem")).to_have_count(3)
        filter_box(page).fill("")
        expect(branch(page, "team2")).to_have_attribute("aria-expanded", "true")
        expect(branch(page, "zoo")).to_have_attribute("aria-expanded", "false")

    def test_the_shape_is_changed_back_with_its_rows(self, page: Page) -> None:
        serve(page, TREE)
        page.goto("/?as=folders&open=team")
        expect(page.get_by_role("tree")).to_be_visible()
        page.get_by_role("button", name="List").click()
        expect(page.get_by_role("link", name="team/app/worker")).to_be_visible()
        expect(page.get_by_role("treeitem")).to_have_count(0)
        expect(page).to_have_url(re.compile("/$"))
        page.reload()
        expect(page.get_by_role("link", name="team/app/worker")).to_be_visible()


class TestEmpty:
    def test_those_without_tags_are_set_apart_and_removed_by_the_command_that_is_told(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        # Few of them, whatever other tests have pushed: all their rows are in the document.
        push_image(client, "emptied/full", "1.0")
        for name in ("emptied/hollow", "a-emptied/hollow"):
            empty_repository(client, name)
        page = open_page("/?filter=hollow")
        expect(page.get_by_role("heading", name="Without tags")).to_be_visible()
        expect(row(page, "emptied/hollow")).to_contain_text("no tags")
        filter_box(page).fill("emptied/")
        expect(page.locator("#repositories a")).to_have_text(["emptied/full", "a-emptied/hollow", "emptied/hollow"])
        button = page.get_by_role("button", name=re.compile(r"^\d+ empty$"))
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(row(page, "emptied/full")).to_have_count(0)
        expect(page).to_have_url(re.compile("only=empty"))
        filter_box(page).fill("hollow")
        expect(page.locator("pre")).to_have_text("deployer delete --repository a-emptied/hollow emptied/hollow")
        command = page.locator("pre").inner_text().split()
        page_stack.deployer(*command[1:], "--yes", check=True)
        page.reload()
        expect(page.get_by_text("No results for “hollow”.")).to_be_visible()

    def test_in_folders_they_have_a_folder_of_their_own(self, page: Page) -> None:
        serve(page, TREE, empty=["team/old", "zoo"])
        page.goto("/?as=folders")
        last = page.get_by_role("treeitem").last
        expect(last).to_have_accessible_name(re.compile("^Without tags 2 repositories"))
        last.click()
        expect(branch(page, "team/old")).to_contain_text("no tags")
        page.get_by_role("button", name="2 empty").click()
        expect(page.get_by_role("treeitem")).to_have_count(2)
        page.get_by_role("button", name="2 empty").click()
        expect(branch(page, "team2")).to_be_visible()
