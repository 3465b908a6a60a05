"""Deleting in the page, in a real browser: on the deployed registry, and with distribution 3's answers in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from deployer.registry.content import placeholder
from tests.browser.conftest import PLAIN_HOST
from tests.browser.pages import answer, hold, press, row, until
from tests.support.content import build_image, push_image, push_index, push_many_tags, push_tag
from tests.support.registry_content import DOCKER, OCI, TYPES, Image, push
from tests.support.signed_in import client_of, password_of, write_rules, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Dialog, Locator, Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

MANIFESTS = re.compile(r"/v2/.+/manifests/")
DIGESTS = re.compile(r"/v2/.+/manifests/sha256:")
OVERVIEW = re.compile(r"/overview/tags/")


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


@pytest.fixture(autouse=True)
def probes(watch: Watch) -> None:
    """Chromium writes down every refusal; 2.8 refuses to delete a tag that is asked for by its name."""
    watch.expect("status of 400")


@pytest.fixture
def repository(client: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A repository of the test's own: 1.0, 1.0.3 and latest are one image, 0.9 and 0.8 are others."""
    name = "deleting/" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    # Older, and pushed earlier: the order in the list is the same however long the pushes take.
    for tag in ("0.8", "0.9"):
        push_image(client, name, tag, layers=("base", tag), created="2020-01-01T00:00:00Z")
    for tag in ("1.0", "1.0.3", "latest"):
        push_image(client, name, tag, layers=("base", "one"))
    before = tags(client, name)
    yield name
    # Whatever was deleted, nothing else may have been.
    for tag, digest in tags(client, name).items():
        assert before.get(tag, digest) == digest or tag == "pushed-again"


def tags(client: httpx.Client, repository: str) -> dict[str, str]:
    """What each tag of a repository names; nothing if there is no such repository."""
    return dict(client.get(f"/overview/tags/{repository}").json().get("tags", {}))


def is_there(client: httpx.Client, repository: str, digest: str) -> bool:
    accept = {"Accept": ", ".join(kinds["manifest"] for kinds in TYPES.values())}
    return client.head(f"/v2/{repository}/manifests/{digest}", headers=accept).status_code == 200


