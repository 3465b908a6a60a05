"""What the tests of several views look for in them, and answers in the registry's place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route


def rows(page: Page) -> Locator:
    """The rows of a list that are in the document."""
    return page.locator("main .rows > .row")


def row(page: Page, tag: str) -> Locator:
    """A tag's row."""
    return page.locator("#tags .rows > .row").filter(has=page.get_by_text(tag, exact=True))


def filter_box(page: Page) -> Locator:
    """The field for searching."""
    return page.get_by_role("searchbox")


def answer(body: object, status: int = 200) -> Callable[[Route], None]:
    """Answers a request in the registry's place."""
    return lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps(body))


def hold(held: list[Route]) -> Callable[[Route], None]:
    """Keeps requests without an answer, to be let go one by one."""

    def keep(route: Route) -> None:
        held.append(route)

    return keep
