"""The list of referrers, which the registry does not have, by the rules of OCI's distribution specification 1.1."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.registry_content import OCI, Image, image, index, push, sha256

if TYPE_CHECKING:
    import httpx

    from tests.support.stack import DeployedStack

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
REPOSITORY = "referrers/app"
NOTHING = f"sha256:{'0' * 64}"


def attached(to: Image, words: str, *, digest: str = "", **more: Any) -> Image:
    """A manifest about an image, as `oras attach` makes it."""
    part = {"mediaType": "text/plain", "digest": sha256(words.encode()), "size": len(words)}
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": EMPTY, "digest": sha256(b"{}"), "size": 2},
        "layers": [part],
        "subject": {"mediaType": to.media_type, "digest": digest or to.digest, "size": len(to.content)},
        **more,
    }
    return Image(json.dumps(document).encode(), MANIFEST, (b"{}", words.encode()))


def referrers(client: httpx.Client, digest: str, **query: str) -> httpx.Response:
    answer = client.get(f"/v2/{REPOSITORY}/referrers/{digest}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == INDEX
    document = answer.json()
    assert (document["schemaVersion"], document["mediaType"]) == (2, INDEX)
    return answer


def test_what_is_about_an_image_is_listed_by_its_type(stack: DeployedStack) -> None:
    with stack.client as client:
        about = image("of referrers", media=OCI)
        push(client, REPOSITORY, "1", about)
        bill = attached(about, "bill", artifactType="application/x.sbom", annotations={"created": 'now "é"'})
        # Without a type of its own it has that of its configuration.
        own = {"mediaType": "application/x.sig", "digest": sha256(b"{}"), "size": 2}
        signed = attached(about, "signature", config=own)
        together = index([(about, None)], media=OCI, subject={"mediaType": MANIFEST, "digest": about.digest, "size": 1})
        for tag, one in ((None, bill), ("signature", signed), (None, together)):
            push(client, REPOSITORY, tag, one)
        push(client, REPOSITORY, None, attached(bill, "about the bill", artifactType="application/x.sig"))
        found = {one["digest"]: one for one in referrers(client, about.digest).json()["manifests"]}
        assert found == {
            bill.digest: {
                "mediaType": MANIFEST, "digest": bill.digest, "size": len(bill.content),
                "artifactType": "application/x.sbom", "annotations": {"created": 'now "é"'},
            },
            signed.digest: {
                "mediaType": MANIFEST, "digest": signed.digest, "size": len(signed.content),
                "artifactType": "application/x.sig",
            },
            together.digest: {"mediaType": INDEX, "digest": together.digest, "size": len(together.content)},
        }  # fmt: skip
        filtered = referrers(client, about.digest, artifactType="application/x.sig")
        assert [one["digest"] for one in filtered.json()["manifests"]] == [signed.digest]
        assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
        assert "OCI-Filters-Applied" not in referrers(client, about.digest).headers
        assert referrers(client, about.digest, artifactType="application/x.no").json()["manifests"] == []


def test_nothing_is_an_empty_list(stack: DeployedStack) -> None:
    with stack.client as client:
        assert referrers(client, NOTHING).json()["manifests"] == []
        answer = client.get(f"/v2/no/such/repository/referrers/{NOTHING}")
        assert (answer.status_code, answer.json()["manifests"]) == (200, [])
        wide = f"sha512:{hashlib.sha512(b'').hexdigest()}"
        assert referrers(client, wide).json()["manifests"] == []


@pytest.mark.parametrize("digest", ["sha256:abc", "latest", "sha256:" + "g" * 64, "sha256"])
def test_what_is_no_digest_is_refused(stack: DeployedStack, digest: str) -> None:
    with stack.client as client:
        answer = client.get(f"/v2/{REPOSITORY}/referrers/{digest}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")


def test_one_may_be_pushed_before_what_it_is_about(stack: DeployedStack) -> None:
    with stack.client as client:
        later = image("pushed later", media=OCI)
        early = attached(later, "early", artifactType="application/x.sig")
        push(client, REPOSITORY, None, early)
        assert [one["digest"] for one in referrers(client, later.digest).json()["manifests"]] == [early.digest]
        client.delete(f"/v2/{REPOSITORY}/manifests/{early.digest}")
        assert referrers(client, later.digest).json()["manifests"] == []


def test_a_push_with_a_subject_is_told_that_it_is_listed(stack: DeployedStack) -> None:
    """Then clients write no tag with a list of referrers of their own."""
    with stack.client as client:
        about = image("subject", media=OCI)
        push(client, REPOSITORY, "subject", about)
        for one, subject in (
            (attached(about, "told"), about.digest),
            (attached(about, "deep", annotations={"x": "}{\"subject\":{\"digest\":\"sha256:0\"}}"}), about.digest),
            (image("no subject", media=OCI, annotations={"about": "subject"}), None),
        ):  # fmt: skip
            push(client, REPOSITORY, None, one)
            answer = client.put(
                f"/v2/{REPOSITORY}/manifests/{one.digest}",
                content=one.content,
                headers={"Content-Type": one.media_type},
            )
            assert (answer.status_code, answer.content) == (201, b"")
            assert answer.headers.get("OCI-Subject") == subject
            assert answer.headers["Docker-Content-Digest"] == one.digest
            assert answer.headers["Location"].endswith(f"/v2/{REPOSITORY}/manifests/{one.digest}")
            assert not {"Content-Type", "Via", "ETag", "Allow"} & {name.title() for name in answer.headers}


def test_a_manifest_that_is_too_large_is_refused_in_the_registrys_form(stack: DeployedStack) -> None:
    with stack.client as client:
        answer = client.put(
            f"/v2/{REPOSITORY}/manifests/large",
            content=b'{"schemaVersion":2,"subject":"' + b"x" * 6_000_000 + b'"}',
            headers={"Content-Type": MANIFEST},
        )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "SIZE_INVALID")
