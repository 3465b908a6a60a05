"""What a day's work with the page meets: pasted names, long values, many platforms, strangers' words, phones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pages import answer, filter_box, focus, hold, press, row, until
from tests.support.content import push_image, push_index
from tests.support.page_views import BY_NAME, go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch, Windows
    from tests.support.stack import DeployedStack

PHONE = {"viewport": {"width": 320, "height": 800}, "has_touch": True, "is_mobile": True}
LONG = "word " * 24_800
OVERRIDE = "\u202e"
# Where each of these words begins from the left, in the first element that the selector finds.
PLACES = """([selector, words]) => {
  const walker = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
  const places = {};
  while (walker.nextNode()) for (const word of words) {
    const at = walker.currentNode.data.indexOf(word);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(walker.currentNode, at);
    range.setEnd(walker.currentNode, at + word.length);
    places[word] = range.getBoundingClientRect().x;
  }
  return words.map(word => places[word]);
}"""


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


@pytest.fixture
def told(client: httpx.Client) -> str:
    """The view of an image that says more of itself than anybody reads."""
    labels = {
        "org.opencontainers.image.source": "https://git.example.com/team/app",
        "org.opencontainers.image.url": "http://plain.example.com/",
        "org.opencontainers.image.documentation": "javascript:alert(1)",
        "org.label-schema.usage": "https://docs.example.com/app",
        "org.opencontainers.image.version": "1.0.3",
        "org.opencontainers.image.revision": "f00dfeed" * 5,
        "long": LONG,
        **{f"many.{number}": "x" for number in range(1000)},
    }
    config = {
        "config": {"Labels": labels, "Env": ["FAMILY=" + "👩‍👩‍👧‍👦" * 100]},
        "author": f"Mallory{OVERRIDE}yrollaM",
    }
    push_image(client, "daily/told", "1", config_extra=config)
    return "/repository/daily/told/tag/1"


class TestPasting:
    @pytest.mark.parametrize(
        ("words", "path"),
        [
            ("{address}/daily/pasted:1@{digest}", "/repository/daily/pasted/digest/{digest}"),
            ("docker pull {address}/daily/pasted:1", "/repository/daily/pasted/tag/1"),
            ("oci://{address}/daily/pasted", "/repository/daily/pasted"),
            ("{url}/v2/daily/pasted/manifests/1", "/repository/daily/pasted/tag/1"),
        ],
    )
    def test_what_is_pasted_is_opened(
        self,
        client: httpx.Client,
        open_page: Callable[..., Page],
        page_stack: DeployedStack,
        words: str,
        path: str,
    ) -> None:
        digest = push_image(client, "daily/pasted", "1").digest
        names = {"address": page_stack.address, "url": page_stack.url, "digest": digest}
        page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
        page.evaluate("words => navigator.clipboard.writeText(words)", words.format(**names))
        press(filter_box(page), "Control+V")
        expect(page).to_have_url(page_stack.url + path.format(**names))
        expect(page.get_by_role("heading", level=1)).to_contain_text("daily/pasted")
        page.go_back()
        expect(filter_box(page)).to_have_value("")

    def test_what_is_typed_shows_its_repository_and_is_opened_by_the_enter_key(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        push_image(client, "daily/pasted", "1")
        page = open_page()
        filter_box(page).fill(f"docker pull {page_stack.address}/daily/pasted:1")
        expect(page.get_by_role("link", name="Open daily/pasted:1")).to_be_visible()
        expect(page.locator("h1 + .count")).to_have_text(re.compile("^1 of "))
        press(filter_box(page), "Enter")
        expect(page).to_have_url(re.compile("/repository/daily/pasted/tag/1$"))

    @pytest.mark.parametrize("by", ["typing", "pasting"])
    def test_the_enter_key_waits_until_what_was_entered_is_understood(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, by: str
    ) -> None:
        push_image(client, "daily/pasted", "1")
        page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
        expect(filter_box(page)).to_be_visible()
        held: list[Route] = []
        page.route("**/assets/lists/pasted.js", hold(held))
        words = f"docker pull {page_stack.address}/daily/pasted:1"
        page.evaluate("words => navigator.clipboard.writeText(words)", words)
        focus(filter_box(page))
        if by == "typing":
            page.keyboard.insert_text(words)
        else:
            page.keyboard.press("Control+V")
        page.keyboard.press("Enter")
        until(page, lambda: bool(held))
        for route in held:
            route.continue_()
        expect(page).to_have_url(re.compile("/repository/daily/pasted/tag/1$"))
        page.go_back()
        expect(page).to_have_url(re.compile(r"/(\?.*)?$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Repositories")

    def test_an_image_of_another_registry_is_not_taken_for_one_here(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "daily/pasted", "1")
        page = open_page()
        filter_box(page).fill("docker.io/daily/pasted:1")
        expect(page.get_by_text("This is an image in docker.io.")).to_be_visible()
        expect(page.get_by_role("link", name="daily/pasted")).to_be_visible()
        filter_box(page).fill("docker.io/no/such:1")
        expect(page.get_by_text("There is no repository no/such in this registry.")).to_be_visible()


class TestContents:
    def test_links_of_labels_lead_outwards_where_that_is_safe(self, page: Page, told: str) -> None:
        go(page, told)
        facts = page.locator(".facts")
        expect(facts).to_contain_text("Version1.0.3")
        expect(facts).to_contain_text("Revisionf00dfeedf00d")
        links = facts.locator("a[target]")
        expect(links).to_have_text(["git.example.com/team/app", "docs.example.com/app"])
        for link in links.all():
            expect(link).to_have_attribute("rel", "noopener noreferrer")
            expect(link).to_have_attribute("href", re.compile("^https://"))

    def test_long_values_fold_and_long_lists_begin(self, page: Page, told: str) -> None:
        go(page, told)
        expect(page.get_by_role("heading", name="Labels")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollHeight") < 20_000
        folded = page.locator(".pairs > div").filter(has_text=re.compile("^long")).locator("dd")
        folded.get_by_role("button", name="Show all (124 kB)").click()
        expect(folded.locator("code")).to_have_text(LONG.strip())
        assert folded.evaluate("one => one.offsetHeight") < 600
        folded.get_by_role("button", name="Show less").click()
        expect(page.get_by_text("many.999", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Show all 1,007").click()
        expect(page.get_by_text("many.999", exact=True)).to_be_visible()
        family = page.locator(".pairs code").filter(has_text="FAMILY").inner_text()
        assert family.endswith("👩‍👩‍👧‍👦")

    def test_direction_marks_turn_nothing_around(self, page: Page, told: str) -> None:
        go(page, told)
        expect(page.locator(".facts")).to_contain_text("Mallory\ufffdyrollaM")
        author = page.locator("dd").filter(has_text="Mallory").first
        author.evaluate("one => { one.id = 'author'; one.append(' after') }")
        stranger, after = page.evaluate(PLACES, ["#author", ["Mallory", "after"]])
        assert stranger < after

    def test_platforms_of_an_index_turn_no_neighbour_around(self, client: httpx.Client, page: Page) -> None:
        push_index(client, "daily/turned", "1", platforms=(f"linux/{OVERRIDE}amd64", "linux/arm64"))
        go(page, "/repository/daily/turned")
        expect(row(page, "1").locator(".chip")).to_have_count(2)
        one, other = page.evaluate(PLACES, [".row .platforms", ["linux/\ufffdamd64", "linux/arm64"]])
        # Beside it, or in its own line above it.
        assert one <= other

    @pytest.mark.parametrize("number", [7, 8, 500])
    def test_from_eight_platforms_on_they_are_a_list(self, client: httpx.Client, page: Page, number: int) -> None:
        push_index(client, "daily/platforms", "7", platforms=[f"linux/arch{place}" for place in range(7)])
        stored = client.get("/overview/tags/daily/platforms").json()
        index = stored["manifests"][stored["tags"]["7"]]["document"]
        for place in range(7, number):
            entry = {**index["manifests"][0], "digest": f"sha256:{place:064x}"}
            index["manifests"].append({**entry, "platform": {"os": "linux", "architecture": f"arch{place}"}})
        page.route(re.compile("/overview/tags/"), answer(stored))
        go(page, "/repository/daily/platforms/tag/7")
        if number < 8:
            expect(page.get_by_role("tab")).to_have_count(number)
            return
        choice = page.get_by_label(f"Platform ({number})")
        expect(choice.get_by_role("option")).to_have_count(number)
        expect(page.get_by_role("tab")).to_have_count(0)
        choice.select_option(label="linux/arch3")
        expect(page).to_have_url(re.compile("platform=linux"))
        expect(page.locator(".commands")).to_contain_text("--platform linux/arch3")
        choice.select_option(index=number - 1)
        expect(page.get_by_role("heading", name="This platform is not in the registry")).to_be_visible()


class TestDeletingAll:
    def test_it_is_at_the_end_and_under_a_filter_only_what_is_shown_goes(
        self, client: httpx.Client, page: Page
    ) -> None:
        for tag in ("1.1", "1.2", "1.3", "2.0"):
            push_image(client, "daily/going", tag, layers=(tag,))
        go(page, "/repository/daily/going")
        delete_all = page.get_by_role("button", name="Delete all tags…")
        last = row(page, "2.0").or_(row(page, "1.1")).last.bounding_box()
        place = delete_all.bounding_box()
        assert last
        assert place
        assert place["y"] > last["y"]
        filter_box(page).fill("1.")
        page.get_by_role("button", name="Delete the 3 tags shown…").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Delete 3 tags from daily/going?")
        expect(dialog).not_to_contain_text("2.0")


class TestPhone:
    def test_no_keys_are_told_and_a_sign_says_that_a_command_goes_on(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "daily/phone/a-name-that-is-rather-long", "1")
        page = open_page("/repository/daily/phone/a-name-that-is-rather-long", **PHONE)
        expect(page.locator(".filter kbd")).to_be_hidden()
        expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()
        command = page.locator(".command")
        expect(command).to_have_class("command beyond")
        command.locator("pre").evaluate("pre => pre.scrollTo(10000, 0)")
        expect(command).to_have_class("command")
        wide = open_page("/repository/daily/phone/a-name-that-is-rather-long")
        expect(row(wide, "1")).to_be_visible()
        expect(wide.locator(".command")).to_have_class("command")
        expect(wide.locator(".filter kbd")).to_be_visible()

    @pytest.mark.parametrize("language", ["en", "ja"])
    @pytest.mark.parametrize(
        "name", ["list", "repository", "repository-attached", "image-of-platforms", "image-signed", "files", "untagged"]
    )
    def test_nothing_is_cut(self, windows: Windows, name: str, language: str) -> None:
        page = windows.show(BY_NAME[name], language=language, width=320)
        cut = page.evaluate(
            """() => [...document.querySelectorAll("main *")]
                 .filter(one => one.checkVisibility() && !one.closest("pre, .unseen, thead, .same, .header .pull"))
                 .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")
                 .map(one => one.outerHTML.slice(0, 160))"""
        )
        assert cut == []


class TestWithoutScripts:
    def test_a_sentence_stands_where_no_script_comes(self, page: Page, watch: Watch) -> None:
        watch.expect("net::ERR_FAILED")
        page.route("**/assets/start.js", lambda route: route.abort())
        page.goto("/")
        expect(page.get_by_text("its scripts did not run")).to_be_visible()
        expect(page.get_by_text("スクリプトが実行されませんでした")).to_be_visible()

    def test_a_sentence_stands_where_scripts_are_not_understood(self, page: Page, watch: Watch) -> None:
        watch.expect("SyntaxError|Unexpected|Invalid|Cannot use import")
        body = "import { } from './x.js'; this is no script"
        page.route("**/assets/start.js", lambda route: route.fulfill(body=body, content_type="text/javascript"))
        page.goto("/")
        expect(page.get_by_text("its scripts did not run")).to_be_visible()

    def test_a_sentence_stands_where_scripts_are_switched_off(self, open_page: Callable[..., Page]) -> None:
        page = open_page("", java_script_enabled=False)
        page.goto("/")
        expect(page.get_by_text("This page needs JavaScript")).to_be_visible()
