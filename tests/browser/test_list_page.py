"""The list of repositories: its order, the sum of all, the disk; and what belongs to an image. In a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages import answer, filter_box, hold, row, until
from tests.support.content import build_image, push_artifact, push_image, push_index
from tests.support.page_views import fault, go
from tests.support.registry_content import push
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

CATALOG = re.compile(r"/overview/catalog$")
TAGS = re.compile(r"/overview/tags/")
PUSHED = re.compile(r"/overview/pushed$")
STORED = re.compile(r"/overview/stored$")
DISK = re.compile(r"/overview/disk$")
# How long ago something was pushed, however long the page takes to come to it.
LATELY = r"(just now|\d+ minutes? ago)"
MANY = [f"team-{number % 10}/app-{number}" for number in range(10_000)]


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


def names(page: Page) -> list[str]:
    return page.locator("#repositories a").all_inner_texts()


def manifest(size: int) -> dict[str, Any]:
    """What the overview reports about a repository of one image of this size."""
    image = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{size:064x}", "size": size}
    known = {"document": {"schemaVersion": 2, "config": image, "layers": []}, "config": {}}
    return {"tags": {"1": "sha256:a"}, "manifests": {"sha256:a": known}, "may": {"push": True, "delete": True}}


class TestOrder:
    def test_ten_thousand_are_sorted_by_their_last_push_with_one_request(self, page: Page) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.route(CATALOG, answer({"repositories": dict.fromkeys(MANY, 1)}))
        page.route(TAGS, answer(manifest(7)))
        pushed = {name: {"at": 1_700_000_000 + place, "tag": f"v{place}"} for place, name in enumerate(MANY)}
        page.route(PUSHED, answer({"pushed": pushed, "all": True}))
        go(page, "/")
        page.get_by_role("button", name="Last push").click()
        expect(page.locator("#repositories a").first).to_have_text("team-9/app-9999")
        assert names(page)[:3] == ["team-9/app-9999", "team-8/app-9998", "team-7/app-9997"]
        expect(page.locator("#repositories .chip").first).to_have_text("v9999")
        expect(page.locator("#repositories h2")).to_have_count(0)
        page.get_by_role("button", name="Last push").click()
        expect(page.locator("#repositories a").first).to_have_text("team-0/app-0")
        assert len([url for url in asked if PUSHED.search(url)]) == 1
        go(page, "/")
        expect(page.locator("#repositories a").first).to_have_text("team-0/app-0")
        page.get_by_role("button", name="Repository").click()
        expect(page.locator("#repositories h2").first).to_have_text("team-0")

    def test_by_size_they_find_their_places_as_sizes_are_read(self, page: Page) -> None:
        sizes = {"a/small": 10, "b/large": 3000, "c/middle": 200}
        page.route(CATALOG, answer({"repositories": dict.fromkeys(sizes, 1)}))
        held: list[Route] = []
        page.route(TAGS, hold(held))
        go(page, "/?sort=-size")
        expect(page.get_by_text("Sizes known for 0 of 3 repositories so far.")).to_be_visible()
        until(page, lambda: len(held) == len(sizes))
        for route in held:
            name = route.request.url.split("/overview/tags/")[1]
            route.fulfill(json=manifest(sizes[name]))
        expect(page.locator("#repositories a").first).to_have_text("b/large")
        expect(page.locator("#repositories .weight")).to_have_text(["3 kB", "200 B", "10 B"])
        expect(page.get_by_text("so far")).to_have_count(0)

    def test_the_last_push_is_the_storages_and_of_images_alone(self, client: httpx.Client, page: Page) -> None:
        digest = push_image(client, "list/pushed", "1.0").digest
        push_artifact(client, "list/pushed", f"{digest.replace(':', '-')}.sig")
        told = client.get("/overview/pushed").json()
        assert told["all"] is True
        assert told["pushed"]["list/pushed"]["tag"] == "1.0"
        go(page, "/?filter=list/pushed")
        expect(page.locator("#repositories .newest")).to_have_text(re.compile(rf"1\.0{LATELY}$"))


class TestRoom:
    def test_the_sum_and_the_disk_are_those_of_the_storage(
        self, client: httpx.Client, page: Page, page_stack: DeployedStack
    ) -> None:
        push_image(client, "list/room", "1.0")
        container = f"{page_stack.name}-registry-1"
        sizes = docker(
            "exec", container, "sh", "-c", "cat $(find /var/lib/registry -name data -path '*blobs*') | wc -c"
        )
        assert client.get("/overview/stored").json() == {"stored": {"bytes": int(sizes), "all": True}}
        line = docker("exec", container, "df", "-Pk", "/var/lib/registry").splitlines()[-1].split()
        page_stack.check_frontend()
        disk = client.get("/overview/disk").json()["disk"]
        assert disk["bytes"] == int(line[1]) * 1024
        assert 0 <= disk["free"] <= disk["bytes"]
        go(page, "/")
        expect(page.locator(".room")).to_have_text(re.compile(r" stored.+ of .+ free$"))

    def test_a_bound_and_a_full_disk_are_said(self, page: Page) -> None:
        page.route(STORED, answer({"stored": {"bytes": 5_000_000, "all": False}}))
        page.route(DISK, answer({"disk": {"bytes": 10_000_000_000, "free": 20_000_000}}))
        go(page, "/")
        expect(page.locator(".room")).to_contain_text("more than 5 MB stored")
        expect(page.locator(".room .fault")).to_have_text("20 MB of 10 GB free: the disk is almost full")

    @pytest.mark.parametrize(
        ("free", "refused", "said"),
        [
            (4_000_000_000, False, ""),
            (3_900_000_000, False, ": the disk is almost full"),
            (1_900_000_000, True, ": the disk is almost full, and pushes are refused"),
            (2_100_000_000, True, ": the disk is almost full, and pushes are refused"),
        ],
    )
    def test_that_pushes_are_refused_is_said_and_said_ahead(
        self, page: Page, free: int, refused: bool, said: str
    ) -> None:
        inodes = {"inodes": 1_000_000, "free_inodes": 900_000, "inodes_limit": 10_000}
        disk = {"bytes": 50_000_000_000, "free": free, "limit": 2_000_000_000, "refused": refused, **inodes}
        page.route(DISK, answer({"disk": disk}))
        go(page, "/")
        expect(page.locator(".room")).to_have_text(re.compile(rf"of 50 GB free{said}$"))
        expect(page.locator(".room .fault")).to_have_count(1 if said else 0)

    def test_what_fails_is_no_number_and_takes_nothing_with_it(
        self, client: httpx.Client, page: Page, watch: Watch
    ) -> None:
        watch.expect("status of 500")
        push_image(client, "list/room", "1.0")
        for pattern in (STORED, DISK, PUSHED):
            page.route(pattern, answer(fault("UNKNOWN", "the registry's storage cannot be read"), 500))
        go(page, "/?filter=list/room")
        expect(page.get_by_role("link", name="list/room")).to_be_visible()
        expect(page.get_by_role("button", name="Last push")).to_be_disabled()
        expect(page.locator(".room")).to_be_empty()


class TestAttached:
    @pytest.fixture
    def signed(self, client: httpx.Client) -> str:
        digest = push_image(client, "list/signed", "1.0", created="2024-01-01T00:00:00Z").digest
        push_image(client, "list/signed", "0.9", created="2023-01-01T00:00:00Z", layers=("old",))
        for ending in ("sig", "att", "vex", "of-tomorrow"):
            push_artifact(client, "list/signed", f"{digest.replace(':', '-')}.{ending}")
        push_artifact(client, "list/signed", f"sha256-{'f' * 64}.sig")
        return digest

    def test_what_is_attached_is_no_tag_until_a_switch_shows_it_under_its_image(
        self, signed: str, page: Page, page_stack: DeployedStack
    ) -> None:
        go(page, "/repository/list/signed")
        tags = page.locator("#tags .tag")
        expect(tags).to_have_text(["1.0", "0.9"])
        expect(page.locator("h1 + .count")).to_contain_text("2 tags")
        expect(page.locator("pre")).to_have_text(re.compile(rf"docker pull {page_stack.address}/list/signed:1\.0\s*$"))
        switch = page.get_by_role("button", name="5 attached")
        switch.click()
        short = f"sha256-{signed.removeprefix('sha256:')[:12]}…."
        expect(tags).to_have_text(
            ["1.0", *(re.compile(re.escape(short)) for _ in range(4)), "0.9", f"sha256-{'f' * 12}….sig"]
        )
        expect(page.locator(".row.attached").last).to_contain_text("which is not in this repository")
        expect(page).to_have_url(re.compile("attached=shown"))
        page.reload()
        expect(tags).to_have_count(7)
        switch.click()
        expect(tags).to_have_text(["1.0", "0.9"])

    def test_only_what_is_attached_is_still_found(self, client: httpx.Client, page: Page) -> None:
        push_artifact(client, "list/orphans", f"sha512-{'e' * 64}.sig")
        go(page, "/repository/list/orphans")
        expect(page.locator("#tags .tag")).to_have_text(f"sha512-{'e' * 12}….sig")
        expect(page.get_by_role("button", name=re.compile("^Delete sha512-e"))).to_be_visible()


class TestTimes:
    @pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1980-01-01T00:00:01Z", None])
    def test_a_creation_that_is_none_gives_way_to_the_push(
        self, client: httpx.Client, page: Page, created: str | None
    ) -> None:
        push_image(client, "list/reproducible", "1.0", created=created)
        go(page, "/repository/list/reproducible")
        expect(row(page, "1.0").locator(".created")).to_have_text("\u2013")
        expect(row(page, "1.0").locator(".pushed")).to_have_text(re.compile(f"^{LATELY}$"))
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.locator(".facts")).to_contain_text(re.compile(f"Pushed{LATELY}"))
        expect(page.locator(".facts")).not_to_contain_text("years ago")

    def test_what_was_not_read_is_not_told_as_unknown_to_it(self, client: httpx.Client, page: Page) -> None:
        push_image(client, "list/unread", "1.0")
        stored = client.get("/overview/tags/list/unread").json()
        for known in stored["manifests"].values():
            known["config"] = {"unread": True, "size": 9_000_000}
        page.route(TAGS, answer(stored))
        go(page, "/repository/list/unread")
        expect(row(page, "1.0").locator(".platforms")).to_have_text("not read")
        expect(row(page, "1.0").locator(".created")).to_have_text("not read")

    def test_what_is_damaged_is_said_in_the_list_and_at_the_image(self, client: httpx.Client, page: Page) -> None:
        push_index(client, "list/damaged", "1.0")
        stored = client.get("/overview/tags/list/damaged").json()
        layers = [one["document"].get("layers") for one in stored["manifests"].values()]
        stored["damaged"] = {next(found for found in layers if found)[0]["digest"]: 0}
        page.route(TAGS, answer(stored))
        go(page, "/repository/list/damaged")
        [(digest, _)] = stored["damaged"].items()
        sentence = f"list/damaged:1.0 is incomplete: the file {digest[7:19]} is empty."
        expect(row(page, "1.0").locator(".fault")).to_have_text("incomplete")
        expect(row(page, "1.0").locator(".fault")).to_have_attribute("title", re.compile(re.escape(sentence)))
        expect(row(page, "1.0").locator(".chip")).to_have_text(["linux/amd64", "linux/arm64"])
        row(page, "1.0").get_by_role("link", name="1.0").click()
        expect(page.locator(".notice.error")).to_contain_text(sentence)
        expect(page.locator(".notice.error pre")).to_have_text("deployer gc --damaged")


class TestUntagged:
    def test_what_no_tag_leads_to_is_listed_and_deleted(self, client: httpx.Client, page: Page, watch: Watch) -> None:
        # The dialog asks whether the registry deletes at all.
        watch.expect("status of 400")
        push_index(client, "list/untagged", "1.0", attestations=True)
        lost = push_image(client, "list/untagged", "2.0", layers=("first",))
        push_image(client, "list/untagged", "2.0", layers=("second",))
        push_artifact(client, "list/untagged", None, subject=build_image(layers=("second",)).descriptor())
        go(page, "/repository/list/untagged")
        page.get_by_role("link", name="Untagged manifests").click()
        rows = page.locator(".untagged li")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(lost.digest.removeprefix("sha256:")[:12])
        expect(page.locator("pre")).to_have_text(re.compile("deployer gc --untagged"))
        rows.get_by_role("button", name="Delete…").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_text("No untagged manifests: every manifest")).to_be_visible()
        assert client.head(f"/v2/list/untagged/manifests/{lost.digest}").status_code == 404
        assert sorted(client.get("/overview/tags/list/untagged").json()["tags"]) == ["1.0", "2.0"]

    @pytest.mark.parametrize(("damaged", "listed"), [("1.0", 0), (None, 1)], ids=["tagged", "untagged"])
    def test_what_may_belong_to_something_unread_is_not_offered(
        self, page: Page, damaged: str | None, listed: int
    ) -> None:
        unread, other = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
        found = {unread: {"document": None, "bytes": 7, "pushed": 1}, other: {"document": {}, "bytes": 2, "pushed": 2}}
        tags = {damaged: unread} if damaged else {}
        told = {"tags": tags, "manifests": found, "may": {"push": True, "delete": True}}
        page.route(re.compile("/overview/untagged/"), answer(told))
        go(page, "/repository/list/unread?show=untagged")
        expect(page.get_by_text("1 tag or manifest of this repository could not be read")).to_be_visible()
        expect(page.locator("pre")).to_have_text(re.compile("deployer doctor"))
        expect(page.locator(".untagged li")).to_have_count(listed)
        expect(page.locator("main").get_by_text("b" * 12)).to_have_count(0)
        expect(page.get_by_text("No untagged manifests: every manifest")).to_have_count(0)

    def test_a_failure_is_no_emptiness(self, client: httpx.Client, page: Page, watch: Watch) -> None:
        watch.expect("status of 5")
        push_image(client, "list/untagged", "1.0")
        page.route(re.compile("/overview/untagged/"), answer(fault("UNKNOWN", "storage"), 500))
        go(page, "/repository/list/untagged?show=untagged")
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_text("No untagged manifests: every manifest")).to_have_count(0)


class TestKinds:
    @pytest.mark.parametrize(
        ("config_type", "layer_type", "command"),
        [
            ("application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip", "flux pull"),
            ("application/vnd.docker.ai.model.config.v0.1+json", "application/vnd.docker.ai.gguf.v3", "skopeo copy"),
            ("application/vnd.oci.image.config.v1+json", "application/vnd.wasm.content.layer.v1+wasm", "skopeo copy"),
        ],
    )
    def test_what_is_no_image_is_got_by_its_own_client(
        self, client: httpx.Client, page: Page, config_type: str, layer_type: str, command: str
    ) -> None:
        push_artifact(client, "list/kinds", "1.0", config_type=config_type, layer_type=layer_type)
        go(page, "/repository/list/kinds")
        expect(page.locator("pre")).to_contain_text(command)
        expect(page.locator("pre")).not_to_contain_text("docker pull")
        go(page, "/repository/list/kinds/tag/1.0")
        expect(page.locator(".commands")).to_contain_text(command)
        expect(page.locator(".commands")).not_to_contain_text("docker pull")

    def test_a_filter_finds_what_is_attached_only_where_it_is_shown(self, client: httpx.Client, page: Page) -> None:
        image = build_image(layers=("filtered",))
        push(client, "list/filtered", "1.0", image)
        push_artifact(client, "list/filtered", f"{image.digest.replace(':', '-')}.sig")
        go(page, "/repository/list/filtered?attached=shown")
        filter_box(page).fill(".sig")
        expect(page.locator("#tags .tag")).to_have_count(1)
