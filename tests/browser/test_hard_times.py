"""The page while things go wrong: slow networks, refusals, restarts, and content that wants to run something."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.pages import until
from tests.support import showcase as shown
from tests.support.hostile import LINK, TAGS, TOKEN, push_hostile
from tests.support.page_views import BY_NAME, LANGUAGES
from tests.support.run import PATIENCE_SECONDS
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch, Windows
    from tests.support.stack import DeployedStack

# What views are made of, but for who is logged in.
DATA = re.compile(r"/(overview/(?!session)|v2/)")
# One of each kind, with what the page reads for it.
KINDS = ("list", "repository", "image")
FAULTS = {
    "busy": (429, "too many requests"),
    "failed": (500, "reported an error"),
    "unavailable": (503, "is not responding"),
    "bad-gateway": (502, "is not responding"),
    "timeout": (504, "is not responding"),
    "html": (200, "not a registry"),
    "cut-off": (200, "not a registry"),
    "signed-out": (401, "Log in again"),
    "unreachable": (0, "Cannot connect to the server"),
}
BODIES = {"html": "<!doctype html><title>Welcome</title>", "cut-off": '{"repositories": {"a'}
# What moves up or down by itself; the footer may.
SHIFTS = """() => {
  window.shifted = [];
  const moves = ({node, previousRect, currentRect}) =>
    node?.nodeType === 1 && !node.closest("footer") && Math.abs(previousRect.top - currentRect.top) > 1;
  new PerformanceObserver(list => {
    const sources = list.getEntries().flatMap(entry => entry.sources).filter(moves);
    window.shifted.push(...sources.map(({node}) => node.outerHTML.slice(0, 200)));
  }).observe({type: "layout-shift"});
}"""
HOSTILE = "page/hostile"
# Bytes and milliseconds: a telephone at the edge of its network.
SLOW = {"offline": False, "latency": 250, "downloadThroughput": 60_000, "uploadThroughput": 60_000}


def failing(fault: str) -> Callable[[Route], None]:
    status, _ = FAULTS[fault]
    if not status:
        return lambda route: route.abort()
    body = BODIES.get(fault, '{"errors": [{"code": "X", "message": "<b>told</b> by the registry"}]}')
    return lambda route: route.fulfill(status=status, content_type="application/json", body=body)


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_fault_is_a_sentence_and_passes(self, windows: Windows, kind: str, fault: str) -> None:
        windows.watch.expect(r"status of \d+|net::ERR_FAILED")
        view = BY_NAME[kind]
        page = windows.page()
        page.route(DATA, failing(fault))
        page.goto(view.path)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(FAULTS[fault][1])
        expect(page.locator("main b")).to_have_count(0)
        page.unroute(DATA)
        alert.get_by_role("button").click()
        expect(page.locator(view.shown).first).to_be_visible()
        expect(alert).to_have_count(0)

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_connection_that_breaks_is_not_noticed(self, windows: Windows, kind: str) -> None:
        windows.watch.expect("net::ERR_NETWORK_CHANGED|net::ERR_FAILED|ERR_CONNECTION_RESET")
        view = BY_NAME[kind]
        page = windows.page()
        broken: set[str] = set()

        def break_once(route: Route) -> None:
            known = route.request.url in broken
            broken.add(route.request.url)
            if known:
                route.continue_()
            else:
                route.abort("connectionreset")

        page.route(DATA, break_once)
        page.goto(view.path)
        expect(page.locator(view.shown).first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert broken


class TestSlowNetworks:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_says_that_it_loads_and_nothing_jumps(self, windows: Windows, kind: str) -> None:
        view = BY_NAME[kind]
        page = windows.page()
        held: list[Route] = []
        released = False

        def hold(route: Route) -> None:
            if released:
                route.continue_()
            else:
                held.append(route)

        page.route(DATA, hold)
        page.goto(view.path)
        page.evaluate(SHIFTS)
        expect(page.locator(".skeleton .bone").first).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("status")).to_have_text(re.compile("Loading .*…"))
        released = True
        for route in held:
            route.continue_()
        expect(page.locator(view.shown).first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert page.evaluate("window.shifted") == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_all_comes_in_the_end(self, windows: Windows, kind: str) -> None:
        page = windows.page()
        network = page.context.new_cdp_session(page)
        network.send("Network.emulateNetworkConditions", SLOW)
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        try:
            page.goto(BY_NAME[kind].path)
            expect(page.locator(BY_NAME[kind].shown).first).to_be_visible()
        finally:
            network.detach()

    def test_who_leaves_waits_for_nothing(self, windows: Windows) -> None:
        page = windows.page()
        cancelled: list[str] = []
        page.on("requestfailed", lambda request: cancelled.append(request.url))
        page.route("**/overview/tags/**", lambda route: None)
        page.goto(f"/repository/{shown.MAIN}")
        expect(page.locator(".skeleton").first).to_be_attached()
        page.get_by_role("navigation").get_by_role("link").first.click()
        expect(page.locator("#repositories a").first).to_be_visible()
        until(page, lambda: any(url.endswith(f"/overview/tags/{shown.MAIN}") for url in cancelled))


class TestRestarts:
    @pytest.fixture
    def stopped(self, showcase: DeployedStack) -> Iterator[Callable[[str], Callable[[], None]]]:
        """Stops a service of the showcase; what it returns starts it again, as the end of the test does."""
        containers = showcase.containers()
        down: set[str] = set()

        def start(service: str) -> None:
            docker("start", containers[service])
            wait_until_it_answers(showcase)
            down.discard(service)

        def stop(service: str) -> Callable[[], None]:
            down.add(service)
            docker("stop", "--time", "5", containers[service])
            return lambda: start(service)

        yield stop
        for service in list(down):
            start(service)

    def test_the_registry_restarts(self, windows: Windows, stopped: Callable[[str], Callable[[], None]]) -> None:
        windows.watch.expect("status of 50[0-9]|net::ERR_")
        page = windows.show(BY_NAME["list"])
        start = stopped("registry")
        # What lists show comes from the storage.
        page.get_by_role("link", name=shown.IMAGE, exact=True).click()
        expect(page.locator("#tags time").first).to_be_visible()
        page.goto(BY_NAME["image"].path)
        alert = page.get_by_role("alert").first
        expect(alert).to_contain_text("The registry is not responding")
        start()
        alert.get_by_role("button", name="Try again").click()
        expect(page.locator(BY_NAME["image"].shown).first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)

    def test_the_frontend_restarts(self, windows: Windows, stopped: Callable[[str], Callable[[], None]]) -> None:
        windows.watch.expect("net::ERR_")
        page = windows.show(BY_NAME["repository"])
        page.goto("/")
        expect(page.locator("#repositories a").first).to_be_visible()
        start = stopped("frontend")
        page.get_by_role("link", name=shown.IMAGE, exact=True).click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Cannot connect to the server")
        start()
        # No one has to press "Try again": the page asks every few seconds.
        expect(page.locator("#tags time").first).to_be_visible()
        expect(alert).to_have_count(0)


def wait_until_it_answers(stack: DeployedStack) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    signed_in = ("nobody", "knows")
    with httpx.Client(base_url=stack.url, trust_env=False, auth=signed_in, timeout=PATIENCE_SECONDS) as client:
        while time.monotonic() < deadline:
            try:
                if client.get("/v2/").status_code == 401:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    pytest.fail("The deployment does not come back.")


@pytest.fixture(scope="module")
def digests(page_stack: DeployedStack) -> dict[str, str]:
    with page_stack.client as client:
        return push_hostile(client, HOSTILE)


class TestStrangersWords:
    """A token of markup in every field that an image controls, in every view."""

    @pytest.mark.parametrize("tag", TAGS)
    def test_an_image_runs_nothing(self, page: Page, digests: dict[str, str], tag: str) -> None:
        for path in (f"tag/{tag}", f"digest/{digests[tag]}"):
            page.goto(f"/repository/{HOSTILE}/{path}")
            expect(page.locator("main section, main .notice:not([hidden])").first).to_be_visible()
            for tab in page.get_by_role("tab").all():
                tab.click()
                expect(page.get_by_role("tabpanel")).not_to_have_attribute("aria-busy", "true")
            for summary in page.locator("main summary").all():
                summary.click()
            expect(page.locator(".skeleton")).to_have_count(0)
            expect(page.locator("main")).to_contain_text("<script>window.ran=1</script>")
            nothing_ran(page)

    def test_lists_and_dialogs_run_nothing(self, page: Page, digests: dict[str, str]) -> None:
        page.goto(f"/repository/{HOSTILE}")
        expect(page.locator("#tags")).to_contain_text("<script>")
        nothing_ran(page)
        page.locator("#tags .header").get_by_role("checkbox").check()
        page.locator(".selection .button").first.click()
        expect(page.get_by_role("dialog").locator(".danger")).to_be_visible()
        nothing_ran(page)
        page.goto(f"/?filter={HOSTILE}")
        expect(page.locator("#repositories")).to_contain_text("hostile")
        nothing_ran(page)

    def test_what_refers_to_an_image_runs_nothing(self, page: Page, digests: dict[str, str]) -> None:
        page.goto(f"/repository/{HOSTILE}/digest/{digests['image']}")
        attached = page.locator(".referrers a")
        expect(attached).to_have_count(1)
        attached.click()
        expect(page.locator("main")).to_contain_text("<script>window.ran=1</script>")
        nothing_ran(page)

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        "path",
        ["/?filter={}", "/repository/{}", "/repository/docs/tag/{}", "/repository/page/hostile?filter={}", "/{}"],
    )
    def test_an_address_runs_nothing(
        self, open_page: Callable[..., Page], watch: Watch, digests: dict[str, str], path: str, language: str
    ) -> None:
        watch.expect("status of 40[0-9]")
        page = open_page(
            path.format(quote(TOKEN, safe="")),
            locale=LANGUAGES[language],
        )
        expect(page.locator("main .notice:not([hidden])").first).to_be_visible()
        nothing_ran(page)


def nothing_ran(page: Page) -> None:
    """Also nothing that would run when it is pressed. What the policy stopped is in the console."""
    assert page.evaluate("window.ran") is None
    assert page.locator("main :is(img, script, b[onclick], iframe, object)").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0, LINK
    listeners = (
        "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames()).filter(name => /^on/.test(name))"
    )
    assert page.evaluate(listeners) == []
