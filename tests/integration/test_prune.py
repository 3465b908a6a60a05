"""prune on a real registry: which tags go, which images with them, and what holds them back."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asked import asked
from tests.support.content import build_image, push_artifact, push_image, push_index, push_tag
from tests.support.pulling import EVERY_TYPE, delete_manifest, manifest_status, pulls_whole
from tests.support.registry_content import OCI, Image, index, push
from tests.support.stored import HOUR, age

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.stored import Stored


def prune(stored: Stored, *flags: str) -> dict[str, Any]:
    """Prune, and return what it said that it did."""
    return dict(json.loads(stored.stack.deployer("prune", *flags, "--yes", "--json", check=True).stdout))


def dated(client: httpx.Client, repository: str, *tags: str) -> list[str]:
    """Push an image for each tag, each made a day after the one before, the last of them yesterday; their digests."""
    now = datetime.now(UTC)
    return [
        push_image(
            client, repository, tag, layers=("base", f"{repository}:{tag}"),
            created=(now - timedelta(days=len(tags) - number)).isoformat(),
        ).digest
        for number, tag in enumerate(tags)
    ]  # fmt: skip


def tags(client: httpx.Client, repository: str) -> list[str]:
    return sorted(client.get(f"/v2/{repository}/tags/list").json().get("tags") or [])


def rules(stored: Stored, text: str) -> None:
    """Write a deployer.yaml with these rules; the stack's settings come from the environment besides."""
    (stored.stack.folder / "deployer.yaml").write_text(f"retention:\n{text}")


@pytest.fixture
def own_rules(stored: Stored) -> Iterator[None]:
    """Takes the rules away at the end."""
    yield
    (stored.stack.folder / "deployer.yaml").unlink(missing_ok=True)


# -- what stays: each of these once cost images


def test_an_image_stays_that_is_also_tagged_with_its_own_digest(stored: Stored, client: httpx.Client) -> None:
    made = build_image()
    own = made.digest.replace(":", "-")
    push(client, "own", "ci-1", made)
    push_tag(client, "own", own, made)
    stored.age()
    stored.stack.deployer("prune", "own", "--match", "^ci-", "--yes", check=True)
    assert client.get("/v2/own/tags/list").json()["tags"] == [own]
    assert pulls_whole(client, "own", own)


def test_parts_that_a_damaged_index_may_share_stay(stored: Stored, client: httpx.Client) -> None:
    child = build_image(media=OCI)
    push(client, "shared", None, child)
    push(client, "shared", "ci-1", index([(child, "linux/amd64")], media=OCI))
    kept = index([(child, "linux/amd64")], media=OCI, annotations={"kept": "yes"})
    push(client, "shared", "kept", kept)
    stored.blob(kept.digest).write_bytes(kept.content[:40])
    stored.age()
    done = stored.stack.deployer("prune", "shared", "--match", "^ci-", "--yes", check=True)
    assert "shared is skipped until" in done.stderr
    assert pulls_whole(client, "shared", child.digest)


def test_a_tag_that_is_pushed_again_while_prune_asks_stays(stored: Stored, client: httpx.Client) -> None:
    made = build_image()
    push(client, "again", "ci-1", made)
    stored.age()
    asked(
        stored.stack, "prune", "again", "--older-than", "1h", meanwhile=lambda: push(client, "again", "ci-1", made)
    )  # fmt: skip
    assert pulls_whole(client, "again", "ci-1")


# -- what goes


def test_the_newest_images_stay_however_many_tags_they_have(stored: Stored, client: httpx.Client) -> None:
    dated(client, "app", "1", "2")
    newest = build_image(layers=("newest",), created=datetime.now(UTC).isoformat())
    push(client, "app", "3", newest)
    for tag in ("4", "5", "6"):
        push_tag(client, "app", tag, newest)
    prune(stored, "app", "--keep", "2")
    assert tags(client, "app") == ["2", "3", "4", "5", "6"]


def test_age_counts_from_when_it_was_made_where_asked(stored: Stored, client: httpx.Client) -> None:
    dated(client, "app", "1", "2", "3", "4")
    prune(stored, "app", "--older-than", "60h", "--by", "created")
    assert tags(client, "app") == ["3", "4"]


