"""From where damage is repaired: which source is asked, which backup counts, and what another registry is called."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import BackupError, Denied, RegistryError, StorageError, UsageError
from deployer.registry.client import RegistryClient
from deployer.restic.repository import Repository
from deployer.settings.values.reserve import LEAST_FREE_BYTES
from deployer.storage.staging import Staging
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.create import Machine
from deployer.workflows.integrity.check import Checked
from deployer.workflows.integrity.faults import Fault, FaultKind
from deployer.workflows.integrity.repair import batches, plan
from deployer.workflows.integrity.sources import BackupSource, Origin, RegistrySource
from tests.support.backups import TARGET, ResticContainers, parts_of
from tests.support.fake_engine import FakeEngine
from tests.support.fake_registry import FakeRegistry, pushed, refused
from tests.support.local_storage import LocalEngine, Tree
from tests.support.registry_content import image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.errors import DeployerError
    from deployer.storage.helper import HelperTools
    from deployer.workflows.integrity.sources import Source

APP = image("app")
LAYER, CONFIG = sha256(APP.blobs[1]), sha256(APP.blobs[0])


def fault(digest: str, *repositories: str, manifest: bool = False, kind: FaultKind = FaultKind.DAMAGED) -> Fault:
    return Fault(digest, kind, "damaged", manifest, 1, repositories or ("app",), ("app:1",))


def found(*faults: Fault, links: int = 0) -> Checked:
    return Checked(1, 1, faults, (), is_whole=False, links=links)


@dataclass
class Offering:
    """A source that says to have these, or fails."""

    name: str
    sizes: Mapping[str, int]
    error: DeployerError | None = None
    asked: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name

    @property
    def tools(self) -> HelperTools:
        raise AssertionError

    def offers(self, wanted: Collection[Fault]) -> Mapping[str, int]:
        self.asked += [one.digest for one in wanted]
        if self.error:
            raise self.error
        return {one.digest: self.sizes[one.digest] for one in wanted if one.digest in self.sizes}

    def fetch(self, wanted: Collection[Fault], staging: Staging) -> Iterator[str]:
        raise AssertionError


class TestPlan:
    """Sources are asked in their order, for what none before them has."""

    def test_each_blob_comes_from_the_first_that_has_it(self) -> None:
        first, second = Offering("first", {LAYER: 1}), Offering("second", {LAYER: 2, CONFIG: 3})
        made = plan(found(fault(LAYER), fault(CONFIG), fault("sha256:0")), [cast("Source", first), second])
        assert [(one.fault.digest, one.source, one.size) for one in made.fetches] == [
            (LAYER, "first", 1),
            (CONFIG, "second", 3),
        ]
        assert [one.digest for one in made.unavailable] == ["sha256:0"]
        assert second.asked == [CONFIG, "sha256:0"]
        assert made.size == 4

    @pytest.mark.parametrize("error", [BackupError("no"), RegistryError("no")])
    def test_one_that_fails_does_not_keep_the_next_from_being_asked(self, error: DeployerError) -> None:
        made = plan(found(fault(LAYER)), [Offering("first", {}, error), Offering("second", {LAYER: 1})])
        assert [one.source for one in made.fetches] == ["second"]
        assert [(one.source, one.error) for one in made.failed] == [("first", error)]

    def test_links_and_what_is_in_the_way_are_not_fetched(self) -> None:
        source = Offering("first", {LAYER: 1})
        made = plan(found(fault(LAYER, kind=FaultKind.LINK), fault(CONFIG, kind=FaultKind.OTHER), links=1), [source])
        assert (made.fetches, made.links, source.asked) == ((), 1, [])
        assert not made.is_empty
        assert plan(found(fault(CONFIG, kind=FaultKind.OTHER)), [source]).is_empty


class TestRoom:
    """What is damaged gives its room back, so that it need not be there for everything at once."""

    def test_the_portions_fit_the_smallest_first(self) -> None:
        assert [*batches({"a": 30, "b": 10, "c": 20, "d": 90}, 40)] == [("b", "c"), ("a",), ("d",)]
        assert [*batches({}, 40)] == []

    def test_a_portion_fits_into_one_call_of_a_program(self) -> None:
        assert [len(one) for one in batches({f"{number}": 1 for number in range(1200)}, 10**9)] == [500, 500, 200]

    def test_without_room_it_is_said_what_stays_free(self) -> None:
        containers = ResticContainers(answers={"space": str(LEAST_FREE_BYTES + 10).encode()})
        staging = Staging(FakeEngine(containers=containers), "c", "r")
        staging.expect_room(10, "Free some.")
        with pytest.raises(BackupError, match="room for 10 bytes, and 104,857,600 must stay free; 11 are"):
            staging.expect_room(11, "Free some.")

    def test_what_was_staged_before_an_error_does_not_fill_the_disk(self) -> None:
        containers = ResticContainers(answers={"place": "No space left on device"})
        staging = Staging(FakeEngine(containers=containers), "c", "r")
        with pytest.raises(StorageError), staging.emptied():
            staging.place()
        assert [one.script for one in containers.calls] == ["unstage", "place", "unstage"]


@dataclass
class Backups(ResticContainers):
    """Three backups with the same blobs, which are damaged in those of the newest that are named."""

    damaged: list[list[str]] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    held: Mapping[str, int] = field(default_factory=dict)

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        answer = super().run_script(container, script, *arguments, stdin=stdin)
        call = self.calls[-1]
        match call.words[:1]:
            case ("snapshots",):
                parts = [one for number in range(3) for one in parts_of(number)]
                return json.dumps(
                    [
                        {
                            "id": one.id, "time": one.time.isoformat(), "hostname": one.host,
                            "tags": [f"{key}={value}" for key, value in one.tags.items()],
                        }
                        for one in parts
                    ]
                ).encode()  # fmt: skip
            case ("ls",):
                files = [
                    json.dumps({"type": "file", "path": f"/x/blobs/sha256/{one[7:9]}/{one[7:]}/data", "size": size})
                    for one, size in self.held.items()
                ]
                return "\n".join(files).encode()
            case ("restore",):
                self.restored.append(call.words[1])
        if call.script == "place":
            bad = self.damaged.pop(0) if self.damaged else []
            return "".join(f"damaged sha256/{one[7:9]}/{one[7:]}/data\n" for one in bad).encode() + b"# end\n"
        return answer


class TestBackups:
    """The newest backup counts, and an older one where that has the damage itself."""

    def source(self, containers: Backups) -> tuple[BackupSource, Staging]:
        engine = FakeEngine(containers=containers)
        look = Repository(engine, "look", TARGET)
        source = BackupSource(engine, TARGET, Machine("m", {}, "i"), "registry", "secret", look)
        return source, Staging(engine, "c", "r")

    def test_what_the_newest_has_damaged_comes_from_an_older_one(self) -> None:
        containers = Backups(held={LAYER: 1, CONFIG: 2}, damaged=[[LAYER], [LAYER], []])
        source, staging = self.source(containers)
        assert set(source.fetch([fault(LAYER), fault(CONFIG)], staging)) == {LAYER, CONFIG}
        newest = [f"{PartKind.BLOBS}-{number}-registry@machine" for number in (2, 1, 0)]
        assert containers.restored == newest

    def test_no_older_one_is_read_where_the_newest_is_whole(self) -> None:
        containers = Backups(held={LAYER: 1})
        source, staging = self.source(containers)
        assert set(source.fetch([fault(LAYER)], staging)) == {LAYER}
        assert len(containers.restored) == 1

    def test_what_all_have_damaged_or_none_has_is_not_called_repaired(self) -> None:
        source, staging = self.source(Backups(held={LAYER: 1}, damaged=[[LAYER]] * 3))
        assert set(source.fetch([fault(LAYER), fault(CONFIG)], staging)) == set()

    def test_it_offers_what_is_in_one_of_them(self) -> None:
        source, _ = self.source(Backups(held={LAYER: 7}))
        assert source.offers([fault(LAYER), fault(CONFIG)]) == {LAYER: 7}

    def test_the_password_is_in_no_text_of_it(self) -> None:
        source, _ = self.source(Backups())
        assert "secret" not in f"{source!r} {source}"


@dataclass
class Storage:
    """A storage of this machine with staged blobs."""

    tree: Tree

    @property
    def staging(self) -> Staging:
        return Staging(cast("Engine", LocalEngine(self.tree.folder)), "container", "repair")


class TestRegistry:
    """Another registry has repositories of the same names, perhaps below a prefix."""

    @pytest.fixture
    def fake(self) -> FakeRegistry:
        made = FakeRegistry()
        pushed(made, "mirror/app", "1", APP)
        return made

    @contextmanager
    def source(self, fake: FakeRegistry) -> Iterator[RegistrySource]:
        with RegistryClient("http://fake", {}, transport=fake.transport) as client:
            yield RegistrySource(client, Origin("http://fake", "mirror"))

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Tree:
        made = Tree(tmp_path)
        made.push("app", ["1"], APP)
        return made

    def test_blobs_and_manifests_are_verified_and_put_in_place(self, fake: FakeRegistry, tree: Tree) -> None:
        wanted = [fault(LAYER, "other", "app"), fault(APP.digest, "app", manifest=True), fault(sha256(b"none"), "app")]
        layer = tree.root / f"blobs/sha256/{LAYER[7:9]}/{LAYER[7:]}/data"
        layer.write_bytes(b"rotten")
        manifest = tree.root / f"blobs/sha256/{APP.digest[7:9]}/{APP.digest[7:]}/data"
        manifest.unlink()
        with self.source(fake) as source:
            assert source.offers(wanted) == {LAYER: len(APP.blobs[1]), APP.digest: len(APP.content)}
            assert set(source.fetch(wanted, Storage(tree).staging)) == {LAYER, APP.digest}
        assert (layer.read_bytes(), manifest.read_bytes()) == (APP.blobs[1], APP.content)

    def test_what_is_rotten_there_too_replaces_nothing(self, fake: FakeRegistry, tree: Tree) -> None:
        fake.blobs[LAYER] = b"rotten there"
        layer = tree.root / f"blobs/sha256/{LAYER[7:9]}/{LAYER[7:]}/data"
        layer.write_bytes(b"rotten here")
        with self.source(fake) as source:
            assert set(source.fetch([fault(LAYER, "app")], Storage(tree).staging)) == set()
        assert layer.read_bytes() == b"rotten here"

    def test_a_manifest_with_another_digest_is_not_offered(self, fake: FakeRegistry) -> None:
        media, content = fake.repositories["mirror/app"].manifests[APP.digest]
        fake.repositories["mirror/app"].manifests[APP.digest] = (media, content + b" ")
        with self.source(fake) as source:
            assert source.offers([fault(APP.digest, "app", manifest=True)]) == {}

    def test_a_repository_that_may_not_be_pulled_there_does_not_keep_another_from_it(
        self, fake: FakeRegistry, tree: Tree
    ) -> None:
        fake.before = lambda asked: refused(403, "DENIED") if "/mirror/private/" in asked.path else None
        wanted = [fault(LAYER, "private", "app"), fault(CONFIG, "private")]
        with self.source(fake) as source:
            assert source.offers(wanted) == {LAYER: len(APP.blobs[1])}
            assert set(source.fetch(wanted, Storage(tree).staging)) == {LAYER}
            with pytest.raises(Denied):
                source.offers(wanted[1:])

    def test_an_index_is_a_manifest_too(self, fake: FakeRegistry) -> None:
        whole = pushed(fake, "mirror/app", "2", APP, index([(APP, "linux/amd64")]))
        with self.source(fake) as source:
            assert source.offers([fault(whole.digest, "app", manifest=True)]) == {whole.digest: len(whole.content)}


class TestOrigin:
    """`--from` takes what Docker's users write before an image's name."""

    @pytest.mark.parametrize(
        ("text", "url", "prefix"),
        [
            ("registry.example.com", "https://registry.example.com", ""),
            ("registry.example.com/team/a", "https://registry.example.com", "team/a"),
            ("10.0.0.1:5000", "http://10.0.0.1:5000", ""),
            ("10.0.0.1:5000/", "http://10.0.0.1:5000", ""),
            ("localhost", "http://localhost", ""),
            ("[::1]:5000/x", "http://[::1]:5000", "x"),
            ("https://10.0.0.1:5000/x", "https://10.0.0.1:5000", "x"),
        ],
    )
    def test_it_is_read(self, text: str, url: str, prefix: str) -> None:
        assert Origin.parse(text) == Origin(url, prefix)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "/",
            "ftp://a",
            "a:b",
            "a:99999",
            "u:secret@host",
            "host/Upper",
            "host/a b",
            "host/a?b=c",
            "a b",
            "[::1",
        ],
    )
    def test_anything_else_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            Origin.parse(text)
        assert caught.value.advice
        assert "secret" not in str(caught.value)
