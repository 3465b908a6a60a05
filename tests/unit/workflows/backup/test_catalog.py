"""Which backups are at a target, when some were interrupted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from deployer.errors import BackupError, UsageError
from deployer.restic.repository import Part
from deployer.workflows.backup.catalog import (
    Backup,
    Contents,
    PartKind,
    choose,
    new_id,
    tags_of,
    tags_of_seal,
    unfinished,
    whole,
)
from tests.support.backups import MOMENT, TARGET, StoredParts, parts_of

if TYPE_CHECKING:
    from deployer.restic.target import Target

CONTENTS = Contents(repositories=3, tags=12, blobs=40, size=1_200, damaged=1)


class Several(StoredParts):
    """A target with backups at these hours."""

    def __init__(self, *found: tuple[Part, ...]) -> None:
        super().__init__()
        self.found = found

    def parts(self, *hosts: str) -> tuple[Part, ...]:
        return tuple(part for one in self.found for part in one if not hosts or part.host in hosts)


def chosen(target: Several, place: Target, wanted: str, deployment: str) -> Backup:
    """The one that is chosen after all of them were made."""
    return choose(target, place, wanted, deployment, MOMENT + timedelta(days=365)).backup


def test_a_backup_is_complete_with_its_seal() -> None:
    (found,) = whole(parts_of(1, contents=CONTENTS))
    assert (found.id, found.time) == ("20260101T010000Z", MOMENT + timedelta(hours=1))
    assert (found.host, found.deployment, found.format) == ("registry@machine", "registry", 1)
    assert found.contents == CONTENTS
    assert set(found.parts) == set(PartKind)


@pytest.mark.parametrize("kinds", [(), (PartKind.LINKS,), (PartKind.LINKS, PartKind.BLOBS)])
def test_an_interrupted_backup_does_not_count(kinds: tuple[PartKind, ...]) -> None:
    parts = (*parts_of(2, kinds), *parts_of(1), *parts_of(3))
    assert [one.id for one in whole(parts)] == ["20260101T010000Z", "20260101T030000Z"]
    assert unfinished(parts) == tuple(part.id for part in parts_of(2, kinds))


def test_other_snapshots_are_neither() -> None:
    foreign = Part("foreign", MOMENT, "laptop", {"part": "seal", "backup": "x"})
    newer = Part("newer", MOMENT, "h", {"deployer": "2", "part": "something new", "backup": "x"})
    parts = (foreign, *parts_of(1))
    assert len(whole((*parts, newer))) == 1
    assert unfinished(parts) == ()


def test_two_deployments_that_begin_in_the_same_second_are_two_backups() -> None:
    one, other = parts_of(1, host="a@m"), parts_of(1, host="b@m")
    found = whole((one[0], other[0], other[1], one[1], other[2], one[2]))
    assert {backup.host: set(backup.parts.values()) for backup in found} == {
        "a@m": {part.id for part in one},
        "b@m": {part.id for part in other},
    }
    assert unfinished((*one, *other)) == ()
    # The seal of one does not make the other whole.
    assert [backup.host for backup in whole((*one, *other[:2]))] == ["a@m"]
    assert unfinished((*one, *other[:2])) == tuple(part.id for part in other[:2])


def test_counts_that_are_not_numbers_are_nothing() -> None:
    *others, seal = parts_of(1)
    odd = replace(seal, tags={**seal.tags, "tags": "many", "size": "-1", "deployer": ""})
    (found,) = whole((*others, odd))
    assert (found.contents, found.format) == (Contents(), 0)


def test_a_name_that_is_not_a_time_gets_the_time_of_its_first_part() -> None:
    renamed = [replace(part, tags={**part.tags, "backup": "by hand"}) for part in parts_of(5)]
    assert whole(renamed)[0].time == MOMENT + timedelta(hours=5)


def test_the_newest_is_chosen_or_the_one_that_is_named() -> None:
    target = Several(parts_of(2), parts_of(1), parts_of(30), parts_of(40, [PartKind.LINKS]))
    assert chosen(target, TARGET, "", "registry").id == "20260102T060000Z"
    assert chosen(target, TARGET, "20260101T01", "registry").id == "20260101T010000Z"
    for wanted, problem in (("20260101", "More than one backup ID"), ("2025", "No backup ID")):
        with pytest.raises(UsageError, match=problem) as caught:
            chosen(target, TARGET, wanted, "registry")
        assert caught.value.advice[0].startswith("deployer backup list /backups ")


def test_one_dated_in_the_future_is_chosen_only_by_its_id_or_where_there_is_no_other() -> None:
    target = Several(parts_of(1), parts_of(2), parts_of(30), parts_of(40), parts_of(50, host="b@m"))
    now = MOMENT + timedelta(hours=3)
    chosen = choose(target, TARGET, "", "registry", now)
    assert chosen.backup.id == "20260101T020000Z"
    assert chosen.remark == (
        "Not chosen, because the clock was wrong when it was made, or is wrong here: 20260102T060000Z, "
        "20260102T160000Z, dated in the future. To use it: --backup ID"
    )
    # The clocks of two machines differ.
    assert choose(target, TARGET, "", "registry", MOMENT + timedelta(hours=1, minutes=58)).backup == chosen.backup
    named = choose(target, TARGET, "20260102T06", "registry", now)
    assert (named.backup.id, named.remark) == ("20260102T060000Z", "")
    alone = choose(target, TARGET, "", "registry", MOMENT)
    assert alone.backup.id == "20260102T160000Z"
    assert alone.remark == (
        "The newest backup, 20260102T160000Z, is dated in the future, and so are all others: the clock here may be "
        "wrong. It says 2026-01-01 00:00 UTC."
    )


def test_an_interrupted_backup_cannot_be_chosen() -> None:
    with pytest.raises(BackupError, match="no complete backup at /backups"):
        chosen(Several(parts_of(1, [PartKind.LINKS, PartKind.BLOBS])), TARGET, "20260101", "registry")


def test_the_backups_of_this_deployment_go_first() -> None:
    target = Several(parts_of(1, host="a@m"), parts_of(2, host="b@m"))
    assert chosen(target, TARGET, "", "a").host == "a@m"
    assert chosen(target, TARGET, "20260101T02", "a").host == "b@m"
    with pytest.raises(UsageError, match="several deployments: a, b"):
        chosen(target, TARGET, "", "other")
    # With those of one alone there is no doubt.
    assert chosen(Several(parts_of(1, host="a@m")), TARGET, "", "other").host == "a@m"


def test_backups_of_the_same_second_are_told_apart_by_their_machines() -> None:
    target = Several(parts_of(1, host="registry@a"), parts_of(1, host="registry@b"))
    with pytest.raises(UsageError, match="More than one backup ID") as caught:
        chosen(target, TARGET, "20260101T01", "registry")
    options = [line.removeprefix("--backup ") for line in caught.value.advice]
    assert [chosen(target, TARGET, one, "registry").host for one in options] == ["registry@a", "registry@b"]
    assert chosen(target, TARGET, "registry@b:", "registry").host == "registry@b"
    with pytest.raises(UsageError, match="No backup ID"):
        chosen(target, TARGET, "registry@c:2026", "registry")


def test_a_further_id_of_the_same_second_has_a_number_and_the_same_time() -> None:
    assert new_id(MOMENT, 2) == "20260101T000000Z-2"
    named = [replace(part, tags={**part.tags, "backup": new_id(MOMENT, 2)}) for part in parts_of(5)]
    assert whole(named)[0].time == MOMENT


def test_an_id_is_a_time_of_day_everywhere() -> None:
    assert new_id(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=9)))) == "20251231T160000Z"
    assert new_id(datetime(2026, 1, 1, tzinfo=UTC)) == "20260101T000000Z"


def test_the_seal_says_what_is_in_the_backup() -> None:
    assert tags_of("x", PartKind.BLOBS) == {"deployer": "1", "backup": "x", "part": "blobs"}
    assert tags_of_seal("x", CONTENTS, has_secrets=False) == {
        "deployer": "1",
        "backup": "x",
        "part": "seal",
        "repositories": "3",
        "tags": "12",
        "blobs": "40",
        "size": "1200",
        "damaged": "1",
        "secrets": "0",
    }


def test_what_a_newer_deployer_has_stored_is_neither_read_nor_removed() -> None:
    newer = tuple(replace(part, tags={**part.tags, "deployer": "2"}) for part in parts_of(2))
    with pytest.raises(BackupError, match="was made by a newer deployer"):
        chosen(Several(parts_of(1), newer), TARGET, "", "registry")
    assert chosen(Several(parts_of(1), newer), TARGET, "20260101T01", "registry").format == 1
    assert unfinished((*parts_of(1), *newer[:2])) == ()
