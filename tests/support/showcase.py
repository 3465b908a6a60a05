"""A registry as a team has it after some years: for tests that only read, for pictures, and to try the page by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.content import empty_repository
from tests.support.registry_content import DOCKER, OCI, Image
from tests.support.showcase_content import (
    Build,
    application,
    artifact,
    chart,
    files,
    index,
    layer,
    signature,
    signature_tag,
)
from tests.support.signed_in import write_rules, write_users
from tests.support.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import httpx

    from tests.support.stack import DeployedStack

OWNER, READER, GUEST = "alice", "bob", "carol"
RULES = (
    {"users": [OWNER], "allow": ["pull", "push", "delete"]},
    {"users": [READER], "allow": ["pull"]},
    {"users": [GUEST], "repositories": ["platform/*"], "allow": ["pull"]},
)
PLATFORMS = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7")
MAIN = "platform/api"
IMAGE = "data/postgres"
CHART = "charts/platform-api"
FILES = "ops/terraform-modules"
SIGNED = "release/cli"
EMPTY = "sandbox/first-steps"
DEEP = "data/etl/nightly/orders"
_AT_ONCE = 4


@dataclass(frozen=True)
class Product:
    """An image's repository: its versions, the newest first, and how many days lie between them."""

    name: str
    versions: Sequence[str]
    days: float
    base: str = "debian"
    weight: int = 600_000
    media: str = OCI
    platforms: Sequence[str] = ("linux/amd64",)
    latest: bool = True


_TWO = PLATFORMS[:2]
_PRODUCTS = (
    Product("docs", ("2024.11", "2024.10", "2024.9"), 21, "alpine", 300_000),
    Product("hello", ("1.0.0",), 900, "distroless", 20_000),
    Product("platform/web", ("5.3.0", "5.2.2", "5.2.1", "5.2.0", "5.1.0"), 6, "alpine", 900_000, platforms=_TWO),
    Product("platform/worker", ("2.14.1", "2.14.0", "2.13.2", "2.13.1"), 9, platforms=_TWO),
    Product("platform/gateway/envoy", ("1.32.1-4", "1.31.3-2"), 40, "distroless", 1_500_000, platforms=PLATFORMS),
    Product("platform/gateway/auth-proxy", ("7.7.1", "7.6.0", "7.5.1"), 33, "alpine", 400_000),
    Product(IMAGE, ("16.4", "16.3", "15.8", "14.13"), 60, weight=1_900_000, media=DOCKER),
    Product("data/etl/ingest", ("0.41.0", "0.40.2", "0.40.1", "0.39.0"), 4, weight=800_000),
    Product(DEEP, ("0.9.10", "0.9.9", "0.9.2"), 8, weight=500_000),
    Product("data/warehouse/dbt", ("1.8.7", "1.8.6"), 25, weight=900_000),
    Product("ml/serving/ranker", ("3.2.0-cuda", "3.2.0-cpu", "3.1.4-cuda"), 12, weight=2_500_000, latest=False),
    Product("ml/training/base", ("2.5-cuda12.4", "2.4-cuda12.1"), 55, weight=2_800_000, latest=False),
    Product("mirror/library/alpine", ("3.20.3", "3.19.4", "3.18.9"), 70, "alpine", 40_000, platforms=PLATFORMS),
    Product("mirror/library/debian", ("12.8", "12.7", "11.11"), 45, "debian", 60_000, platforms=_TWO),
    Product("mirror/library/nginx", ("1.27.2", "1.26.2"), 50, "alpine", 300_000, DOCKER, _TWO),
    Product("mirror/library/redis", ("7.4.1", "7.2.6"), 48, "alpine", 250_000, DOCKER),
    Product("ci/runner", ("2.320.0", "2.319.1", "2.317.0"), 17, weight=1_100_000, platforms=_TWO),
    Product("ci/toolchain/go", ("1.23.3", "1.22.9"), 22, "alpine", 1_400_000),
    Product("ci/toolchain/node", ("22.11.0", "20.18.1", "18.20.5"), 20, "alpine", 1_200_000),
    Product("legacy/billing", ("3.1.7", "3.1.6", "3.0.0"), 420, weight=700_000, media=DOCKER),
)


