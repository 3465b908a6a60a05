"""What is said of something that is not an image, and the commands: none that fails with this registry."""

from __future__ import annotations

import pytest

from deployer.reference import parse
from deployer.registry.content.kinds import Client, Content, Kind, Purpose, kind_of
from deployer.registry.protocol.place import Place
from deployer.workflows.transfer.pull_commands import getting, not_an_image

LOCAL, LOCAL_TLS = Place.of("http://localhost:5000"), Place.of("https://localhost:5000")
REMOTE, REMOTE_TLS = Place.of("http://registry.test:5000"), Place.of("https://registry.test:5000")
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}


def content(client: Client, purpose: Purpose = Purpose.NONE) -> Content:
    return Content(Kind.ARTIFACT, purpose, "application/x", client)


@pytest.mark.parametrize(
    ("client", "place", "name", "command"),
    [
        (Client.HELM, LOCAL, "team/web:1.2.0_a1", "helm pull --plain-http oci://{}/team/web --version 1.2.0+a1"),
        (Client.HELM, REMOTE_TLS, "web:main", "helm pull oci://{}/web:main"),
        (Client.ORAS, LOCAL, "web:1", "oras pull --plain-http {}/web:1"),
        (Client.ORAS, LOCAL_TLS, "web:1", "oras pull --plain-http=false {}/web:1"),
        (Client.ORAS, REMOTE_TLS, "web:1", "oras pull {}/web:1"),
        (Client.FLUX, REMOTE, "web:1", "flux pull artifact --insecure-registry oci://{}/web:1 --output ."),
        (Client.FLUX, REMOTE_TLS, "web:1", "flux pull artifact oci://{}/web:1 --output ."),
        (Client.COMPOSE, REMOTE_TLS, "web:1", "docker compose -f oci://{}/web:1 up"),
        (Client.DOCKER_MODEL, REMOTE_TLS, "ai/m:1", "docker model pull {}/ai/m:1"),
        (Client.DOCKER_PLUGIN, REMOTE, "p:1", "docker plugin install {}/p:1"),
        (Client.BUILDKIT, REMOTE, "c:1", "docker buildx build --cache-from type=registry,ref={}/c:1 ."),
    ],
)
def test_its_own_client_comes_first(client: Client, place: Place, name: str, command: str) -> None:
    commands = getting(content(client), parse(name).at(place.address), place)
    assert commands[0] == command.format(place.address)
    assert commands[-1].startswith("To copy it to a directory as is: skopeo copy --all ")


@pytest.mark.parametrize(
    ("client", "place", "name"),
    [
        # Compose has no switch for plain HTTP that all its versions apply (docker/compose#13352, #13894).
        (Client.COMPOSE, REMOTE, "web:1"),
        (Client.DOCKER_MODEL, REMOTE, "ai/m:1"),
        (Client.DOCKER_MODEL, LOCAL_TLS, "ai/m:1"),
        # It asks for no name and password.
        (Client.OLLAMA, REMOTE_TLS, "ai/m:1"),
        (Client.FLUX, LOCAL_TLS, "web:1"),
        (Client.SKOPEO, REMOTE_TLS, "web:1"),
    ],
)
def test_a_client_that_would_fail_is_not_named(client: Client, place: Place, name: str) -> None:
    (command,) = getting(content(client), parse(name).at(place.address), place)
    flag = "" if place.is_secure else " --src-tls-verify=false"
    source = f"docker://{place.address}/{name}"
    assert command == f"To copy it to a directory as is: skopeo copy --all{flag} {source} oci:{name.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}, "layers": []}, "a Helm chart"),
        ({"manifests": [LAYER, {"mediaType": "application/vnd.buildkit.cacheconfig.v0"}]}, "a build cache"),
        ({"artifactType": "application/vnd.x+json", "layers": []}, "an artifact of the type 'application/vnd.x+json'"),
        ({"artifactType": "a\x1b[31m\u202eb", "layers": []}, "an artifact of the type 'a�[31m�b'"),
        ({"config": {"mediaType": "application/vnd.docker.plugin.v1+json"}, "layers": []}, "a Docker plugin"),
    ],
)
def test_it_is_said_what_it_is(document: dict[str, object], words: str) -> None:
    error = not_an_image(kind_of({"schemaVersion": 2, **document}), parse("localhost:5000/team/web:1"), LOCAL, "words")
    assert error is not None
    assert error.message == f"'team/web:1' is {words}, not an image that Docker can pull."
    assert not any("deployer" in advice for advice in error.advice)


def test_an_image_is_none_of_these() -> None:
    document = {"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [LAYER]}
    assert not_an_image(kind_of(document), parse("localhost:5000/web:1"), LOCAL, "") is None
