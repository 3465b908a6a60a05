from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import DeletingDisabled, DeployerError, Forbidden, NotFound, RegistryError, TryAgain, UsageError
from deployer.registry.client import RegistryClient
from deployer.registry.content import placeholder
from deployer.registry.content.manifests import parse
from deployer.workflows.images import untagging
from deployer.workflows.images.deletion import (
    DeletionOutcome,
    DeletionPlan,
    ManifestRemoval,
    TagRemoval,
    apply_plan,
    plan_deletion,
)
from tests.support.fake_registry import Asked, FakeRegistry, Held, Reply, pushed, refused
from tests.support.registry_content import DOCKER, OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
URL = "http://localhost:5000"
AMD, ARM = image("amd"), image("arm", platform="linux/arm64")
BOTH = index([(AMD, "linux/amd64"), (ARM, "linux/arm64")])


@pytest.fixture(params=["2.8", "3"])
def fake(request: pytest.FixtureRequest) -> FakeRegistry:
    return FakeRegistry(version=request.param)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untagging, "_PAUSES", (0.0, 0.001, 0.001))


@pytest.fixture
def old() -> FakeRegistry:
    """A registry that deletes digests only."""
    return FakeRegistry(version="2.8")


def connect(fake: FakeRegistry) -> RegistryClient:
    return RegistryClient(URL, {}, transport=fake.transport)


@pytest.fixture
def client(fake: FakeRegistry) -> Iterator[RegistryClient]:
    with connect(fake) as made:
        yield made


def delete(client: RegistryClient, *names: str) -> tuple[DeletionOutcome, ...]:
    return apply_plan(client, plan_deletion(client, names))


def errors(outcomes: tuple[DeletionOutcome, ...]) -> list[DeployerError | None]:
    return [outcome.error for outcome in outcomes]


# --- one tag ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_one_tag_goes_and_no_other(client: RegistryClient, fake: FakeRegistry, media: str) -> None:
    made = pushed(fake, "app", "1", image("x", media=media))
    pushed(fake, "app", "2", made)
    other = pushed(fake, "app", "3", image("y", media=media))
    assert errors(delete(client, "app:1")) == [None]
    assert fake.repositories["app"].tags == {"2": made.digest, "3": other.digest}
    assert set(fake.repositories["app"].manifests) == {made.digest, other.digest}


