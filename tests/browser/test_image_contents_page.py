"""The view of what is no plain image, and of what strangers push, in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from deployer.registry.content import placeholder
from tests.support.content import EMPTY, build_image, push_artifact, push_image
from tests.support.image_view import commands, fact, section, setting, short
from tests.support.page_views import go
from tests.support.registry_content import DOCKER, OCI, TYPES, Image, image, index, push, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

HTML = "<img src=x onerror=window.ran=true><script>window.ran=true</script>"


@pytest.fixture(scope="module")
def client(page_stack: DeployedStack) -> Iterator[httpx.Client]:
    with page_stack.client as opened:
        yield opened


def answer(document: dict[str, Any]) -> Callable[[Route], None]:
    return lambda route: route.fulfill(json=document)


def subject(client: httpx.Client, repository: str, digest: str) -> dict[str, object]:
    stored = client.get(f"/v2/{repository}/manifests/{digest}", headers={"Accept": "*/*, " + TYPES[DOCKER]["manifest"]})
    return {"mediaType": stored.headers["Content-Type"], "digest": digest, "size": len(stored.content)}


class TestTypes:
    """What an index is, is what it puts together; what no engine unpacks is not offered to one."""

    def push_manifest(self, client: httpx.Client, repository: str, tag: str, document: dict[str, Any]) -> None:
        headers = {"Content-Type": document["mediaType"]}
        answer = client.put(f"/v2/{repository}/manifests/{tag}", content=json.dumps(document).encode(), headers=headers)
        assert answer.status_code == 201, answer.text

    def test_a_cache_and_an_index_of_artifacts_are_called_what_they_are(self, client: httpx.Client, page: Page) -> None:
        made = build_image(media=OCI)
        push(client, "types/app", "1.0", made)
        layer, config = made.document["layers"][0], made.document["config"]
        cache = {**config, "mediaType": "application/vnd.buildkit.cacheconfig.v0"}
        whole = {"schemaVersion": 2, "mediaType": TYPES[OCI]["index"]}
        self.push_manifest(client, "types/app", "cache", {**whole, "manifests": [layer, cache]})
        parts = [push_artifact(client, "types/app", None, content=words) for words in (b"one", b"two")]
        charts = [{"mediaType": TYPES[OCI]["manifest"], "digest": part.digest, "size": part.size} for part in parts]
        self.push_manifest(client, "types/app", "charts", {**whole, "manifests": charts})
        for tag, words in (("cache", "Build cache"), ("charts", "Helm chart")):
            go(page, f"/repository/types/app/tag/{tag}")
            expect(fact(page, "Type")).to_have_text(words)
            assert not [line for line in commands(page).values() if line.startswith("docker pull")]
        assert "helm pull" in commands(page)["Helm"]

    def test_an_encrypted_image_is_not_offered_to_docker(self, client: httpx.Client, page: Page) -> None:
        made = build_image(media=OCI)
        push(client, "types/secret", "2.0", made)
        layers = [{**one, "mediaType": f"{one['mediaType']}+encrypted"} for one in made.document["layers"]]
        self.push_manifest(client, "types/secret", "1.0", {**made.document, "layers": layers})
        go(page, "/repository/types/secret/tag/1.0")
        expect(fact(page, "Type")).to_have_text("Encrypted image")
        expect(fact(page, "Platform")).to_have_text("linux/amd64")
        expect(section(page, "Pull").get_by_text("Docker cannot unpack the layers")).to_be_visible()
        assert list(commands(page)) == ["skopeo"]


class TestOtherContent:
    def test_a_signature_is_named_at_its_image_and_leads_there(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        signed = push_image(client, "image/signed", "1.0")
        signature = push_artifact(
            client, "image/signed", None, config_type=EMPTY, config={}, layer_type="application/jose+json",
            artifactType="application/vnd.cncf.notary.signature",
            subject=subject(client, "image/signed", signed.digest),
            annotations={"org.opencontainers.image.created": "2024-06-01T00:00:00Z"},
        )  # fmt: skip
        page = open_page("/repository/image/signed/tag/1.0")
        attached = section(page, "Signatures, attestations and more").get_by_role("listitem")
        expect(attached).to_have_count(1)
        expect(attached).to_contain_text(short(signature.digest))
        expect(attached).to_contain_text(f"{signature.size} B")
        attached.get_by_role("link", name="Signature (cncf.notary.signature)").click()
        expect(fact(page, "Type")).to_have_text("Signature (cncf.notary.signature)")
        assert "docker" not in json.dumps(commands(page)).lower().replace("docker://", "")
        fact(page, "Refers to").get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"image/signed@{short(signed.digest)}")
        expect(fact(page, "Tags").get_by_role("link")).to_have_text(["1.0"])

    def test_what_cosign_tags_is_named_too(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        signed = push_image(client, "image/cosign", "1.0")
        tag = signed.digest.replace(":", "-")
        config_type = TYPES[OCI]["config"]
        for ending, layer_type in (
            ("sig", "application/vnd.dev.cosign.simplesigning.v1+json"),
            ("att", "application/vnd.dsse.envelope.v1+json"),
            ("sbom", "text/spdx+json"),
        ):
            push_artifact(
                client, "image/cosign", f"{tag}.{ending}", config_type=config_type, config={}, layer_type=layer_type
            )
        push(client, "image/cosign", tag, index([], media=OCI))
        page = open_page("/repository/image/cosign/tag/1.0")
        links = section(page, "Signatures, attestations and more").get_by_role("link")
        expect(links).to_have_text(
            [
                "List of referrers",
                "Attestation (dsse.envelope)",
                "SBOM (text/spdx)",
                "Signature (dev.cosign.simplesigning)",
            ]
        )
        links.last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"image/cosign:{tag}.sig")
        expect(fact(page, "Refers to").get_by_role("link")).to_have_text(short(signed.digest))

    def test_nothing_is_said_where_nothing_is_attached(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/alone", "1.0")
        page = open_page("/repository/image/alone/tag/1.0")
        expect(section(page, "Raw content")).to_be_visible()
        expect(section(page, "Signatures, attestations and more")).to_be_hidden()

    def test_a_chart_tells_its_versions_and_how_helm_gets_it(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        chart = {
            "name": "web",
            "version": "1.2.0",
            "appVersion": "7.1",
            "description": "A web server",
            "apiVersion": "v2",
        }
        push_artifact(client, "charts/web", "1.2.0", config=chart, annotations={"org.example.a": "b"})
        page = open_page("/repository/charts/web/tag/1.2.0")
        expect(fact(page, "Type")).to_have_text("Helm chart (cncf.helm)")
        expect(setting(page, "Name")).to_have_text("web")
        expect(setting(page, "Version")).to_have_text("1.2.0")
        expect(setting(page, "App version")).to_have_text("7.1")
        expect(setting(page, "Description")).to_have_text("A web server")
        expect(setting(page, "org.example.a")).to_have_text("b")
        told = commands(page)
        assert list(told) == ["Helm", "skopeo"]
        assert told["Helm"] == f"helm pull --plain-http oci://{page_stack.address}/charts/web --version 1.2.0"

    def test_files_have_their_names_and_can_be_read(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        push_artifact(
            client, "image/files", "v1", config_type=EMPTY, config={}, layer_type="text/plain", title="notes <1>.txt",
            content=b"first line\nsecond", artifactType="application/vnd.example.notes",
        )  # fmt: skip
        page = open_page("/repository/image/files/tag/v1")
        expect(fact(page, "Type")).to_have_text("example.notes")
        expect(section(page, "Files").locator("td.file")).to_have_text("notes <1>.txt")
        assert list(commands(page)) == ["ORAS", "skopeo"]
        section(page, "Raw content").get_by_text("notes <1>.txt").click()
        expect(section(page, "Raw content").locator("pre")).to_have_text("first line\nsecond")

    def test_schema_1_is_shown_from_its_own_history(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        """Registries of today take none any more; old storage may hold some."""
        push_image(client, "image/legacy", "1.0")
        layer = sha256(b"layer")
        told = {"os": "linux", "architecture": "amd64", "docker_version": "1.9.1", "config": {"Cmd": ["sh"]}}
        document = {
            "schemaVersion": 1,
            "fsLayers": [{"blobSum": layer}],
            "history": [
                {
                    "v1Compatibility": json.dumps(
                        {**told, "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) ADD file:1 in /"]}}
                    )
                }
            ],
        }

        manifests = {layer: {"document": document, "config": None}}
        page = open_page("")
        page.route(re.compile("/overview/tags/"), answer({"tags": {"1.0": layer}, "manifests": manifests, "may": {}}))
        page.goto("/repository/image/legacy/tag/1.0")
        expect(fact(page, "Type")).to_have_text("Docker schema 1")
        expect(fact(page, "Size")).to_have_text("\u2013")
        expect(fact(page, "Docker version")).to_have_text("1.9.1")
        expect(setting(page, "Command")).to_have_text('["sh"]')
        expect(section(page, "History").locator(".step")).to_have_text(["ADD file:1 in /"])
        expect(section(page, "Layers").locator("tbody tr")).to_contain_text("unknown")

    def test_layers_from_elsewhere_are_marked(self, client: httpx.Client, open_page: Callable[..., Page]) -> None:
        plain = image("layer", media=OCI)
        document = plain.document
        # Pushed too, and without an address, which the registry would refuse.
        foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        document["layers"].append({"mediaType": foreign, "digest": sha256(b"elsewhere"), "size": 9})
        blobs = (*plain.blobs, b"elsewhere")
        push(client, "image/foreign", "1.0", Image(json.dumps(document).encode(), plain.media_type, blobs))
        page = open_page("/repository/image/foreign/tag/1.0")
        rows = section(page, "Layers").locator("tbody tr")
        expect(rows.nth(0)).not_to_contain_text("stored elsewhere")
        expect(rows.nth(1)).to_contain_text("tar+gzip")
        expect(rows.nth(1)).to_contain_text("stored elsewhere")

    def test_a_half_deleted_tag_says_how_it_is_finished(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        left = placeholder.make("1.0", sha256(b"before"), TYPES[OCI]["manifest"], "nonce")
        push(client, "image/half", "1.0", Image(left.content, left.media_type, (placeholder.CONFIG,)))
        page = open_page("/repository/image/half/tag/1.0")
        expect(page.locator("main")).to_contain_text("deployer delete image/half:1.0")
        expect(page.get_by_role("button", name="Delete…")).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("docker pull")


class TestRaw:
    def test_the_manifest_is_shown_laid_out_and_as_stored(
        self, client: httpx.Client, open_page: Callable[..., Page], page_stack: DeployedStack
    ) -> None:
        plain = image("layer")
        push(client, "image/raw", "1.0", plain)
        page = open_page("/repository/image/raw/tag/1.0")
        raw = section(page, "Raw content")
        raw.get_by_text("Manifest", exact=True).click()
        expect(raw.locator("pre")).to_contain_text('\n  "schemaVersion": 2')
        raw.get_by_label("As stored").check()
        expect(raw.locator("pre")).to_contain_text('\n   "schemaVersion": 2')
        assert sha256(raw.locator("pre").evaluate("element => element.textContent").encode()) == plain.digest
        raw.get_by_role("button", name="Copy: Manifest").click()
        expect(page.get_by_role("status")).to_have_text("Copied")

    def test_a_very_large_configuration_is_cut_on_screen_but_copied_whole(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        labels = {f"label-{number}": "x" * 200 for number in range(5_000)}
        push_image(client, "image/large", "1.0", config_extra={"config": {"Labels": labels}})
        page = open_page("/repository/image/large/tag/1.0", permissions=["clipboard-read", "clipboard-write"])
        section(page, "Labels").get_by_role("button", name="Show all 5,000").click()
        expect(section(page, "Labels").locator("dt")).to_have_count(5_000)
        raw = section(page, "Raw content")
        raw.get_by_text("Configuration", exact=True).click()
        expect(raw).to_contain_text("Only the beginning is shown.")
        raw.get_by_role("button", name="Copy: Configuration").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert len(page.evaluate("navigator.clipboard.readText()")) > 1_000_000

    def test_content_that_calls_itself_small_is_not_read_where_it_is_large(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        settings = json.dumps({"config": {"Labels": {"long": "x" * 5_000_000}}}).encode()
        plain = image("layer")
        document = plain.document
        document["config"] |= {"digest": sha256(settings), "size": 100}
        whole = Image(json.dumps(document).encode(), plain.media_type, (settings, *plain.blobs[1:]))
        push(client, "image/huge", "1.0", whole)
        page = open_page("/repository/image/huge/tag/1.0")
        expect(section(page, "Configuration")).to_contain_text("Too large to show here.")
        expect(section(page, "Layers").locator("tbody tr")).to_have_count(1)
        section(page, "Raw content").get_by_text("Configuration", exact=True).click()
        expect(section(page, "Raw content")).to_contain_text("Too large to show here.")


class TestNotThere:
    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/repository/image/there/tag/2.0", "2.0 not found in image/there"),
            ("/repository/image/there/tag/toString", "toString not found in image/there"),
            (f"/repository/image/there/digest/sha256:{'0' * 64}", "000000000000 not found in image/there"),
            ("/repository/image/there/digest/nonsense", "nonsense not found in image/there"),
            ("/repository/image/nowhere/tag/1.0", "Repository image/nowhere not found"),
            ("/repository/image/Wrong/tag/1.0", "Invalid repository name"),
        ],
    )
    def test_it_is_said_in_words(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, path: str, words: str
    ) -> None:
        watch.expect("status of 404")
        push_image(client, "image/there", "1.0")
        page = open_page(path)
        expect(page.get_by_role("heading", level=2)).to_have_text(words)

    def test_what_comes_later_is_shown_by_another_try(
        self, client: httpx.Client, open_page: Callable[..., Page]
    ) -> None:
        push_image(client, "image/there", "1.0")
        page = open_page("/repository/image/there/tag/later")
        expect(page.get_by_role("heading", level=2)).to_have_text("later not found in image/there")
        push_image(client, "image/there", "later")
        page.get_by_role("button", name="Try again").click()
        expect(fact(page, "Digest")).to_be_visible()

    @pytest.mark.parametrize(
        ("status", "words"), [(401, "You are logged out"), (403, "Access denied"), (503, "is not responding")]
    )
    def test_a_refusal_is_a_sentence(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch, status: int, words: str
    ) -> None:
        watch.expect(f"status of {status}")
        push_image(client, "image/there", "1.0")
        page = open_page("")
        page.route(re.compile("/overview/tags/"), lambda route: route.fulfill(status=status, json={"errors": []}))
        page.goto("/repository/image/there/tag/1.0")
        expect(page.get_by_role("alert")).to_contain_text(words)

    def test_a_tag_whose_manifest_is_gone_is_said_so(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch
    ) -> None:
        watch.expect("status of 404")
        push_image(client, "image/there", "1.0")
        page = open_page("")
        page.route(re.compile("/v2/"), lambda route: route.fulfill(status=404, json={"errors": []}))
        for digest in ("", f"sha256:{'a' * 64}"):
            told = {"tags": {"1.0": digest}, "manifests": {}, "may": {}}
            page.route(re.compile("/overview/tags/"), answer(told))
            page.goto("/repository/image/there/tag/1.0")
            expect(page.get_by_role("heading", level=2)).to_have_text("The manifest of 1.0 is missing")


class TestStrangers:
    def test_html_in_every_field_stays_text(
        self, client: httpx.Client, open_page: Callable[..., Page], watch: Watch
    ) -> None:
        listed = [HTML]
        config = {
            "Entrypoint": listed, "Cmd": listed, "Env": [f"A={HTML}"], "WorkingDir": HTML, "User": HTML,
            "ExposedPorts": {HTML: {}}, "Volumes": {HTML: {}}, "Labels": {HTML: HTML}, "StopSignal": HTML,
            "Healthcheck": {"Test": ["CMD-SHELL", HTML]}, "Shell": listed, "OnBuild": listed,
        }  # fmt: skip
        history = [
            {"created": HTML, "created_by": f"RUN |1 A={HTML} /bin/sh -c {HTML}", "comment": HTML, "author": HTML}
        ]
        extra = {
            "author": HTML,
            "docker_version": HTML,
            "os": HTML,
            "architecture": HTML,
            "variant": HTML,
            "history": history,
            "config": config,
        }
        evil = image("layer", media=OCI, annotations={HTML: HTML})
        settings = json.dumps({**json.loads(evil.blobs[0]), **extra}).encode()
        document = evil.document
        document["config"] |= {"digest": sha256(settings), "size": len(settings)}
        document["layers"][0]["annotations"] = {"org.opencontainers.image.title": HTML}
        whole = Image(json.dumps(document).encode(), evil.media_type, (settings, *evil.blobs[1:]))
        push(client, "image/evil", "image", whole)
        push(
            client,
            "image/evil",
            "index",
            index([(whole, f"{HTML}/{HTML}/{HTML}"), (whole, "linux/$(reboot)")], media=OCI),
        )
        chart = dict.fromkeys(("name", "version", "appVersion", "description", "home", "type", "kubeVersion"), HTML)
        push_artifact(client, "image/evil", "chart", config=chart)
        about = subject(client, "image/evil", whole.digest)
        push_artifact(
            client, "image/evil", "file", config_type=f"application/{HTML}", layer_type=f"text/{HTML}", title=HTML,
            content=HTML.encode(), artifactType=f"signature/{HTML}", subject=about,
            annotations={HTML: HTML, "predicateType": HTML},
        )  # fmt: skip
        for tag in ("image", "index", "chart", "file"):
            page = open_page(f"/repository/image/evil/tag/{tag}")
            expect(section(page, "Raw content")).to_be_visible()
            for box in page.locator("details summary").all():
                box.click()
            expect(page.locator("details .skeleton")).to_have_count(0)
            expect(page.locator("main")).to_contain_text(HTML)
            assert "$(reboot)" not in json.dumps(commands(page))
            assert page.evaluate("window.ran") is None
            assert page.locator("main").locator("img, script").count() == 0
        page = open_page("/repository/image/evil/tag/image")
        expect(section(page, "Signatures, attestations and more")).to_contain_text(HTML)
