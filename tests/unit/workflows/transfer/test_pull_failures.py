"""What a pull that failed is told with: what the registry has, where the engine only says that it lacks something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deployer.engine.messages.translation import translate
from deployer.errors import EngineError, NotAnImage, NotFound, PlatformNotInRegistry, UsageError
from deployer.registry.client import RegistryClient
from deployer.registry.content import placeholder
from deployer.registry.content.manifests import NO_DIGEST
from deployer.workflows.transfer import pull
from deployer.workflows.transfer.pull import Pull
from tests.support.fake_engine import FakeEngine
from tests.support.fake_registry import FakeRegistry, Reply, refused
from tests.support.registry_content import OCI, Image, image, index, push, sha256

if TYPE_CHECKING:
    from deployer.errors import DeployerError

ADDRESS = "localhost:5000"
OLD = "no matching manifest for linux/amd64 in the manifest list entries"
NEW = "Error response from daemon: no match for platform in manifest: not found"
CHART = "unsupported media type application/vnd.cncf.helm.config.v1+json"


def failed(original: str, *contents: Image, platform: str = "", fake: FakeRegistry | None = None) -> DeployerError:
    """What is reported when Docker fails with these words; the last of the contents has the tag."""
    fake = fake or FakeRegistry()
    with fake.client as pusher:
        for content in contents[:-1]:
            push(pusher, "team/app", None, content)
        push(pusher, "team/app", "1", contents[-1])
    name = f"{ADDRESS}/team/app:1"
    engine = FakeEngine(failures={name: translate(original, address=ADDRESS)})
    pulls = pull.plan_pull(["team/app:1"], ADDRESS, engine, platform)
    [outcome] = pull.pull_all(
        pulls, engine, lambda: RegistryClient(f"http://{ADDRESS}", {}, transport=fake.transport), jobs=1, on_line=None
    )
    assert engine.images.done == [("pull", name, *([platform] if platform else []))]
    assert outcome.error is not None
    assert outcome.error.original == original
    return outcome.error


def chart(config: bytes = b"{}") -> Image:
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": sha256(config),
            "size": len(config),
        },
        "layers": [],
    }
    return Image(json.dumps(manifest).encode(), kind, (config,))


def several(*platforms: str) -> list[Image]:
    children = [image(str(number), platform=platform, media=OCI) for number, platform in enumerate(platforms)]
    return [*children, index(list(zip(children, platforms, strict=True)), media=OCI)]


@pytest.mark.parametrize(("original", "wanted"), [(OLD, "linux/amd64"), (NEW, "this machine's platform")])
def test_an_image_for_other_platforms_is_told_with_those(original: str, wanted: str) -> None:
    error = failed(original, *several("linux/arm64", "linux/s390x"))
    assert type(error) is PlatformNotInRegistry
    assert error.message == f"'team/app:1' at {ADDRESS} has no image for {wanted}. It has linux/arm64, linux/s390x."
    assert error.advice[0].startswith("deployer pull team/app:1 --platform linux/arm64 ")


@pytest.mark.parametrize("platform", ["", "linux/amd64", "windows/amd64"])
@pytest.mark.parametrize(
    "original",
    [NEW, 'image operating system "windows" cannot be used on this platform', "operating system is not supported"],
)
def test_a_single_image_of_another_system_is_told_with_its_own(original: str, platform: str) -> None:
    error = failed(original, image("x", platform="windows/amd64"), platform=platform)
    assert type(error) is PlatformNotInRegistry
    assert error.message == (f"'team/app:1' at {ADDRESS} is for windows/amd64, which this Docker engine cannot run.")
    assert error.advice == (
        "deployer inspect team/app:1   (shows what it is)",
        (
            "To copy it to a directory as is: skopeo copy --all --src-tls-verify=false "
            f"docker://{ADDRESS}/team/app:1 oci:app:1"
        ),
    )


AMD, ARM = image("a", platform="linux/amd64", media=OCI), image("b", platform="linux/arm64", media=OCI)
INNER = index([(AMD, "linux/amd64"), (ARM, "linux/arm64")], media=OCI)
FORMAT = "unsupported manifest format"


@pytest.mark.parametrize(
    ("original", "platform", "entries", "told", "command"),
    [
        (OLD, "", [(INNER, None)], "its image for linux/amd64 in a nested", f"@{INNER.digest}"),
        (
            OLD,
            "",
            [(index([(INNER, None)], media=OCI), None)],
            "its image for linux/amd64 in a nested",
            f"@{INNER.digest}",
        ),
        (OLD, "", [(ARM, "linux/arm64"), (INNER, None)], "its image for linux/amd64 in a nested", f"@{INNER.digest}"),
        (FORMAT, "", [(INNER, "linux/amd64")], "its images in a nested", f"@{INNER.digest}"),
        (FORMAT, "", [(INNER, "linux/amd64"), (AMD, "linux/amd64")], "its images in a nested", f"@{INNER.digest}"),
        (
            FORMAT,
            "linux/arm64",
            [(INNER, "linux/arm64")],
            "its image for linux/arm64 in a nested",
            f"@{INNER.digest} --platform linux/arm64",
        ),
    ],
)
def test_an_index_in_an_index_is_told_with_the_one_to_pull(
    original: str, platform: str, entries: list[tuple[Image, str | None]], told: str, command: str
) -> None:
    inside = [entry for entry, _ in entries if entry not in (AMD, ARM, INNER)]
    error = failed(original, AMD, ARM, INNER, *inside, index(entries, media=OCI), platform=platform)
    assert type(error) is PlatformNotInRegistry
    assert error.message.startswith(f"'team/app:1' at {ADDRESS} has {told}")
    assert error.message.endswith(" in a nested index, which this Docker engine cannot pull.")
    assert error.advice == (f"deployer pull team/app{command}",)


def test_an_index_in_an_index_is_not_blamed_for_what_it_does_not_have() -> None:
    inner = index([(ARM, "linux/arm64")], media=OCI)
    error = failed(OLD, ARM, inner, index([(inner, None)], media=OCI))
    assert error.message == f"'team/app:1' at {ADDRESS} has no image for linux/amd64. It has linux/arm64."


def test_an_image_whose_index_does_not_say_its_platform_is_pulled_by_its_digest() -> None:
    error = failed(OLD, AMD, ARM, index([(AMD, None), (ARM, None)], media=OCI))
    assert type(error) is PlatformNotInRegistry
    assert error.message == (
        f"'team/app:1' at {ADDRESS} has an image for linux/amd64, but its index does not say so, and this Docker "
        "engine does not find it."
    )
    assert error.advice == (f"deployer pull team/app@{AMD.digest}",)


def test_many_platforms_are_counted() -> None:
    error = failed(OLD, *several(*(f"linux/a{number}" for number in range(11))))
    assert error.message.endswith("linux/a7 and 3 more.")


@pytest.mark.parametrize("original", [OLD, "invalid rootfs in image configuration"])
@pytest.mark.parametrize("pointed_to", ["sha256:" + "a" * 64, NO_DIGEST])
def test_a_partially_deleted_tag_is_told_as_that(original: str, pointed_to: str) -> None:
    left = placeholder.make("1", pointed_to, "", "nonce")
    error = failed(original, Image(left.content, left.media_type, (placeholder.CONFIG,)))
    assert type(error) is NotAnImage
    told = "'team/app:1' at localhost:5000 is partially deleted: a deletion was interrupted."
    finish = "To finish: deployer delete team/app:1"
    if pointed_to == NO_DIGEST:
        assert (error.message, error.advice) == (told, (finish,))
        return
    assert error.message == f"{told} It pointed to {pointed_to}."
    assert error.advice == (finish, f"To pull that image: deployer pull team/app@{pointed_to}")


@pytest.mark.parametrize("original", [OLD, CHART])
def test_what_is_not_an_image_is_told_with_what_gets_it(original: str) -> None:
    error = failed(original, chart())
    assert type(error) is NotAnImage
    assert error.message == "'team/app:1' is a Helm chart, not an image that Docker can pull."
    assert error.advice[0] == f"helm pull --plain-http oci://{ADDRESS}/team/app --version 1"


@pytest.mark.parametrize("original", [OLD, CHART])
def test_an_index_of_charts_is_told_as_a_chart(original: str) -> None:
    error = failed(original, chart(), index([(chart(), "linux/amd64")], media=OCI))
    assert type(error) is NotAnImage
    assert error.message == "'team/app:1' is a Helm chart, not an image that Docker can pull."
    # Helm refuses an index, and with it the tag: what it names is what it takes.
    assert error.advice[0] == f"helm pull --plain-http oci://{ADDRESS}/team/app@{chart().digest}"


def test_an_index_of_several_charts_is_copied_whole() -> None:
    other = chart(b"another")
    error = failed(OLD, chart(), other, index([(chart(), "linux/amd64"), (other, "linux/arm64")], media=OCI))
    assert type(error) is NotAnImage
    assert [advice.partition(":")[0] for advice in error.advice] == ["To copy it to a directory as is"]


GONE = "Error response from daemon: manifest for localhost:5000/team/app:1 not found: manifest unknown"


class Losing(FakeRegistry):
    """It has lost whatever is asked for by one of these names."""

    def __init__(self, *lost: str) -> None:
        super().__init__()
        self.lost = lost

    def answer(self, method: str, path: str, *rest: object) -> Reply:
        if method == "GET" and path.endswith(self.lost):
            return refused(404, "MANIFEST_UNKNOWN")
        return super().answer(method, path, *rest)  # type: ignore[arg-type]


def test_a_missing_image_is_told_by_name_and_not_suggested_again() -> None:
    error = failed(GONE, image("x"), fake=Losing("/manifests/1"))
    assert type(error) is NotFound
    assert error.message == f"No image 'team/app:1' at {ADDRESS}."
    assert error.advice == (
        "The tag exists, but its manifest is missing.",
        "deployer check --repair   (on the machine that runs the registry)",
        "Or push the image again.",
    )


def test_an_index_without_a_child_is_not_called_missing() -> None:
    child, whole = several("linux/amd64")
    error = failed(GONE, child, whole, fake=Losing(child.digest))
    assert error.message == f"'team/app:1' at {ADDRESS} is incomplete: the registry does not have {child.digest[7:19]}."
    assert error.advice == ("Push it again: deployer push team/app:1",)


def test_an_image_that_is_there_is_not_called_missing() -> None:
    error = failed(GONE, image("x"))
    assert error.message == f"'team/app:1' exists at {ADDRESS}, but the engine did not find everything that it needs."


def test_a_platform_of_another_system_is_not_advised() -> None:
    error = failed(OLD, *several("windows/amd64", "darwin/arm64"))
    assert type(error) is PlatformNotInRegistry
    assert error.advice[0] == "deployer inspect team/app:1   (shows what it is)"
    assert "--platform" not in str(error.advice)
    error = failed(OLD, *several("windows/amd64", "linux/arm64"))
    assert "--platform linux/arm64 " in error.advice[0]


def test_an_index_of_bottles_has_no_platform_to_pull() -> None:
    bottle = {"com.github.package.type": "homebrew_bottle"}
    child = image("x", platform="darwin/arm64", media=OCI, annotations=bottle)
    error = failed(OLD, child, index([(child, "darwin/arm64")], media=OCI, annotations=bottle))
    assert type(error) is NotAnImage


def test_a_registry_that_cannot_be_asked_leaves_the_engines_words() -> None:
    class Refusing(FakeRegistry):
        def answer(self, method: str, path: str, *rest: object) -> Reply:
            return Reply(500) if method == "GET" and "/manifests/" in path else super().answer(method, path, *rest)  # type: ignore[arg-type]

    error = failed(OLD, *several("linux/arm64", "linux/s390x"), fake=Refusing())
    assert error.message == f"The image at {ADDRESS} is not available for this machine's platform."


def test_other_failures_are_not_asked_about() -> None:
    error = EngineError("A disk is full.")
    engine = FakeEngine(failures={f"{ADDRESS}/x:1": error})

    def registry() -> RegistryClient:
        raise AssertionError("the registry was asked, and nothing was missing")

    [outcome] = pull.pull_all(pull.plan_pull(["x:1"], ADDRESS, engine), engine, registry, jobs=1, on_line=None)
    assert outcome.error is error


@pytest.mark.parametrize("platform", ["linux/arm64", "arm64", "linux/arm/v7", "windows(10.0.17763)/amd64"])
def test_a_platform_reaches_docker_as_it_is(platform: str) -> None:
    [plan] = pull.plan_pull(["x:1"], ADDRESS, FakeEngine(), platform)
    assert isinstance(plan, Pull)
    assert plan.platform == platform


@pytest.mark.parametrize("platform", ["a/b/c/d", "lin ux", "linux/"])
def test_a_platform_that_docker_would_not_take_is_refused(platform: str) -> None:
    with pytest.raises(UsageError, match="is not a valid platform"):
        pull.plan_pull(["x:1"], ADDRESS, FakeEngine(), platform)