def test_the_last_tag_of_an_image_goes_and_the_image_stays(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    assert errors(delete(client, "app:1")) == [None]
    assert fake.repositories["app"].tags == {}
    assert set(fake.repositories["app"].manifests) == {made.digest}


def test_an_index_loses_its_tag_and_keeps_its_children(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", AMD, ARM, BOTH)
    pushed(fake, "app", "amd", AMD)
    delete(client, "app:1")
    assert fake.repositories["app"].tags == {"amd": AMD.digest}
    assert set(fake.repositories["app"].manifests) == {AMD.digest, ARM.digest, BOTH.digest}


def test_the_plan_says_what_keeps_the_image(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    for tag in ("10", "9", "latest"):
        pushed(fake, "app", tag, made)
    pushed(fake, "app", "other", image("y"))
    expected = TagRemoval("app", "1", made.digest, made.media_type, ("9", "10", "latest"))
    assert plan_deletion(client, ["localhost:5000/app:1"]) == DeletionPlan((expected,))


def test_tags_that_go_together_do_not_keep_each_other(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", made)
    pushed(fake, "other", "3", made)
    plan = plan_deletion(client, ["app:1", "app:2", "app:1"])
    assert [(one.name, one.kept_by) for one in plan.removals if isinstance(one, TagRemoval)] == [
        ("app:1", ()),
        ("app:2", ()),
    ]
    assert errors(apply_plan(client, plan)) == [None, None]
    assert fake.repositories["app"].tags == {}
    assert fake.repositories["other"].tags == {"3": made.digest}


def test_planning_changes_nothing(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", AMD, ARM, BOTH)
    plan_deletion(client, ["app:1", f"app@{AMD.digest}"])
    assert fake.repositories["app"].tags == {"1": made.digest}
    assert len(fake.repositories["app"].manifests) == 3
    assert fake.asked_for("DELETE", "PUT", "POST") == ["/v2/app/manifests/sha256:" + "0" * 64]


def test_on_3_a_tag_is_deleted_as_a_tag() -> None:
    fake = FakeRegistry(version="3")
    pushed(fake, "app", "1", image("x"))
    with connect(fake) as client:
        delete(client, "app:1")
    assert fake.asked_for("PUT", "POST") == []
    assert fake.asked_for("DELETE")[-1] == "/v2/app/manifests/1"


# --- the placeholder of 2.8 -------------------------------------------------------------------------------------------


def stopping(method: str, path: str, action: Callable[[], Reply | None]) -> Callable[[Asked], Reply | None]:
    """Act once, at the first request of this method whose path has these words in it."""
    waiting = [action]

    def before(asked: Asked) -> Reply | None:
        if waiting and asked.method == method and path in asked.path:
            return waiting.pop()()
        return None

    return before


@pytest.mark.parametrize(("media", "family"), [(DOCKER, "docker"), (OCI, "oci")])
def test_the_throw_away_is_of_the_same_family_and_says_what_it_is(old: FakeRegistry, media: str, family: str) -> None:
    made = pushed(old, "app", "1", index([], media=media))
    stored: list[tuple[str, bytes]] = []

    def look() -> Reply | None:
        stored.append(old.repositories["app"].manifests[old.repositories["app"].tags["1"]])
        return None

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        # Not the first DELETE, which asks for the tag, but that of the placeholder.
        old.before = stopping("DELETE", "sha256", look)
        assert errors(apply_plan(client, plan, nonce=lambda: "n1")) == [None]
    ((media_type, content),) = stored
    assert family in media_type
    manifest = parse(content, media_type)
    assert placeholder.original_of(manifest) == made.digest
    assert old.blobs[manifest.config.digest] == placeholder.CONFIG  # type: ignore[union-attr]
    assert old.repositories["app"].manifests.keys() == {made.digest}


def test_every_throw_away_has_a_digest_of_its_own(old: FakeRegistry) -> None:
    digests = {placeholder.make("1", "sha256:" + "a" * 64, "", str(number)).digest for number in range(5)}
    assert len(digests) == 5
    made = pushed(old, "app", "1", image("x"))
    pushed(old, "app", "2", made)
    with connect(old) as client:
        delete(client, "app:1", "app:2")


def test_where_the_registry_deletes_nothing_the_tag_is_not_touched(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", image("x"))
    for state in ("disabled", "read-only"):
        old.deleting = state
        with connect(old) as client, pytest.raises(DeletingDisabled):
            plan_deletion(client, ["app:1"])
    assert old.asked_for("PUT", "POST") == []
    assert old.repositories["app"].tags == {"1": made.digest}


def always(method: str, path: str, reply: Reply) -> Callable[[Asked], Reply | None]:
    """Answer every request of this method whose path has these words in it."""
    return lambda asked: reply if asked.method == method and path in asked.path else None


@pytest.mark.parametrize(("method", "path"), [("POST", "blobs"), ("PUT", "blobs")])
def test_what_fails_before_the_tag_has_moved_leaves_it(old: FakeRegistry, method: str, path: str) -> None:
    made = pushed(old, "app", "1", image("x"))
    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = always(method, path, refused(500, "UNKNOWN"))
        (error,) = errors(apply_plan(client, plan))
    assert isinstance(error, RegistryError)
    assert "failed (HTTP 500)" in error.message
    assert old.repositories["app"].tags == {"1": made.digest}


def test_who_may_delete_but_not_push_is_told_so_and_nothing_is_changed(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", image("x"))
    old.before = lambda asked: refused(403, "DENIED") if asked.method in {"POST", "PUT"} else None
    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        (error,) = errors(apply_plan(client, plan))
    assert isinstance(error, Forbidden)
    assert error.message.startswith("'app:1' was not changed. This registry cannot delete a single tag;")
    assert "push to 'app'" in error.message
    assert error.advice[0].endswith(f"needs no push: deployer delete app@{made.digest}")
    assert old.repositories["app"].tags == {"1": made.digest}
    assert list(old.repositories["app"].manifests) == [made.digest]


def test_who_may_push_but_not_delete_is_told_so_by_the_plan(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    fake.before = lambda asked: refused(403, "DENIED") if asked.method == "DELETE" else None
    with pytest.raises(Forbidden, match="delete from 'app'"):
        plan_deletion(client, ["app:1"])
    assert fake.asked_for("PUT", "POST") == []


@pytest.mark.parametrize("reply", [refused(500, "UNKNOWN"), refused(403, "DENIED"), refused(405, "UNSUPPORTED")])
def test_where_the_last_step_fails_the_tag_is_put_back(old: FakeRegistry, reply: Reply) -> None:
    made = pushed(old, "app", "1", image("x"))
    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = always("DELETE", "sha256", reply)
        (error,) = errors(apply_plan(client, plan))
    assert isinstance(error, RegistryError)
    assert error.message.startswith("'app:1' could not be deleted and was not changed.")
    assert f"HTTP/1.1 {reply.status}" in error.original
    assert old.repositories["app"].tags == {"1": made.digest}
    assert old.repositories["app"].manifests[made.digest] == (made.media_type, made.content)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_registry_that_stumbles_once_is_asked_again(old: FakeRegistry, method: str) -> None:
    made = pushed(old, "app", "1", image("x"))
    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        path = "/manifests/1" if method == "PUT" else "sha256"
        old.before = stopping(method, path, lambda: refused(500, "UNKNOWN"))
        assert errors(apply_plan(client, plan)) == [None]
    assert old.repositories["app"] == Held({made.digest: (made.media_type, made.content)}, {})


def test_a_push_while_the_registry_stumbles_is_not_lost(old: FakeRegistry) -> None:
    pushed(old, "app", "1", image("x"))
    fresh = image("fresh")

    def push_and_stumble() -> Reply | None:
        old.repositories["app"].manifests[fresh.digest] = (fresh.media_type, fresh.content)
        old.repositories["app"].tags["1"] = fresh.digest
        return refused(500, "UNKNOWN")

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = stopping("DELETE", "sha256", push_and_stumble)
        (outcome,) = apply_plan(client, plan)
    assert (outcome.error, outcome.pushed_again) == (None, fresh.digest)
    assert old.repositories["app"].tags == {"1": fresh.digest}


def test_an_interruption_between_the_steps_puts_the_tag_back(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", image("x"))

    def interrupt() -> Reply | None:
        raise KeyboardInterrupt

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = stopping("DELETE", "sha256", interrupt)
        with pytest.raises(KeyboardInterrupt):
            apply_plan(client, plan)
    assert old.repositories["app"].tags == {"1": made.digest}


def test_where_it_cannot_be_put_back_either_the_way_out_is_named_and_works(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", image("x"))
    pushed(old, "app", "2", made)
    broken = [False]

    def die(asked: Asked) -> Reply | None:
        broken[0] |= asked.method == "DELETE" and "sha256" in asked.path
        return refused(500, "UNKNOWN") if broken[0] else None

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = die
        (error,) = errors(apply_plan(client, plan))
        assert isinstance(error, RegistryError)
        assert error.message.startswith("'app:1' is only partially deleted: ")
        assert error.advice == ("To finish when the registry works again: deployer delete app:1",)
        old.before = None
        plan = plan_deletion(client, ["app:1"])
        (removal,) = plan.removals
        assert isinstance(removal, TagRemoval)
        assert removal.half_deleted == made.digest
        assert errors(apply_plan(client, plan)) == [None]
    assert old.repositories["app"].tags == {"2": made.digest}
    # The placeholder of the run that was interrupted stays without a tag: deleted by its digest, it could have taken
    # along whatever had come to that digest in the meantime.
    assert len(old.repositories["app"].manifests.keys() - {made.digest}) == 1


def test_where_the_answer_is_lost_but_the_tag_is_gone_it_is_done(old: FakeRegistry) -> None:
    pushed(old, "app", "1", image("x"))

    def lose() -> Reply | None:
        held = old.repositories["app"]
        held.manifests.pop(held.tags.pop("1"))
        return refused(504, "UNKNOWN")

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = stopping("DELETE", "sha256", lose)
        assert errors(apply_plan(client, plan)) == [None]
    assert old.repositories["app"].tags == {}


def test_a_tag_that_shares_its_file_with_another_is_put_back_and_named(old: FakeRegistry) -> None:
    """As where one of two tags is a symbolic link: what is written for one is written for both."""
    made = pushed(old, "app", "1", image("x"))
    pushed(old, "app", "2", made)
    pushed(old, "app", "3", made)

    def share(_: Asked) -> None:
        tags = old.repositories["app"].tags
        if "1" in tags:
            tags["2"] = tags["1"]
        else:
            tags.pop("2", None)

    with connect(old) as client:
        old.before = share
        (error,) = errors(delete(client, "app:1"))
        assert isinstance(error, RegistryError)
        assert error.message.startswith("'app:1' could not be deleted and was not changed.")
        assert "shares a file with app:2" in error.message
        assert error.advice == ("To delete both: deployer delete app:1 app:2",)
        # What was written last is in both, too.
        assert client.head("app", "2").digest == made.digest
        assert old.repositories["app"].tags == dict.fromkeys("123", made.digest)
        # The advice works.
        assert errors(delete(client, "app:1", "app:2")) == [None, None]
    assert old.repositories["app"].tags == {"3": made.digest}


def test_a_tag_that_names_nothing_and_cannot_be_written_is_as_it_was(old: FakeRegistry) -> None:
    """As where it is a file that another program has left among the tags: no request removes it."""
    pushed(old, "app", "1", image("x"))
    old.repositories["app"].tags["Thumbs.db"] = ""
    with connect(old) as client:
        plan = plan_deletion(client, ["app:Thumbs.db"])
        old.before = always("PUT", "/manifests/Thumbs.db", refused(500, "UNKNOWN"))
        (error,) = errors(apply_plan(client, plan))
    assert isinstance(error, RegistryError)
    assert error.message.startswith("'app:Thumbs.db' could not be deleted and was not changed.")
    assert error.advice[0].endswith("docker/registry/v2/repositories/app/_manifests/tags/Thumbs.db")
    assert not any("deployer delete" in line for line in error.advice)


# --- others running --------------------------------------------------------------------------------------------------


def test_a_tag_pushed_again_since_the_plan_is_not_touched(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    plan = plan_deletion(client, ["app:1"])
    fresh = pushed(fake, "app", "1", image("fresh"))
    (error,) = errors(apply_plan(client, plan))
    assert isinstance(error, RegistryError)
    assert f"has been pushed again in the meantime and is kept; it now points to {fresh.digest}." in error.message
    assert fake.repositories["app"].tags == {"1": fresh.digest}
    assert fake.asked_for("DELETE") == []


@pytest.mark.parametrize(("method", "path"), [("POST", "blobs"), ("DELETE", "sha256")])
def test_a_push_between_the_steps_is_not_lost(old: FakeRegistry, method: str, path: str) -> None:
    pushed(old, "app", "1", image("x"))
    fresh = image("fresh")

    def push_again() -> Reply | None:
        old.repositories["app"].manifests[fresh.digest] = (fresh.media_type, fresh.content)
        old.repositories["app"].tags["1"] = fresh.digest
        return None

    with connect(old) as client:
        plan = plan_deletion(client, ["app:1"])
        old.before = stopping(method, path, push_again)
        (outcome,) = apply_plan(client, plan)
    assert old.repositories["app"].tags == {"1": fresh.digest}
    if method == "POST":
        assert "pushed again" in str(outcome.error)
    else:
        assert (outcome.error, outcome.pushed_again) == (None, fresh.digest)


def test_a_tag_that_someone_else_deleted_is_deleted(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", image("y"))
    plan = plan_deletion(client, ["app:1"])
    del fake.repositories["app"].tags["1"]
    assert errors(apply_plan(client, plan)) == [None]


# --- a manifest ------------------------------------------------------------------------------------------------------


def test_a_manifest_goes_with_all_its_tags(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", made)
    other = pushed(fake, "app", "3", image("y"))
    plan = plan_deletion(client, [f"app@{made.digest}"])
    assert plan.removals == (ManifestRemoval("app", made.digest, made.media_type, ("1", "2"), (), ()),)
    assert errors(apply_plan(client, plan)) == [None]
    assert fake.repositories["app"].tags == {"3": other.digest}
    assert set(fake.repositories["app"].manifests) == {other.digest}


def test_a_part_of_a_tagged_index_is_said_to_break_it(client: RegistryClient, fake: FakeRegistry) -> None:
    outer = index([(BOTH, None)], media=OCI)
    pushed(fake, "app", "1", AMD, ARM, BOTH)
    pushed(fake, "app", "outer", outer)
    pushed(fake, "app", "single", ARM)
    (removal,) = plan_deletion(client, [f"app@{AMD.digest}"]).removals
    assert isinstance(removal, ManifestRemoval)
    assert set(removal.breaks) == {"1", "outer"}
    (removal,) = plan_deletion(client, [f"app@{BOTH.digest}"]).removals
    assert isinstance(removal, ManifestRemoval)
    assert (removal.tags, removal.breaks) == (("1",), ("outer",))


def test_what_goes_with_its_index_breaks_nothing(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", AMD, ARM, BOTH)
    plan = plan_deletion(client, [f"app@{BOTH.digest}", f"app@{AMD.digest}"])
    assert [one.breaks for one in plan.removals if isinstance(one, ManifestRemoval)] == [(), ()]
    assert errors(apply_plan(client, plan)) == [None, None]
    assert set(fake.repositories["app"].manifests) == {ARM.digest}


def test_an_index_with_a_lost_child_does_not_stand_in_the_way(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", AMD, ARM, BOTH, index([(BOTH, None), (AMD, "linux/amd64")], media=OCI))
    del fake.repositories["app"].manifests[BOTH.digest]
    (removal,) = plan_deletion(client, [f"app@{AMD.digest}"]).removals
    assert isinstance(removal, ManifestRemoval)
    assert removal.breaks == ("1",)


def test_signatures_that_stay_are_named(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", made.digest.replace(":", "-") + ".sig", image("signature"))
    pushed(fake, "app", made.digest.replace(":", "-") + ".imgpkg", made)
    pushed(fake, "app", made.digest.replace(":", "-") + "-debug", image("debug"))
    (removal,) = plan_deletion(client, [f"app@{made.digest}"]).removals
    assert isinstance(removal, ManifestRemoval)
    assert removal.attached == (made.digest.replace(":", "-") + ".sig",)


def test_one_failure_does_not_stop_the_others(client: RegistryClient, fake: FakeRegistry) -> None:
    first = pushed(fake, "app", "1", image("x"))
    second = pushed(fake, "app", "2", image("y"))
    plan = plan_deletion(client, [f"app@{first.digest}", f"app@{second.digest}"])
    told: list[DeletionOutcome] = []
    fake.before = stopping("DELETE", first.digest, lambda: refused(500, "UNKNOWN"))
    outcomes = apply_plan(client, plan, on_done=told.append)
    assert [error is None for error in errors(outcomes)] == [False, True]
    assert tuple(told) == outcomes
    assert fake.repositories["app"].tags == {"1": first.digest}


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_name_alone_is_refused_with_the_two_ways(client: RegistryClient, fake: FakeRegistry) -> None:
    with pytest.raises(UsageError, match="does not specify a tag or digest") as caught:
        plan_deletion(client, ["localhost:5000/app"])
    assert "One tag: deployer delete app:TAG" in caught.value.advice
    assert "A manifest and all its tags: deployer delete app@DIGEST" in caught.value.advice
    assert not fake.asked


def test_a_tag_and_a_digest_at_once_are_refused(client: RegistryClient, fake: FakeRegistry) -> None:
    with pytest.raises(UsageError, match="has a tag and a digest"):
        plan_deletion(client, ["app:1@sha256:" + "0" * 64])
    assert not fake.asked


@pytest.mark.parametrize("known", ["app:1", "app:2"])
def test_an_unknown_repository_refuses_the_whole_plan(client: RegistryClient, fake: FakeRegistry, known: str) -> None:
    made = pushed(fake, "app", "1", image("x"))
    with pytest.raises(NotFound, match="No repository"):
        plan_deletion(client, [known, "nope:1"])
    assert fake.repositories["app"].tags == {"1": made.digest}


def test_an_interrupted_deletion_of_several_is_finished_by_the_same_names(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    pushed(fake, "app", "other", image("w"))
    for tag in ("1", "2", "3"):
        pushed(fake, "app", tag, image(tag))
    whole = pushed(fake, "app", "4", image("4"))
    names = ["app:1", "app:2", "app:3", f"app@{whole.digest}"]
    delete(client, "app:1", f"app@{whole.digest}")
    original = fake.repositories["app"].tags["2"]
    left = placeholder.make("2", original, "", "nonce")
    pushed(fake, "app", "2", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    plan = plan_deletion(client, names)
    assert plan.already_deleted == ("app:1", f"app@{whole.digest}")
    assert [(one.name, getattr(one, "half_deleted", None)) for one in plan.removals] == [
        ("app:2", original),
        ("app:3", None),
    ]
    assert errors(apply_plan(client, plan)) == [None, None]
    assert set(fake.repositories["app"].tags) == {"other"}


@pytest.mark.parametrize("gone", [["app:nope"], ["app:nope", "app@sha256:" + "0" * 64]])
def test_where_none_of_the_names_exists_nothing_is_said_to_be_deleted(
    client: RegistryClient, fake: FakeRegistry, gone: list[str]
) -> None:
    pushed(fake, "app", "1", image("x"))
    with pytest.raises(NotFound, match="app:nope"):
        plan_deletion(client, gone)


@pytest.mark.parametrize("name", ["app:1", "app@"])
def test_a_deletion_whose_answer_was_lost_is_looked_for(name: str) -> None:
    fake = FakeRegistry(version="3")
    made = pushed(fake, "app", "1", image("x"))
    name = name if name == "app:1" else f"app@{made.digest}"

    def lose(asked: Asked) -> Reply | None:
        if asked.method != "DELETE":
            return None
        fake.repositories["app"].tags.pop("1", None)
        if "@" in name:
            fake.repositories["app"].manifests.pop(made.digest, None)
        return Reply(504)

    with connect(fake) as client:
        plan = plan_deletion(client, [name])
        fake.before = lose
        assert errors(apply_plan(client, plan)) == [None]


@pytest.mark.parametrize("name", ["app:1", "app@"])
def test_a_deletion_that_has_failed_is_not_taken_for_a_lost_answer(name: str) -> None:
    fake = FakeRegistry(version="3")
    made = pushed(fake, "app", "1", image("x"))
    with connect(fake) as client:
        plan = plan_deletion(client, [name if name == "app:1" else f"app@{made.digest}"])
        fake.before = lambda asked: Reply(504) if asked.method == "DELETE" else None
        (error,) = errors(apply_plan(client, plan))
        assert isinstance(error, RegistryError)
        fake.before = lambda _asked: Reply(504)
        (error,) = errors(apply_plan(client, plan))
        assert isinstance(error, RegistryError)


# As distribution 3.1.1 answers when a push writes into the tag's directory while it is removed.
NOT_EMPTY = refused(
    500,
    "UNKNOWN",
    "filesystem: unlinkat /var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/1/index/sha256: "
    "directory not empty",
    "unknown error",
)


@pytest.mark.parametrize("left", ["the tag", "nothing", "another image"])
def test_what_a_push_keeps_3_from_removing_is_removed_again_unless_it_is_another_image(left: str) -> None:
    fake = FakeRegistry(version="3")
    made, other = pushed(fake, "app", "1", image("x")), pushed(fake, "app", "2", image("y"))

    def stumble() -> Reply:
        tags = fake.repositories["app"].tags
        if left == "nothing":
            del tags["1"]
        elif left == "another image":
            tags["1"] = other.digest
        return NOT_EMPTY

    with connect(fake) as client:
        plan = plan_deletion(client, ["app:1"])
        fake.before = stopping("DELETE", "/manifests/1", stumble)
        (error,) = errors(apply_plan(client, plan))
    assert set(fake.repositories["app"].manifests) == {made.digest, other.digest}
    if left == "another image":
        assert "has been pushed again in the meantime" in str(error)
        assert fake.repositories["app"].tags["1"] == other.digest
    else:
        assert error is None
        assert set(fake.repositories["app"].tags) == {"2"}


# --- tags that name nothing ------------------------------------------------------------------------------------------

GONE = "sha256:" + "0" * 63 + "1"


@pytest.mark.parametrize("points_to", ["", GONE])
def test_a_tag_that_names_nothing_can_be_deleted(client: RegistryClient, fake: FakeRegistry, points_to: str) -> None:
    made = pushed(fake, "app", "1", image("x"))
    fake.repositories["app"].tags["broken"] = points_to
    plan = plan_deletion(client, ["app:broken"])
    assert plan.removals == (TagRemoval("app", "broken", "", "", ()),)
    assert errors(apply_plan(client, plan)) == [None]
    assert fake.repositories["app"] == Held({made.digest: (made.media_type, made.content)}, {"1": made.digest})


def test_a_damaged_tag_that_was_pushed_again_is_not_touched(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    fake.repositories["app"].tags["broken"] = ""
    plan = plan_deletion(client, ["app:broken"])
    fake.repositories["app"].tags["broken"] = made.digest
    (error,) = errors(apply_plan(client, plan))
    assert "pushed again in the meantime" in str(error)
    assert fake.repositories["app"].tags == {"1": made.digest, "broken": made.digest}


def test_on_2_8_a_damaged_tag_in_the_way_is_named_and_nothing_is_lost(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", image("x"))
    old.repositories["app"].tags["broken"] = ""
    with connect(old) as client:
        (error,) = errors(delete(client, "app:1"))
        assert isinstance(error, RegistryError)
        assert "was not changed" in error.message
        assert error.advice[0] == "A damaged tag prevents this; delete it first: deployer delete app:broken"
        assert old.repositories["app"].tags == {"1": made.digest, "broken": ""}
        # Named together it works, in whatever order they are named.
        assert errors(delete(client, "app:1", "app:broken")) == [None, None]
    assert old.repositories["app"] == Held({made.digest: (made.media_type, made.content)}, {})


def test_several_damaged_tags_go_together(client: RegistryClient, fake: FakeRegistry) -> None:
    """2.8 reads all of a repository's tags whenever it deletes, so that none of them could go first."""
    made = pushed(fake, "app", "1", image("x"))
    fake.repositories["app"].tags |= {"a": "", "b": "", "c": ""}
    assert errors(delete(client, "app:a", "app:b", "app:c")) == [None, None, None]
    assert fake.repositories["app"] == Held({made.digest: (made.media_type, made.content)}, {"1": made.digest})


def test_what_cannot_be_put_back_is_not_tried_where_something_is_in_the_way(old: FakeRegistry) -> None:
    made = pushed(old, "app", "1", Image(b'{"schemaVersion": 1}', SCHEMA_1))
    old.repositories["app"].tags["broken"] = ""
    with connect(old) as client, pytest.raises(RegistryError, match="'app:broken' is damaged"):
        plan_deletion(client, ["app:1"])
    assert old.repositories["app"].tags == {"1": made.digest, "broken": ""}


@pytest.mark.parametrize("reply", [refused(503, "UNAVAILABLE"), refused(429, "TOOMANYREQUESTS"), Reply(502)])
def test_a_registry_that_is_busy_is_not_taken_for_a_damaged_tag(
    client: RegistryClient, fake: FakeRegistry, reply: Reply
) -> None:
    made = pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", image("y"))
    fake.before = lambda asked: reply if asked.path.endswith("/2") else None
    with pytest.raises(TryAgain):
        plan_deletion(client, [f"app@{made.digest}"])


def test_a_digest_is_not_deleted_by_half(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    fake.repositories["app"].tags["broken"] = ""
    with pytest.raises(RegistryError, match="'app:broken' is damaged") as caught:
        plan_deletion(client, [f"app@{made.digest}"])
    assert caught.value.advice[0] == f"Delete it too: deployer delete app@{made.digest} app:broken"
    assert errors(delete(client, f"app@{made.digest}", "app:broken")) == [None, None]
    assert fake.repositories["app"] == Held({}, {})


def test_a_damaged_tag_that_cannot_be_deleted_says_how_to_go_on(old: FakeRegistry) -> None:
    pushed(old, "app", "1", image("x"))
    old.repositories["app"].tags["broken"] = ""
    with connect(old) as client:
        plan = plan_deletion(client, ["app:broken"])
        old.before = always("DELETE", "sha256", refused(500, "UNKNOWN"))
        (error,) = errors(apply_plan(client, plan))
        assert "'app:broken' is only partially deleted" in str(error)
        old.before = None
        assert errors(delete(client, "app:broken")) == [None]
    assert set(old.repositories["app"].tags) == {"1"}


def test_a_tag_on_a_placeholder_on_a_placeholder_is_deleted_as_what_it_was(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    whole = pushed(fake, "app", "2", image("x"))
    first = placeholder.make("1", whole.digest, "", "first")
    pushed(fake, "app", "1", Image(first.content, first.media_type, (placeholder.CONFIG,)))
    second = placeholder.make("1", first.digest, "", "second")
    pushed(fake, "app", "1", Image(second.content, second.media_type, (placeholder.CONFIG,)))
    plan = plan_deletion(client, ["app:1"])
    (removal,) = plan.removals
    assert isinstance(removal, TagRemoval)
    assert removal.half_deleted == whole.digest
    assert errors(apply_plan(client, plan)) == [None]
    assert fake.repositories["app"].tags == {"2": whole.digest}


def test_an_image_without_layers_is_no_throw_away(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image())
    assert sha256(made.blobs[0]) in fake.blobs
    (removal,) = plan_deletion(client, ["app:1"]).removals
    assert isinstance(removal, TagRemoval)
    assert removal.half_deleted is None


def test_what_only_says_that_it_is_a_throw_away_loses_no_other_tag(client: RegistryClient, fake: FakeRegistry) -> None:
    left = placeholder.make("1", "sha256:" + "a" * 64, DOCKER, "nonce")
    made = pushed(fake, "app", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    pushed(fake, "app", "2", made)
    assert errors(delete(client, "app:1")) == [None]
    assert fake.repositories["app"].tags == {"2": made.digest}
