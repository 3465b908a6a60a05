"""What needs only a digest works on anything that the registry holds; what is advised works."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.planted import GOOD, LINKS, MANIFESTS, damage_link, plant, plant_everything
from tests.support.registry_content import sha256
from tests.support.stored import Stored

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    import httpx

    from tests.support.stack import DeployedStack

# Those whose digest the registry tells, though not all whose content it can read.
GIVEN = ("schema1", "no-media-type", "no-digests", "flipped", "sha512")


def tags_of(client: httpx.Client, repository: str) -> set[str]:
    return set(client.get(f"/v2/{repository}/tags/list").json()["tags"] or ())


def is_good(client: httpx.Client, repository: str) -> bool:
    answer = client.get(f"/v2/{repository}/manifests/good", headers={"Accept": GOOD.media_type})
    return answer.content == GOOD.content


@dataclass(frozen=True)
class Deleted:
    """What became of a repository in which one tag, or one manifest, was deleted; `there` is whether its link is."""

    planted: dict[str, str]
    tags: set[str]
    good: bool
    there: bool


def delete_all(
    stored: Stored, client: httpx.Client, names: dict[str, str], planted: dict[str, dict[str, str]]
) -> tuple[CompletedProcess[str], dict[str, Deleted]]:
    """Delete what is named in the repositories, which are called after the tags, by one command."""
    done = stored.stack.deployer("delete", *names.values(), "--yes")
    found = {
        tag: Deleted(
            planted[tag], tags_of(client, tag), is_good(client, tag), stored.revision(tag, planted[tag][tag]).exists()
        )
        for tag in names
    }
    return done, found


@pytest.fixture(scope="module")
def tags_deleted(shared: DeployedStack) -> tuple[CompletedProcess[str], dict[str, Deleted]]:
    """A repository for each tag, with everything planted in it, and that tag deleted; what the command said."""
    stored = Stored(shared)
    stored.clear()
    tags = (*MANIFESTS, *LINKS)
    planted = {tag: plant_everything(stored, tag) for tag in tags}
    with shared.client as client:
        return delete_all(stored, client, {tag: f"{tag}:{tag}" for tag in tags}, planted)


@pytest.mark.parametrize("tag", [*MANIFESTS, *LINKS])
def test_a_tag_goes_whatever_it_names(tags_deleted: tuple[CompletedProcess[str], dict[str, Deleted]], tag: str) -> None:
    done, found = tags_deleted
    assert done.returncode == 0, done.stderr
    assert f"Deleted {tag}:{tag}\n" in done.stdout
    assert found[tag].tags == found[tag].planted.keys() - {tag}
    assert found[tag].good
    # Only the tag went: the manifest is where it was.
    assert found[tag].there is (tag != "not-linked")


@dataclass(frozen=True)
class ByDigest:
    """What was planned and done when manifests of two tags each were deleted by their digests."""

    planned: str
    done: CompletedProcess[str]
    found: dict[str, Deleted]


@pytest.fixture(scope="module")
def manifests_deleted(shared: DeployedStack) -> ByDigest:
    stored = Stored(shared)
    stored.clear()
    tags = (*MANIFESTS, "flipped", "sha512")
    planted = {tag: plant_everything(stored, tag) for tag in tags}
    for tag in tags:
        digest = planted[tag][tag]
        assert plant(stored, tag, f"{tag}-again", stored.blob(digest).read_bytes(), digest) == digest
    names = {tag: f"{tag}@{planted[tag][tag]}" for tag in tags}
    planned = shared.deployer("delete", *names.values(), "--dry-run", check=True).stdout
    with shared.client as client:
        return ByDigest(planned, *delete_all(stored, client, names, planted))


@pytest.mark.parametrize("tag", [*MANIFESTS, "flipped", "sha512"])
def test_a_manifest_goes_by_its_digest_whatever_it_is(manifests_deleted: ByDigest, tag: str) -> None:
    assert f"tags {tag}, {tag}-again." in manifests_deleted.planned
    assert manifests_deleted.done.returncode == 0, manifests_deleted.done.stderr
    found = manifests_deleted.found[tag]
    assert found.tags == found.planted.keys() - {tag, f"{tag}-again"}
    assert not found.there
    assert found.good


def test_what_could_not_be_looked_into_is_said_and_stops_nothing(stored: Stored, client: httpx.Client) -> None:
    planted = plant_everything(stored, "app")
    done = stored.stack.deployer("delete", f"app@{planted['good']}", "--dry-run", check=True)
    assert "Warning: Could not check whether it is part of tags cut, empty, huge," in done.stderr
    assert "Could not check whether it is part of" in done.stderr


def test_a_tags_own_file_that_is_damaged_is_still_told_from_a_damaged_manifest(
    stored: Stored, client: httpx.Client
) -> None:
    """The registry stumbles over the first when it deletes, and not over the second."""
    plant_everything(stored, "app")
    damage_link(stored, "app", "zero")
    done = stored.stack.deployer("delete", f"app@{sha256(GOOD.content)}", "--yes")
    assert done.returncode == 1
    assert "Error: The tag 'app:zero' is damaged" in done.stderr
    assert stored.stack.deployer("delete", "app:good", "--yes").returncode == 1
    assert is_good(client, "app")
    stored.stack.deployer("delete", "app:zero", "--yes", check=True)
    stored.stack.deployer("delete", f"app@{sha256(GOOD.content)}", "--yes", check=True)
    assert not tags_of(client, "app") & {"zero", "good"}


@pytest.mark.parametrize("name", [".DS_Store", "@eaDir", "._7-git"])
def test_a_file_that_is_no_tag_is_named_by_its_path(stored: Stored, client: httpx.Client, name: str) -> None:
    planted = plant_everything(stored, "app")
    foreign = stored.repository("app") / "_manifests" / "tags" / name
    foreign.write_bytes(b"")
    for command in (f"app@{planted['good']}", "app:good"):
        done = stored.stack.deployer("delete", command, "--yes")
        assert done.returncode == 1
        assert f"docker/registry/v2/repositories/app/_manifests/tags/{name}" in done.stderr
        assert f"app:{name}" not in done.stderr
        assert is_good(client, "app")
    assert name not in stored.stack.deployer("tags", "app").stdout
    foreign.unlink()
    stored.stack.deployer("delete", "app:good", "--yes", check=True)


def test_a_file_in_the_form_of_a_tag_is_named_by_its_path(stored: Stored, client: httpx.Client) -> None:
    plant_everything(stored, "app")
    foreign = stored.repository("app") / "_manifests" / "tags" / "Thumbs.db"
    foreign.write_bytes(b"")
    done = stored.stack.deployer("delete", "app:Thumbs.db", "--yes")
    assert done.returncode == 1
    assert "which is not a tag" in done.stderr
    assert "docker/registry/v2/repositories/app/_manifests/tags/Thumbs.db" in done.stderr
    assert foreign.read_bytes() == b""
    assert "To finish" not in done.stderr
    foreign.unlink()
    stored.stack.deployer("delete", "app:good", "--yes", check=True)


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_tag_that_is_a_link_to_another_takes_it_not_along(stored: Stored, client: httpx.Client, kind: str) -> None:
    """Hard links are what programs that look for equal files make of the tags' files."""
    plant_everything(stored, "app")
    tags = stored.repository("app") / "_manifests" / "tags"
    if kind == "symbolic":
        (tags / "latest").symlink_to("good")
    else:
        (tags / "latest" / "current").mkdir(parents=True)
        (tags / "latest" / "current" / "link").hardlink_to(tags / "good" / "current" / "link")
    done = stored.stack.deployer("delete", "app:latest", "--yes")
    assert done.returncode == 1
    assert "could not be deleted and was not changed. In the registry's storage it shares a file with app:good" in (
        done.stderr
    )
    assert {"good", "latest"} <= tags_of(client, "app")
    assert is_good(client, "app")


