"""Figures of the web page, in headless Chromium: against what the registry's own API alone needs."""

from __future__ import annotations

import shutil
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import sync_playwright

from benchmarks.measure import KILOBYTES, MILLISECONDS, NUMBER, SECONDS, Figure
from benchmarks.storage import StorageFolder, deployed_on_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

_REPOSITORIES = 10_000
_TAGS = 1000
# How many digests they are shared out among.
_DISTINCT = 1000
_FEW = 20
_RUNS = 5
# As many as browsers open to one server.
_CONNECTIONS = 6
_ACCEPT = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
_SCRIPTS = Path(__file__).parent
_DATA = ("/overview/", "/v2/")
# Bytes of the page as they cross the network, compressed and with their headers.
_BYTES_TARGET = 60_000
_LONG_TASK = 100
_WHEEL = 1500
# Seconds to wait for what is measured, and how often.
_PATIENCE = 30
_TRIES = 3


def page_figures(folder: Path) -> list[Figure]:
    """10,000 repositories listed, searched and scrolled; 1,000 tags sorted by date; the page's own bytes."""
    storage = StorageFolder(folder / "page" / "images")
    for number in range(_REPOSITORIES):
        storage.add_image(f"team{number % 100:02}/app{number:05}", "1", number)
    for number in range(_TAGS):
        storage.add_image(f"many/of{_DISTINCT}", f"build-{number}", number % _DISTINCT)
        storage.add_image(f"many/of{_FEW}", f"build-{number}", number % _FEW)
    with deployed_on_folder(folder / "page", "page") as stack, _chromium() as browser:
        return [
            *_list_figures(browser, stack.url),
            *_tags_figures(browser, stack.url, _DISTINCT),
            *_tags_figures(browser, stack.url, _FEW),
            *_bytes_figures(browser, stack.url),
            _scrolling_figure(browser, stack.url),
        ]


def _list_figures(browser: Browser, url: str) -> list[Figure]:
    shown = []
    theirs = []
    for _ in range(_RUNS):
        with _opened(browser, url, "/", "listed.js") as visit:
            shown.append(visit.noted)
        theirs.append(_catalog_seconds(url))
    peer, name = statistics.median(theirs), "`GET _catalog` alone"
    listed, searched = (statistics.median(each[key] for each in shown) / 1000 for key in ("listed", "searched"))
    title = f"page: list of {_REPOSITORIES:,} on screen"
    return [
        Figure(title, listed, peer, name, "≤ 1.5 s", listed <= 1.5),
        Figure("… and searched", searched, peer, name, "≤ 1.5 s", searched <= 1.5),
    ]


def _tags_figures(browser: Browser, url: str, digests: int) -> list[Figure]:
    """The newest tag is not the first by name, so it is first only when all are sorted."""
    name = f"many/of{digests}"
    visits = []
    theirs = []
    for _ in range(_RUNS):
        with _opened(browser, url, f"/repository/{name}?sort=-created", "sorted.js") as visit:
            visits.append(visit)
        theirs.append(_details_of_each_tag(url, name))
    first, by_date = (statistics.median(visit.noted[key] for visit in visits) / 1000 for key in ("first", "sorted"))
    requests = max(visit.data_requests for visit in visits)
    seconds = statistics.median(each[0] for each in theirs)
    peer = f"HEAD, manifest and configuration of each, {_CONNECTIONS} at once"
    return [
        Figure(f"page: {_TAGS:,} tags on {digests:,} digests, first on screen", first, None, "", "< 1 s", first < 1),
        Figure("… all sorted by date", by_date, seconds, peer, "< 1 s", by_date < 1, SECONDS),
        Figure("… requests", requests, theirs[0][1], peer, f"≤ {digests + 1:,}", requests <= digests + 1, NUMBER),
    ]


def _bytes_figures(browser: Browser, url: str) -> list[Figure]:
    """Each view opened by its address, by a browser that has nothing of the page yet."""
    views = {"the list": "/", "a repository": "/repository/many/of20", "an image": "/repository/many/of20/tag/build-1"}
    found: dict[str, dict[str, _Weight]] = {}
    for view, path in views.items():
        with _opened(browser, url, path) as visit:
            found[view] = dict(visit.sizes)
    found["all three"] = {path: weight for sizes in found.values() for path, weight in sizes.items()}
    return [figure for view, sizes in found.items() for figure in _weight_figures(view, list(sizes.values()))]


def _weight_figures(view: str, files: list[_Weight]) -> tuple[Figure, Figure]:
    """What crosses the network is what someone waits for; of the list, which is seen first, it has an target."""
    crossing, plain = sum(one.crossing for one in files), sum(one.plain for one in files)
    target, reached = ("≤ 60 kB", crossing <= _BYTES_TARGET) if view == "the list" else ("", True)
    return (
        Figure(f"page: across the network for {view}", crossing / 1000, None, "", target, reached, KILOBYTES),
        Figure("… uncompressed", plain / 1000, None, "", "", reached=True, form=KILOBYTES),
    )