def ask(page: Page, tag: str) -> Locator:
    """Open the dialog for one tag."""
    page.get_by_role("button", name=f"Delete {tag}…", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_visible()
    expect(dialog.get_by_role("heading")).to_contain_text("?")
    return dialog


def confirm(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Delete", exact=True).click()


def select(page: Page, *wanted: str) -> Locator:
    """Select tags and open the dialog for them."""
    for tag in wanted:
        page.get_by_role("checkbox", name=f"Select {tag}", exact=True).check()
    page.locator(".selection").get_by_role("button", name="Delete…").click()
    return page.get_by_role("dialog")


def heading(dialog: Locator) -> Locator:
    return dialog.get_by_role("heading", level=2)


class TestOneTag:
    def test_it_goes_alone_on_plain_http_too(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, repository: str
    ) -> None:
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}", base=f"http://{PLAIN_HOST}:{page_stack.port}")
        assert page.evaluate("crypto.subtle") is None
        dialog = ask(page, "1.0")
        expect(heading(dialog)).to_have_text(f"Delete {repository}:1.0?")
        expect(dialog).to_contain_text(before["1.0"])
        expect(dialog.get_by_label("Only this tag")).to_be_checked()
        expect(dialog).to_contain_text("The image is kept under 1.0.3, latest.")
        expect(dialog).not_to_contain_text("0.9")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert tags(client, repository) == before
        confirm(ask(page, "1.0"))
        expect(heading(dialog)).to_have_text("Deleted")
        expect(dialog.get_by_role("status")).to_have_text("1 tag deleted.")
        del before["1.0"]
        assert tags(client, repository) == before
        assert is_there(client, repository, before["latest"])
        dialog.get_by_role("button", name="Close").click()
        expect(row(page, "1.0")).to_have_count(0)
        expect(row(page, "latest")).to_contain_text("same image: 1.0.3")
        expect(page.locator("h1 + .count")).to_have_text(re.compile("^4 tags"))

    def test_the_image_goes_with_all_its_tags_where_that_is_chosen(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        dialog = ask(page, "1.0")
        dialog.get_by_label("The image with all its 3 tags").check()
        expect(dialog).to_contain_text("These tags will be deleted: 1.0, 1.0.3, latest.")
        confirm(dialog)
        expect(dialog.get_by_role("status")).to_have_text("3 tags deleted.")
        expect(dialog.locator("pre")).to_have_text("deployer gc")
        assert sorted(tags(client, repository)) == ["0.8", "0.9"]
        assert not is_there(client, repository, before["1.0"])

    def test_the_last_tag_of_an_image_says_that_the_content_stays(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        digest = tags(client, repository)["0.9"]
        page = open_page(f"/repository/{repository}")
        dialog = ask(page, "0.9")
        expect(dialog).to_contain_text("No other tag points to this image. Its content is kept for now")
        expect(dialog.get_by_role("radio")).to_have_count(0)
        confirm(dialog)
        expect(dialog.locator("pre")).to_have_text("deployer gc --untagged")
        assert "0.9" not in tags(client, repository)
        assert is_there(client, repository, digest)

    def test_a_part_of_an_index_is_told(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        name = "deleting/part"
        push_index(client, name, "multi", platforms=("linux/amd64", "linux/arm64"))
        part = build_image(layers=(f"{name} linux/amd64",), media=OCI)
        for tag in ("amd64", "x86"):
            push_tag(client, name, tag, part)
        page = open_page(f"/repository/{name}")
        dialog = ask(page, "amd64")
        expect(dialog).to_contain_text("It is also part of multi, which can still be pulled.")
        dialog.get_by_label("The image with all its 2 tags").check()
        expect(dialog).to_contain_text("It is part of multi. Pulling multi for this platform will fail.")
        dialog.get_by_label("Only this tag").check()
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")
        assert sorted(tags(client, name)) == ["multi", "x86"]
        assert is_there(client, name, part.digest)

    def test_it_goes_by_keyboard_and_the_focus_comes_back(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        page = open_page(f"/repository/{repository}")
        link = page.get_by_role("link", name="1.0", exact=True)
        press(link, "Delete")
        dialog = page.get_by_role("dialog")
        cancel = dialog.get_by_role("button", name="Cancel")
        expect(heading(dialog)).to_contain_text("1.0?")
        expect(cancel).to_be_focused()
        for _ in range(8):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            )
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(link).to_be_focused()
        assert "1.0" in tags(client, repository)
        press(link, "Delete")
        expect(cancel).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(heading(dialog)).to_have_text("Deleted")
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert "1.0" not in tags(client, repository)

    def test_everything_is_said_in_japanese(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        page = open_page(f"/repository/{repository}", locale="ja-JP")
        page.get_by_role("button", name="1.0 を削除…", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(heading(dialog)).to_have_text(re.compile(f"^{repository}:1.0 を削除しますか"))
        expect(dialog).to_contain_text("イメージは残り、1.0.3, latest で引き続き pull できます。")
        dialog.get_by_role("button", name="削除", exact=True).click()
        expect(heading(dialog)).to_have_text("削除しました")
        expect(dialog.get_by_role("status")).to_have_text("タグ 1 件を削除しました。")


class TestSeveral:
    def test_they_go_and_what_shares_their_images_stays(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        dialog = select(page, "1.0", "0.9")
        expect(heading(dialog)).to_have_text(f"Delete 2 tags from {repository}?")
        lines = dialog.locator(".going li")
        expect(lines.filter(has_text=before["1.0"][7:19])).to_contain_text("The image is kept under 1.0.3, latest.")
        expect(lines.filter(has_text=before["0.9"][7:19])).to_contain_text("No other tag points to it")
        expect(dialog.get_by_role("textbox")).to_have_count(0)
        confirm(dialog)
        expect(dialog.locator(".results li")).to_have_text(["0.9 was deleted", "1.0 was deleted"])
        assert sorted(tags(client, repository)) == ["0.8", "1.0.3", "latest"]
        dialog.get_by_role("button", name="Close").click()
        expect(page.locator(".selection")).to_be_hidden()
        expect(page.locator("#tags .tag")).to_have_text(["latest", "1.0.3", "0.8"])

    def test_many_want_the_name_typed(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        name = "deleting/many"
        push_many_tags(client, name, [f"b{number}" for number in range(12)], images=3)
        page = open_page(f"/repository/{name}")
        page.get_by_role("checkbox", name="Select all shown tags").check()
        dialog = select(page, "b0")
        expect(heading(dialog)).to_have_text(f"Delete all 12 tags from {name}?")
        page.keyboard.press("Escape")
        page.get_by_role("checkbox", name="Select b0", exact=True).uncheck()
        dialog = select(page)
        expect(heading(dialog)).to_have_text(f"Delete 11 tags from {name}?")
        field, ready = dialog.get_by_role("textbox"), dialog.get_by_role("button", name="Delete", exact=True)
        expect(field).to_be_focused()
        for words in ("", "deleting/man"):
            field.fill(words)
            expect(ready).to_be_disabled()
            press(field, "Enter")
        expect(heading(dialog)).to_contain_text("?")
        field.fill(name)
        press(field, "Enter")
        expect(dialog.get_by_role("status")).to_have_text("11 tags deleted.")
        assert list(tags(client, name)) == ["b0"]

    def test_a_whole_repositorys_tags_go_and_its_name_by_the_command_that_is_told(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, repository: str
    ) -> None:
        push_image(client, f"{repository}/below", "1.0")
        page = open_page(f"/repository/{repository}")
        page.get_by_role("button", name="Delete all tags…").click()
        dialog = page.get_by_role("dialog")
        expect(heading(dialog)).to_have_text(f"Delete all 5 tags from {repository}?")
        expect(dialog).to_contain_text(f"deployer delete --repository {repository}")
        expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
        dialog.get_by_role("textbox").fill(repository)
        confirm(dialog)
        expect(dialog.get_by_role("status")).to_have_text("5 tags deleted.")
        assert tags(client, repository) == {}
        assert tags(client, f"{repository}/below")
        dialog.get_by_role("button", name="Close").click()
        expect(page.get_by_role("heading", name=f"{repository} has no tags")).to_be_visible()
        told = page.locator("pre:visible").last
        expect(told).to_have_text(f"deployer delete --repository {repository}")
        page_stack.deployer(*told.inner_text().split()[1:], "--yes", check=True)
        catalog = client.get("/v2/_catalog?n=1000000").json()["repositories"]
        assert repository not in catalog
        assert f"{repository}/below" in catalog

    @pytest.mark.parametrize("by", ["button", "Escape"])
    def test_it_can_be_stopped_between_two(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str, by: str
    ) -> None:
        page = open_page(f"/repository/{repository}")
        held: list[Route] = []
        page.route("**/manifests/0.9", hold(held), times=1)
        dialog = select(page, "0.8", "0.9", "latest")
        confirm(dialog)
        expect(dialog.get_by_text("2 of 3: 0.9")).to_be_visible()
        until(page, lambda: bool(held))
        stop = dialog.get_by_role("button", name="Stop")
        page.keyboard.press("Escape") if by == "Escape" else stop.click()
        expect(dialog.get_by_text("Stopping after this one…")).to_be_visible()
        expect(stop).to_be_disabled()
        held[0].continue_()
        expect(dialog.get_by_role("status")).to_have_text("2 tags deleted. 1 not processed.")
        assert sorted(tags(client, repository)) == ["1.0", "1.0.3", "latest"]
        dialog.get_by_role("button", name="Delete the rest…").click()
        expect(heading(dialog)).to_have_text(f"Delete {repository}:latest?")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")
        assert sorted(tags(client, repository)) == ["1.0", "1.0.3"]

    def test_leaving_is_asked_about_while_it_runs(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        page = open_page(f"/repository/{repository}")
        held: list[Route] = []
        asked: list[str] = []
        page.route("**/manifests/0.8", hold(held), times=1)
        dialog = ask(page, "0.8")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleting…")

        def stay(question: Dialog) -> None:
            asked.append(question.type)
            question.dismiss()

        page.on("dialog", stay)
        page.close(run_before_unload=True)
        until(page, lambda: bool(asked))
        assert asked == ["beforeunload"]
        expect(dialog).to_contain_text("Waiting for the registry")
        until(page, lambda: bool(held))
        held[0].continue_()
        expect(heading(dialog)).to_have_text("Deleted")
        # Asked again, it would stay.
        with page.expect_event("close"):
            page.close(run_before_unload=True)
        assert asked == ["beforeunload"]


class TestTrouble:
    def test_one_that_fails_says_why_is_as_it_was_and_can_be_tried_again(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str
    ) -> None:
        watch.expect("status of 500")
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        refuse = answer({"errors": [{"code": "UNKNOWN", "message": "<b>broken</b>"}]}, 500)

        def stumble(route: Route) -> None:
            refuse(route) if "half-deleted" in (route.request.post_data or "") else route.continue_()

        page.route("**/manifests/0.8", stumble)
        dialog = select(page, "0.8", "0.9")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Not everything was deleted")
        expect(dialog.get_by_role("status")).to_have_text("1 tag deleted. 1 could not be deleted.")
        expect(dialog.locator(".results .fault")).to_contain_text(
            "0.8 was not changed. The registry reported an error."
        )
        expect(dialog.locator(".results .fault")).to_contain_text("HTTP 500: <b>broken</b>")
        assert tags(client, repository)["0.8"] == before["0.8"]
        page.unroute("**/manifests/0.8")
        dialog.get_by_role("button", name="Try again").click()
        expect(heading(dialog)).to_have_text(f"Delete {repository}:0.8?")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")
        assert sorted(tags(client, repository)) == ["1.0", "1.0.3", "latest"]

    def test_where_the_last_step_fails_the_tag_is_put_back(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str
    ) -> None:
        watch.expect("status of 500")
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        page.route(DIGESTS, answer({}, 500))
        dialog = ask(page, "1.0")
        confirm(dialog)
        expect(dialog.locator(".results .fault")).to_contain_text("1.0 was not changed.")
        assert tags(client, repository) == before

    @pytest.mark.parametrize("is_offline", [False, True])
    def test_a_deletion_whose_answer_is_lost_is_looked_for(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str, is_offline: bool
    ) -> None:
        watch.expect("net::ERR_FAILED" if is_offline else "net::ERR_FAILED|status of 404")
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        lost: list[Route] = []

        def lose(route: Route) -> None:
            if route.request.method == "DELETE":
                route.fetch()
                lost.append(route)
            route.abort() if lost and (is_offline or route.request.method == "DELETE") else route.continue_()

        dialog = ask(page, "1.0")
        dialog.get_by_label("The image with all its 3 tags").check()
        page.route(re.compile(f"/v2/.*{before['1.0']}|/overview/"), lose)
        confirm(dialog)
        if is_offline:
            expect(heading(dialog)).to_have_text("The deletion may not be complete")
            expect(dialog.get_by_role("status")).to_have_text("1 may not have been deleted completely.")
            expect(dialog.locator(".results .fault")).to_contain_text("may have been deleted. Try again to check.")
        else:
            expect(heading(dialog)).to_have_text("Deleted")
            expect(dialog.get_by_role("status")).to_have_text("3 tags deleted.")
        assert not is_there(client, repository, before["1.0"])

    def test_escape_pressed_twice_still_tells_how_it_ended(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        page = open_page(f"/repository/{repository}")
        held: list[Route] = []
        page.route(DIGESTS, lambda route: held.append(route) if route.request.method == "DELETE" else route.continue_())
        dialog = ask(page, "1.0")
        with page.expect_request(lambda request: request.method == "DELETE" and "sha256" in request.url):
            confirm(dialog)
        until(page, lambda: bool(held))
        for _ in range(3):
            page.keyboard.press("Escape")
        for route in held:
            route.continue_()
        expect(heading(dialog)).to_have_text("Deleted")
        assert "1.0" not in tags(client, repository)

    def test_a_killed_tab_leaves_a_half_deleted_tag_that_the_command_line_finishes(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack, repository: str
    ) -> None:
        self.kill(open_page, repository, "1.0")
        seen = page_stack.deployer("tags", repository, check=True)
        assert f"{repository}:1.0 is partially deleted" in seen.stderr
        page_stack.deployer("delete", f"{repository}:1.0", "--yes", check=True)
        assert sorted(tags(client, repository)) == ["0.8", "0.9", "1.0.3", "latest"]
        assert is_there(client, repository, tags(client, repository)["latest"])

    def test_a_killed_tab_leaves_a_half_deleted_tag_that_the_page_finishes(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        self.kill(open_page, repository, "1.0")
        page = open_page(f"/repository/{repository}")
        expect(row(page, "1.0")).to_contain_text("partially deleted")
        dialog = ask(page, "1.0")
        expect(dialog).to_contain_text("An earlier deletion of this tag was interrupted; this finishes it.")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")
        assert sorted(tags(client, repository)) == ["0.8", "0.9", "1.0.3", "latest"]

    def kill(self, open_page: Callable[..., Page], repository: str, tag: str) -> None:
        """Let a deletion come to the placeholder on the tag, and close the window over it."""
        page = open_page(f"/repository/{repository}")
        page.route(DIGESTS, lambda route: None if route.request.method == "DELETE" else route.continue_())
        dialog = ask(page, tag)
        with page.expect_request(lambda request: request.method == "DELETE" and "sha256" in request.url):
            confirm(dialog)
        page.context.close()

    def test_what_was_pushed_again_since_the_question_is_kept(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        push_image(client, repository, "pushed-again", layers=("old",))
        page = open_page(f"/repository/{repository}")
        dialog = ask(page, "pushed-again")
        fresh = push_image(client, repository, "pushed-again", layers=("fresh",))
        confirm(dialog)
        expect(dialog.get_by_role("status")).to_have_text("1 kept.")
        expect(dialog).to_contain_text(
            f"was pushed again in the meantime and is kept; it now points to {fresh.digest[7:19]}"
        )
        assert tags(client, repository)["pushed-again"] == fresh.digest

    def test_an_image_that_has_got_another_tag_since_the_question_stays(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        page = open_page(f"/repository/{repository}")
        dialog = ask(page, "1.0")
        dialog.get_by_label("The image with all its 3 tags").check()
        push_image(client, repository, "newest", layers=("base", "one"))
        confirm(dialog)
        expect(dialog).to_contain_text("is kept: it received more tags in the meantime, newest")
        assert {"1.0", "1.0.3", "latest", "newest"} <= set(tags(client, repository))

    def test_what_someone_else_deleted_is_no_error(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str
    ) -> None:
        watch.expect("status of 404")
        digest = tags(client, repository)["0.9"]
        page = open_page(f"/repository/{repository}")
        dialog = select(page, "0.9", "1.0")
        expect(heading(dialog)).to_contain_text("?")
        client.delete(f"/v2/{repository}/manifests/{digest}").raise_for_status()
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")
        expect(dialog.locator(".results li")).to_have_text(["0.9 was already deleted", "1.0 was deleted"])

    @pytest.mark.parametrize(
        ("status", "body", "sentence"),
        [
            (
                405,
                '{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}',
                "Deleting is disabled",
            ),
            (405, "Method not allowed", "This registry is read-only"),
            (
                403,
                '{"errors":[{"code":"DENIED","message":"requested access is denied"}]}',
                "do not allow you to delete here",
            ),
            (503, '{"errors":[{"code":"UNAVAILABLE","message":"the registry is in maintenance"}]}', "in maintenance"),
        ],
        ids=["disabled", "read-only", "denied", "held-off"],
    )
    def test_why_nothing_is_deleted_is_said_and_nothing_is_touched(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str,
        status: int, body: str, sentence: str,
    ) -> None:  # fmt: skip
        watch.expect(f"status of {status}")
        before = tags(client, repository)
        page = open_page(f"/repository/{repository}")
        written: list[str] = []
        kind = "application/json" if body.startswith("{") else "text/plain"

        def refuse(route: Route) -> None:
            written.append(route.request.method)
            refused = route.request.method == "DELETE"
            route.fulfill(status=status, content_type=kind, body=body) if refused else route.continue_()

        page.route(re.compile("/v2/"), refuse)
        dialog = select(page, "0.8", "0.9")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Nothing was deleted")
        expect(dialog.get_by_role("status")).to_have_text("1 could not be deleted. 1 not processed.")
        expect(dialog.locator(".results .fault")).to_contain_text(sentence)
        expect(dialog.locator(".results .fault")).to_contain_text(f"HTTP {status}")
        assert set(written) == {"GET", "DELETE"}
        assert tags(client, repository) == before
        page.unroute(re.compile("/v2/"))
        dialog.get_by_role("button", name="Try again").click()
        expect(heading(dialog)).to_contain_text("?")
        confirm(dialog)
        expect(heading(dialog)).to_have_text("Deleted")

    def test_damaged_tags_in_the_way_are_named(
        self, client: httpx.Client, open_page: Callable[..., Page], repository: str
    ) -> None:
        stored = client.get(f"/overview/tags/{repository}").json()
        stored["tags"]["damaged"] = ""
        page = open_page("")
        page.route(OVERVIEW, answer(stored))
        page.goto(f"/repository/{repository}")
        dialog = ask(page, "0.9")
        expect(dialog.locator(".fault")).to_contain_text(
            "Delete these tags first or together with your selection: damaged."
        )
        expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()


class TestDistribution3:
    def test_a_tag_is_deleted_by_its_name_and_nothing_is_pushed(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str
    ) -> None:
        watch.expect("status of 404")
        page = open_page(f"/repository/{repository}")
        written: list[str] = []

        def three(route: Route) -> None:
            reference = route.request.url.rpartition("/")[2]
            if route.request.method == "GET":
                route.continue_()
                return
            written.append(f"{route.request.method} {reference}")
            unknown = answer({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404)
            route.fulfill(status=202) if reference in {"0.8", "1.0"} else unknown(route)

        page.route(MANIFESTS, three)
        dialog = select(page, "0.8", "1.0")
        confirm(dialog)
        expect(dialog.get_by_role("status")).to_have_text("2 tags deleted.")
        probe, *deleted = written
        assert probe.startswith("DELETE deployer-probe-")
        assert deleted == ["DELETE 0.8", "DELETE 1.0"]

    def test_damaged_tags_are_in_the_way_of_images_only(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, repository: str
    ) -> None:
        watch.expect("status of 404")
        stored = client.get(f"/overview/tags/{repository}").json()
        stored["tags"]["damaged"] = ""
        page = open_page("")
        page.route(OVERVIEW, answer(stored))
        page.route(MANIFESTS, answer({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404))
        page.goto(f"/repository/{repository}")
        dialog = ask(page, "1.0")
        ready = dialog.get_by_role("button", name="Delete", exact=True)
        expect(ready).to_be_enabled()
        dialog.get_by_label("The image with all its 3 tags").check()
        expect(dialog.locator(".fault")).to_contain_text(
            "Delete these tags first or together with your selection: damaged."
        )
        expect(ready).to_be_disabled()


@pytest.fixture(scope="module")
def ruled(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """Who may do everything, who may only read, and who may delete but not push."""
    made = make_stack()
    rules = {"admin": ["pull", "push", "delete"], "reader": ["pull"], "cleaner": ["pull", "delete"]}
    write_rules(made, [{"users": [user], "allow": allowed} for user, allowed in rules.items()])
    write_users(made, rules)
    made.up()
    yield made
    made.remove()


class TestWhoMayWhat:
    NAME = "team/app"

    @pytest.fixture
    def admin(self, ruled: DeployedStack) -> Iterator[httpx.Client]:
        with client_of(ruled, "admin") as opened:
            for tag in ("1", "2"):
                push_image(opened, self.NAME, tag)
            push_image(opened, self.NAME, "3", layers=("other",))
            yield opened

    @pytest.fixture
    def open_as(
        self, open_page: Callable[..., Page], ruled: DeployedStack, admin: httpx.Client
    ) -> Callable[[str], Page]:
        def open_repository(user: str) -> Page:
            known = {"username": user, "password": password_of(user)}
            return open_page(f"/repository/{self.NAME}", base=ruled.url, http_credentials=known)

        return open_repository

    def test_who_only_reads_sees_no_control(self, open_as: Callable[[str], Page]) -> None:
        page = open_as("reader")
        expect(row(page, "1").locator(".created time")).to_be_visible()
        expect(page.get_by_role("checkbox")).to_have_count(0)
        expect(page.get_by_role("button", name=re.compile("Delete"))).to_have_count(0)

    def test_who_may_not_push_is_told_before_anything_is_done(
        self, open_as: Callable[[str], Page], admin: httpx.Client
    ) -> None:
        before = tags(admin, self.NAME)
        page = open_as("cleaner")
        dialog = ask(page, "1")
        expect(dialog.locator(".fault")).to_contain_text(
            "you are not allowed to push here. You can delete the image with all its tags."
        )
        expect(dialog.get_by_label("Only this tag")).to_be_disabled()
        expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
        page.keyboard.press("Escape")
        dialog = select(page, "1", "3")
        expect(dialog.locator(".fault")).to_contain_text("You can delete images one at a time")
        expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
        assert tags(admin, self.NAME) == before
        page.keyboard.press("Escape")
        dialog = ask(page, "1")
        dialog.get_by_label("The image with all its 2 tags").check()
        confirm(dialog)
        expect(dialog.get_by_role("status")).to_have_text("2 tags deleted.")
        assert list(tags(admin, self.NAME)) == ["3"]

    def test_who_may_no_longer_delete_is_told_so(
        self, open_as: Callable[[str], Page], admin: httpx.Client, watch: Watch
    ) -> None:
        watch.expect("status of 403")
        page = open_as("reader")
        page.evaluate(
            """async name => {
                 const { createClient } = await import("/assets/registry/client.js");
                 const { openDeleting } = await import("/assets/views/deleting/deleting.js");
                 const client = createClient({ origin: location.origin, fetch: (...asked) => fetch(...asked) });
                 openDeleting({ client, name, tags: ["1"], signal: new AbortController().signal });
               }""",
            self.NAME,
        )
        dialog = page.get_by_role("dialog")
        expect(heading(dialog)).to_have_text("Cannot delete right now")
        expect(dialog.get_by_role("alert")).to_have_text(
            "The access rules of this registry do not allow you to delete here."
        )
        assert "1" in tags(admin, self.NAME)


def test_a_placeholder_of_the_command_line_is_the_pages(client: httpx.Client, open_page: Callable[..., Page]) -> None:
    """One form for both: what the one begins, the other finishes."""
    made = push_image(client, "deleting/form", "1")
    left = placeholder.make("1", made.digest, TYPES[DOCKER]["manifest"], "nonce")
    page = open_page("/")
    own = page.evaluate(
        """async ([digest, mediaType]) => (await import("/assets/registry/deletion-plan.js"))
             .createPlaceholder({ tag: "1", digest, mediaType, nonce: "nonce" })""",
        [made.digest, TYPES[DOCKER]["manifest"]],
    )
    assert own == {"mediaType": left.media_type, "text": left.content.decode()}
    push(client, "deleting/form", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    page.goto("/repository/deleting/form")
    expect(row(page, "1")).to_contain_text("partially deleted")
