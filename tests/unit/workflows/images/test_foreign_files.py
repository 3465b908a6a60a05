"""A file of another program among a repository's tags, told from a damaged tag by what the registry answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from deployer.errors import RegistryError
from deployer.workflows.images import untagging
from deployer.workflows.images.deletion import _removal
from deployer.workflows.images.foreign_files import tells_of_file
from deployer.workflows.images.pointers import read_pointers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient

PLACE = "/var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/Thumbs.db/current/link"
FILE = f'unknown error ({{"DriverName": "filesystem", "Enclosed": {{"Op": "open", "Path": "{PLACE}", "Err": 20}}}})'
DAMAGED = "UNKNOWN: unknown error (invalid checksum digest format)"


class Registry:
    """One whose tags cannot be read: a file, and one that is damaged."""

    def tags(self, _repository: str) -> tuple[str, ...]:
        return ("Thumbs.db", "broken")

    def head(self, _repository: str, _tag: str) -> object:
        raise RegistryError("The registry failed (HTTP 500).")

    def manifest(self, _repository: str, tag: str) -> object:
        raise RegistryError("The registry failed (HTTP 500).", original=FILE if tag == "Thumbs.db" else DAMAGED)

    def each(self, work: Callable[[str], object], items: Sequence[str]) -> list[object]:
        return [work(item) for item in items]

    def overview(self, _repository: str) -> None:
        return None


CLIENT = cast("RegistryClient", Registry())


@pytest.mark.parametrize(
    ("original", "told"),
    [
        (FILE, True),
        (FILE.replace("/current/link", "").replace('"open"', '"mkdir"'), True),
        (f"UNKNOWN: unknown error (filesystem: open {PLACE}: not a directory)", True),
        (FILE.replace('"Err": 20', '"Err": 5'), False),
        (FILE.replace("_manifests/tags", "_layers"), False),
        (DAMAGED, False),
    ],
)
def test_the_registrys_answer_tells_a_file_from_a_damaged_tag(original: str, told: bool) -> None:
    assert tells_of_file(RegistryError("", original=original)) is told


def test_a_file_is_not_counted_among_the_damaged_tags() -> None:
    found = read_pointers(CLIENT, "app")
    assert found.foreign == ("Thumbs.db",)
    assert found.damaged == {"broken"}


def test_deleting_it_names_its_place_and_no_command() -> None:
    from deployer.reference import parse

    reference: Reference = parse("app:Thumbs.db")
    with pytest.raises(RegistryError) as caught:
        _removal(CLIENT, reference, read_pointers(CLIENT, "app"))
    (advice,) = caught.value.advice
    assert advice.endswith("docker/registry/v2/repositories/app/_manifests/tags/Thumbs.db")
    assert "deployer delete" not in advice


def test_what_is_in_the_way_of_another_is_named_by_its_place() -> None:
    target: Any = untagging.Target("app", "1", "")
    advice = untagging._in_the_way(CLIENT, target)
    assert advice[0] == "A damaged tag prevents this; delete it first: deployer delete app:broken"
    assert advice[1].endswith("_manifests/tags/Thumbs.db")