def _scrolling_figure(browser: Browser, url: str) -> Figure:
    """From the first repository to the last, by the wheel."""
    with _opened(browser, url, "/") as visit:
        visit.page.evaluate((_SCRIPTS / "late.js").read_text())
        visit.page.mouse.move(400, 400)
        height = visit.page.evaluate("document.documentElement.scrollHeight")
        for _ in range(0, height, _WHEEL):
            visit.page.mouse.wheel(0, _WHEEL)
        _awaited(visit.page, "innerHeight + scrollY > document.documentElement.scrollHeight - 10")
        longest = max(visit.page.evaluate("late"), default=0)
    title = f"page: longest task while {_REPOSITORIES:,} scroll"
    return Figure(title, longest, None, "", "≤ 100 ms", longest <= _LONG_TASK, MILLISECONDS)


@dataclass(frozen=True)
class _Weight:
    """Bytes of a file: as it crosses the network, compressed and with its headers, and as it is used."""

    crossing: int
    plain: int


@dataclass
class _Traffic:
    """What a window has loaded, as Chromium itself counts it."""

    page: Page
    addresses: dict[str, str] = field(default_factory=dict)
    plain: Counter[str] = field(default_factory=Counter)
    crossing: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        session = self.page.context.new_cdp_session(self.page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _answered(self, event: dict[str, Any]) -> None:
        self.addresses[event["requestId"]] = event["response"]["url"]

    def _received(self, event: dict[str, Any]) -> None:
        self.plain[event["requestId"]] += event["dataLength"]

    def _finished(self, event: dict[str, Any]) -> None:
        self.crossing[event["requestId"]] = event["encodedDataLength"]

    def weights(self) -> dict[str, _Weight]:
        """Of each address that was loaded to its end; what the browser had already crosses nothing."""
        return {
            self.addresses[one]: _Weight(crossing, self.plain[one])
            for one, crossing in self.crossing.items()
            if crossing and one in self.addresses
        }


@dataclass
class _Visit:
    """What one look at an address came to, by a browser that had nothing of the page before."""

    page: Page
    noted: dict[str, float]
    """Milliseconds, as the script noted them."""
    sizes: dict[str, _Weight]
    """What each of the page's own files has, by its path."""
    data_requests: int


@contextmanager
def _opened(browser: Browser, url: str, path: str, script: str = "") -> Iterator[_Visit]:
    """A visit; one that a change of this machine's networks broke off, as Chromium does then, is made again."""
    for _ in range(_TRIES):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        try:
            visit = _visited(context.new_page(), url, path, script)
            if visit:
                yield visit
                return
        finally:
            context.close()
    raise SystemExit(f"The page did not show {path} within {_PATIENCE} s.")


def _visited(page: Page, url: str, path: str, script: str) -> _Visit | None:
    """None if the page did not come to what the script waits for."""
    traffic = _Traffic(page)
    if script:
        page.add_init_script(path=_SCRIPTS / script)
    page.goto(f"{url}{path}", wait_until="networkidle")
    noted = _awaited(page, "window.shown") if script else {}
    if noted is None:
        return None
    weights = traffic.weights()
    own = {address.removeprefix(url): one for address, one in weights.items() if not _is_data(address, url)}
    return _Visit(page, noted, own, sum(_is_data(address, url) for address in traffic.addresses.values()))


def _awaited(page: Page, expression: str) -> Any:  # noqa: ANN401 - what the expression gives
    """Its value once it has one, None if it gets none; the page's policy forbids playwright's own way of waiting."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if value := page.evaluate(expression):
            return value
        page.wait_for_timeout(50)
    return None


def _is_data(address: str, url: str) -> bool:
    path = address.removeprefix(url)
    return path.startswith(_DATA) and path != "/overview/session"


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("The benchmarks of the page need Chromium; `make bench` installs one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--no-proxy-server", "--no-first-run"]
        )
        try:
            yield browser
        finally:
            browser.close()


def _catalog_seconds(url: str) -> float:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        begun = time.perf_counter()
        names = client.get("/v2/_catalog", params={"n": 1_000_000}).json()["repositories"]
        seconds = time.perf_counter() - begun
    assert len(names) > _REPOSITORIES
    return seconds


def _details_of_each_tag(url: str, name: str) -> tuple[float, int]:
    """The seconds and the requests that it takes to know of each tag its digest, size and date by the API alone."""
    requests = 1
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:

        def details(tag: str) -> int:
            digest = client.head(f"/v2/{name}/manifests/{tag}", headers=_ACCEPT).headers["Docker-Content-Digest"]
            manifest = client.get(f"/v2/{name}/manifests/{digest}", headers=_ACCEPT).json()
            client.get(f"/v2/{name}/blobs/{manifest['config']['digest']}").raise_for_status()
            return 3

        begun = time.perf_counter()
        tags = client.get(f"/v2/{name}/tags/list").json()["tags"]
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            requests += sum(pool.map(details, tags))
        return time.perf_counter() - begun, requests