def deploy_showcase(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """Bring up a registry with an owner, a reader, and a guest who may open some of it. It is empty yet."""
    stack = make_stack()
    write_rules(stack, RULES)
    write_users(stack, (OWNER, READER, GUEST))
    stack.up()
    return stack


def fill_showcase(client: httpx.Client, now: datetime) -> None:
    """Push all of it, as old as `now` makes it."""
    uploads = Uploads(client)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pushed = [pool.submit(push, uploads, now) for push in (_push_main, _push_signed, _push_charts, _push_files)]
        pushed += [pool.submit(_push_product, uploads, product, now) for product in _PRODUCTS]
    for each in pushed:
        each.result()
    empty_repository(client, EMPTY)
    layer.cache_clear()


def _push_product(uploads: Uploads, product: Product, now: datetime) -> None:
    for position, version in enumerate(product.versions):
        created = now - timedelta(days=(position + 0.4) * product.days)
        build = Build(product.name, version, created, product.base, product.weight, product.media)
        tags = [version, *(["latest"] if product.latest and not position else [])]
        _push_build(uploads, build, product.platforms, tags)


def _push_build(
    uploads: Uploads, build: Build, platforms: Sequence[str], tags: Sequence[str], *, attested: bool = False
) -> Image:
    images = {platform: application(build, platform) for platform in platforms}
    if len(images) == 1:
        whole = next(iter(images.values()))
    else:
        *parts, whole = index(images, media=build.media, attested=attested)
        for part in parts:
            uploads.push(build.name, part)
    uploads.push(build.name, whole, tags)
    return whole


def _push_main(uploads: Uploads, now: datetime) -> None:
    """Forty tags on sixteen images. The newer releases are of three platforms, with provenance and SBOM of each."""
    releases = [(minor, patch) for minor in (14, 13, 12, 11, 10) for patch in (2, 1, 0)]
    for position, (minor, patch) in enumerate(releases):
        version = f"2.{minor}.{patch}"
        tags = [version, f"v{version}"]
        tags += [f"2.{minor}"] if patch == 2 else []
        tags += ["2", "latest"] if not position else []
        tags += ["previous"] if position == 3 else []
        build = Build(MAIN, version, now - timedelta(days=5 + 11 * position), weight=600_000)
        # Before 2.13 there were no builds for other platforms.
        _push_build(uploads, build, PLATFORMS if minor > 12 else PLATFORMS[:1], tags, attested=True)
    candidate = Build(MAIN, "2.15.0-rc.1", now - timedelta(hours=10), weight=600_000)
    _push_build(uploads, candidate, PLATFORMS[:1], [candidate.version, "edge"])
    # Two whose tag a later push has taken.
    for hours in (34, 58):
        nightly = Build(MAIN, "2.15.0-rc.0", now - timedelta(hours=hours), weight=600_000)
        _push_build(uploads, nightly, PLATFORMS[:1], [])


def _push_charts(uploads: Uploads, now: datetime) -> None:
    for position, (version, app) in enumerate((("1.9.2", "2.14.2"), ("1.9.1", "2.14.1"), ("1.8.0", "2.13.2"))):
        made = now - timedelta(days=4 + 16 * position)
        words = "The platform's HTTP API, with its worker and its migrations"
        uploads.push(CHART, chart("platform-api", version, app, words, made), [version])
    uploads.push(
        "charts/monitoring",
        chart("monitoring", "0.6.3", "3.0.0", "Prometheus, its rules and its dashboards", now - timedelta(days=31)),
        ["0.6.3"],
    )


def _push_files(uploads: Uploads, now: datetime) -> None:
    contents = {
        "modules.tgz": layer("modules", 90_000).content,
        "README.md": b"# Modules\n",
        "versions.json": b'{"aws": "5.76"}',
    }
    modules = files("application/vnd.example.terraform.modules.v1", contents, now - timedelta(days=13))
    uploads.push(FILES, modules, ["2024.11", "latest"])
    model = artifact(
        "application/vnd.example.model.config.v1+json",
        {"name": "ranker", "parameters": 1_200_000},
        [
            (
                "application/vnd.example.model.weights.v1.safetensors",
                layer("weights", 2_000_000).content,
                "ranker.safetensors",
            )
        ],
        artifactType="application/vnd.example.model.v1",
    )
    uploads.push("ml/models/ranker", model, ["2024-11-18"])


def _push_signed(uploads: Uploads, now: datetime) -> None:
    """An image with signatures of both kinds and an SBOM, as clients leave them on a registry without referrers."""
    build = Build(SIGNED, "4.2.0", now - timedelta(days=2), "distroless", 700_000)
    image = _push_build(uploads, build, PLATFORMS[:1], ["4.2.0", "4.2", "latest"])
    tag, made = signature_tag(image)
    uploads.push(SIGNED, made, [tag])
    uploads.push(SIGNED, signature(image, build.created))
    sbom = files(
        "application/spdx+json",
        {"sbom.spdx.json": b'{"spdxVersion": "SPDX-2.3", "name": "cli"}'},
        build.created,
        subject=image.descriptor(),
    )
    uploads.push(SIGNED, sbom)
    *_, fallback = index({}, manifests=[sbom.descriptor(artifactType="application/spdx+json")])
    uploads.push(SIGNED, fallback, [image.digest.replace(":", "-")])
