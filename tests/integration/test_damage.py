"""An image that a power cut damaged: told, kept, taken out of the way, pushed again by Docker, and whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.content import build_image, foreign_image, push_image
from tests.support.pulling import pulls_whole, put_blob, put_manifest
from tests.support.registry_content import OCI, Image, push, sha256
from tests.support.stack import docker
from tests.support.stored import HOUR, age

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.stored import Stored


@pytest.mark.parametrize(
    ("cut", "content"),
    [("layer", b""), ("configuration", b"cut short"), ("layer and manifest", b"cut short")],
    ids=["an empty layer", "a short configuration", "a short layer and manifest"],
)
def test_a_damaged_image_is_whole_after_the_cure_and_a_push(
    stored: Stored, client: httpx.Client, make_image: Callable[..., str], cut: str, content: bytes
) -> None:
    stack = stored.stack
    name = f"{stack.address}/app:1"
    local = make_image(name)
    docker("push", name)
    push_image(client, "other", "1")
    before = stored.blobs()
    digest = stored.tag("app", "1").read_text()
    manifest = json.loads(stored.blob(digest).read_bytes())
    files = {
        "manifest": digest,
        "layer": manifest["layers"][0]["digest"],
        "configuration": manifest["config"]["digest"],
    }
    for part in cut.split(" and "):
        stored.blob(files[part]).write_bytes(content)
    stored.age()

    told = stack.deployer("status")
    assert told.returncode == 0
    assert "app:1 cannot be pulled whole" in told.stderr
    assert "deployer gc --damaged" in told.stderr
    assert "app:1 cannot be pulled whole" in stack.deployer("doctor").stdout
    for look in (["tags", "app"], ["inspect", "app:1"], ["catalog", "--tags"]):
        shown = stack.deployer(*look).stderr
        assert "app:1 is not whole: the " in shown
        # Not read to the end, it may be the manifest that says a wrong size of it.
        assert "is damaged" not in shown or "manifest" in cut
        assert "--damaged, then push it again" in shown
    kept = stored.listing()
    for command in (("gc", "--untagged", "--older-than", "0s"), ("prune", "--keep", "1")):
        stack.deployer(*command, "--yes", check=True)
    assert stored.listing().keys() == kept.keys()

    docker("push", name, check=False)
    assert stack.deployer("gc", "--damaged").returncode == 1, "nothing goes without a yes"
    done = stack.deployer("gc", "--damaged", "--yes", check=True).stderr
    assert "deployer gc --damaged" not in done, "no command advises itself"
    docker("push", name)
    docker("image", "rm", name)
    docker("pull", name)
    assert docker("image", "inspect", "--format", "{{.Id}}", name).strip() == local
    assert pulls_whole(client, "app", "1")
    assert pulls_whole(client, "other", "1")
    assert stored.blobs() >= before
    assert json.loads(stack.deployer("status", "--json").stdout)["content"] == []


def test_a_flipped_bit_of_a_configuration_is_told_by_all_and_cured(stored: Stored, client: httpx.Client) -> None:
    whole = build_image()
    push(client, "app", "1", whole)
    config = stored.blob(sha256(whole.blobs[0]))
    content = bytearray(config.read_bytes())
    content[5] ^= 1
    config.write_bytes(content)
    for look in (("status",), ("doctor",), ("gc", "--dry-run"), ("prune", "--keep", "1", "--dry-run")):
        shown = stored.stack.deployer(*look)
        assert "app:1 cannot be pulled whole" in shown.stdout + shown.stderr, look
    assert "app:1 is not whole" in stored.stack.deployer("tags", "app").stderr
    stored.stack.deployer("gc", "--damaged", "--yes", check=True)
    push(client, "app", "1", whole)
    assert pulls_whole(client, "app", "1")
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []


@pytest.mark.parametrize("place", ["layer", "manifest", "layer's link", "manifest's link", "tag's link"])
def test_a_folder_in_place_of_a_file_is_named_and_stops_nothing(
    stored: Stored, client: httpx.Client, place: str
) -> None:
    whole = build_image()
    push(client, "app", "1", whole)
    gone = push_image(client, "other", "gone", layers=("gone",))
    client.delete(f"/v2/other/manifests/{gone.digest}").raise_for_status()
    stored.age()
    layer = sha256(whole.blobs[1])
    path = {
        "layer": stored.blob(layer),
        "manifest": stored.blob(whole.digest),
        "layer's link": stored.repository("app") / "_layers" / layer.replace(":", "/") / "link",
        "manifest's link": stored.revision("app", whole.digest),
        "tag's link": stored.tag("app", "1"),
    }[place]
    path.unlink()
    path.mkdir()
    named = f"/var/lib/registry/{path.relative_to(stored.disk)}"
    for look in (("status",), ("doctor",), ("gc", "--yes"), ("prune", "--keep", "1", "--yes"), ("gc", "--damaged")):
        shown = stored.stack.deployer(*look)
        assert f"Move {named} away" in shown.stdout + shown.stderr, look
        assert shown.returncode == (look == ("doctor",)), look
    assert not stored.blob(gone.digest).exists(), "the rest was collected"
    assert path.is_dir()
    for answer in ("tags/app", "untagged/app", "catalog", "pushed", "stored"):
        assert client.get(f"/overview/{answer}").status_code == 200, answer
    path.rmdir()
    push(client, "app", "1", whole)
    assert pulls_whole(client, "app", "1")
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []


def test_a_missing_layer_needs_a_push_alone(
    stored: Stored, client: httpx.Client, make_image: Callable[..., str]
) -> None:
    name = f"{stored.stack.address}/app:1"
    make_image(name)
    docker("push", name)
    layer = json.loads(stored.blob(stored.tag("app", "1").read_text()).read_bytes())["layers"][0]["digest"]
    stored.blob(layer).unlink()
    told = stored.stack.deployer("status").stderr
    assert "app:1 cannot be pulled whole" in told
    assert "gc --damaged" not in told
    docker("push", name)
    assert pulls_whole(client, "app", "1")
    assert "cannot be pulled whole" not in stored.stack.deployer("status").stderr


@pytest.mark.parametrize("lost", ["layer", "configuration", "manifest", "tag"])
def test_a_missing_link_needs_a_push_alone(
    stored: Stored, client: httpx.Client, make_image: Callable[..., str], lost: str
) -> None:
    """As the advice says: the registry takes the file that it has for one that is not there, and links it again."""
    name = f"{stored.stack.address}/app:1"
    make_image(name)
    docker("push", name)
    digest = stored.tag("app", "1").read_text()
    manifest = json.loads(stored.blob(digest).read_bytes())
    layers = stored.repository("app") / "_layers"
    part = {"layer": manifest["layers"][0], "configuration": manifest["config"]}.get(lost, {"digest": digest})["digest"]
    link = {"manifest": stored.revision("app", digest), "tag": stored.tag("app", "1")}.get(
        lost, layers / part.replace(":", "/") / "link"
    )
    link.unlink()
    told = stored.stack.deployer("tags", "app").stderr
    (finding,) = json.loads(stored.stack.deployer("status", "--json").stdout)["content"]
    if lost == "tag":
        assert finding["sentence"].startswith("app:1: a tag, whose file is missing")
    else:
        what = "manifest" if lost == "manifest" else "file"
        assert f"app:1 is not whole: the link of the {what} {part[7:19]} is missing. Push it again." in told
        assert finding["sentence"] == f"app:1 cannot be pulled whole: the link of the {what} {part[7:19]} is missing."
    docker("push", name)
    assert pulls_whole(client, "app", "1")
    assert stored.stack.deployer("tags", "app", check=True).stderr == ""
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []


@pytest.mark.parametrize("cut", ["layer", "layer and manifest", "layer, and no manifest"])
def test_a_removal_as_advised_takes_the_damaged_file_and_nothing_else(
    stored: Stored, client: httpx.Client, make_image: Callable[..., str], cut: str
) -> None:
    """The files are as young as after a power cut: what is left of them must not pass for a push under way."""
    name = f"{stored.stack.address}/app:1"
    make_image(name, 300_000)
    docker("push", name)
    digest = stored.tag("app", "1").read_text()
    media_type = json.loads(stored.blob(digest).read_bytes())["mediaType"]
    assert put_manifest(client, "app", "same", Image(stored.blob(digest).read_bytes(), media_type, ())) == 201
    push_image(client, "app", "2")
    innocent = build_image(layers=("by digest",))
    for blob in innocent.blobs:
        put_blob(client, "by-digest", blob)
    assert put_manifest(client, "by-digest", innocent.digest, innocent) == 201
    layer = json.loads(stored.blob(digest).read_bytes())["layers"][0]["digest"]
    stored.blob(layer).write_bytes(stored.blob(layer).read_bytes()[:1000])
    if cut == "layer and manifest":
        stored.blob(digest).write_bytes(b"{")
    elif cut == "layer, and no manifest":
        stored.blob(digest).unlink()

    told = json.loads(stored.stack.deployer("status", "--json").stdout)["content"][0]
    delete, collect = told["advice"][-1].removeprefix("Or remove them: ").split(", then: ")
    for command in (delete, collect):
        stored.stack.deployer(*command.split()[1:], "--yes", check=True)
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []
    assert pulls_whole(client, "by-digest", innocent.digest)
    assert pulls_whole(client, "app", "2")
    docker("push", name)
    docker("image", "rm", name)
    docker("pull", name)
    assert pulls_whole(client, "app", "1")
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []


@pytest.mark.parametrize("media", ["docker", OCI])
def test_windows_images_are_taken_kept_and_never_called_lost(stored: Stored, client: httpx.Client, media: str) -> None:
    windows = foreign_image(media=media)
    push(client, "windows", "1", windows)
    stored.age()
    before = stored.listing()
    done = stored.stack.deployer("gc", "--untagged", "--yes")
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done.stderr
    assert stored.listing() == before
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []
    assert "cannot" not in stored.stack.deployer("inspect", "windows:1", check=True).stderr
    answer = client.get("/v2/windows/manifests/1", headers={"Accept": windows.media_type})
    assert answer.content == windows.content


def test_a_size_that_a_manifest_says_wrongly_is_told_by_all_and_takes_nothing(
    stored: Stored, client: httpx.Client, make_image: Callable[..., str]
) -> None:
    """Docker pulls the image, and what it pushes then has the right size; containerd refuses it."""
    name = f"{stored.stack.address}/app:1"
    make_image(name)
    docker("push", name)
    push_image(client, "app", "other")
    right = stored.tag("app", "1").read_text()
    document = json.loads(stored.blob(right).read_bytes())
    layer, size = document["layers"][0]["digest"], document["layers"][0]["size"]
    document["layers"][0]["size"] += 1
    assert put_manifest(client, "app", "1", Image(json.dumps(document).encode(), document["mediaType"], ())) == 201
    client.delete(f"/v2/app/manifests/{right}").raise_for_status()
    sizes = f"the file {layer[7:19]} has {size} bytes, and the manifest says {size + 1}."
    for look in (("status",), ("doctor",), ("gc", "--dry-run"), ("prune", "--keep", "5", "--dry-run")):
        shown = stored.stack.deployer(*look)
        assert f"app:1: {sizes}" in shown.stdout + shown.stderr, look
        assert "damaged" not in shown.stdout + shown.stderr, look
    for look in (("tags", "app"), ("inspect", "app:1")):
        shown = stored.stack.deployer(*look)
        assert f"app:1 is not whole: {sizes}" in shown.stderr
        assert "app:other is" not in shown.stderr
    content = stored.blob(layer).read_bytes()
    stored.stack.deployer("gc", "--damaged", "--yes", check=True)
    assert stored.blob(layer).read_bytes() == content
    docker("image", "rm", name)
    docker("pull", name)
    docker("push", name)
    assert "app:1" not in stored.stack.deployer("tags", "app").stderr
    stored.stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes", check=True)
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["content"] == []


def test_damaged_links_are_written_again(stored: Stored, client: httpx.Client) -> None:
    whole = build_image()
    push(client, "app", "1", whole)
    layer = stored.repository("app") / "_layers" / sha256(whole.blobs[1]).replace(":", "/") / "link"
    for link in (layer, stored.revision("app", whole.digest)):
        link.write_bytes(b"")
    assert not pulls_whole(client, "app", "1")
    assert (
        "app: the links of 2 of its manifests and layers are empty or damaged" in stored.stack.deployer("doctor").stdout
    )
    stored.stack.deployer("gc", "--damaged", "--yes", check=True)
    assert pulls_whole(client, "app", "1")


# -- what is in the storage and is not the registry's, or cannot be read


def test_files_among_the_tags_are_named_by_their_paths_and_the_rest_goes_on(
    stored: Stored, client: httpx.Client
) -> None:
    gone = push_image(client, "app", "gone", layers=("gone",))
    push_image(client, "app", "1")
    tags = stored.repository("app") / "_manifests" / "tags"
    (tags / "Thumbs.db").write_bytes(b"x")
    (tags / "@eaDir").mkdir()
    assert client.delete(f"/v2/app/manifests/{gone.digest}").status_code == 500, "as the registry itself does"
    for told in (stored.stack.deployer("status").stderr, stored.stack.deployer("doctor").stdout):
        assert "/repositories/app/_manifests/tags/Thumbs.db" in told
        assert "/repositories/app/_manifests/tags/@eaDir" in told
    assert "\n1 " in stored.stack.deployer("tags", "app").stdout
    stored.stack.deployer("gc", "--untagged", "--yes", check=True)
    assert pulls_whole(client, "app", "1")
    (tags / "Thumbs.db").unlink()
    (tags / "@eaDir").rmdir()
    again = push_image(client, "app", "gone", layers=("gone",))
    client.delete(f"/v2/app/manifests/{again.digest}").raise_for_status()


@pytest.mark.parametrize("place", ["repositories", "blobs"])
def test_a_storage_that_cannot_be_read_is_no_empty_one(stored: Stored, client: httpx.Client, place: str) -> None:
    push_image(client, "app", "1")
    folder = stored.root / place
    folder.rename(stored.disk / "aside")
    folder.symlink_to(folder.name)
    before = stored.listing()
    for command in (("status",), ("doctor",), ("gc", "--yes"), ("prune", "--keep", "1", "--yes"), ("gc", "--dry-run")):
        done = stored.stack.deployer(*command)
        assert done.returncode == 1, command
        assert f"/var/lib/registry/docker/registry/v2/{place}" in done.stdout + done.stderr, command
    # Both tell how to fix it, and `up` would not.
    assert "→ Look what is there" in stored.stack.deployer("status").stderr
    told = stored.stack.deployer("doctor").stdout
    assert "→ Look what is there" in told
    assert "→ deployer up" not in told
    catalog = stored.stack.deployer("catalog", "--tags")
    assert catalog.returncode == 1
    assert "No repositories" not in catalog.stdout + catalog.stderr
    assert stored.listing() == before
    folder.unlink()
    (stored.disk / "aside").rename(folder)
    assert pulls_whole(client, "app", "1")
    assert stored.stack.deployer("status").returncode == 0


def test_the_clock_is_named_where_it_was_wrong(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "app", "1")
    age(stored.tag("app", "1"), -99 * 24 * HOUR)
    told = stored.stack.deployer("status").stderr
    assert "app:1: pushed in the future" in told
    assert "The clock here says 20" in told
    kept = stored.stack.deployer("prune", "--older-than", "0s", "--match", "^2", "--yes", check=True)
    assert "app:1: pushed in the future" in kept.stderr
