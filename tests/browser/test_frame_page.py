"""What is around every view: the language, the keys, who is logged in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from deployer import __version__
from tests.browser.pages import press, until
from tests.support.content import push_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack


@pytest.fixture(scope="module", autouse=True)
def listed(page_stack: DeployedStack) -> None:
    """Something to search for."""
    with page_stack.client as client:
        push_image(client, "page/listed", "1.0")


def test_the_language_is_the_browsers_and_can_be_changed(open_page: Callable[..., Page], watch: Watch) -> None:
    watch.expect("status of 404")
    page = open_page("/", locale="en-GB")
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    choice = page.get_by_label("Language")
    expect(choice.get_by_role("option")).to_have_text(["English", "日本語"])
    choice.select_option("ja")
    expect(page.get_by_role("heading", level=1)).to_have_text("リポジトリ")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.goto("/elsewhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("ページが見つかりません")
    page.get_by_label("言語").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")


def test_only_the_readers_language_is_loaded(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert {url.rpartition("/")[2] for url in asked if "/languages/" in url} == {"en.js"}


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_question_mark_shows_the_keys(open_page: Callable[..., Page], way: str) -> None:
    page = open_page()
    help_button = page.get_by_role("button", name="Keyboard shortcuts")
    press(help_button, "?" if way == "key" else "Enter")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Filter")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(help_button).to_be_focused()


def test_a_question_mark_in_the_search_is_a_letter(open_page: Callable[..., Page]) -> None:
    page = open_page()
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("a?/")
    expect(page.get_by_role("searchbox")).to_have_value("a?/")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_nobody_logs_out_where_nobody_logs_in(open_page: Callable[..., Page]) -> None:
    page = open_page()
    expect(page.locator("footer")).to_have_text(re.compile(f"deployer {re.escape(__version__)}$"))
    expect(page.get_by_role("button", name="Log out")).to_have_count(0)


# Of each kind of part: what it is asked for by, the first script, which may itself be lost, and a module's modules.
PARTS = (
    "start.js",
    "main.js",
    "browser/dom.js",
    "languages/en.js",
    "views/repositories/repositories.js",
    "lists/virtual-list.js",
    "languages/list/en.js",
    "style.css",
    "styles/repositories.css",
)
LOST = "net::ERR_FAILED|Failed to fetch dynamically imported module|unreachable"


def lose(page: Page, part: str, times: int) -> list[str]:
    """Break off the connection over which a part of the page comes, so many times; each time that it is asked for."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(part)
        if len(asked) <= times:
            route.abort()
        else:
            route.continue_()

    page.route(f"**/assets/{part}", answer)
    return asked


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_does_not_come_is_asked_for_once_more(page: Page, watch: Watch, part: str) -> None:
    watch.expect(LOST)
    lost = lose(page, part, 1)
    # Without waiting until all is loaded: before that, the page may load itself again.
    page.goto("/?filter=x", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    expect(page.get_by_role("searchbox")).to_have_value("x")
    expect(page).to_have_url(re.compile(r"/\?filter=x$"))
    expect(page.locator(".toolbar")).to_have_css("position", "sticky")
    expect(page.locator(".above")).to_have_css("display", "contents")
    assert len(lost) > 1


def test_slow_scripts_are_not_said_to_be_blocked(page: Page) -> None:
    """However long they take, which no test can wait for: the style sheet's clock for the sentence is stopped."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/assets/main.js", hold)
    page.goto("/", wait_until="commit")
    unloaded = page.locator("#unloaded")
    expect(unloaded).to_have_class(re.compile("begun"))
    expect(unloaded).to_have_css("animation-name", "none")
    expect(unloaded).to_be_hidden()
    for route in waiting:
        route.continue_()
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")


@pytest.mark.parametrize("part", ["main.js", "browser/dom.js", "languages/en.js"])
def test_and_never_for_ever(page: Page, watch: Watch, part: str) -> None:
    watch.expect(LOST)
    loaded: list[str] = []
    page.on("domcontentloaded", lambda _: loaded.append(part))
    lose(page, part, 1000)
    page.goto("/", wait_until="commit")
    expect(page.get_by_text("This page needs JavaScript, and its scripts did not run.")).to_be_visible()
    expect(page).to_have_url(re.compile("#again$"))
    # Seen without waiting: the style sheet alone would show it later.
    expect(page.locator("#unloaded")).not_to_have_class(re.compile("late"))
    page.wait_for_timeout(1000)
    assert len(loaded) == 2
    page.unroute_all()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    expect(page).to_have_url(re.compile("/$"))


def test_it_is_loaded_once_the_server_answers_again(page: Page, watch: Watch) -> None:
    """As while the frontend starts again: a browser that loads a page then has nothing but its own error."""
    watch.expect(f"{LOST}|Failed to load resource")
    asked: list[str] = []
    down = [True]

    def answer(route: Route) -> None:
        if route.request.method == "HEAD":
            asked.append(route.request.url)
        if down[0] and (route.request.method == "HEAD" or route.request.url.endswith("/dom.js")):
            route.abort()
        else:
            route.continue_()

    page.route("**/*", answer)
    page.goto("/?filter=x", wait_until="commit")
    until(page, lambda: len(asked) > 1)
    expect(page.locator("#unloaded")).to_be_attached()
    down[0] = False
    expect(page.get_by_role("searchbox")).to_have_value("x")


def test_a_view_that_does_not_come_is_said_so_after_the_second_time(page: Page, watch: Watch) -> None:
    watch.expect(f"{LOST}|status of 404")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    lose(page, "views/repository/repository.js", 1000)
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<a href=\"/repository/a\">a</a>')")
    page.get_by_role("link", name="a", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Loading failed")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("a")


@pytest.mark.parametrize("times", [1, 1000])
def test_what_is_loaded_at_a_press_is_asked_for_once_more(page: Page, watch: Watch, times: int) -> None:
    watch.expect(LOST)
    page.goto("/")
    lose(page, "views/help.js", times)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    name = "Keyboard shortcuts" if times == 1 else "Loading failed"
    expect(page.get_by_role("dialog", name=name)).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
