"""What the tests of several views look for in them, and answers in the registry's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.page_views import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

__all__ = ["answer", "filter_box", "hold", "row", "rows"]


def rows(page: Page) -> Locator:
    """The rows of a list that are in the document."""
    return page.locator("main .rows > .row")


def row(page: Page, tag: str) -> Locator:
    """A tag's row."""
    return page.locator("#tags .rows > .row").filter(has=page.get_by_text(tag, exact=True))


def filter_box(page: Page) -> Locator:
    """The field for searching."""
    return page.get_by_role("searchbox")


def hold(held: list[Route]) -> Callable[[Route], None]:
    """Keeps requests without an answer, to be let go one by one."""

    def keep(route: Route) -> None:
        held.append(route)

    return keep