def test_old_images_that_were_just_mirrored_stay_and_the_plan_says_what_counts(
    stored: Stored, client: httpx.Client
) -> None:
    dated(client, "app", "1", "2", "3")
    push(client, "app", "epoch", build_image(layers=("epoch",), created="1970-01-01T00:00:00Z"))
    for tag in ("2", "epoch"):
        age(stored.tag("app", tag), 72 * HOUR)
    done = stored.stack.deployer("prune", "app", "--older-than", "40h", "--dry-run", check=True)
    assert re.search(r"app +2 +[0-9a-f]{12} +[23] days \(created\)", done.stdout)
    assert re.search(r"\n +epoch +[0-9a-f]{12} +3 days \(pushed\)", done.stdout)
    prune(stored, "app", "--older-than", "40h")
    assert tags(client, "app") == ["1", "3"]


def test_age_counts_from_when_it_was_pushed_where_asked(stored: Stored, client: httpx.Client) -> None:
    dated(client, "app", "1", "2", "3")
    age(stored.tag("app", "3"), 5 * HOUR)
    age(stored.tag("app", "1"), 3 * HOUR)
    prune(stored, "app", "--older-than", "4h", "--by", "pushed")
    assert tags(client, "app") == ["1", "2"]
    prune(stored, "app", "--keep", "1", "--by", "pushed")
    assert tags(client, "app") == ["2"]


def test_only_the_repositories_named_are_looked_at(stored: Stored, client: httpx.Client) -> None:
    for name in ("team/one", "team/two/deep", "team", "steam/one", "other"):
        dated(client, name, "1", "2")
    prune(stored, "team/*", "--keep", "1")
    assert {name: tags(client, name) for name in ("team/one", "team/two/deep", "team", "steam/one", "other")} == {
        "team/one": ["2"], "team/two/deep": ["2"], "team": ["1", "2"], "steam/one": ["1", "2"], "other": ["1", "2"],
    }  # fmt: skip


def test_only_tags_that_match_go_and_are_counted(stored: Stored, client: httpx.Client) -> None:
    dated(client, "app", "ci-1", "ci-2", "ci-3", "v1", "v2", "not-ci-1")
    prune(stored, "app", "--match", "^ci-", "--keep", "1")
    assert tags(client, "app") == ["ci-3", "not-ci-1", "v1", "v2"]


def test_protected_tags_hold_an_index_with_its_parts_and_a_signature(stored: Stored, client: httpx.Client) -> None:
    whole = push_index(client, "app", "v1", attestations=True)
    push_artifact(client, "app", whole.digest.replace(":", "-") + ".sig", content=b"signature")
    dated(client, "app", "ci-1", "ci-2")
    stored.age()
    prune(stored, "app", "--older-than", "0s", "--protect", "^v", "--untagged")
    assert tags(client, "app") == sorted(["v1", whole.digest.replace(":", "-") + ".sig"])
    assert all(pulls_whole(client, "app", tag) for tag in tags(client, "app"))


def test_a_signature_goes_with_its_image(stored: Stored, client: httpx.Client) -> None:
    old, _ = dated(client, "app", "1", "2")
    signature = push_artifact(client, "app", old.replace(":", "-") + ".sig", content=b"signature")
    stored.age()
    prune(stored, "app", "--keep", "1")
    assert tags(client, "app") == ["2"]
    assert manifest_status(client, "app", signature.digest) == 404


def test_an_image_stays_while_another_tag_is_on_it(stored: Stored, client: httpx.Client) -> None:
    made = build_image()
    push(client, "app", "ci-1", made)
    push_tag(client, "app", "release", made)
    prune(stored, "app", "--match", "^ci-")
    assert tags(client, "app") == ["release"]
    assert pulls_whole(client, "app", "release")


def test_a_child_that_is_tagged_too_stays_when_its_index_goes(stored: Stored, client: httpx.Client) -> None:
    child, other = build_image(layers=("child",), media=OCI), build_image(layers=("other",), media=OCI)
    push(client, "app", "kept", child)
    push(client, "app", None, other)
    push(client, "app", "ci-1", index([(child, "linux/amd64"), (other, "linux/arm64")], media=OCI))
    stored.age()
    prune(stored, "app", "--match", "^ci-")
    assert tags(client, "app") == ["kept"]
    assert pulls_whole(client, "app", "kept")
    assert manifest_status(client, "app", other.digest) == 404


def test_a_thousand_tags_of_one_image_are_one_image(stored: Stored, client: httpx.Client) -> None:
    old, new = dated(client, "app", "old-0", "new-0")
    for tag in ("old-0", "new-0"):
        place = stored.tag("app", tag).parent.parent
        for number in range(1, 1000):
            shutil.copytree(place, place.parent / f"{tag[:3]}-{number}")
    done = prune(stored, "app", "--keep", "1")
    assert len(done["removed_tags"]) == 1000
    assert len(tags(client, "app")) == 1000
    assert (manifest_status(client, "app", old), manifest_status(client, "app", new)) == (404, 200)


