"""One answer that is late or refused is that one's; a registry that is gone is not waited for."""

from __future__ import annotations

import httpx
import pytest

from deployer.errors import Denied, LateAnswer, RegistryUnreachable
from deployer.registry.client import RegistryClient
from deployer.workflows.images import browse
from tests.support.fake_registry import Asked, FakeRegistry, Reply, refused
from tests.support.registry_content import image, push, sha256

MANY = 40


@pytest.fixture
def fake() -> FakeRegistry:
    made = FakeRegistry()
    with made.client as pusher:
        for number in range(MANY):
            push(pusher, "app", f"t{number}", image(f"layer {number}", platform=f"linux/a{number}"))
        push(pusher, "other", "1", image("other"))
    made.asked.clear()
    return made


def late(*ends: str) -> object:
    def before(asked: Asked) -> Reply | None:
        if asked.path.endswith(ends):
            raise httpx.ReadTimeout("late")
        return None

    return before


def connected(fake: FakeRegistry) -> RegistryClient:
    return RegistryClient("http://localhost:5000", {}, transport=fake.transport)


def config_of(number: int) -> str:
    return sha256(image(f"layer {number}", platform=f"linux/a{number}").blobs[0])


def test_one_late_answer_is_one_row(fake: FakeRegistry) -> None:
    fake.before = late("/manifests/t7")  # type: ignore[assignment]
    with connected(fake) as client:
        found = browse.list_tags(client, "app")
    assert len(found.tags) == MANY - 1
    assert [(one.name, one.may_be_whole) for one in found.unread] == [("t7", True)]
    assert not found.is_whole


@pytest.mark.parametrize("reply", [refused(503, "UNAVAILABLE"), refused(429, "TOOMANYREQUESTS"), Reply(502)])
def test_so_is_one_that_is_refused_for_now(fake: FakeRegistry, reply: Reply) -> None:
    fake.before = lambda asked: reply if asked.path.endswith("/t7") else None
    with connected(fake) as client:
        found = browse.list_tags(client, "app")
    assert [(one.name, one.may_be_whole) for one in found.unread] == [("t7", True)]


def test_a_late_configuration_is_not_a_lost_one(fake: FakeRegistry) -> None:
    fake.before = late(config_of(7))  # type: ignore[assignment]
    with connected(fake) as client:
        found = browse.list_tags(client, "app")
    (tag,) = [tag for tag in found.tags if tag.not_read]
    assert (tag.name, tag.not_read, tag.missing) == ("t7", (config_of(7),), ())
    assert not found.is_whole


def test_one_late_repository_does_not_lose_the_catalog(fake: FakeRegistry) -> None:
    fake.before = late("/v2/app/tags/list")  # type: ignore[assignment]
    with connected(fake) as client:
        app, other = browse.list_everything(client, ("app", "other"))
    assert isinstance(app.failed, LateAnswer)
    assert not app.is_whole
    assert [tag.name for tag in other.tags] == ["1"]
    assert other.is_whole


def test_a_registry_that_answers_no_more_is_not_waited_for(fake: FakeRegistry) -> None:
    """Eight at once, a minute each: a thousand tags would take hours."""
    answers = []

    def before(asked: Asked) -> Reply | None:
        if "/manifests/" in asked.path:
            answers.append(asked.path)
            if len(answers) > 4:
                raise httpx.ReadTimeout("late")
        return None

    fake.before = before
    with RegistryClient("http://localhost:5000", {}, transport=fake.transport, concurrency=1) as client:
        found = browse.list_tags(client, "app")
    assert len(answers) == 4 + 8
    assert (len(found.tags), len(found.unread)) == (4, MANY - 4)


def test_where_no_answer_comes_at_all_that_is_said_once(fake: FakeRegistry) -> None:
    fake.before = late("")  # type: ignore[assignment]
    with connected(fake) as client, pytest.raises(LateAnswer):
        browse.list_tags(client, "app")
    fake.before = late(*(f"/t{number}" for number in range(MANY)))  # type: ignore[assignment]
    with connected(fake) as client, pytest.raises(LateAnswer):
        browse.list_tags(client, "app")


@pytest.mark.parametrize(("raised", "error"), [("refused", Denied), ("gone", RegistryUnreachable)])
def test_a_login_refused_and_a_registry_gone_end_it(fake: FakeRegistry, raised: str, error: type[Exception]) -> None:
    def before(asked: Asked) -> Reply | None:
        if not asked.path.endswith("/t7"):
            return None
        if raised == "gone":
            raise httpx.ConnectError("gone")
        return refused(401, "UNAUTHORIZED")

    fake.before = before
    with connected(fake) as client, pytest.raises(error):
        browse.list_tags(client, "app")
