"""What the page asks for, where the storage cannot be read or is damaged: nothing is absent that may be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deployer.layout import DISK_NOTES
from tests.support.content import build_image, push_artifact, push_image, push_index
from tests.support.registry_content import OCI, image, push, sha256
from tests.support.stack import docker

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.support.stack import DeployedStack
    from tests.support.stored import Stored

NOTHING = "sha256:" + "0" * 64
ADDRESSES = {
    "catalog": "catalog",
    "pushed": "pushed",
    "stored": "stored",
    "tags": "tags/team/app",
    "untagged": "untagged/team/app",
    "referrers": f"referrers/team/app@{NOTHING}",
}


class TestUnreadable:
    """A failure never looks like emptiness. A symbolic link to itself cannot be opened, anyone who tries."""

    PLACES = (
        ("docker", "catalog pushed stored tags untagged referrers"),
        ("docker/registry/v2", "catalog pushed stored tags untagged referrers"),
        ("docker/registry/v2/repositories", "catalog pushed tags untagged referrers"),
        ("docker/registry/v2/repositories/team/app/_manifests", "catalog pushed tags untagged referrers"),
        ("docker/registry/v2/repositories/team/app/_manifests/tags", "catalog pushed tags untagged"),
        ("docker/registry/v2/repositories/team/app/_manifests/revisions", "tags untagged referrers"),
        ("docker/registry/v2/repositories/team/app/_manifests/revisions/sha256", "tags untagged referrers"),
        ("docker/registry/v2/repositories/team/app/_layers", "tags"),
        ("docker/registry/v2/blobs", "stored tags untagged referrers"),
        ("docker/registry/v2/blobs/sha256", "stored tags untagged referrers"),
    )
    TOGETHER = (
        ("docker/registry/v2/repositories/team", "catalog pushed tags untagged referrers"),
        ("docker/registry/v2/repositories/team/app/_manifests/tags/1", "pushed tags untagged"),
        ("docker/registry/v2/repositories/team/app/_manifests/tags/1/current", "pushed tags untagged"),
        ("docker/registry/v2/repositories/team/app/_manifests/tags/1/current/link", "pushed tags untagged"),
    )

    @pytest.mark.parametrize(("place", "kinds"), [*PLACES, *TOGETHER])
    def test_what_cannot_be_opened(self, stored: Stored, client: httpx.Client, place: str, kinds: str) -> None:
        push_image(client, "team/app", "1")
        _close(stored, stored.disk / place)
        _expect_errors(client, kinds)

    @pytest.mark.parametrize("part", ["link", "folder", "data", "blob"])
    def test_a_manifest_that_cannot_be_opened(self, stored: Stored, client: httpx.Client, part: str) -> None:
        digest = push_image(client, "team/app", "1").digest
        link, data = stored.revision("team/app", digest), stored.blob(digest)
        places = {"link": link, "folder": link.parent, "data": data, "blob": data.parent}
        _close(stored, places[part])
        _expect_errors(client, "tags untagged referrers" if part in {"link", "folder"} else "stored tags untagged")

    @pytest.mark.parametrize(
        ("place", "kinds"),
        [
            ("docker", "catalog pushed stored tags untagged referrers"),
            ("docker/registry/v2", "catalog pushed stored tags untagged referrers"),
            ("docker/registry/v2/repositories", "catalog pushed tags untagged referrers"),
            ("docker/registry/v2/blobs", "stored tags untagged referrers"),
            ("docker/registry/v2/blobs/sha256", "stored tags untagged referrers"),
        ],
    )
    def test_a_file_in_place_of_a_folder_of_all(
        self, stored: Stored, client: httpx.Client, place: str, kinds: str
    ) -> None:
        push_image(client, "team/app", "1")
        _replace(stored, stored.disk / place)
        _expect_errors(client, kinds)

    @pytest.mark.parametrize(
        ("place", "kinds"),
        [
            ("_manifests", "tags untagged referrers"),
            ("_manifests/tags", "tags untagged"),
            ("_manifests/tags/1", ""),
            ("_manifests/tags/1/current", ""),
            ("_manifests/tags/1/index", ""),
            ("_manifests/revisions", "untagged referrers"),
            ("_manifests/revisions/sha256", "untagged referrers"),
            ("_layers", ""),
            ("_layers/sha256", ""),
            ("_uploads", ""),
        ],
    )
    def test_a_file_in_place_of_a_folder_of_one_repository(
        self, stored: Stored, client: httpx.Client, place: str, kinds: str
    ) -> None:
        """Of all others everything is reported; of this one, what is still known."""
        push_image(client, "team/app", "1")
        other = push_image(client, "other", "1", layers=("other",))
        _replace(stored, stored.repository("team/app") / place)
        for kind, address in ADDRESSES.items():
            answer = client.get(f"/overview/{address}")
            assert answer.status_code == 200, kind
            named = f"/var/lib/registry/docker/registry/v2/repositories/team/app/{place}"
            assert answer.json().get("instead") == (named if kind in kinds.split() else None), kind
        counts = client.get("/overview/catalog").json()["repositories"]
        unknown = place in {"_manifests", "_manifests/tags"}
        # A file in place of a tag's folder is not a tag.
        count = 0 if place == "_manifests/tags/1" else 1
        assert counts == {"other": 1, "team/app": None if unknown else count}
        assert client.get("/overview/pushed").json()["pushed"]["other"]["tag"] == "1"
        assert list(client.get("/overview/tags/other").json()["manifests"]) == [other.digest]

    @pytest.mark.parametrize(
        "place", ["_layers", "_layers/sha256", "_manifests/revisions", "_manifests/revisions/sha256"]
    )
    def test_what_is_below_a_file_in_place_of_a_folder_is_damaged(
        self, stored: Stored, client: httpx.Client, place: str
    ) -> None:
        made = build_image()
        push(client, "team/app", "1", made)
        _replace(stored, stored.repository("team/app") / place)
        told = client.get("/overview/tags/team/app").json()
        assert told["tags"] == {"1": made.digest}
        parts = {sha256(blob) for blob in made.blobs} if "_layers" in place else {made.digest}
        path = f"/var/lib/registry/{(stored.repository('team/app') / place).relative_to(stored.disk)}"
        assert told["damaged"] == dict.fromkeys(parts)
        assert told["obstacles"] == dict.fromkeys(parts, path)
        assert told["unlinked"] == dict.fromkeys(parts, True)

    @pytest.mark.parametrize("place", ["", "_manifests", "_manifests/tags", "_manifests/revisions"])
    def test_the_commands_name_it_and_read_the_others(self, stored: Stored, client: httpx.Client, place: str) -> None:
        for name in ("other", "team/app"):
            push_image(client, name, "1")
        path = stored.repository("team/app") / place
        _replace(stored, path)
        listed = stored.stack.deployer("catalog", "--tags")
        assert "other\n└─ 1 " in listed.stdout
        for command in (["tags", "team/app"], ["inspect", "team/app:1"]):
            done = stored.stack.deployer(*command)
            assert done.returncode == 1
            if place:
                assert "there is a file instead of a directory" in done.stderr, command
                assert f"/var/lib/registry/{path.relative_to(stored.disk)}" in done.stderr
                assert "deployer doctor" in done.stderr

    def test_a_manifest_whose_link_is_not_to_be_had_is_no_absent_one(
        self, stored: Stored, client: httpx.Client
    ) -> None:
        whole = push_index(client, "team/app", "1")
        link = stored.revision("team/app", whole.digest)
        for place in (link, link.parent):
            _replace(stored, place)
            assert _untagged(client)["manifests"][whole.digest]["document"] is None


class TestUntagged:
    """What the page offers as untagged can be deleted there: of what is damaged, nothing may be taken for absent."""

    def test_tags_and_manifests_are_told_with_what_they_are(self, stored: Stored, client: httpx.Client) -> None:
        one = push_image(client, "team/app", "1")
        lost = push_artifact(client, "team/app", None, content=b"lost")
        told = _untagged(client)
        assert told["tags"] == {"1": one.digest}
        assert {digest: entry["bytes"] for digest, entry in told["manifests"].items()} == {
            digest: stored.blob(digest).stat().st_size for digest in (one.digest, lost.digest)
        }
        client.delete(f"/v2/team/app/manifests/{lost.digest}").raise_for_status()
        assert set(_untagged(client)["manifests"]) == {one.digest}

    @pytest.mark.parametrize("content", [None, b"", b"x" * 1001], ids=["none", "empty", "large"])
    def test_a_tag_whose_link_names_nothing_is_a_tag_still(
        self, stored: Stored, client: httpx.Client, content: bytes | None
    ) -> None:
        push_image(client, "team/app", "1")
        link = stored.tag("team/app", "1")
        link.unlink() if content is None else link.write_bytes(content)
        assert _untagged(client)["tags"] == {"1": ""}

    @pytest.mark.parametrize("content", [None, b"", b"{}", b"no json"], ids=["none", "empty", "other", "words"])
    def test_a_manifest_that_is_not_what_its_digest_says_has_no_document(
        self, stored: Stored, client: httpx.Client, content: bytes | None
    ) -> None:
        pushed = push_index(client, "team/app", "1")
        file = stored.blob(pushed.digest)
        file.unlink() if content is None else file.write_bytes(content)
        told = _untagged(client)
        assert [digest for digest, entry in told["manifests"].items() if entry["document"] is None] == [pushed.digest]
        assert told["manifests"][pushed.digest]["bytes"] == len(content or b"")

    @pytest.mark.parametrize(
        "content", [b"", b"sha256:", NOTHING.encode(), None], ids=["empty", "cut", "other", "newline"]
    )
    def test_a_manifest_whose_link_is_damaged_has_no_document(
        self, stored: Stored, client: httpx.Client, content: bytes | None
    ) -> None:
        pushed = push_index(client, "team/app", "1")
        link = stored.revision("team/app", pushed.digest)
        link.write_bytes(link.read_bytes() + b"\n" if content is None else content)
        # The registry reads it as we do.
        assert client.get(f"/v2/team/app/manifests/{pushed.digest}").status_code >= 400
        assert _untagged(client)["manifests"][pushed.digest]["document"] is None
        told = client.get("/overview/tags/team/app").json()
        assert (told["damaged"], told["unlinked"]) == ({pushed.digest: link.stat().st_size}, {pushed.digest: True})
        assert pushed.digest not in told["manifests"]

    def test_json_of_the_same_form_is_not_the_manifest(self, stored: Stored, client: httpx.Client) -> None:
        pushed = build_image()
        push(client, "team/app", "1", pushed)
        stored.blob(pushed.digest).write_bytes(pushed.content.replace(b"   ", b"\t\t\t"))
        assert _untagged(client)["manifests"][pushed.digest]["document"] is None

    def test_what_the_registry_would_not_read_is_not_read_either(self, stored: Stored, client: httpx.Client) -> None:
        large = b'{"schemaVersion": 2}'.ljust(4 * 1024 * 1024 + 1)
        push_image(client, "team/app", "1")
        for file, words in (
            (stored.blob(sha256(large)), large),
            (stored.revision("team/app", sha256(large)), sha256(large).encode()),
        ):
            file.parent.mkdir(parents=True)
            file.write_bytes(words)
        entry = _untagged(client)["manifests"][sha256(large)]
        assert (entry["document"], entry["bytes"]) == (None, len(large))

    def test_what_another_kind_of_digest_names_is_read_where_its_link_leads(
        self, stored: Stored, client: httpx.Client
    ) -> None:
        made = image("other kind", media=OCI)
        push(client, "team/app", "1", made)
        alias = stored.revision("team/app", "sha512:" + "a" * 128)
        alias.parent.mkdir(parents=True)
        alias.write_text(made.digest)
        assert _untagged(client)["manifests"]["sha512:" + "a" * 128]["document"] == made.document

    def test_what_a_nas_leaves_is_no_tag(self, stored: Stored, client: httpx.Client) -> None:
        one = push_image(client, "team/app", "1")
        before = client.get("/overview/pushed").json()
        tags = stored.tag("team/app", "1").parents[1]
        for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
            (tags / name).touch()
        assert _untagged(client)["tags"] == {"1": one.digest}
        assert client.get("/overview/pushed").json() == before


def _untagged(client: httpx.Client) -> Any:
    answer = client.get("/overview/untagged/team/app")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _replace(stored: Stored, path: Path) -> None:
    """Put a file in place of a folder, or a folder in place of a file."""
    is_file = path.is_file()
    path.rename(stored.disk / f"aside-{path.name}")
    path.mkdir() if is_file else path.touch()


def _close(stored: Stored, path: Path) -> None:
    path.rename(stored.disk / "aside")
    path.symlink_to(path.name)


def _expect_errors(client: httpx.Client, kinds: str) -> None:
    for kind in kinds.split():
        answer = client.get(f"/overview/{ADDRESSES[kind]}")
        assert answer.status_code == 500, (kind, answer.text)
        assert answer.json()["errors"][0]["message"] == "the registry's storage cannot be read"


def test_a_disk_that_was_not_noted_is_told_as_unknown(shared: DeployedStack, client: httpx.Client) -> None:
    docker("exec", shared.containers()["frontend"], "rm", f"{DISK_NOTES}/disk.json")
    try:
        assert client.get("/overview/disk").json() == {"disk": None}
    finally:
        shared.check_frontend()
