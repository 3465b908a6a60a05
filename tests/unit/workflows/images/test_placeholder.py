"""Deleting one tag on registry 2.8, as the page does it too: tests/contract/placeholder.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from deployer.errors import DeployerError
from deployer.registry.client import RegistryClient
from deployer.registry.content import placeholder
from deployer.registry.content.manifests import parse
from deployer.workflows.images import untagging
from deployer.workflows.images.untagging import Target, untag
from tests.support.fake_registry import FakeRegistry, pushed, refused
from tests.support.registry_content import Image, image
from tests.unit.test_contract import cases

if TYPE_CHECKING:
    import pytest

    from tests.support.fake_registry import Asked, Reply


@cases("placeholder", "forms")
def test_its_form(case: dict[str, Any]) -> None:
    kind = case["mediaType"] or "application/vnd.docker.distribution.manifest.v2+json"
    made = placeholder.make("1.0", f"sha256:{'a' * 64}", kind, "n")
    assert (json.loads(made.content), made.media_type) == (case["is"], case["is"]["mediaType"])


@cases("placeholder", "recognized")
def test_it_is_recognized(case: dict[str, Any]) -> None:
    document = case["document"]
    found = parse(json.dumps(document).encode(), document["mediaType"])
    assert placeholder.original_of(found) == case["is"]


@cases("placeholder", "carried")
def test_what_it_names(case: dict[str, Any]) -> None:
    fake = FakeRegistry(version="2.8")
    document = case["document"]
    original = pushed(fake, "app", "go", Image(json.dumps(document).encode(), document["mediaType"]))
    named: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.url.path.endswith("/manifests/go"):
            named.append(json.loads(request.read())["annotations"][placeholder.DIGEST])
        return fake.transport.handle_request(request)

    with RegistryClient("http://localhost:5000", {}, transport=httpx.MockTransport(answer)) as client:
        untag(client, Target("app", "go", original.digest), "second")
    assert named == [case["names"] or original.digest]
    assert "go" not in fake.repositories["app"].tags


@cases("placeholder", "steps")
def test_its_steps(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untagging, "_PAUSES", (0.0, 0.001, 0.001))
    fake = FakeRegistry(version="2.8")
    original, later = pushed(fake, "app", "go", image("x")), image("later")
    pushed(fake, "app", "stay", original)
    held = fake.repositories["app"]
    refusal = case["refuse"] or {"method": "", "times": 0}
    left = refusal["times"]
    writes: list[str] = []

    def before(asked: Asked) -> Reply | None:
        nonlocal left
        is_meant = asked.method == refusal["method"] and (asked.method != "DELETE" or "/sha256:" in asked.path)
        if not is_meant or not left:
            return None
        left -= 1
        if refusal.get("push"):
            held.manifests[later.digest] = (later.media_type, later.content)
            held.tags["go"] = later.digest
        return refused(refusal["status"], "DENIED" if refusal["status"] == 403 else "UNKNOWN")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.url.path.endswith("/manifests/go"):
            writes.append("PUT placeholder" if b"half-deleted" in request.read() else "PUT original")
        elif request.method == "DELETE" and "/manifests/sha256:" in request.url.path:
            writes.append("DELETE placeholder")
        return fake.transport.handle_request(request)

    fake.before = before
    with RegistryClient("http://localhost:5000", {}, transport=httpx.MockTransport(answer)) as client:
        try:
            untag(client, Target("app", "go", original.digest, ("stay",)), "nonce")
        except DeployerError:
            assert case["tag"] == "original"
    names = {None: None, original.digest: "original", later.digest: "pushed"}
    assert names[held.tags.get("go")] == case["tag"]
    assert held.tags["stay"] == original.digest
    assert writes == case["writes"]
