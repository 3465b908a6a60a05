"""Listings by the overview's one answer, and by the registry's API: the same, byte for byte."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.cli.output import Output
from deployer.cli.views import images as views
from deployer.registry.client import RegistryClient
from deployer.workflows.images import browse
from tests.support.content import (
    build_image,
    empty_repository,
    push_artifact,
    push_image,
    push_index,
    push_many_tags,
    push_tag,
)
from tests.support.planted import plant_everything
from tests.support.registry_content import DOCKER, OCI, sha256

if TYPE_CHECKING:
    from deployer.workflows.images.tags import Repository
    from tests.support.stored import Stored

UNLINKED = "not-linked"
ORDERS: tuple[browse.TagOrder, ...] = ("name", "size")
NOW = datetime(2024, 7, 2, 23, 28, 22, tzinfo=UTC)


@dataclass
class Watched(httpx.BaseTransport):
    """What is asked; the overview answers with `status`, where that is not None, or late, where it is 0."""

    status: int | None = None
    asked: list[str] = field(default_factory=list)
    inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path.startswith("/overview/") and self.status is not None:
            if not self.status:
                raise httpx.ReadTimeout("late")
            code = {404: "NAME_UNKNOWN", 403: "DENIED"}.get(self.status, "UNKNOWN")
            return httpx.Response(self.status, json={"errors": [{"code": code, "message": "no", "detail": []}]})
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


def shown(stored: Stored, watched: Watched, *names: str) -> str:
    """Everything that tags, `catalog --tags` and their JSON report about these repositories.

    All but what the overview alone knows.
    """
    out = io.StringIO()
    output = Output(out, out)
    with RegistryClient(stored.stack.url, {}, transport=watched) as client:
        found = [alike(browse.list_tags(client, name, order)) for name in names for order in ORDERS]
        everything = [alike(one) for one in browse.list_everything(client, names)]
    for repository in found:
        views.print_tags(output, repository, NOW)
    views.print_tree(output, everything, NOW)
    views.warn_of_repositories(output, everything)
    for repository in (*found, *everything):
        output.json(views.repository_json(repository))
    return out.getvalue()


def alike(repository: Repository) -> Repository:
    """Without what the API cannot tell: pushes, files that are damaged, and that it looked for none.

    Of a manifest without a link it says that it is missing.
    """
    return replace(
        repository,
        is_unchecked=False,
        tags=tuple(replace(tag, pushed=None, damaged=()) for tag in repository.tags if tag.name != UNLINKED),
        unread=tuple(replace(one, damaged=()) for one in repository.unread if one.name != UNLINKED),
    )


def fill(stored: Stored, client: httpx.Client) -> None:
    plant_everything(stored, "damaged")
    push_image(client, "kinds", "single", platform="linux/arm/v7", media=DOCKER)
    push_image(client, "kinds", "epoch", layers=("e",), created="1970-01-01T00:00:00Z")
    push_image(client, "kinds", "undated", layers=("u",), created=None)
    push_image(client, "kinds", "large", layers=("l",), config_extra={"config": {"Labels": {"a": "x" * 5_000_000}}})
    push_index(client, "kinds", "several", attestations=True)
    push_index(client, "kinds", "list", media=DOCKER, platforms=("windows/amd64", "linux/amd64"))
    push_artifact(client, "kinds", "chart")
    push_many_tags(client, "kinds", [f"v1.{number}" for number in range(30)], images=4)
    made = push_image(client, "lost", "config", layers=("gone",))
    document = client.get(f"/v2/lost/manifests/{made.digest}", headers={"Accept": "*/*"}).json()
    assert document
    stored.blob(sha256(build_image(layers=("gone",)).blobs[0])).unlink()
    empty_repository(client, "emptied")


@pytest.mark.parametrize("status", [403, 507, 0])
def test_both_ways_tell_the_same(stored: Stored, client: httpx.Client, status: int) -> None:
    fill(stored, client)
    names = ("damaged", "kinds", "lost", "emptied")
    by_overview, by_api = Watched(), Watched(status)
    told = shown(stored, by_overview, *names)
    assert told == shown(stored, by_api, *names)
    assert "v1.29" in told
    assert "(manifest missing)" in told
    assert len(by_overview.asked) < len(by_api.asked) / 2


def test_many_tags_are_one_request(stored: Stored, client: httpx.Client) -> None:
    push_many_tags(client, "many", [f"v1.{number}" for number in range(300)], images=9)
    watched = Watched()
    with RegistryClient(stored.stack.url, {}, transport=watched) as connected:
        found = browse.list_tags(connected, "many")
        assert len(found.tags) == 300
        assert watched.asked == ["/overview/tags/many"]
        watched.asked.clear()
        browse.list_everything(connected, connected.catalog())
    assert watched.asked == ["/v2/_catalog", "/overview/tags/many"]


def test_bytes_that_changed_are_no_longer_taken_from_the_overview(stored: Stored, client: httpx.Client) -> None:
    """As the registry itself does not look, the command does."""
    push_image(client, "app", "1", media=OCI)
    push_tag(client, "app", "2", build_image(media=OCI))
    file = stored.blob(build_image(media=OCI).digest)
    file.write_bytes(file.read_bytes().replace(b"schemaVersion", b"schemaversion"))
    done = stored.stack.deployer("tags", "app", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [one["tag"] for one in found["unreadable"]] == ["1", "2"]
    assert {one["digest"] for one in found["unreadable"]} == {build_image(media=OCI).digest}
