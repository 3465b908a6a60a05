"""A real Chromium, and a watch on what its pages complain of."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support import page_views
from tests.support.chromium import without_network_changes
from tests.support.showcase import OWNER, deploy_showcase, fill_showcase
from tests.support.signed_in import client_of, password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

    from tests.support.stack import DeployedStack

PLAIN_HOST = "registry.test"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    # A name that is not localhost: pages of plain HTTP get no clipboard there.
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
)
NEVER_ASKED = "**/never-asked-for"
WIDE: ViewportSize = {"width": 1280, "height": 800}
# Patience for machines on which much else runs, in milliseconds: a busy machine makes the tests slower, and no more.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@dataclass
class Watch:
    """What pages complained of; tests name what they mean to cause."""

    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Allow complaints that this regular expression finds."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [words for words in self.complaints if not self._expects(words)]

    def _expects(self, words: str) -> bool:
        return any(re.search(pattern, words) for pattern in self.expected)

    def follow(self, page: Page) -> None:
        """Note what this page complains of."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@dataclass
class Windows:
    """Windows onto the showcase that tests which only read use one after another: one for each user and language."""

    browser: Browser
    stack: DeployedStack
    watch: Watch = field(default_factory=Watch)
    opened: dict[tuple[str, str], Page] = field(default_factory=dict)

    def page(self, user: str = OWNER, language: str = "en") -> Page:
        """The window of a user in a language, nowhere in particular, light and wide."""
        if (user, language) not in self.opened:
            self.opened[user, language] = self._context(user, language).new_page()
            self.watch.follow(self.opened[user, language])
        page = self.opened[user, language]
        page.emulate_media(color_scheme="light", media="screen")
        page.set_viewport_size(WIDE)
        page.unroute_all()
        if page.url.startswith(self.stack.url):
            # What the page keeps of a reader's choices.
            page.evaluate("localStorage.clear()")
        return page

    def show(
        self, view: page_views.View, *, language: str = "en", theme: str = "light", width: int = WIDE["width"]
    ) -> Page:
        """Open a view as its user, and wait until it is."""
        page = self.page(view.user, language)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({**WIDE, "width": width})
        if view.complains:
            self.watch.expect(view.complains)
        view.open(page)
        return page

    def _context(self, user: str, language: str) -> BrowserContext:
        context = self.browser.new_context(
            base_url=self.stack.url,
            locale=page_views.LANGUAGES[language],
            http_credentials={"username": user, "password": password_of(user)},
        )
        context.set_default_timeout(PATIENCE)
        return context


@pytest.fixture(scope="session")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Browser]]:
    """Starts Chromium, with further arguments if need be."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("There is no Chromium. `make test` installs one.", pytrace=False)
    program = without_network_changes(Path(chromium), tmp_path_factory.mktemp("chromium"))
    with sync_playwright() as playwright:
        launched = []

        def start(*arguments: str) -> Browser:
            launched.append(playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS, *arguments]))
            return launched[-1]

        yield start
        for browser in launched:
            browser.close()


@pytest.fixture(scope="session")
def browser(page_stack: DeployedStack, launch: Callable[..., Browser]) -> Browser:
    """Chromium, one for all tests of the shared deployment."""
    return launch()


@pytest.fixture(scope="session")
def showcase(make_lasting_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """A registry as a team has it, with an owner, a reader and a guest, for tests that change nothing in it."""
    stack = deploy_showcase(make_lasting_stack)
    with client_of(stack, OWNER) as client:
        fill_showcase(client, datetime.now(UTC))
    return stack


@pytest.fixture(scope="session")
def all_windows(showcase: DeployedStack, launch: Callable[..., Browser]) -> Windows:
    return Windows(launch(), showcase)


@pytest.fixture
def windows(all_windows: Windows) -> Iterator[Windows]:
    """Windows onto the showcase; none may complain, not while a fixture opened it either."""
    yield all_windows
    for page in all_windows.opened.values():
        # What has been complained of arrives before the answer.
        page.evaluate("0")
    watch = all_windows.watch
    unexpected = watch.unexpected()
    watch.complaints.clear()
    watch.expected.clear()
    assert unexpected == []


@pytest.fixture
def watch() -> Iterator[Watch]:
    """No page may write an error to the console, break the content security policy, or throw."""
    watching = Watch()
    yield watching
    assert watching.unexpected() == []


@pytest.fixture
def open_page(browser: Browser, watch: Watch, page_stack: DeployedStack) -> Iterator[Callable[..., Page]]:
    """Opens an address of the deployment in its own window; options go to the browser context."""
    contexts = []

    def open_address(path: str = "/", *, base: str = page_stack.url, **options: object) -> Page:
        settings: dict[str, object] = {"viewport": WIDE, "locale": "en-US"}
        context = browser.new_context(base_url=base, **{**settings, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        # From the first request on: what a page asks while interception is being switched on may pass it by.
        context.route(NEVER_ASKED, lambda route: route.abort())
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        if path:
            page_views.go(page, path)
        return page

    yield open_address
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A window that is nowhere yet."""
    return open_page("")
