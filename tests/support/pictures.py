"""Pictures of the page: the README's two, and every view for a person to check. `make pictures` runs this."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.support.page_views import BY_NAME, LANGUAGES, THEMES, VIEWS, View
from tests.support.run import free_port
from tests.support.showcase import OWNER, deploy_showcase, fill_showcase
from tests.support.signed_in import client_of, password_of
from tests.support.stack import DeployedStack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

_PROJECT = Path(__file__).parents[2]
_ADDRESS = "registry.example.com:5000"
_WIDTHS = (1280, 390)
_HEIGHT = 800
_TALLEST = 2400
_README = "repository-by-age"


def main(names: Sequence[str]) -> None:
    """Take the README's pictures, and those of all views or of the named ones."""
    views = [BY_NAME[name] for name in names] or list(VIEWS)
    gallery = _PROJECT / ".build" / "pictures"
    gallery.mkdir(parents=True, exist_ok=True)
    with _filled() as stack, _chromium(stack) as browser:
        if not names:
            with _opened(browser, BY_NAME[_README], "en") as page:
                _take_for_readme(page, _PROJECT / "docs")
        for view, language in itertools.product(views, LANGUAGES):
            with _opened(browser, view, language) as page:
                _take_all(page, gallery, f"{view.name}-{language}")


@contextmanager
def _filled() -> Iterator[DeployedStack]:
    """Its own deployment, on its own port, that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        stack = DeployedStack(Path(folder), f"deployer-pictures-{os.getpid()}", free_port())
        try:
            deploy_showcase(lambda: stack)
            with client_of(stack, OWNER) as client:
                fill_showcase(client, datetime.now(UTC))
            yield stack
        finally:
            stack.remove()


@contextmanager
def _chromium(stack: DeployedStack) -> Iterator[Browser]:
    """Chromium, to which the deployment has a name that looks like one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    mapped = f"--host-resolver-rules=MAP {_ADDRESS} 127.0.0.1:{stack.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--no-proxy-server", mapped]
        )
        yield browser
        browser.close()


@contextmanager
def _opened(browser: Browser, view: View, language: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"http://{_ADDRESS}",
        locale=LANGUAGES[language],
        viewport={"width": _WIDTHS[0], "height": _HEIGHT},
        http_credentials={"username": view.user, "password": password_of(view.user)},
        reduced_motion="reduce",
    )
    page = context.new_page()
    view.open(page)
    yield page
    context.close()


def _take_for_readme(page: Page, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for theme in THEMES:
        _put_on(page, theme)
        page.screenshot(path=folder / f"page-{theme}.png")


def _take_all(page: Page, folder: Path, name: str) -> None:
    """The whole of a view: lists keep only the rows near the window, so the window is made as high as the page."""
    for width in _WIDTHS:
        page.set_viewport_size({"width": width, "height": _HEIGHT})
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(_HEIGHT, min(height, _TALLEST))})
        page.wait_for_load_state("networkidle")
        for theme in THEMES:
            _put_on(page, theme)
            page.screenshot(path=folder / f"{name}-{theme}-{width}.png")


def _put_on(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")


if __name__ == "__main__":
    main(sys.argv[1:])
