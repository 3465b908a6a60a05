"""Names that images get, what is said before anything is tagged, and what failures leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.engine.messages.translation import translate
from deployer.errors import EngineError, HostError, ImageNotFound, InvalidReference, SignInMissing, UsageError
from deployer.workflows.transfer.pull import plan_pull, pull_all
from deployer.workflows.transfer.push import plan_push, push_all, target_of
from deployer.workflows.transfer.transfers import Interrupted, LostName, TransferOutcome
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.registry.client import RegistryClient

ADDRESS = "localhost:5000"


def no_registry() -> RegistryClient:
    raise AssertionError("the registry was asked, and nothing was missing")


@pytest.mark.parametrize(
    ("image", "target"),
    [
        ("centos:7-git", "localhost:5000/centos:7-git"),
        ("centos", "localhost:5000/centos:latest"),
        ("docker.io/library/centos:7", "localhost:5000/centos:7"),
        ("docker.io/acme/app", "localhost:5000/acme/app:latest"),
        ("library/centos:7", "localhost:5000/library/centos:7"),
        ("ghcr.io/acme/app:1", "localhost:5000/acme/app:1"),
        ("192.168.100.2:5000/centos:7-git", "localhost:5000/centos:7-git"),
        ("localhost:5000/centos:7-git", "localhost:5000/centos:7-git"),
        ("[::1]:5000/centos:7", "localhost:5000/centos:7"),
    ],
)
def test_an_image_goes_to_the_registry_under_its_own_path(image: str, target: str) -> None:
    assert str(target_of(image, ADDRESS)) == target


def test_a_digest_needs_a_tag_to_be_pushed_under() -> None:
    with pytest.raises(UsageError, match="images are pushed by tag"):
        target_of("app@sha256:" + "a" * 64, ADDRESS)


def test_as_takes_this_registrys_address_or_none() -> None:
    engine = FakeEngine(images={"app:1": "id"})
    for name in ("team/app:2", "localhost:5000/team/app:2"):
        assert str(plan_push(["app:1"], name, ADDRESS, engine)[0].target) == "localhost:5000/team/app:2"
    with pytest.raises(UsageError, match=r"belongs to another registry, ghcr\.io"):
        plan_push(["app:1"], "ghcr.io/team/app", ADDRESS, engine)
    with pytest.raises(UsageError, match="exactly one IMAGE"):
        plan_push(["app:1", "app:1"], "x", ADDRESS, engine)


def test_a_digest_in_as_is_told_with_the_image_that_was_given() -> None:
    engine = FakeEngine(images={"centos:stable": "id"})
    for rename, advice in (
        ("a@sha256:" + "a" * 64, "deployer push centos:stable --as a:TAG"),
        ("a:1@sha256:" + "a" * 64, "deployer push centos:stable --as a:1"),
        ("ghcr.io/team/app:2", "deployer push centos:stable --as team/app:2"),
    ):
        with pytest.raises(UsageError) as caught:
            plan_push(["centos:stable"], rename, ADDRESS, engine)
        assert caught.value.advice == (advice,)


def test_an_upper_case_first_part_gets_the_name_that_would_do() -> None:
    engine = FakeEngine(images={"HOST/app:1": "id", "app:1": "id"})
    for refused in (
        lambda: plan_push(["Team/app:1"], None, ADDRESS, engine),
        lambda: plan_push(["app:1"], "Team/app:1", ADDRESS, engine),
        lambda: plan_pull(["Team/app:1"], ADDRESS, engine),
    ):
        with pytest.raises(InvalidReference, match="has uppercase letters") as caught:
            refused()
        assert caught.value.advice == ("Use: team/app:1",)
    # An image that is here under such a name can be pushed.
    assert str(plan_push(["HOST/app:1"], None, ADDRESS, engine)[0].target) == "localhost:5000/app:1"


def test_an_image_that_is_here_under_an_address_alone_is_named() -> None:
    engine = FakeEngine(images={"localhost:5000/only:1": "a"})
    with pytest.raises(ImageNotFound) as caught:
        plan_push(["only:1"], None, ADDRESS, engine)
    assert caught.value.advice == ("Did you mean localhost:5000/only:1?",)


def test_two_images_for_one_name_are_refused() -> None:
    engine = FakeEngine(images={"ghcr.io/app:1": "a", "quay.io/app:1": "b"})
    with pytest.raises(UsageError, match=r"ghcr\.io/app:1, quay\.io/app:1 would all be pushed as localhost:5000/app:1"):
        plan_push(["ghcr.io/app:1", "quay.io/app:1"], None, ADDRESS, engine)


def test_a_missing_image_is_told_with_the_nearest_before_anything_is_tagged() -> None:
    engine = FakeEngine(images={"centos:7-git": "a", "debian:12": "b"})
    with pytest.raises(ImageNotFound, match="No such image on this machine: centos:7-gti") as caught:
        plan_push(["debian:12", "centos:7-gti"], None, ADDRESS, engine)
    assert caught.value.advice == ("Did you mean centos:7-git?",)
    assert engine.images.done == []


def test_a_bad_name_is_told_before_anything_is_tagged() -> None:
    engine = FakeEngine(images={"debian:12": "b"})
    with pytest.raises(InvalidReference):
        plan_push(["debian:12", "UPPER"], None, ADDRESS, engine)
    assert engine.images.done == []


def push(engine: FakeEngine, *images: str) -> tuple[TransferOutcome, ...]:
    pushes = plan_push(images, None, ADDRESS, engine)
    return push_all(pushes, ADDRESS, engine, jobs=2, on_line=None)


def test_one_failure_does_not_stop_the_others() -> None:
    engine = FakeEngine(images={"a:1": "a", "b:1": "b"}, failures={"localhost:5000/a:1": EngineError("refused")})
    first, second = push(engine, "a:1", "b:1")
    assert str(first.error) == "refused"
    assert second.error is None
    assert "localhost:5000/b:1" in engine.images.ids


def test_a_failed_push_leaves_no_tag_that_was_not_there() -> None:
    engine = FakeEngine(images={"a:1": "a"}, failures={"localhost:5000/a:1": EngineError("refused")})
    push(engine, "a:1")
    assert engine.images.ids == {"a:1": "a"}


def test_a_failed_push_puts_a_tag_back_to_what_it_was() -> None:
    before = {"a:1": "new", "localhost:5000/a:1": "old"}
    engine = FakeEngine(images=dict(before), failures={"localhost:5000/a:1": EngineError("refused")})
    push(engine, "a:1")
    assert engine.images.ids == before


def test_an_interrupted_push_leaves_no_tag_and_goes_on_up() -> None:
    engine = FakeEngine(images={"a:1": "a"}, failures={"localhost:5000/a:1": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        push(engine, "a:1")
    assert engine.images.ids == {"a:1": "a"}


def test_an_interruption_tells_how_many_were_done() -> None:
    failures = {"localhost:5000/b:1": EngineError("refused"), "localhost:5000/c:1": KeyboardInterrupt()}
    engine = FakeEngine(images={"a:1": "a", "b:1": "b", "c:1": "c"}, failures=failures)
    pushes = plan_push(["a:1", "b:1", "c:1"], None, ADDRESS, engine)
    with pytest.raises(Interrupted) as caught:
        push_all(pushes, ADDRESS, engine, jobs=1, on_line=None)
    assert (caught.value.done, caught.value.total) == (1, 3)


def test_an_image_that_has_the_name_already_is_not_tagged_again() -> None:
    engine = FakeEngine(images={"a:1": "a", "localhost:5000/a:1": "a"})
    push(engine, "a:1")
    assert engine.images.done == [("push", "localhost:5000/a:1")]


def test_pull_gives_the_short_name_and_tells_what_it_replaces() -> None:
    engine = FakeEngine(images={"centos:7-git": "old"}, pullable={"localhost:5000/centos:7-git"})
    pulls = plan_pull(["centos:7-git"], ADDRESS, engine)
    assert pulls[0].replaces == "old"
    pull_all(pulls, engine, no_registry, jobs=1, on_line=None)
    assert engine.images.ids["centos:7-git"] == "id of localhost:5000/centos:7-git"


def test_a_plan_names_the_images_that_lose_a_name_here() -> None:
    short, full = "app:1", "localhost:5000/app:1"
    engine = FakeEngine(images={short: "sha256:new", full: "sha256:old", "other:1": "sha256:new"})
    [pushed] = plan_push(["other:1"], "app:1", ADDRESS, engine)
    assert pushed.loses == (LostName(full, "sha256:old"),)
    # The pulled image is not known yet: both names may move.
    [pulled] = plan_pull([short], ADDRESS, engine)
    assert pulled.loses == (LostName(full, "sha256:old"), LostName(short, "sha256:new"))


def test_a_plan_names_no_image_that_keeps_its_names() -> None:
    digest = "sha256:" + "a" * 64
    engine = FakeEngine(images={"app:1": "sha256:new", "localhost:5000/app:1": "sha256:new"})
    assert [push.loses for push in plan_push(["app:1"], None, ADDRESS, engine)] == [()]
    assert [pull.loses for pull in plan_pull(["new:1", f"app@{digest}"], ADDRESS, engine)] == [(), ()]


def test_a_pull_by_digest_gives_no_short_name() -> None:
    digest = "sha256:" + "a" * 64
    engine = FakeEngine(pullable={f"localhost:5000/app@{digest}"})
    pulls = plan_pull([f"app@{digest}"], ADDRESS, engine)
    outcome = pull_all(pulls, engine, no_registry, jobs=1, on_line=None)[0]
    assert outcome.error is None
    assert engine.images.done == [("pull", f"localhost:5000/app@{digest}")]


def test_a_pull_from_another_registry_is_refused() -> None:
    with pytest.raises(UsageError, match=r"belongs to another registry, ghcr\.io"):
        plan_pull(["ghcr.io/acme/app:1"], ADDRESS, FakeEngine())


@pytest.mark.parametrize("said", ["no basic auth credentials", "unauthorized: authentication required"])
def test_a_credential_helper_that_fails_is_told_in_place_of_docker_login(tmp_path: Path, said: str) -> None:
    helper = tmp_path / "docker-credential-broken"
    helper.write_text("#!/bin/sh\nexit 1\n")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "broken"}')
    pushed, pulled = f"{ADDRESS}/a:1", f"{ADDRESS}/b:1"
    refused = translate(said, address=ADDRESS)
    engine = FakeEngine(images={"a:1": "id"}, failures={pushed: refused, pulled: refused})
    engine.client.environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)}
    [push] = push_all(plan_push(["a:1"], None, ADDRESS, engine), ADDRESS, engine, jobs=1, on_line=None)
    [pull] = pull_all(plan_pull(["b:1"], ADDRESS, engine), engine, no_registry, jobs=1, on_line=None)
    for outcome in (push, pull):
        assert isinstance(outcome.error, HostError)
        assert "docker-credential-broken" in outcome.error.message
    (tmp_path / "config.json").write_text("{}")
    [push] = push_all(plan_push(["a:1"], None, ADDRESS, engine), ADDRESS, engine, jobs=1, on_line=None)
    assert push.error is refused


def test_a_login_that_docker_did_not_read_is_told_in_place_of_docker_login(tmp_path: Path) -> None:
    auths = f'"auths": {{"{ADDRESS}": {{"auth": "YW5uOnB3"}}}}'
    (tmp_path / "config.json").write_text(f'{{{auths}, "experimental": true}}')
    stumbled = "WARNING: Error parsing config file: json: cannot unmarshal bool into Go struct field"
    for before, kind in (("", SignInMissing), (f"{stumbled}\n", HostError)):
        refused = translate(f"{before}no basic auth credentials", address=ADDRESS)
        engine = FakeEngine(images={"a:1": "id"}, failures={f"{ADDRESS}/a:1": refused})
        engine.client.environment = {"DOCKER_CONFIG": str(tmp_path)}
        [push] = push_all(plan_push(["a:1"], None, ADDRESS, engine), ADDRESS, engine, jobs=1, on_line=None)
        assert isinstance(push.error, kind)
    assert isinstance(push.error, HostError)
    assert "'experimental' must be a string" in push.error.message
    assert push.error.original == refused.original
