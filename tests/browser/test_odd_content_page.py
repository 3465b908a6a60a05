"""Content that is rare and real: damaged, empty, of several versions of Windows, with names of any length."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages import answer, row
from tests.support.content import build_image, push_artifact, push_image
from tests.support.image_view import commands, fact, section, short
from tests.support.page_views import go
from tests.support.registry_content import OCI, TYPES, Image, image, index, push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import httpx
    from playwright.sync_api import Page

    from tests.support.stack import DeployedStack

TAGS = re.compile(r"/overview/tags/")
# What of a row is cut at its side, or hangs out of it below.
CUT = """row => [...row.querySelectorAll("*")]
  .filter(one => one.checkVisibility() && !one.closest("svg, .same"))
  .filter(one => (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")
    || one.getBoundingClientRect().bottom > row.getBoundingClientRect().bottom)
  .map(one => one.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


def windows(client: httpx.Client, name: str, tag: str, versions: Sequence[tuple[str, str]]) -> list[Image]:
    """An index of Windows images, each with the version that the index says, and that its configuration says."""
    made, entries = [], []
    for number, (said, own) in enumerate(versions):
        extra = {"os.version": own} if own else {}
        one = build_image(layers=(f"{tag} {number}",), media=OCI, platform="windows/amd64", config_extra=extra)
        push(client, name, None, one)
        made.append(one)
        platform = {"os": "windows", "architecture": "amd64", **({"os.version": said} if said else {})}
        entries.append(one.descriptor(platform=platform))
    document = {"schemaVersion": 2, "mediaType": TYPES[OCI]["index"], "manifests": entries}
    push(client, name, tag, Image(json.dumps(document).encode(), TYPES[OCI]["index"]))
    return made


class TestTheHeadline:
    def stored(self, client: httpx.Client, name: str, damaged: Sequence[str]) -> dict[str, Any]:
        """What the overview reports about three images and an empty index, some of them damaged."""
        digests = {
            tag: push_image(client, name, tag, layers=(tag,), created=f"2024-01-0{day}T00:00:00Z").digest
            for day, tag in enumerate(("1.0", "2.0", "latest"), start=1)
        }
        push(client, name, "empty", index([]))
        stored: dict[str, Any] = client.get(f"/overview/tags/{name}").json()
        layers = {
            tag: stored["manifests"][digest]["document"]["layers"][0]["digest"] for tag, digest in digests.items()
        }
        return {**stored, "damaged": {layers[tag]: None for tag in damaged}}

    @pytest.mark.parametrize(
        ("damaged", "headline"), [((), "latest"), (("latest",), "2.0"), (("latest", "2.0"), "1.0")]
    )
    def test_it_is_the_newest_that_can_be_pulled(
        self, client: httpx.Client, page: Page, damaged: Sequence[str], headline: str
    ) -> None:
        page.route(TAGS, answer(self.stored(client, "odd/headline", damaged)))
        go(page, "/repository/odd/headline")
        expect(page.locator("main > .command pre")).to_have_text(re.compile(rf"/odd/headline:{headline}\n?$"))
        for tag in (*damaged, "empty"):
            expect(row(page, tag).get_by_role("button", name=re.compile("pull command"))).to_have_count(0)
        expect(row(page, "empty").locator(".fault")).to_have_text("empty")
        expect(page.get_by_text("Nothing can be pulled: every tag")).to_be_hidden()

    def test_where_there_is_none_it_says_so(self, client: httpx.Client, page: Page) -> None:
        page.route(TAGS, answer(self.stored(client, "odd/hopeless", ("1.0", "2.0", "latest"))))
        go(page, "/repository/odd/hopeless")
        expect(page.get_by_text("Nothing can be pulled: every tag")).to_be_visible()
        expect(page.locator("main > .command")).to_be_hidden()
        row(page, "2.0").get_by_role("link", name="2.0").click()
        expect(page.locator(".notice.error")).to_contain_text("odd/hopeless:2.0 is incomplete: the file ")
        expect(section(page, "Layers")).to_be_visible()
        expect(section(page, "Pull")).to_have_count(0)

    def test_an_index_without_images_says_so(self, client: httpx.Client, page: Page) -> None:
        push(client, "odd/empty", "1.0", index([]))
        go(page, "/repository/odd/empty/tag/1.0")
        expect(page.locator(".notice")).to_have_text(
            "odd/empty:1.0 is empty: its index contains no images, so there is nothing to pull."
        )


class TestDamage:
    @pytest.mark.parametrize(("size", "sentence"), [(5_000_000, "Its manifest is 5 MB"), (3, "is damaged (3 bytes)")])
    def test_a_manifest_that_cannot_be_read_is_not_called_gone(
        self, client: httpx.Client, page: Page, size: int, sentence: str
    ) -> None:
        digest = push_image(client, "odd/unreadable", "1.0").digest
        stored = client.get("/overview/tags/odd/unreadable").json()
        page.route(TAGS, answer({**stored, "manifests": {}, "damaged": {digest: size}}))
        go(page, "/repository/odd/unreadable")
        expect(row(page, "1.0").locator(".fault")).to_have_text("unreadable")
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.get_by_role("heading", level=2)).to_have_text("The manifest cannot be read")
        expect(page.locator(".notice")).to_contain_text(sentence)

    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            ({"damaged": None, "unlinked": True}, "deployer gc --damaged, which restores the link. Or push it again."),
            (
                {"damaged": None, "obstacles": "/odd/data"},
                "move /odd/data away (a path in the registry's container), then",
            ),
            ({"foreign": True}, "is not a valid manifest. Push it again."),
        ],
    )
    def test_a_manifest_that_is_not_just_missing_is_told_with_its_cure(
        self, client: httpx.Client, page: Page, told: dict[str, object], sentence: str
    ) -> None:
        digest = push_image(client, "odd/linkless", "1.0").digest
        stored = client.get("/overview/tags/odd/linkless").json()
        page.route(TAGS, answer({**stored, "manifests": {}, **{key: {digest: one} for key, one in told.items()}}))
        go(page, "/repository/odd/linkless")
        expect(row(page, "1.0").locator(".fault")).to_have_text("unreadable")
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.get_by_role("heading", level=2)).to_have_text("The manifest cannot be read")
        expect(page.locator(".notice")).to_contain_text(sentence)

    def test_the_page_and_the_command_line_say_the_same(
        self, client: httpx.Client, page: Page, page_stack: DeployedStack
    ) -> None:
        here, gone = image("here", media=OCI), image("gone", media=OCI, platform="linux/arm64")
        for part in (here, gone):
            push(client, "odd/lost", None, part)
        push(client, "odd/lost", "1.0", index([(here, "linux/amd64"), (gone, "linux/arm64")], media=OCI))
        assert client.delete(f"/v2/odd/lost/manifests/{gone.digest}").status_code == 202
        sentence = f"odd/lost:1.0 is incomplete: the registry does not have {short(gone.digest)}. Push it again."
        listed = page_stack.deployer("tags", "odd/lost", check=True)
        assert sentence in listed.stderr
        assert "(incomplete)" in listed.stdout
        go(page, "/repository/odd/lost")
        expect(row(page, "1.0").locator(".fault")).to_have_text("incomplete")
        expect(row(page, "1.0").locator(".fault")).to_have_attribute("title", sentence)
        expect(row(page, "1.0").locator(".size")).to_have_text("\u2013")
        expect(row(page, "1.0").locator(".chip")).to_have_text(["linux/amd64", "linux/arm64"])
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.locator(".notice.error p")).to_have_text(sentence)
        expect(page.get_by_role("tab")).to_have_text(["linux/amd64", "linux/arm64not in this registry"])
        assert "/odd/lost:1.0" in commands(page)["Docker"]


