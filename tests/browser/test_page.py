"""The web page, in a real browser, on the deployed registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import filter_box, row
from tests.support.content import push_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Page

    from tests.support.stack import DeployedStack


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


class TestWays:
    DEEP = "page/deep/er/and/deeper"

    def test_a_deep_name_opens_from_its_address_and_back_leads_back(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, self.DEEP, "1.0")
        page = open_page(f"/repository/{self.DEEP}")
        title = page.get_by_role("heading", level=1)
        expect(title).to_have_text(self.DEEP)
        expect(row(page, "1.0").locator(".created time")).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="er", exact=True).click()
        expect(page).to_have_url(re.compile(r"/\?filter=page%2Fdeep%2Fer%2F$"))
        expect(page.get_by_role("link", name=self.DEEP)).to_be_visible()
        expect(title).to_be_focused()
        page.go_back()
        expect(title).to_have_text(self.DEEP)
        page.go_forward()
        expect(title).to_have_text("Repositories")
        expect(filter_box(page)).to_have_value("page/deep/er/")
        page.get_by_role("link", name=self.DEEP).click()
        expect(page).to_have_title(re.compile(f"^{self.DEEP}"))


class TestLooks:
    @pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
    def test_the_theme_is_the_systems(self, open_page: Callable[..., Page], scheme: str, is_dark: bool) -> None:
        page = open_page("/", color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
        assert (brightness < 80) is is_dark

    def test_the_page_comes_with_a_strict_policy_and_fetches_nothing_from_elsewhere(
        self, page: Page, page_stack: DeployedStack
    ) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        response = page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert response is not None
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert all(url.startswith(page_stack.url) for url in asked)
