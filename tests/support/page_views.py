"""Every view of the page, on the showcase: how one comes to it, for tests of all of them and for pictures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support import showcase

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

CATALOG = re.compile(r"/overview/catalog$")
ANYTHING = re.compile(r"/(overview|v2)/")
LANGUAGES = {"en": "en-US", "ja": "ja-JP"}
THEMES = ("light", "dark")


@dataclass(frozen=True)
class View:
    """One view: where it is, who looks, what is done there, and what is seen when all is there."""

    name: str
    path: str
    shown: str
    """A selector of what comes last."""
    user: str = showcase.OWNER
    act: Callable[[Page], object] | None = None
    answers: tuple[tuple[re.Pattern[str], int, object], ...] = ()
    """Addresses that are answered otherwise than by the registry: status and document."""
    complains: str = ""
    """What the browser then writes to its console, as a regular expression."""

    def open(self, page: Page) -> None:
        """Come to it, and wait until it is."""
        page.unroute_all()
        for pattern, status, document in self.answers:
            page.route(pattern, answer(document, status))
        go(page, self.path)
        if self.act:
            self.act(page)
        expect(page.locator(self.shown).first).to_be_attached()
        expect(page.locator(".bone")).to_have_count(0)


def go(page: Page, path: str) -> None:
    """Open an address of the page, and wait until its view is there."""
    page.goto(path)
    expect(page.locator("main h1").first).to_be_attached()


def answer(document: object, status: int = 200) -> Callable[[Route], None]:
    """Answer a request with a document, as the registry would."""
    return lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps(document))


def fault(code: str, message: str) -> object:
    """A refusal in the registry's form."""
    return {"errors": [{"code": code, "message": message}]}


_ALERT = "[role=alert]"
_SIZED = "#repositories .holds:has(.chip) .weight:not(:empty)"
_ROW = "#tags time"
_DANGER = "dialog .danger"
_IMAGE = ".image section"


def _sign_out(page: Page) -> None:
    page.locator(".account button").click()
    expect(page.locator(".account button")).to_have_count(0)


def _select_all(page: Page) -> None:
    page.locator("#tags .header [type=checkbox]").check()


def _delete_all(page: Page) -> None:
    _select_all(page)
    page.locator(".selection .button").first.click()


# One command that failed, one that was missed, one that is fine.
_RUNS = [
    {"id": "20261201T023000Z-backup", "job": "backup", "started": 1796092200, "ended": 1796092204, "result": "failed",
     "bytes": None},
    {"id": "20261129T043000Z-prune", "job": "prune", "started": 1795926600, "ended": 1795930263, "result": "done",
     "bytes": 11_100_000},
]  # fmt: skip
_JOBS = [
    {"job": "backup", "when": "daily 02:30", "next": 4102453800, "missed": None},
    {"job": "gc", "when": "daily 03:30", "next": 4102457400, "missed": 1796095800},
    {"job": "prune", "when": "sun 04:30", "next": 4102461000, "missed": None},
    {"job": "check", "when": "monthly 05:30", "next": 4102464600, "missed": None},
]
_UPKEEP = {"jobs": _JOBS, "runs": _RUNS, "backup": 1796005800, "drill": {"at": 1795500000, "passed": False}}
UPKEEP = (
    (re.compile(r"/overview/session$"), 200, {"user": showcase.OWNER, "version": "1.0", "upkeep": True}),
    (re.compile(r"/overview/upkeep$"), 200, {"upkeep": _UPKEEP}),
)
VIEWS = (
    View("list", "/", _SIZED),
    View("list-filtered", "/?filter=platform", _SIZED),
    View("list-no-match", "/?filter=nothing+of+the+kind", ".notice:not([hidden])"),
    View("empty-registry", "/", ".notice:not([hidden])", answers=((CATALOG, 200, {"repositories": {}, "all": True}),)),
    View("may-not-list", "/", "#opening", answers=((CATALOG, 200, {"repositories": {}, "all": False}),)),
    View("forbidden", "/repository/release/cli", _ALERT, showcase.GUEST, complains="403"),
    View("signed-out", "/", _ALERT, answers=((ANYTHING, 401, fault("UNAUTHORIZED", "authentication required")),),
         complains="401"),
    View("signed-out-by-oneself", "/", "main .button", act=_sign_out),
    View("help", "/", "dialog[open]", act=lambda page: page.keyboard.press("?")),
    View("fault", "/", _ALERT, answers=((CATALOG, 500, fault("UNKNOWN", "unknown error")),), complains="500"),
    View("unavailable", f"/repository/{showcase.MAIN}", _ALERT,
         answers=((ANYTHING, 503, fault("UNAVAILABLE", "it may be starting")),), complains="503"),
    View("repository", f"/repository/{showcase.MAIN}", _ROW),
    View("repository-by-age", f"/repository/{showcase.MAIN}?sort=-created", _ROW),
    View("repository-filtered", f"/repository/{showcase.MAIN}?filter=2.14", _ROW),
    View("repository-for-readers", f"/repository/{showcase.MAIN}", _ROW, showcase.READER),
    View("list-by-push", "/?sort=-pushed", _SIZED),
    View("repository-attached", f"/repository/{showcase.SIGNED}?attached=shown", ".row.attached"),
    View("untagged", f"/repository/{showcase.MAIN}?show=untagged", ".untagged li"),
    View("repository-signed", f"/repository/{showcase.SIGNED}", _ROW),
    View("repository-of-charts", f"/repository/{showcase.CHART}", _ROW),
    View("repository-empty", f"/repository/{showcase.EMPTY}", ".notice:not([hidden])"),
    View("repository-unknown", "/repository/no/such", ".notice:not([hidden])", complains="404"),
    View("repository-impossible", "/repository/No%20Such", ".notice:not([hidden])"),
    View("repository-selected", f"/repository/{showcase.IMAGE}", ".selection .button", act=_select_all),
    View("delete-tag", f"/repository/{showcase.MAIN}?filter=2.14", _DANGER,
         act=lambda page: page.locator("#tags .bin").first.click()),
    View("delete-all", f"/repository/{showcase.MAIN}", _DANGER, act=_delete_all),
    View("delete-image", f"/repository/{showcase.MAIN}/tag/latest", _DANGER,
         act=lambda page: page.locator(".actions button").first.click()),
    View("image", f"/repository/{showcase.IMAGE}/tag/16.4", _IMAGE),
    View("image-of-platforms", f"/repository/{showcase.MAIN}/tag/latest", _IMAGE),
    View("image-signed", f"/repository/{showcase.SIGNED}/tag/4.2.0", ".referrers a"),
    View("chart", f"/repository/{showcase.CHART}/tag/1.9.2", _IMAGE),
    View("files", f"/repository/{showcase.FILES}/tag/latest", _IMAGE),
    View("image-unknown", f"/repository/{showcase.IMAGE}/tag/none", ".notice:not([hidden])"),
    View("folders", "/?as=folders", "[role=treeitem]"),
    View("schedule", "/schedule", ".schedule table", answers=UPKEEP),
    View("schedule-forbidden", "/schedule", _ALERT, showcase.READER, complains="403"),
    View("unknown-page", "/elsewhere", ".notice:not([hidden])", complains="404"),
)  # fmt: skip
BY_NAME = {view.name: view for view in VIEWS}