class TestWindows:
    def test_versions_stand_apart_in_lists_and_tabs(self, client: httpx.Client, page: Page) -> None:
        """The second says its version in its configuration alone."""
        first, second = windows(client, "odd/windows", "1.0", [("10.0.17763.1", ""), ("", "10.0.20348.1")])
        go(page, "/repository/odd/windows")
        labels = ["windows/amd64 10.0.17763.1", "windows/amd64 10.0.20348.1"]
        expect(row(page, "1.0").locator(".chip")).to_have_text(labels)
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.get_by_role("tab")).to_have_text(labels)
        page.get_by_role("tab").nth(1).click()
        # No name of a platform means one of them alone.
        expect(page.get_by_role("tabpanel", name=labels[1])).to_contain_text(f"odd/windows@{second.digest}")
        assert "--platform" not in commands(page)["Docker"]
        assert first.digest not in commands(page)["Docker"]

    def test_more_than_there_is_room_for_are_counted(self, client: httpx.Client, page: Page) -> None:
        windows(client, "odd/windows", "many", [(f"10.0.{number}.1", "") for number in (17763, 20348, 22621, 26100)])
        go(page, "/repository/odd/windows?filter=many")
        chips = row(page, "many").locator(".chip")
        expect(chips).to_have_text(["windows/amd64 10.0.17763.1", "windows/amd64 10.0.20348.1", "+2"])
        cell = row(page, "many").locator(".platforms").bounding_box()
        for chip in chips.all():
            box = chip.bounding_box()
            assert cell
            assert box
            assert box["y"] + box["height"] <= cell["y"] + cell["height"] + 0.5
            assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 0.5

    def test_a_tab_takes_its_version_from_the_configuration_once_it_is_read(
        self, client: httpx.Client, page: Page
    ) -> None:
        """As of an index without a tag, of whose configurations the overview tells nothing."""
        one, two = windows(client, "odd/windows", "gone", [("", "10.0.17763.1"), ("", "10.0.20348.1")])
        whole = client.get("/overview/tags/odd/windows").json()["tags"]["gone"]
        push_image(client, "odd/windows", "gone", layers=("another",))
        go(page, f"/repository/odd/windows/digest/{whole}")
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_text(
            [f"windows/amd64 10.0.17763.1 {short(one.digest)}", f"windows/amd64 {short(two.digest)}"]
        )
        tabs.nth(1).click()
        expect(tabs.nth(1)).to_have_text(f"windows/amd64 10.0.20348.1 {short(two.digest)}")

    def test_what_nothing_tells_apart_is_told_by_its_digest(self, client: httpx.Client, page: Page) -> None:
        one, two = windows(client, "odd/windows", "same", [("", ""), ("", "")])
        go(page, "/repository/odd/windows/tag/same")
        expect(page.get_by_role("tab")).to_have_text([f"windows/amd64 {short(each.digest)}" for each in (one, two)])


