"""Finding things in the view of an image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def section(page: Page, title: str) -> Locator:
    """A part of the view, by its heading."""
    return page.locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


def fact(page: Page, label: str) -> Locator:
    """What is beside a word at the top."""
    term = page.locator("dt").filter(has_text=re.compile(f"^{re.escape(label)}$"))
    return page.locator("main .facts > div").filter(has=term).locator("dd")


def setting(page: Page, label: str) -> Locator:
    """The lines that stand beside a name below."""
    term = page.locator("dt").filter(has_text=re.compile(f"^{re.escape(label)}$"))
    return page.locator(".pairs > div").filter(has=term).locator("dd")


def commands(page: Page) -> dict[str, str]:
    """Each tool's command."""
    rows = page.locator(".commands > div")
    expect(rows.first).to_be_visible()
    return {row.locator(".tool").inner_text(): row.locator("pre").inner_text().strip() for row in rows.all()}


def short(digest: str) -> str:
    """The digest as the page writes it."""
    return digest.removeprefix("sha256:")[:12]
