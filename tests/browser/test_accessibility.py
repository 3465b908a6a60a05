"""What axe-core finds in each view, and whether all of it goes by keyboard, on narrow screens and on paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import WIDE
from tests.support.page_views import BY_NAME, LANGUAGES, View

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Windows

_axe = Axe()
# What a theme changes.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module", params=BY_NAME)
def view(request: pytest.FixtureRequest) -> View:
    return BY_NAME[request.param]


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def standing(view: View, language: str, all_windows: Windows) -> Page:
    """Each view in each language is opened once, for all tests that only check it."""
    return all_windows.show(view, language=language)


def test_axe_finds_nothing(standing: Page, windows: Windows) -> None:
    found = _axe.run(standing)
    assert not found.violations_count, found.generate_report()


def test_axe_finds_nothing_in_the_dark(standing: Page, windows: Windows) -> None:
    standing.emulate_media(color_scheme="dark")
    found = _axe.run(standing, options=COLOURS)
    standing.emulate_media(color_scheme="light")
    assert not found.violations_count, found.generate_report()


def test_nothing_is_wider_than_the_narrowest_screen(standing: Page, windows: Windows) -> None:
    standing.set_viewport_size({"width": 320, "height": 800})
    width, cut = standing.evaluate(WIDTHS)
    standing.set_viewport_size(WIDE)
    assert width <= 320
    assert cut == []


# How wide all is, and what is interrupted at a side.
WIDTHS = """() => [document.documentElement.scrollWidth,
  [...document.querySelectorAll("main :is(a, button, input, h1, h2, p, code), header *, footer *, dialog *")]
    .filter(one => one.checkVisibility() && !one.closest("pre, .unseen, [aria-hidden=true]"))
    .filter(one => getComputedStyle(one.parentElement).textOverflow !== "ellipsis")
    .map(one => ({html: one.outerHTML.slice(0, 200), box: one.getBoundingClientRect()}))
    .filter(({box}) => box.right > innerWidth + 1 || box.left < -1)
    .map(({html}) => html)]"""
# Where the whole of a view is walked through: one of each kind, with lists that are not long.
WALKED = (
    "list-filtered",
    "untagged",
    "repository-attached",
    "empty-registry",
    "may-not-list",
    "fault",
    "repository-signed",
    "schedule",
    "unknown-page",
)
MOST_STOPS = 400
# Of what has the focus: what tells where it is, and whether something is over it.
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  element.dataset.stop ??= String(window.stops = (window.stops ?? 0) + 1);
  const styles = ["", "::before", "::after"].map(part => getComputedStyle(element, part));
  const box = element.getBoundingClientRect();
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
  return {
    stop: element.dataset.stop,
    html: element.outerHTML.slice(0, 200),
    visible: styles.some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1),
    inWindow: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    uncovered: element.contains(middle) || Boolean(middle?.contains(element)),
  };
}"""
UNVISITED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter(one => one.tabIndex >= 0 && !one.disabled && one.type !== "radio")
  .filter(one => one.checkVisibility({visibilityProperty: true}))
  .filter(one => !one.dataset.stop && (document.querySelector("dialog:modal")?.contains(one) ?? true))
  .map(one => one.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("name", WALKED)
def test_all_goes_by_keyboard(windows: Windows, name: str) -> None:
    page = windows.show(BY_NAME[name])
    met: set[str] = set()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None or focus["stop"] in met:
            break
        met.add(focus["stop"])
        assert focus["visible"], f"no visible focus: {focus['html']}"
        assert focus["inWindow"], f"the focus is out of sight: {focus['html']}"
        assert focus["uncovered"], f"something is over the focus: {focus['html']}"
        named = page.locator(":focus").aria_snapshot()
        assert re.match(r'- [\w-]+(?: "|: ).*\w', named), f"no name: {named} {focus['html']}"
    else:
        pytest.fail(f"more than {MOST_STOPS} stops: a trap?")
    assert page.evaluate(UNVISITED) == []


@pytest.mark.parametrize(("name", "rows"), [("list", 27), ("repository", 40), ("repository-by-age", 40)])
def test_paper_has_all_rows_and_no_controls(windows: Windows, name: str, rows: int) -> None:
    page = windows.show(BY_NAME[name])
    page.evaluate("""() => addEventListener("beforeprint", () => {
      window.printed = document.querySelectorAll("#tags .tag, #repositories .leaf").length;
    }, {once: true})""")
    page.pdf()
    assert page.evaluate("window.printed") == rows
    page.emulate_media(media="print")
    # The names of columns and the digests are content.
    controls = page.locator(":is(button, input, select, textarea):visible:not(.sort, :has(> code))")
    assert [one.evaluate("one => one.outerHTML.slice(0, 120)") for one in controls.all()] == []
    assert page.locator("button .icon:visible").count() == 0