def test_a_dry_run_says_exactly_what_the_run_does(stored: Stored, client: httpx.Client) -> None:
    for name in ("one", "two"):
        dated(client, name, "1", "2", "3")
    push_index(client, "two", "4")
    stored.age()
    flags = ("--keep", "1", "--untagged")
    before = stored.listing()
    said = json.loads(stored.stack.deployer("prune", *flags, "--dry-run", "--json", check=True).stdout)
    assert stored.listing() == before
    done = prune(stored, *flags)
    assert len(said["removed_tags"]) == 5
    for key in ("removed_tags", "removed_manifests", "removed_repositories", "blobs", "freed_bytes"):
        assert done[key] == said[key], key


def test_a_tag_deleted_while_it_asks_is_no_hindrance(stored: Stored, client: httpx.Client) -> None:
    first, _, _ = dated(client, "app", "1", "2", "3")
    asked(stored.stack, "prune", "app", "--keep", "1", meanwhile=lambda: delete_manifest(client, "app", first))
    assert tags(client, "app") == ["3"]
    assert pulls_whole(client, "app", "3")


def test_a_prune_cut_off_between_tags_and_manifests_is_finished_later(stored: Stored, client: httpx.Client) -> None:
    gone, kept, spared = dated(client, "app", "1", "2", "3")
    for tag in ("1", "3"):
        shutil.rmtree(stored.tag("app", tag).parent.parent)
    stored.age()
    left = stored.disk / ".deployer-removed" / "0123abcd"
    (left / "tags-0").mkdir(parents=True)
    lines = [">tags-0", *(f"repositories/app/_manifests/tags/{tag}" for tag in ("1", "3")), ">revisions-0"]
    lines += [f"repositories/app/_manifests/revisions/{digest.replace(':', '/')}" for digest in (gone, spared)]
    (left / "list").write_text("\n".join(lines) + "\n")
    age(left / "list", HOUR)
    answer = client.get(f"/v2/app/manifests/{spared}", headers=EVERY_TYPE)
    push_tag(client, "app", "3", Image(answer.content, answer.headers["Content-Type"]))
    stored.stack.deployer("gc", "--yes", check=True)
    assert [manifest_status(client, "app", digest) for digest in (gone, kept)] == [404, 200]
    assert pulls_whole(client, "app", "3")
    assert not left.parent.exists()


# -- rules


def test_rules_of_the_file_apply_and_what_one_keeps_no_other_takes(
    stored: Stored, client: httpx.Client, own_rules: None
) -> None:
    dated(client, "team/app", "1", "2", "3", "4")
    dated(client, "other", "1", "2", "3")
    rules(
        stored,
        """
  - {repositories: ["team/*"], keep: 2}
  - {older_than: 30h, by: created, protect: "^1$"}
""",
    )
    prune(stored)
    assert tags(client, "team/app") == ["1", "3", "4"]
    assert tags(client, "other") == ["1", "3"]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("{keep: many}", "retention[0].keep"),
        ("{older_than: 30}", "retention[0].older_than"),
        ("{match: '['}", "retention[0].match"),
        ("{keep: 1, by: size}", "retention[0].by"),
        ("{kep: 1}", "retention[0].kep"),
        ("{protect: '^v'}", "retention[0]"),
        ("{keep: -1}", "retention[0].keep"),
    ],
)
def test_wrong_rules_are_refused_with_their_place(
    stored: Stored, client: httpx.Client, own_rules: None, rule: str, path: str
) -> None:
    rules(stored, f"  - {rule}\n")
    done = stored.stack.deployer("prune", "--yes")
    assert done.returncode == 2, done.stderr
    assert path in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        (), ("app",), ("--protect", "^v"), ("--by", "pushed"),
        ("--keep", "0x"), ("--keep", "-1"), ("--older-than", "30"), ("--match", "["),
        ("--keep", "1", "--protect", "("), ("--keep", "1", "--by", "size"), ("--keep", "1", "--wait", "x"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_and_nothing_goes(
    stored: Stored, client: httpx.Client, flags: tuple[str, ...]
) -> None:
    dated(client, "app", "1", "2")
    done = stored.stack.deployer("prune", *flags, "--yes")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ")
    assert tags(client, "app") == ["1", "2"]
