"""A real Chromium, and a watch on what its pages complain of."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

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


@dataclass
class Watch:
    """What pages complained of; tests name what they mean to cause."""

    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Allow complaints that this regular expression finds."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [words for words in self.complaints if not any(re.search(pattern, words) for pattern in self.expected)]


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts Chromium, with further arguments if need be, once a deployment's network has its addresses."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("There is no Chromium. `make test` installs one.", pytrace=False)
    with sync_playwright() as playwright:
        launched = []

        def start(*arguments: str) -> Browser:
            _wait_for_a_quiet_network()
            launched.append(playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS, *arguments]))
            return launched[-1]

        yield start
        for browser in launched:
            browser.close()


@pytest.fixture(scope="session")
def browser(page_stack: DeployedStack, launch: Callable[..., Browser]) -> Browser:
    """Chromium, one for all tests of the shared deployment."""
    return launch()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """No page may write an error to the console, break the content security policy, or throw."""
    watching = Watch()
    yield watching
    assert watching.unexpected() == []


@pytest.fixture
def open_page(browser: Browser, watch: Watch, page_stack: DeployedStack) -> Iterator[Callable[..., Page]]:
    """Opens an address of the deployment in a window of its own; options go to the browser context."""
    contexts = []

    def open_address(path: str = "/", *, base: str = page_stack.url, **options: object) -> Page:
        settings: dict[str, object] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
        context = browser.new_context(base_url=base, **{**settings, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _note(watch, message.type, message.text))
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        if path:
            page.goto(path)
        return page

    yield open_address
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A window that is nowhere yet."""
    return open_page("")


def _wait_for_a_quiet_network() -> None:
    """Return when no interface has got an address for two seconds: at each, Chromium breaks off what it loads."""
    addresses = Path("/proc/net/if_inet6")
    quiet_since, before = time.monotonic(), ""
    deadline = time.monotonic() + 20
    while addresses.exists() and time.monotonic() < min(quiet_since + 2, deadline):
        found = addresses.read_text()
        if found != before:
            quiet_since, before = time.monotonic(), found
        time.sleep(0.1)


def _note(watch: Watch, kind: str, words: str) -> None:
    if kind in {"error", "warning"}:
        watch.complaints.append(words)
