"""Which tags the rules of `deployer prune` take, on storages written as a registry writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.views.upkeep import PruneReport
from deployer.registry.content import placeholder
from deployer.registry.content.manifests import digest_of
from deployer.settings.build import build
from deployer.settings.retention import RetentionRule
from deployer.workflows.upkeep.prune import PrunePlan, plan_prune
from tests.support.local_storage import HOUR, Tree
from tests.support.registry_content import DOCKER, OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.workflows.upkeep.survey.garbage import Survey


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def rule(**written: Any) -> RetentionRule:
    problems: list[str] = []
    made = build(RetentionRule, written, problems)
    assert not problems
    return made


def prune(tree: Tree, *rules: RetentionRule) -> tuple[Survey, PrunePlan]:
    plan = plan_prune(tree.storage(), rules)
    return plan.survey, plan


def tags(found: Survey, repository: str = "app") -> list[str]:
    return sorted(tag for name, tag in found.removal.tags if name == repository)


def dated(word: str, created: str) -> Image:
    return image(word, created=created)


def releases(tree: Tree, count: int = 5) -> None:
    """Tags 1 … count, each created a day after the one before, and all pushed in the opposite order."""
    for number in range(1, count + 1):
        tree.push("app", [str(number)], dated(f"app {number}", f"2024-01-{number:02}T00:00:00Z"), age=number * HOUR)


def test_a_half_deleted_tag_takes_no_images_place_and_keeps_its_own(tree: Tree) -> None:
    releases(tree)
    original = tree.push("app", [], dated("half", "2024-01-01T00:00:00Z"), age=9 * HOUR)
    left = placeholder.make("half", original, DOCKER, "nonce")
    tree.push("app", ["half"], Image(left.content, left.media_type, (placeholder.CONFIG,)), age=0)
    found, _ = prune(tree, rule(keep=2), rule(untagged=True, older_than="1h"))
    assert tags(found) == ["1", "2", "3"]
    assert original not in {digest for _, digest in found.removal.revisions}


@pytest.mark.parametrize(
    "kind", ["application/vnd.buildkit.cacheconfig.v0", "application/vnd.cncf.helm.config.v1+json"]
)
def test_what_is_no_image_takes_no_images_place_among_the_newest(tree: Tree, kind: str) -> None:
    releases(tree, 2)
    for number, age in enumerate((HOUR // 2, HOUR // 4), 1):
        tree.push("app", [f"other-{number}"], _of_type(kind, number), age=age)
    found, _ = prune(tree, rule(keep=1))
    assert tags(found) == ["1", "other-1"]


def test_what_cannot_be_pulled_whole_takes_no_images_place_among_the_newest(tree: Tree) -> None:
    """The newest stays all the same: it may be made whole again."""
    releases(tree, 3)
    newest, other = dated("newest", "2025-01-01T00:00:00Z"), image("never pushed", platform="linux/arm64")
    tree.push("app", [], newest, age=60)
    tree.push("app", ["newest"], index([(newest, "linux/amd64"), (other, "linux/arm64")]), age=60)
    found, _ = prune(tree, rule(keep=1))
    assert tags(found) == ["1", "2"]


def test_an_index_that_names_no_image_takes_no_images_place(tree: Tree) -> None:
    releases(tree, 3)
    tree.push("app", ["newest"], index([]), age=60)
    found, _ = prune(tree, rule(keep=1))
    assert tags(found) == ["1", "2"]


def test_where_none_is_whole_the_newest_stay(tree: Tree) -> None:
    """As of a mirror of some platforms."""
    other = image("never pushed", platform="linux/arm64")
    for number in range(1, 4):
        here = dated(f"here {number}", f"2024-01-{number:02}T00:00:00Z")
        tree.push("app", [], here, age=number * HOUR)
        tree.push("app", [str(number)], index([(here, "linux/amd64"), (other, "linux/arm64")]), age=number * HOUR)
    found, _ = prune(tree, rule(keep=1))
    assert tags(found) == ["1", "2"]


def test_an_index_of_artifacts_takes_no_images_place_among_the_newest(tree: Tree) -> None:
    releases(tree, 2)
    plugin = _of_type("application/vnd.cncf.falco.plugin.config.v1+json", 1)
    tree.push("app", [], plugin, age=HOUR // 2)
    tree.push("app", ["plugin"], index([(plugin, "linux/amd64")]), age=HOUR // 2)
    found, _ = prune(tree, rule(keep=1))
    assert tags(found) == ["1"]


def _of_type(config_type: str, number: int) -> Image:
    config = f'{{"number": {number}}}'.encode()
    document = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"mediaType": config_type, "digest": sha256(config), "size": len(config)},
        "layers": [],
    }
    return Image(json.dumps(document).encode(), OCI, (config,))


def test_the_newest_stay_by_their_creation(tree: Tree) -> None:
    releases(tree)
    found, _ = prune(tree, rule(keep=2))
    assert tags(found) == ["1", "2", "3"]
    assert len(found.removal.revisions) == 3


def test_or_by_their_push(tree: Tree) -> None:
    releases(tree)
    found, _ = prune(tree, rule(keep=2, by="pushed"))
    assert tags(found) == ["3", "4", "5"]


def test_what_says_no_moment_is_judged_by_its_push(tree: Tree) -> None:
    tree.push("app", ["epoch"], dated("epoch", "1970-01-01T00:00:00Z"), age=HOUR)
    tree.push("app", ["silent"], image("silent", created=None), age=2 * HOUR)
    tree.push("app", ["old"], dated("old", "2020-01-01T00:00:00Z"), age=0)
    found, _ = prune(tree, rule(older_than="1d", by="created"))
    assert tags(found) == ["old"]


def test_an_old_image_that_was_mirrored_a_minute_ago_stays(tree: Tree) -> None:
    tree.push("app", ["mirrored"], dated("mirrored", "2020-01-01T00:00:00Z"), age=60)
    tree.push("app", ["old"], dated("old", "2020-01-01T00:00:01Z"), age=31 * 24 * HOUR)
    found, plan = prune(tree, rule(older_than="30d"))
    assert tags(found) == ["old"]
    assert [one.source for one in plan.tags["app"]] == ["pushed"]


def test_a_push_before_the_creation_makes_no_image_older(tree: Tree) -> None:
    """As a registry's clock that was wrong wrote it."""
    tree.push("app", ["new"], dated("new", "2024-01-01T00:00:00Z"), age=60 * 365 * 24 * HOUR // 2)
    found, plan = prune(tree, rule(older_than="10000d"))
    assert tags(found) == []
    found, plan = prune(tree, rule(older_than="30d"))
    assert [(one.tag, one.source) for one in plan.tags["app"]] == [("new", "created")]


def test_what_was_pushed_in_the_future_stays(tree: Tree) -> None:
    tree.push("app", ["ahead"], dated("ahead", "2020-01-01T00:00:00Z"), age=-365 * 24 * HOUR)
    assert tags(prune(tree, rule(older_than="0s"))[0]) == []
    assert tags(prune(tree, rule(older_than="0s", by="created"))[0]) == ["ahead"]


def test_what_was_created_in_the_future_is_judged_by_its_push(tree: Tree) -> None:
    tree.push("app", ["ahead"], dated("ahead", "2999-01-01T00:00:00Z"), age=2 * HOUR)
    tree.push("app", ["now"], dated("now", "2024-01-01T00:00:00Z"), age=HOUR)
    found, _ = prune(tree, rule(older_than="1h", by="created"))
    assert tags(found) == ["ahead", "now"]
    found, _ = prune(tree, rule(keep=1, by="pushed"))
    assert tags(found) == ["ahead"]


def test_of_images_created_at_one_moment_those_pushed_last_stay(tree: Tree) -> None:
    for number, name in enumerate(["z", "a", "m"]):
        tree.push("app", [name], dated(name, "2024-01-01T00:00:00Z"), age=(3 - number) * HOUR)
    for by in ("later", "created", "pushed"):
        assert tags(prune(tree, rule(keep=1, by=by))[0]) == ["a", "z"]
        assert tags(prune(tree, rule(keep=2, by=by))[0]) == ["z"]


def test_an_attestation_makes_no_index_younger(tree: Tree) -> None:
    old = dated("old", "2020-01-01T00:00:00Z")
    proof = image("proof", created="2024-06-01T00:00:00Z", platform="unknown/unknown")
    for part in (old, proof):
        tree.push("app", [], part)
    tree.push("app", ["multi"], index([(old, "linux/amd64"), (proof, "unknown/unknown")]), age=31 * 24 * HOUR)
    tree.push("app", ["single"], dated("single", "2022-01-01T00:00:00Z"), age=31 * 24 * HOUR)
    assert tags(prune(tree, rule(keep=1))[0]) == ["multi"]


def test_an_index_of_indexes_is_as_old_as_its_newest_image(tree: Tree) -> None:
    new = dated("new", "2024-06-01T00:00:00Z")
    inner = index([(new, "linux/amd64")], media=OCI)
    outer = index([(inner, None)], media=OCI)
    for part in (new, inner):
        tree.push("app", [], part)
    tree.push("app", ["nested"], outer)
    tree.push("app", ["single"], dated("single", "2022-01-01T00:00:00Z"))
    assert tags(prune(tree, rule(keep=1))[0]) == ["single"]


@pytest.mark.parametrize("ending", [".src", ".vex", ".Some_thing-2.v1", ""])
def test_whatever_is_attached_goes_with_its_image_and_counts_as_none(tree: Tree, ending: str) -> None:
    releases(tree, 2)
    oldest = dated("app 1", "2024-01-01T00:00:00Z")
    attached = f"sha256-{oldest.digest[7:]}{ending}"
    tree.push("app", [attached], dated("attached", "2024-02-01T00:00:00Z"))
    assert tags(prune(tree, rule(keep=1))[0]) == ["1", attached]
    assert tags(prune(tree, rule(keep=2))[0]) == []


def test_a_tag_that_only_looks_attached_is_judged_as_any_other(tree: Tree) -> None:
    releases(tree, 1)
    name = f"sha256-{dated('app 1', '2024-01-01T00:00:00Z').digest[7:]}-debug"
    tree.push("app", [name], dated("debug", "2023-01-01T00:00:00Z"))
    assert tags(prune(tree, rule(keep=1))[0]) == [name]


def test_the_newest_are_counted_in_images(tree: Tree) -> None:
    releases(tree, 3)
    tree.push("app", ["three", "stable"], dated("app 3", "2024-01-03T00:00:00Z"))
    found, _ = prune(tree, rule(keep=2))
    assert tags(found) == ["1"]


def test_an_age_spares_the_young(tree: Tree) -> None:
    releases(tree)
    found, _ = prune(tree, rule(older_than="170m", by="pushed"))
    assert tags(found) == ["3", "4", "5"]
    found, _ = prune(tree, rule(older_than="170m", keep=4, by="pushed"))
    assert tags(found) == ["5"]


def test_only_matching_tags_go_and_protected_ones_never(tree: Tree) -> None:
    made = [image(f"image {number}") for number in range(4)]
    for name, one in zip(["ci-1", "ci-2", "v1", "ci-keep"], made, strict=True):
        tree.push("app", [name], one)
    found, _ = prune(tree, rule(match="^ci-", protect="keep$"))
    assert tags(found) == ["ci-1", "ci-2"]
    assert found.removal.revisions == tuple(sorted(("app", one.digest) for one in made[:2]))


def test_only_the_named_repositories(tree: Tree) -> None:
    for name in ("team/one", "team/deep/er", "teams", "other"):
        tree.push(name, ["1"], image(name))
    found, _ = prune(tree, rule(repositories=["team/*", "oth?r"], match="."))
    assert {name for name, _ in found.removal.tags} == {"team/one", "team/deep/er", "other"}


def test_an_image_stays_while_a_tag_of_it_does(tree: Tree) -> None:
    made = image("released")
    tree.push("app", ["ci-7", "v1.0"], made)
    found, plan = prune(tree, rule(match="^ci-"))
    assert tags(found) == ["ci-7"]
    assert not found.removal.revisions
    assert not found.removal.blobs
    assert [one.digest for one in plan.tags["app"]] == [made.digest]


def test_a_thousand_tags_on_one_image(tree: Tree) -> None:
    made = image("one")
    tree.push("app", [f"t{number}" for number in range(1000)], made)
    tree.push("app", ["old"], dated("old", "2020-01-01T00:00:00Z"))
    assert tags(prune(tree, rule(keep=1))[0]) == ["old"]
    found, _ = prune(tree, rule(match="^t"))
    assert len(found.removal.tags) == 1000
    assert found.removal.revisions == (("app", made.digest),)


def test_parts_go_with_an_index_but_for_those_that_something_else_needs(tree: Tree) -> None:
    parts = [image(f"part {number}") for number in range(3)]
    for part in parts:
        tree.push("app", [], part)
    gone, kept = index([(parts[0], None), (parts[1], None)]), index([(parts[1], None)], media=OCI)
    tree.push("app", ["ci-1"], gone)
    tree.push("app", ["v1"], kept)
    found, _ = prune(tree, rule(match="^ci-", protect="^v"))
    assert {digest for _, digest in found.removal.revisions} == {gone.digest, parts[0].digest}


def test_untagged_manifests_go_only_when_asked_for(tree: Tree) -> None:
    old = tree.push("app", ["1"], image("old"))
    tree.push("app", ["1"], image("new"))
    assert prune(tree, rule(match="^none$"))[0].removal.is_empty
    assert prune(tree, rule(untagged=True))[0].removal.revisions == (("app", old),)
    assert prune(tree, rule(untagged=True, older_than="2d", match="^none$"))[0].removal.is_empty


def test_a_signature_is_no_image_of_its_own(tree: Tree) -> None:
    releases(tree, 2)
    newest = dated("app 2", "2024-01-02T00:00:00Z")
    oldest = dated("app 1", "2024-01-01T00:00:00Z")
    for subject in (newest, oldest):
        tree.push("app", [f"sha256-{subject.digest[7:]}.sig"], dated(f"of {subject.digest}", "2024-02-01T00:00:00Z"))
    found, plan = prune(tree, rule(keep=1))
    assert tags(found) == ["1", f"sha256-{oldest.digest[7:]}.sig"]
    assert plan.tags["app"][-1].reason == "attached to a removed image"
    protected, _ = prune(tree, rule(keep=1, protect="^sha256-"))
    assert tags(protected) == ["1"]


def test_an_image_tagged_with_its_own_digest_is_judged_as_any_other(tree: Tree) -> None:
    made = image("x")
    tree.push("app", [f"sha256-{made.digest[7:]}.imgpkg", "ci-1"], made)
    found, _ = prune(tree, rule(match="^ci-"))
    assert tags(found) == ["ci-1"]
    assert not found.removal.revisions


def test_what_one_rule_keeps_or_protects_no_other_takes(tree: Tree) -> None:
    releases(tree, 4)
    found, _ = prune(tree, rule(keep=2), rule(older_than="1d"), rule(match="^none$", protect="^1$"))
    assert tags(found) == ["2"]


def test_damaged_tags_are_not_touched(tree: Tree) -> None:
    releases(tree, 2)
    tree.empty_file("repositories/app/_manifests/tags/1/current/link")
    found, _ = prune(tree, rule(match="."))
    assert tags(found) == ["2"]


def test_where_a_staying_image_is_damaged_nothing_goes(tree: Tree) -> None:
    part = image("part")
    tree.push("app", [], part)
    tree.push("app", ["ci-1"], index([(part, None)]))
    kept = index([(part, None)], media=OCI)
    tree.push("app", ["v1"], kept)
    (tree.root / f"blobs/sha256/{kept.digest[7:9]}/{kept.digest[7:]}/data").write_bytes(b"{")
    found, _ = prune(tree, rule(match="^ci-"))
    assert found.removal.is_empty
    assert found.skipped_repositories == ("app",)


def test_what_is_damaged_itself_may_go(tree: Tree) -> None:
    releases(tree, 2)
    gone = dated("app 1", "2024-01-01T00:00:00Z").digest
    (tree.root / f"blobs/sha256/{gone[7:9]}/{gone[7:]}/data").write_bytes(b"{")
    found, _ = prune(tree, rule(match="^1$"))
    assert (tags(found), found.skipped_repositories) == (["1"], ())


def test_the_reasons_are_told(tree: Tree) -> None:
    releases(tree, 3)
    _, plan = prune(tree, rule(keep=1, older_than="1d", match="[0-9]", by="created"))
    assert [(one.tag, one.reason) for one in plan.tags["app"]] == [
        ("2", "not among the newest 1, older than 1d, matches [0-9]"),
        ("1", "not among the newest 1, older than 1d, matches [0-9]"),
    ]


def test_what_was_pruned_frees_its_space_at_once(tree: Tree) -> None:
    releases(tree, 2)
    found, _ = prune(tree, rule(keep=1))
    assert len(found.removal.blobs) == 3
    assert not found.in_progress.blobs


def test_what_is_selected_in_a_repository_that_is_skipped_is_not_in_the_report(tree: Tree) -> None:
    for tag in ("1", "2"):
        tree.push("app", [tag], image(tag), age=31 * 24 * HOUR)
        tree.push("other", [tag], image(tag), age=31 * 24 * HOUR)
    damaged = image("damaged")
    tree.push("app", ["kept"], damaged, age=60)
    layer = sha256(damaged.blobs[1])
    tree.empty_file(f"blobs/sha256/{layer[7:9]}/{layer[7:]}/data")
    found, plan = prune(tree, rule(older_than="30d"))
    assert found.skipped_repositories == ("app",)
    assert {one["repository"] for one in PruneReport(plan).as_json()["tags"]} == {"other"}


def test_a_configuration_pushed_by_sha512_is_read(tree: Tree) -> None:
    """The registry keeps it under its sha256, which a link there names: `tags` reads it, too."""
    tree.push("app", ["new"], dated("new", "2024-06-01T00:00:00Z"), age=60)
    old = _by_sha512(tree, dated("old", "2020-01-01T00:00:00Z"))
    tree.link("app", ["old512"], old, age=58)
    found, plan = prune(tree, rule(keep=1))
    assert (tags(found), plan.undated) == (["old512"], {})


def test_a_large_configuration_is_read(tree: Tree) -> None:
    """As buildpacks write them; the bound is that of `tags`."""
    tree.push("app", ["new"], dated("new", "2024-06-01T00:00:00Z"), age=60)
    large = image("large", created="2020-01-01T00:00:00Z", config={"Labels": {"sbom": "x" * 9_000_000}})
    tree.push("app", ["large"], large, age=58)
    found, plan = prune(tree, rule(keep=1))
    assert (tags(found), plan.undated) == (["large"], {})


@pytest.mark.parametrize("lost", ["larger than is read", "damaged", "missing"])
def test_where_the_creation_is_not_known_the_tag_stays_and_takes_no_place(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    releases(tree, 3)
    unknown = image("unknown", created="2024-01-09T00:00:00Z", config={"Labels": {"long": "x" * 4000}})
    tree.push("app", ["unknown"], unknown, age=9 * 24 * HOUR)
    digest = unknown.document["config"]["digest"]
    file = tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"
    if lost == "damaged":
        file.write_bytes(file.read_bytes().replace(b"2024-01-09", b"2004-01-09"))
    elif lost == "missing":
        file.unlink()
    else:
        monkeypatch.setattr("deployer.workflows.upkeep.retention.CONFIG_MAX_BYTES", 2000)
    for by in ("later", "created"):
        assert _chosen(tree, rule(keep=1, by=by)) == (["1", "2"], {"app": ("unknown",)})
        # What one rule cannot judge, no other takes.
        chosen, undated = _chosen(tree, rule(older_than="2d", by=by), rule(match="."))
        assert (chosen, undated) == (["1", "2", "3"], {"app": ("unknown",)})
    assert _chosen(tree, rule(older_than="2d", by="pushed")) == (["unknown"], {})
    assert _chosen(tree, rule(match="^unknown$")) == (["unknown"], {})


def _chosen(tree: Tree, *rules: RetentionRule) -> tuple[list[str], Mapping[str, tuple[str, ...]]]:
    """What the rules take, whether or not the repository is left alone for something that is damaged there."""
    _, plan = prune(tree, *rules)
    return sorted(one.tag for one in plan.tags.get("app", ())), plan.undated


def test_an_index_of_which_one_configuration_is_not_known_is_kept(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployer.workflows.upkeep.retention.CONFIG_MAX_BYTES", 2000)
    small = dated("small", "2020-01-01T00:00:00Z")
    large = image("large", created="2024-01-01T00:00:00Z", config={"Labels": {"long": "x" * 4000}})
    for part in (small, large):
        tree.push("app", [], part, age=31 * 24 * HOUR)
    tree.push("app", ["multi"], index([(small, "linux/amd64"), (large, "linux/arm64")]), age=31 * 24 * HOUR)
    found, plan = prune(tree, rule(older_than="30d"))
    assert (tags(found), plan.undated) == ([], {"app": ("multi",)})


def _by_sha512(tree: Tree, made: Image) -> Image:
    """The same image, whose manifest names its configuration by sha512."""
    config = made.document["config"]["digest"]
    content = next(blob for blob in made.blobs if sha256(blob) == config)
    for blob in made.blobs:
        tree.layer("app", blob)
    other = digest_of(content, "sha512")
    link = tree.root / f"repositories/app/_layers/sha512/{other[7:]}/link"
    link.parent.mkdir(parents=True)
    link.write_text(config)
    return Image(made.content.replace(config.encode(), other.encode()), made.media_type, made.blobs)