class TestLength:
    ARCHITECTURE = "architecture-of-a-very-long-name-" * 4
    NAMES = ("a" * 128, "build-2024-11-29T10-20-30-main-0123456789abcdef")

    def test_a_long_name_becomes_no_nothing(self, client: httpx.Client, page: Page, page_stack: DeployedStack) -> None:
        push_image(client, "odd/architecture", "1.0", platform=f"linux/{self.ARCHITECTURE}")
        go(page, "/repository/odd/architecture")
        expect(row(page, "1.0").locator(".chip")).to_have_text(f"linux/{self.ARCHITECTURE}")
        assert f"linux/{self.ARCHITECTURE}" in page_stack.deployer("tags", "odd/architecture", check=True).stdout
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(fact(page, "Platform")).to_have_text(f"linux/{self.ARCHITECTURE}")

    @pytest.mark.parametrize("language", ["en-US", "ja-JP"])
    def test_the_longest_tag_stands_whole_on_a_phone(
        self, client: httpx.Client, open_page: Callable[..., Page], language: str
    ) -> None:
        for tag in self.NAMES:
            push_image(client, "odd/tags", tag, layers=("layer",))
        page = open_page("/repository/odd/tags", viewport={"width": 320, "height": 800}, locale=language)
        for tag in self.NAMES:
            expect(row(page, tag)).to_be_visible()
            assert row(page, tag).evaluate(CUT) == []

    def test_what_a_layer_is_of_stands_whole_on_a_phone(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        kind = "application/vnd." + "some.thing." * 12 + "v1"
        push_artifact(client, "odd/types", "1.0", layer_type=kind, title="name-" * 12)
        page = open_page("/repository/odd/types/tag/1.0", viewport={"width": 320, "height": 800})
        line = section(page, "Files").get_by_role("row").nth(1)
        expect(line.locator(".type")).to_have_text(kind.removeprefix("application/vnd."))
        for part in line.get_by_role("cell").all():
            box = part.bounding_box()
            assert box
            assert box["x"] + box["width"] <= 320
            assert part.evaluate("one => one.scrollWidth <= one.clientWidth + 1")

    def test_a_revision_that_is_no_commit_is_told_whole(self, client: httpx.Client, page: Page) -> None:
        labels = {"org.opencontainers.image.revision": "release/2024-11-with-a-name"}
        push_image(client, "odd/revision", "1.0", config_extra={"config": {"Labels": labels}})
        go(page, "/repository/odd/revision/tag/1.0")
        expect(fact(page, "Revision")).to_have_text("release/2024-11-with-a-name")