@pytest.mark.parametrize("tag", [*MANIFESTS, "flipped", "sha512"])
def test_the_exact_bytes_come_whatever_they_are(stored: Stored, client: httpx.Client, tag: str) -> None:
    planted = plant_everything(stored, "app")
    done = stored.stack.deployer_in_bytes("inspect", "--raw", f"app:{tag}")
    assert done.returncode == (1 if tag == "flipped" else 0), done.stderr
    content = stored.blob(planted[tag]).read_bytes()
    if tag == "schema1":
        # The registry signs each answer; the payload is what is stored.
        assert json.loads(done.stdout)["fsLayers"] == json.loads(content)["fsLayers"]
        assert b"not these exact bytes" in done.stderr
    else:
        assert done.stdout == content
    assert (b"read from the registry's storage" in done.stderr) is (tag not in GIVEN)
    if tag == "flipped":
        assert f"expected {planted[tag]}\n  | got sha256:{hashlib.sha256(content).hexdigest()}" in done.stderr.decode()


def test_what_is_not_there_is_not_read_from_the_storage(stored: Stored) -> None:
    plant_everything(stored, "app")
    for name in ("app:manifest-gone", "app:not-linked", "app:never", f"app@{sha256(GOOD.blobs[1])}"):
        done = stored.stack.deployer("inspect", "--raw", name)
        assert (done.returncode, done.stdout) == (1, ""), name


