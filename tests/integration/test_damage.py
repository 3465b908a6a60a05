"""An image that a power cut damaged: told, kept, taken out of the way, pushed again by Docker, and whole.

Each kind of damage has its own repository. The commands that check the whole storage run once for several kinds,
in a fixture that tells what they said and left; each test is about one kind.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.content import build_image, foreign_image, push_image
from tests.support.local_images import local_images
from tests.support.pulling import pulls_whole, put_blob, put_manifest
from tests.support.registry_content import OCI, Image, push, sha256
from tests.support.stack import docker
from tests.support.stored import HOUR, Stored, age

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    import httpx

    from tests.support.stack import DeployedStack

    Make = Callable[..., str]


def run(stored: Stored, *commands: tuple[str, ...]) -> dict[tuple[str, ...], CompletedProcess[str]]:
    """What each command said."""
    return {command: stored.stack.deployer(*command) for command in commands}


def both(done: CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def content(stored: Stored) -> list[dict[str, Any]]:
    """What `status` finds wrong with the storage."""
    return list(json.loads(stored.stack.deployer("status", "--json").stdout)["content"])


def push_local(stored: Stored, make: Make, *repositories: str, size: int = 1000) -> dict[str, str]:
    """Push a random image to each repository, by Docker, as `1`; the images' IDs."""
    names = {name: f"{stored.stack.address}/{name}:1" for name in repositories}
    made = {name: make(image, size) for name, image in names.items()}
    for image in names.values():
        docker("push", image)
    return made


def parts(stored: Stored, repository: str) -> dict[str, str]:
    """The digests of what the tag `1` needs, by kind."""
    digest = stored.tag(repository, "1").read_text()
    manifest = json.loads(stored.blob(digest).read_bytes())
    return {
        "manifest": digest,
        "layer": manifest["layers"][0]["digest"],
        "configuration": manifest["config"]["digest"],
    }


# -- told by every command, kept by every command, and whole again after the cure and a push

CUT = {
    "empty-layer": ("layer", b""),
    "short-configuration": ("configuration", b"cut short"),
    "short-layer-and-manifest": ("layer and manifest", b"cut short"),
}
"""The files that a power cut shortened, and what they hold now; by repository."""
LOOKS = (
    ("status",),
    ("doctor",),
    ("catalog", "--tags"),
    ("gc", "--dry-run"),
    ("prune", "--keep", "1", "--dry-run"),
)
FLIPPED, LINKED = (build_image(layers=(word,)) for word in ("flipped", "linked"))


