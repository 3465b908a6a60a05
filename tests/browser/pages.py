"""What the tests of several views look for in them, and answers in the registry's place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.page_views import answer
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

__all__ = ["answer", "filter_box", "focus", "hold", "hold_pauses", "press", "row", "rows", "until"]

_PAUSES = """{
  const { setTimeout: set, clearTimeout: clear } = window;
  let last = 0;
  window.heldPauses = new Map();
  window.setTimeout = (run, time, ...rest) =>
    time === %d ? (heldPauses.set(--last, run), last) : set.call(window, run, time, ...rest);
  window.clearTimeout = (id) => void (heldPauses.delete(id) || clear.call(window, id));
}"""


def rows(page: Page) -> Locator:
    """The rows of a list that are in the document."""
    return page.locator("main .rows > .row")


def row(page: Page, tag: str) -> Locator:
    """A tag's row."""
    return page.locator("#tags .rows > .row").filter(has=page.get_by_text(tag, exact=True))


def filter_box(page: Page) -> Locator:
    """The field for searching."""
    return page.get_by_role("searchbox")


def focus(control: Locator) -> None:
    """Give a control the focus, once it can take it.

    Playwright waits until it is in the document, and no longer: what is hidden takes no focus, and keys go to the page.
    """
    expect(control).to_be_visible()
    expect(control).to_be_enabled()
    control.focus()
    expect(control).to_be_focused()


def press(control: Locator, key: str) -> None:
    """Press a key on a control, once that can have the focus."""
    focus(control)
    control.page.keyboard.press(key)


def hold(held: list[Route]) -> Callable[[Route], None]:
    """Keeps requests without an answer, to be let go one by one."""

    def keep(route: Route) -> None:
        held.append(route)

    return keep


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page continue until something is so; that it never is, only a deadline far away decides."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(20)


def hold_pauses(page: Page, milliseconds: int) -> Callable[[], None]:
    """Keep the page's timers of that length from ending, from the next address on; the result ends all that there are.

    How long a step takes on a busy machine then decides nothing.
    """
    page.add_init_script(_PAUSES % milliseconds)

    def end() -> None:
        page.wait_for_function("heldPauses.size > 0")
        page.evaluate("[...heldPauses].forEach(([id, run]) => (heldPauses.delete(id), run()))")

    return end