@pytest.mark.parametrize("tag", GIVEN)
def test_inspect_tells_the_digest_of_what_it_cannot_interpret(stored: Stored, tag: str) -> None:
    planted = plant_everything(stored, "app")
    done = stored.stack.deployer("inspect", f"app:{tag}")
    assert re.search(rf"^Digest: +{planted[tag]}$", done.stdout, re.MULTILINE)
    assert done.returncode == (0 if tag in {"schema1", "sha512"} else 1)
    found = json.loads(stored.stack.deployer("inspect", f"app:{tag}", "--json").stdout)
    assert found["descriptor"]["digest"] == planted[tag]
    assert ("error" in found) == (done.returncode == 1)


def test_an_image_of_schema_1_is_no_damage(stored: Stored) -> None:
    digest = plant(stored, "old", "1", MANIFESTS["schema1"])
    done = stored.stack.deployer("tags", "old", check=True)
    assert done.stdout.splitlines()[1].split()[:5] == ["1", digest[7:19], "-", "(schema", "1)"]
    assert "old:1 uses Docker manifest schema 1" in done.stderr
    assert "damaged" not in done.stderr


def test_every_command_that_is_advised_works(stored: Stored, client: httpx.Client) -> None:
    plant_everything(stored, "app")
    for number, content in enumerate(("", "hello", "sha256:abcd")):
        damage_link(stored, "app", f"link-{number}", content)
    told = stored.stack.deployer("tags", "app").stderr
    for tag in [*MANIFESTS, *LINKS]:
        told += stored.stack.deployer("inspect", f"app:{tag}").stderr
    advised = dict.fromkeys(re.findall(r"deployer (delete .+)", told))
    # Nothing of what `gc --damaged` restores is advised to be deleted.
    kept = {"sha512", "not-linked"}
    assert {name for command in advised for name in command.split()[1:]} >= {
        f"app:{tag}" for tag in (*MANIFESTS, *LINKS, "link-0", "link-2") if tag not in kept
    }
    for command in advised:
        done = stored.stack.deployer(*shlex.split(command), "--yes")
        gone = "No image " in done.stderr
        assert done.returncode == 0 or gone, f"{command}: {done.stderr}"
    assert tags_of(client, "app") == {"good", *kept}
    assert is_good(client, "app")


def test_a_repository_goes_whatever_it_holds(stored: Stored) -> None:
    plant_everything(stored, "app")
    damage_link(stored, "app", "zero")
    stored.stack.deployer("delete", "--repository", "app", "--yes", check=True)
    assert not stored.repository("app").exists()


def test_retention_chooses_among_whatever_is_there(stored: Stored) -> None:
    planted = plant_everything(stored, "app")
    done: Any = stored.stack.deployer("prune", "app", "--keep", "1", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert set(planted) >= {entry["tag"] for entry in _all(json.loads(done.stdout), "tag")}


def _all(value: Any, key: str) -> list[dict[str, Any]]:
    """Every object, at whatever depth, that has the key."""
    if isinstance(value, dict):
        return ([value] if key in value else []) + [one for inner in value.values() for one in _all(inner, key)]
    return [one for inner in value for one in _all(inner, key)] if isinstance(value, list) else []