@dataclass
class Cured:
    """What was said of damaged images, and what became of them."""

    shown: dict[tuple[str, ...], CompletedProcess[str]]
    broken: bool
    kept: bool = False
    unasked: int = 0
    said: str = ""
    """What the cure said."""
    whole: dict[str, bool] = field(default_factory=dict)
    pulled: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The ID of each image as it was pushed, and as it was pulled after all."""
    gone: set[str] = field(default_factory=set)
    left: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def cured(shared: DeployedStack) -> Cured:
    """`gc --damaged` and a push of everything, after every command has looked, and `gc` and `prune` have run."""
    stored = Stored(shared)
    stored.clear()
    with shared.client as client, local_images() as make:
        local = push_local(stored, make, *CUT)
        push_image(client, "other", "1")
        push(client, "flipped", "1", FLIPPED)
        push(client, "links", "1", LINKED)
        before = stored.blobs()
        damage(stored)
        whole = pulls_whole(client, "links", "1")
        looks = [
            *LOOKS,
            *((verb, *name) for one in (*CUT, "flipped") for verb, *name in (("tags", one), ("inspect", f"{one}:1"))),
        ]
        made = Cured(run(stored, *looks), not whole)

        listed = stored.listing().keys()
        for command in (("gc", "--untagged", "--older-than", "0s"), ("prune", "--keep", "1")):
            shared.deployer(*command, "--yes", check=True)
        made.kept = stored.listing().keys() == listed
        names = {name: f"{shared.address}/{name}:1" for name in CUT}
        for name in names.values():
            docker("push", name, check=False)
        made.unasked = shared.deployer("gc", "--damaged").returncode
        made.said = shared.deployer("gc", "--damaged", "--yes", check=True).stderr
        made.whole["links"] = pulls_whole(client, "links", "1")
        for repository, name in names.items():
            docker("push", name)
            docker("image", "rm", name)
            docker("pull", name)
            made.pulled[repository] = local[repository], docker("image", "inspect", "--format", "{{.Id}}", name).strip()
        push(client, "flipped", "1", FLIPPED)
        made.whole |= {name: pulls_whole(client, name, "1") for name in (*CUT, "flipped", "other")}
        made.gone = before - stored.blobs()
        made.left = content(stored)
    return made


def damage(stored: Stored) -> None:
    for repository, (which, written) in CUT.items():
        files = parts(stored, repository)
        for part in which.split(" and "):
            stored.blob(files[part]).write_bytes(written)
    stored.age()
    config = stored.blob(sha256(FLIPPED.blobs[0]))
    flipped = bytearray(config.read_bytes())
    flipped[5] ^= 1
    config.write_bytes(flipped)
    layer = stored.repository("links") / "_layers" / sha256(LINKED.blobs[1]).replace(":", "/") / "link"
    for link in (layer, stored.revision("links", LINKED.digest)):
        link.write_bytes(b"")


@pytest.mark.parametrize("repository", [*CUT, "flipped"])
def test_a_damaged_image_is_told_by_every_command(cured: Cured, repository: str) -> None:
    for look in LOOKS:
        if look[0] != "catalog":
            assert f"{repository}:1 is incomplete" in both(cured.shown[look]), look
    assert cured.shown["status",].returncode == 0
    assert "deployer gc --damaged" in cured.shown["status",].stderr
    for one in (("tags", repository), ("inspect", f"{repository}:1"), ("catalog", "--tags")):
        lines = cured.shown[one].stderr.splitlines()
        # Where a size alone is wrong, it may be the manifest that says it wrongly.
        is_doubtful = repository == "short-configuration"
        said = f"{repository}:1 {'may be' if is_doubtful else 'is'} incomplete: the "
        shown = "\n".join(line for line in lines if said in line)
        assert shown, one
        # Not read to the end, it may be the manifest that says a wrong size of it.
        assert "is damaged" not in shown or repository in {"flipped", "short-layer-and-manifest"}, one
        cure = (
            "deployer status shows whether the file or the manifest is wrong"
            if is_doubtful
            else "--damaged, then push it again"
        )
        assert cure in shown, one


def test_nothing_of_a_damaged_image_is_collected_or_pruned(cured: Cured) -> None:
    assert cured.kept


@pytest.mark.parametrize("repository", CUT)
def test_a_damaged_image_is_whole_after_the_cure_and_a_push(cured: Cured, repository: str) -> None:
    assert cured.unasked == 1, "nothing goes without a yes"
    assert "deployer gc --damaged" not in cured.said, "no command advises itself"
    pushed, pulled = cured.pulled[repository]
    assert pulled == pushed
    assert cured.whole[repository]
    assert cured.whole["other"]
    assert cured.gone == set()
    assert cured.left == []


def test_a_flipped_bit_of_a_configuration_is_cured(cured: Cured) -> None:
    assert cured.whole["flipped"]
    assert cured.left == []


def test_damaged_links_are_written_again(cured: Cured) -> None:
    assert cured.broken
    for look in (one for one in LOOKS if one[0] != "catalog"):
        said = cured.shown[look].stdout + cured.shown[look].stderr
        assert said.count("links:1 is incomplete: the link to the") == 1, look
        assert "link files are empty" not in said, "no link is told twice"
    assert cured.whole["links"]


# -- bytes that only reading a layer to its end tells to be wrong


def test_a_layer_of_the_right_size_is_found_by_reading_it_and_whole_after_a_push(
    shared: DeployedStack, tmp_path: Path
) -> None:
    stored = Stored(shared)
    stored.clear()
    with local_images() as make:
        made = push_local(stored, make, "nulled", "other")["nulled"]
        name = f"{shared.address}/nulled:1"
        docker("image", "save", "--output", str(tmp_path / "kept.tar"), name)
        layer = stored.blob(parts(stored, "nulled")["layer"])
        layer.write_bytes(bytes(layer.stat().st_size))
        docker("image", "rm", name)
        refused = shared.deployer("pull", "nulled:1")
        assert refused.returncode == 1
        assert "does not match its manifest" in refused.stderr
        assert "deployer check --full" in refused.stderr
        assert "deployer gc --damaged --full" in shared.deployer("gc", "--damaged", "--yes", check=True).stderr
        assert layer.exists()
        assert shared.deployer("gc", "--full").returncode == 2
        told = shared.deployer("gc", "--damaged", "--full", "--dry-run", check=True)
        assert f"nulled:1 is incomplete: the file {layer.parent.name[:12]} is damaged" in told.stderr
        shared.deployer("gc", "--damaged", "--full", "--yes", check=True)
        assert not layer.exists()
        docker("image", "load", "--input", str(tmp_path / "kept.tar"))
        docker("push", name)
        docker("image", "rm", name)
        shared.deployer("pull", "nulled:1", check=True)
        assert docker("image", "inspect", "--format", "{{.Id}}", name).strip() == made
        assert "No garbage found" in shared.deployer("gc", "--damaged", "--full", "--yes", check=True).stderr


# -- a folder in place of a file

PLACES = ("layer", "manifest", "layer's link", "manifest's link", "tag's link")
WITHOUT_FOLDER = (("status",), ("doctor",), ("gc", "--yes"), ("prune", "--keep", "1", "--yes"), ("gc", "--damaged"))


@dataclass
class Blocked:
    """What was said while folders lay in the place of files, and what was left."""

    named: dict[str, str]
    shown: dict[tuple[str, ...], CompletedProcess[str]]
    tags: dict[str, CompletedProcess[str]]
    answers: dict[str, int]
    collected: bool
    still: dict[str, bool]
    whole: dict[str, bool]
    left: list[dict[str, Any]]


def in_repository(place: str) -> str:
    return re.sub("[^a-z]+", "-", place)


@pytest.fixture(scope="module")
def blocked(shared: DeployedStack) -> Blocked:
    """A repository for each place; every command has run, then the folders were removed, and all was pushed again."""
    stored = Stored(shared)
    stored.clear()
    images = {place: build_image(layers=(place,)) for place in PLACES}
    with shared.client as client:
        for place, whole in images.items():
            push(client, in_repository(place), "1", whole)
        gone = push_image(client, "other", "gone", layers=("gone",))
        client.delete(f"/v2/other/manifests/{gone.digest}").raise_for_status()
        stored.age()
        paths = {place: path_of(stored, place, whole) for place, whole in images.items()}
        for path in paths.values():
            path.unlink()
            path.mkdir()
        shown = run(stored, *WITHOUT_FOLDER)
        tags = {place: shared.deployer("tags", in_repository(place)) for place in PLACES}
        addresses = [f"{kind}/{in_repository(place)}" for kind in ("tags", "untagged") for place in PLACES]
        answers = {
            address: client.get(f"/overview/{address}").status_code
            for address in (*addresses, "catalog", "pushed", "stored")
        }
        collected = not stored.blob(gone.digest).exists()
        still = {place: path.is_dir() for place, path in paths.items()}
        for place, whole in images.items():
            paths[place].rmdir()
            push(client, in_repository(place), "1", whole)
        whole_again = {place: pulls_whole(client, in_repository(place), "1") for place in PLACES}
        named = {place: f"/var/lib/registry/{path.relative_to(stored.disk)}" for place, path in paths.items()}
        return Blocked(named, shown, tags, answers, collected, still, whole_again, content(stored))


def path_of(stored: Stored, place: str, whole: Image) -> Path:
    layer, repository = sha256(whole.blobs[1]), in_repository(place)
    return {
        "layer": stored.blob(layer),
        "manifest": stored.blob(whole.digest),
        "layer's link": stored.repository(repository) / "_layers" / layer.replace(":", "/") / "link",
        "manifest's link": stored.revision(repository, whole.digest),
        "tag's link": stored.tag(repository, "1"),
    }[place]


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_in_place_of_a_file_is_named_and_stops_nothing(blocked: Blocked, place: str) -> None:
    for look, done in blocked.shown.items():
        assert re.search(f"Move [^\n]*{re.escape(blocked.named[place])}[^\n]* away", both(done)), look
        assert done.returncode == (look == ("doctor",)), look
    shown = blocked.tags[place].stderr
    assert "(4096 bytes)" not in shown
    if place.startswith("layer"):
        assert f"something else is in place of the {'link to the ' * ('link' in place)}file" in shown
        after = "deployer gc --damaged." if "link" in place else "push it again."
        assert f"move {blocked.named[place]} away (a path in the registry's container), then {after}" in shown
    assert blocked.still[place]
    for kind in ("tags", "untagged"):
        assert blocked.answers[f"{kind}/{in_repository(place)}"] == 200, kind
    assert blocked.whole[place]
    assert blocked.left == []


def test_with_folders_in_place_of_files_the_rest_is_collected_and_told(blocked: Blocked) -> None:
    assert blocked.collected
    assert {name: blocked.answers[name] for name in ("catalog", "pushed", "stored")} == {
        "catalog": 200, "pushed": 200, "stored": 200,
    }  # fmt: skip


# -- what is missing needs a push alone

LOST = ("layer", "layer-link", "configuration-link", "manifest-link", "tag")
LINKS = tuple(name for name in LOST if name.endswith("-link"))


@dataclass
class PushedAgain:
    """What was said of what was missing, and what was left after a push alone; links are restored without one too."""

    digests: dict[str, str]
    told: list[dict[str, Any]]
    tags: dict[str, str]
    inspected: dict[str, str]
    pulled: str
    dry: str
    said: str
    restored: dict[str, bool]
    whole: dict[str, bool]
    left: list[dict[str, Any]]
    tags_after: dict[str, str]


@pytest.fixture(scope="module")
def pushed_again(shared: DeployedStack) -> PushedAgain:
    """A repository for each thing that was lost."""
    stored = Stored(shared)
    stored.clear()
    with shared.client as client, local_images() as make:
        push_local(stored, make, *LOST)
        lost = {repository: lose(stored, repository) for repository in LOST}
        told = content(stored)
        tags = {name: shared.deployer("tags", name).stderr for name in LOST}
        inspected = {name: shared.deployer("inspect", f"{name}:1").stderr for name in LOST}
        pulled = shared.deployer("pull", "manifest-link:1").stderr
        dry = both(shared.deployer("gc", "--damaged", "--dry-run", check=True))
        said = both(shared.deployer("gc", "--damaged", "--yes", check=True))
        restored = {name: pulls_whole(client, name, "1") for name in LINKS}
        for name in LINKS:
            lose(stored, name)
        for name in LOST:
            docker("push", f"{shared.address}/{name}:1")
        whole = {name: pulls_whole(client, name, "1") for name in LOST}
        after = {name: shared.deployer("tags", name, check=True).stderr for name in LOST}
        return PushedAgain(lost, told, tags, inspected, pulled, dry, said, restored, whole, content(stored), after)


def lose(stored: Stored, repository: str) -> str:
    """Remove what the repository is called after; the digest of what is not found without it."""
    of = parts(stored, repository)
    part, _, is_link = repository.partition("-")
    digest = of.get(part, of["manifest"])
    link = stored.repository(repository) / "_layers" / digest.replace(":", "/") / "link"
    path = {"tag": stored.tag(repository, "1"), "manifest": stored.revision(repository, digest)}.get(part, link)
    (path if is_link or part == "tag" else stored.blob(digest)).unlink()
    return digest


def test_a_missing_layer_needs_a_push_alone(pushed_again: PushedAgain) -> None:
    (told,) = [one for one in pushed_again.told if one["sentence"].startswith("layer:1 is incomplete")]
    assert "gc --damaged" not in " ".join(told["advice"][:-1])
    assert pushed_again.whole["layer"]
    assert pushed_again.left == []


@pytest.mark.parametrize("lost", LOST[1:])
def test_a_missing_link_needs_a_push_alone(pushed_again: PushedAgain, lost: str) -> None:
    """As the advice says: the registry takes the file that it has for one that is not there, and links it again."""
    (finding,) = [one["sentence"] for one in pushed_again.told if one["sentence"].startswith(f"{lost}:1")]
    if lost == "tag":
        assert finding.startswith("tag:1: a tag, whose file is missing")
    else:
        what = "manifest" if lost == "manifest-link" else "file"
        missing = f"the link to the {what} {pushed_again.digests[lost][7:19]} is missing."
        cure = (
            "On the machine that runs the registry: deployer gc --damaged, which restores the link. Or push it again."
        )
        for shown in (pushed_again.tags[lost], pushed_again.inspected[lost]):
            assert f"{lost}:1 is incomplete: {missing} {cure}" in shown
            assert "deployer delete" not in shown
        for shown in (pushed_again.dry, pushed_again.said):
            assert f"Restores {lost}:1: {missing}" in shown
            assert f"delete {lost}" not in shown
        if lost == "manifest-link":
            assert f"{lost}:1 is incomplete: {missing} {cure}" in pushed_again.pulled
        assert pushed_again.restored[lost]
        assert finding == f"{lost}:1 is incomplete: {missing}"
    assert pushed_again.whole[lost]
    assert pushed_again.tags_after[lost] == ""
    assert pushed_again.left == []


# -- removed as is advised

REMOVED = {
    "short-layer": "layer",
    "short-layer-and-manifest": "layer and manifest",
    "short-layer-without-manifest": "layer, and no manifest",
}
COLLECTED_BY = {
    "deployer gc": ("short-layer", "short-layer-and-manifest"),
    "deployer gc --damaged": ("short-layer-without-manifest",),
}
"""The command that is advised after the deletion, and the repositories in which it is run."""


@dataclass
class Removed:
    """What was advised for a repository, what was left after it, and after a push."""

    collect: str
    left: list[dict[str, Any]]
    innocent: bool
    other: bool
    whole: bool = False
    left_at_the_end: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def removed(shared: DeployedStack) -> dict[str, Removed]:
    """The files are as young as after a power cut: what is left of them must not pass for a push in progress."""
    stored = Stored(shared)
    with shared.client as client, local_images() as make:
        return {
            name: found
            for repositories in COLLECTED_BY.values()
            for name, found in remove_as_advised(stored, client, make, repositories).items()
        }


def remove_as_advised(
    stored: Stored, client: httpx.Client, make: Make, repositories: tuple[str, ...]
) -> dict[str, Removed]:
    stored.clear()
    push_local(stored, make, *repositories, size=300_000)
    innocent = build_image(layers=("by digest",))
    for blob in innocent.blobs:
        put_blob(client, "by-digest", blob)
    assert put_manifest(client, "by-digest", innocent.digest, innocent) == 201
    for repository in repositories:
        cut_layer(stored, client, repository)
    told = {one["sentence"].partition(":")[0]: one["advice"][-1] for one in content(stored)}
    advised = {name: told[name].removeprefix("Or delete them: ").split(", then: ") for name in repositories}
    for command in [delete for delete, _ in advised.values()] + [*{collect for _, collect in advised.values()}]:
        stored.stack.deployer(*command.split()[1:], "--yes", check=True)
    left, is_innocent = content(stored), pulls_whole(client, "by-digest", innocent.digest)
    made = {
        name: Removed(collect, left, is_innocent, pulls_whole(client, name, "2"))
        for name, (_, collect) in advised.items()
    }
    for repository, one in made.items():
        name = f"{stored.stack.address}/{repository}:1"
        docker("push", name)
        docker("image", "rm", name)
        docker("pull", name)
        one.whole = pulls_whole(client, repository, "1")
    left = content(stored)
    for one in made.values():
        one.left_at_the_end = left
    return made


def cut_layer(stored: Stored, client: httpx.Client, repository: str) -> None:
    of = parts(stored, repository)
    manifest = stored.blob(of["manifest"])
    media_type = json.loads(manifest.read_bytes())["mediaType"]
    assert put_manifest(client, repository, "same", Image(manifest.read_bytes(), media_type, ())) == 201
    push_image(client, repository, "2")
    layer = stored.blob(of["layer"])
    layer.write_bytes(layer.read_bytes()[:1000])
    if REMOVED[repository] == "layer and manifest":
        manifest.write_bytes(b"{")
    elif REMOVED[repository] == "layer, and no manifest":
        manifest.unlink()


@pytest.mark.parametrize("repository", REMOVED)
def test_a_removal_as_advised_takes_the_damaged_file_and_nothing_else(
    removed: dict[str, Removed], repository: str
) -> None:
    found = removed[repository]
    assert repository in COLLECTED_BY[found.collect]
    assert found.left == []
    assert found.innocent
    assert found.other
    assert found.whole
    assert found.left_at_the_end == []


# -- what is no damage


@dataclass
class Foreign:
    """What was said of images of which layers lie elsewhere, and what was left."""

    done: CompletedProcess[str]
    unchanged: bool
    content: list[dict[str, Any]]
    said: dict[str, str]
    answers: dict[str, bytes]


WINDOWS = {media: foreign_image(media=media) for media in ("docker", OCI)}


@pytest.fixture(scope="module")
def foreign(shared: DeployedStack) -> Foreign:
    stored = Stored(shared)
    stored.clear()
    with shared.client as client:
        for media, windows in WINDOWS.items():
            push(client, f"windows/{media}", "1", windows)
        stored.age()
        before = stored.listing()
        done = shared.deployer("gc", "--untagged", "--yes")
        unchanged = stored.listing() == before
        said = {
            media: "".join(
                shared.deployer(*words, check=True).stderr
                for words in (("inspect", f"windows/{media}:1"), ("tags", f"windows/{media}"))
            )
            for media in WINDOWS
        }
        answers = {
            media: client.get(f"/v2/windows/{media}/manifests/1", headers={"Accept": windows.media_type}).content
            for media, windows in WINDOWS.items()
        }
        return Foreign(done, unchanged, content(stored), said, answers)


@pytest.mark.parametrize("media", WINDOWS)
def test_windows_images_are_taken_kept_and_never_called_lost(foreign: Foreign, media: str) -> None:
    assert (foreign.done.returncode, "Warning" in foreign.done.stderr) == (0, False), foreign.done.stderr
    assert foreign.unchanged
    assert foreign.content == []
    assert "cannot" not in foreign.said[media]
    assert "incomplete" not in foreign.said[media]
    assert foreign.answers[media] == WINDOWS[media].content


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
    sizes = f"the file {layer[7:19]} has {size} bytes, but the manifest says {size + 1}."
    for look in (("status",), ("doctor",), ("gc", "--dry-run"), ("prune", "--keep", "5", "--dry-run")):
        shown = stored.stack.deployer(*look)
        assert f"app:1: {sizes}" in shown.stdout + shown.stderr, look
        assert "damaged" not in shown.stdout + shown.stderr, look
    for look in (("tags", "app"), ("inspect", "app:1")):
        shown = stored.stack.deployer(*look)
        assert (
            f"app:1 may be incomplete: {sizes} On the machine that runs the registry, deployer status" in shown.stderr
        )
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


def test_content_in_a_wrong_directory_is_named_by_its_path_and_never_freed(
    stored: Stored, client: httpx.Client
) -> None:
    made = push_image(client, "app", "1")
    right = stored.blob(made.digest).parent
    wrong = stored.root / "blobs/sha256/zz" / right.name
    wrong.parent.mkdir()
    right.rename(wrong)
    try:
        assert client.get("/v2/app/manifests/1").status_code == 404, "as the registry itself says"
        stored.age()
        for look in (("status",), ("doctor",), ("gc", "--yes")):
            shown = stored.stack.deployer(*look)
            assert f"/blobs/sha256/zz/{right.name}" in shown.stdout + shown.stderr, look
        assert "Freed" not in shown.stderr
    finally:
        wrong.rename(right)
        wrong.parent.rmdir()
    assert pulls_whole(client, "app", "1")


@pytest.mark.parametrize("place", ["repositories", "blobs"])
def test_a_storage_that_cannot_be_read_is_no_empty_one(stored: Stored, client: httpx.Client, place: str) -> None:
    push_image(client, "app", "1")
    folder = stored.root / place
    folder.rename(stored.disk / "aside")
    folder.symlink_to(folder.name)
    before = stored.listing()
    shown = run(
        stored, ("status",), ("doctor",), ("gc", "--yes"), ("prune", "--keep", "1", "--yes"), ("gc", "--dry-run")
    )
    for command, done in shown.items():
        assert done.returncode == 1, command
        assert f"/var/lib/registry/docker/registry/v2/{place}" in both(done), command
    # Both tell how to fix it, and `up` would not.
    assert "→ Check what it is" in shown["status",].stderr
    assert "→ Check what it is" in shown["doctor",].stdout
    assert "→ deployer up" not in shown["doctor",].stdout
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
    assert "app:1: this push is dated in the future" in told
    assert "This machine's clock says 20" in told
    kept = stored.stack.deployer("prune", "--older-than", "0s", "--match", "^2", "--yes", check=True)
    assert "app:1: this push is dated in the future" in kept.stderr
