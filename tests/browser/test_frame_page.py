"""What stands around every view: the language, the keys, who is signed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from deployer import __version__
from tests.support.content import push_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack


@pytest.fixture(scope="module", autouse=True)
def listed(page_stack: DeployedStack) -> None:
    """Something to search for."""
    with page_stack.client as client:
        push_image(client, "page/listed", "1.0")


def test_the_language_is_the_browsers_and_can_be_changed(open_page: Callable[..., Page]) -> None:
    page = open_page("/", locale="en-GB")
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    choice = page.get_by_label("Language")
    expect(choice.get_by_role("option")).to_have_text(["English", "日本語"])
    choice.select_option("ja")
    expect(page.get_by_role("heading", level=1)).to_have_text("リポジトリ")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    page.goto("/elsewhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("ページがありません")
    page.get_by_label("言語").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_only_the_readers_language_is_loaded(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert {url.rpartition("/")[2] for url in asked if "/languages/" in url} == {"en.js"}


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_question_mark_shows_the_keys(open_page: Callable[..., Page], way: str) -> None:
    page = open_page()
    help_button = page.get_by_role("button", name="Keys")
    expect(help_button).to_be_visible()
    help_button.focus()
    page.keyboard.press("?" if way == "key" else "Enter")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Search")
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


def test_nobody_signs_out_where_nobody_signs_in(open_page: Callable[..., Page]) -> None:
    page = open_page()
    expect(page.locator("footer")).to_have_text(re.compile(f"deployer {re.escape(__version__)}$"))
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_a_page_that_does_not_come_whole_is_loaded_once_more(page: Page, watch: Watch) -> None:
    watch.expect("net::ERR_FAILED|Failed to fetch dynamically imported module")
    failures = iter([True])
    page.route("**/assets/dom.js", lambda route: route.abort() if next(failures, False) else route.continue_())
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")
    page.unroute("**/assets/dom.js")
    page.route("**/assets/dom.js", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("This page needs JavaScript, and its scripts did not run.")).to_be_visible()
