"""Who works in the page stays in place: the focus, the scroll, the selection and what is open, whatever changes."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, expect

from tests.browser.pages import answer, focus, hold, press, row, until
from tests.support.content import push_image, push_index, push_many_tags
from tests.support.page_views import fault, go

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from playwright.sync_api import Locator, Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

ANYTHING = re.compile(r"/(overview|v2)/")
TAGS = re.compile(r"/overview/tags/")
SELECT = """element => getSelection().selectAllChildren(element)"""


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        for tag in ("1.0", "1.1", "2.0"):
            push_image(opened, "focus/app", tag, layers=(tag,))
        push_index(opened, "focus/index", "1.0", platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"))
        yield opened


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


@pytest.mark.parametrize(
    "path", ["/", "/repository/focus/app", "/repository/focus/app/tag/1.0", "/repository/focus/app?show=untagged"]
)
def test_another_try_keeps_the_focus(client: httpx.Client, page: Page, watch: Watch, path: str) -> None:
    watch.expect("status of 503")
    page.route(ANYTHING, answer(fault("UNAVAILABLE", "starting"), 503))
    go(page, path)
    again = page.get_by_role("button", name="Try again")
    focus(again)
    # What is there at the next fault is another button.
    again.evaluate("button => button.dataset.tried = 'yes'")
    held: list[Route] = []
    page.route(ANYTHING, hold(held))
    page.keyboard.press("Enter")
    until(page, lambda: bool(held))
    for route in held:
        answer(fault("UNAVAILABLE", "starting"), 503)(route)
    page.unroute_all()
    expect(page.locator("[data-tried]")).to_have_count(0)
    expect(again).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(heading(page)).to_be_focused()


def test_back_leads_to_the_link_that_led_away(client: httpx.Client, page: Page) -> None:
    push_many_tags(client, "focus/many", [f"build-{number}" for number in range(120)])
    go(page, "/repository/focus/many?sort=name")
    expect(row(page, "build-0")).to_be_visible()
    press(row(page, "build-0").get_by_role("link"), "End")
    link = row(page, "build-119").get_by_role("link")
    expect(link).to_be_focused()
    place = page.evaluate("scrollY")
    assert place > 1000
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text("focus/many:build-119")
    page.go_back()
    expect(link).to_be_focused()
    assert page.evaluate("scrollY") == place
    page.go_forward()
    expect(heading(page)).to_have_text("focus/many:build-119")
    expect(heading(page)).to_be_focused()


def test_to_clear_a_selection_leads_to_where_all_are_selected(client: httpx.Client, page: Page) -> None:
    go(page, "/repository/focus/app")
    everything = page.get_by_label("Select all shown tags")
    press(everything, "Space")
    press(page.get_by_role("button", name="Clear", exact=True), "Enter")
    expect(everything).to_be_focused()


def test_what_is_selected_stays_so_when_the_list_is_read_again(client: httpx.Client, page: Page) -> None:
    """Of a repository that was looked at before, all is shown at once, and can be worked with."""
    push_image(client, "focus/selected", "2.0")
    go(page, "/repository/focus/selected")
    expect(row(page, "2.0")).to_be_visible()
    page.get_by_role("link", name="Repositories").click()
    expect(heading(page)).to_have_text("Repositories")
    held: list[Route] = []
    page.route(TAGS, hold(held))
    page.go_back()
    box = page.get_by_role("checkbox", name="Select 2.0", exact=True)
    press(box, "Space")
    push_image(client, "focus/selected", "3.0", layers=("3.0",))
    until(page, lambda: any(route.request.url.endswith("/focus/selected") for route in held))
    page.unroute(TAGS)
    # The list of repositories, left meanwhile, may have asked too.
    for route in held:
        with contextlib.suppress(Error):
            route.continue_()
    expect(row(page, "3.0")).to_be_visible()
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(page.locator(".selection")).to_contain_text("1 tag selected")


def test_the_rest_of_a_list_has_the_focus_in_the_place_of_its_button(client: httpx.Client, page: Page) -> None:
    labels = {f"label.{number:03}": "x" for number in range(230)}
    push_image(client, "focus/labels", "1.0", config_extra={"config": {"Labels": labels}})
    go(page, "/repository/focus/labels/tag/1.0")
    press(page.get_by_role("button", name="Show all 230"), "Enter")
    expect(page.locator(":focus")).to_contain_text("label.200")


def test_what_is_told_again_leaves_a_selection_of_words(client: httpx.Client, page: Page) -> None:
    """The list learns of one repository after the other, and of all when they are pushed."""
    held: list[Route] = []
    page.route(TAGS, hold(held))
    go(page, "/?filter=focus/app")
    count = page.locator(".tagged").first
    expect(count).to_have_text("3 tags")
    until(page, lambda: bool(held))
    count.evaluate(SELECT)
    for route in held:
        route.continue_()
    expect(page.locator(".weight").first).not_to_be_empty()
    expect(page.locator(".newest").first).not_to_be_empty()
    assert page.evaluate("getSelection().toString()") == "3 tags"


def test_a_box_that_is_open_stays_open_with_another_platform(client: httpx.Client, page: Page) -> None:
    go(page, "/repository/focus/index/tag/1.0")
    page.get_by_text("Index", exact=True).click()
    expect(page.locator("details[open] pre")).to_contain_text("linux")
    press(page.get_by_role("tab", name="linux/amd64"), "ArrowRight")
    expect(page.get_by_role("tabpanel", name="linux/arm64")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("details[open] pre")).to_contain_text("linux")
    expect(page.get_by_role("tab", name="linux/arm64")).to_be_focused()


def test_a_deletion_leads_to_the_next_manifest_and_leaves_the_others(
    client: httpx.Client, page: Page, watch: Watch
) -> None:
    # The dialog asks whether the registry deletes at all.
    watch.expect("status of 400")
    for number in range(4):
        push_image(client, "focus/untagged", "1.0", layers=(f"layer {number}",))
    go(page, "/repository/focus/untagged?show=untagged")
    rows = page.locator(".untagged li")
    expect(rows).to_have_count(3)
    page.evaluate("document.querySelector('.untagged li:last-child').dataset.kept = 'yes'")
    name = rows.nth(1).locator("code").inner_text()
    press(rows.nth(0).get_by_role("button", name="Delete…"), "Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Close").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator("code")).to_have_text(name)
    expect(rows.nth(0).get_by_role("button", name="Delete…")).to_be_focused()
    expect(page.locator("[data-kept]")).to_have_count(1)
