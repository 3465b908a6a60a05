"""What a check through the API finds: in what tags name, in the sizes of blobs, and in their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import Denied, NotFound, RegistryUnreachable
from deployer.registry.client import RegistryClient
from deployer.workflows.integrity.check import CheckOptions
from deployer.workflows.integrity.faults import FaultKind
from deployer.workflows.integrity.rate import RateLimit
from deployer.workflows.integrity.remote import check_remote
from deployer.workflows.restore.selection import Selection
from tests.support.fake_registry import Asked, FakeRegistry, Reply, pushed, refused
from tests.support.registry_content import image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.restic.repository import Progress
    from deployer.workflows.integrity.check import Checked

APP = image("app")
LAYER = sha256(APP.blobs[1])
PARTS = image("amd64"), image("arm64", platform="linux/arm64")


@pytest.fixture(params=["2.8", "3"])
def fake(request: pytest.FixtureRequest) -> FakeRegistry:
    made = FakeRegistry(version=request.param)
    pushed(made, "team/app", "1", APP)
    pushed(made, "copy", "1", APP)
    pushed(made, "multi", "1", *PARTS, index(list(zip(PARTS, ("linux/amd64", "linux/arm64"), strict=True))))
    return made


@pytest.fixture
def client(fake: FakeRegistry) -> Iterator[RegistryClient]:
    with RegistryClient("http://localhost:5000", {}, transport=fake.transport) as made:
        yield made


def check(client: RegistryClient, *names: str, full: bool = False, seen: list[Progress] | None = None) -> Checked:
    progress = [] if seen is None else seen
    return check_remote(client, CheckOptions(Selection.parse(names), full), RateLimit(0), progress.append)


def hits(found: Checked) -> list[tuple[str, FaultKind, tuple[str, ...]]]:
    return [(one.digest, one.kind, one.images) for one in found.faults]


def test_an_intact_registry_has_no_damage(client: RegistryClient) -> None:
    progress: list[Progress] = []
    found = check(client, full=True, seen=progress)
    assert (found.is_whole, found.repositories, found.tags) == (True, 3, 3)
    assert found.read is not None
    assert found.read.size == sum(one.size for one in (APP, *PARTS)) == progress[-1].done == progress[-1].total


def test_a_quick_check_reads_no_blob(client: RegistryClient, fake: FakeRegistry) -> None:
    assert check(client).read is None
    assert not [path for path in fake.asked_for("GET") if "/blobs/" in path]
    assert len([path for path in fake.asked_for("HEAD") if "/blobs/" in path]) == 8


def test_a_missing_blob_is_reported_with_the_images_of_each_repository(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    del fake.blobs[LAYER]
    assert hits(check(client)) == [(LAYER, FaultKind.MISSING, ("copy:1", "team/app:1"))]
    assert hits(check(client, "team/*")) == [(LAYER, FaultKind.MISSING, ("team/app:1",))]


def test_without_the_catalog_named_repositories_can_be_checked(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.before = lambda asked: refused(403, "DENIED") if asked.path.startswith("/v2/_catalog") else None
    found = check(client, "team/app", "multi:1")
    assert (found.repositories, found.tags) == (2, 2)
    with pytest.raises(NotFound, match=r"does not have copy:2, none\."):
        check(client, "none", "copy:2", "multi")
    with pytest.raises(Denied):
        check(client, "team/*", "multi")


def test_a_truncated_blob_is_reported_without_reading_it(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.blobs[LAYER] = b"cut"
    (found,) = check(client, "copy").faults
    assert found.kind is FaultKind.DAMAGED
    assert "3 bytes" in found.state


def test_changed_bytes_are_found_only_by_reading(client: RegistryClient, fake: FakeRegistry) -> None:
    layer = sha256(PARTS[1].blobs[1])
    fake.blobs[layer] = bytes(len(fake.blobs[layer]))
    assert check(client).is_whole
    assert hits(check(client, full=True)) == [(layer, FaultKind.DAMAGED, ("multi:1",))]


def test_a_tag_whose_manifest_is_missing_or_damaged_is_reported(client: RegistryClient, fake: FakeRegistry) -> None:
    media, content = fake.repositories["copy"].manifests.pop(APP.digest)
    assert hits(check(client)) == [("", FaultKind.MISSING, ("copy:1",))]
    fake.repositories["copy"].manifests[APP.digest] = (media, content + b" ")
    # It is served with the digest of what it is now.
    assert check(client, "copy").is_whole
    fake.before = lambda asked: _promising(fake, asked)
    assert hits(check(client, "copy")) == [(APP.digest, FaultKind.DAMAGED, ("copy:1",))]


def _promising(fake: FakeRegistry, asked: Asked) -> Reply | None:
    if not asked.path.endswith("/copy/manifests/1"):
        return None
    media, content = fake.repositories["copy"].manifests[APP.digest]
    return Reply(200, content, {"Docker-Content-Digest": APP.digest, "Content-Type": media})


def test_an_image_that_an_index_names_and_that_is_elsewhere_is_no_damage(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    del fake.repositories["multi"].manifests[PARTS[1].digest]
    assert check(client).is_whole


@pytest.mark.parametrize("change", ["deleted", "pushed again"])
def test_what_changes_in_the_meantime_is_no_damage(client: RegistryClient, fake: FakeRegistry, change: str) -> None:
    del fake.blobs[LAYER]

    def meanwhile(asked: Asked) -> None:
        # The last question of all is whether the tag is still the same.
        if asked.method == "HEAD" and asked.path == "/v2/copy/manifests/1":
            fake.before = None
            if change == "deleted":
                del fake.repositories["copy"].tags["1"]
            else:
                pushed(fake, "copy", "1", image("other"))

    fake.before = meanwhile
    assert check(client, "copy").is_whole
    assert fake.before is None


def test_a_name_that_is_not_there_is_said(client: RegistryClient) -> None:
    for names in (("nope",), ("copy:2",), ("nope:1", "copy:1")):
        with pytest.raises(NotFound):
            check(client, *names)


def test_a_registry_that_refuses_or_falls_silent_is_not_called_damaged(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    fake.before = lambda asked: Reply(403) if "/manifests/" in asked.path else None
    with pytest.raises(Denied):
        check(client)
    with (
        RegistryClient("http://localhost:1", {}) as silent,
        pytest.raises(RegistryUnreachable),
    ):
        check(silent)


def test_reading_keeps_to_its_rate() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limit = RateLimit(1000, lambda: now[0], sleep)
    for _ in range(4):
        limit.take(500)
    assert now[0] == pytest.approx(2.0)
    now[0] += 60
    limit.take(500)
    assert slept[-1] == pytest.approx(0.5), "what was read too slowly is not made up for"
    RateLimit(0, lambda: now[0], sleep).take(10**9)
    assert len(slept) == 5
