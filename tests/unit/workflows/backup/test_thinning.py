"""Which backups are removed, and in which order."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployer.errors import UsageError
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.thinning import KeepPolicy, remove, surplus, take_over_locks
from tests.support.backups import MOMENT, parts_of, restic

if TYPE_CHECKING:
    from deployer.restic.repository import Part

HOST = "registry@machine"
NOW = MOMENT + timedelta(days=1)


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("7d", "--keep-daily 7"),
        ("7d,4w,12m", "--keep-daily 7 --keep-weekly 4 --keep-monthly 12"),
        (" 24h , 10y ", "--keep-hourly 24 --keep-yearly 10"),
        ("5", "--keep-last 5"),
        ("9999,1d", "--keep-last 9999 --keep-daily 1"),
        ("007d", "--keep-daily 7"),
    ],
)
def test_a_policy_is_restics(written: str, options: str) -> None:
    assert KeepPolicy.parse(written).options() == tuple(options.split())


@pytest.mark.parametrize(
    "written", ["", ",", "7d,", "0d", "0", "-1d", "d", "7 d", "7d4w", "7d,3d", "1,2", "7days", "7D", "1.5d", "10000d"]
)
def test_an_invalid_policy_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(UsageError, match="--keep: ") as caught:
        KeepPolicy.parse(written)
    assert f"'{written}'" in str(caught.value)
    assert "--keep 7d,4w,12m" in caught.value.advice[0]


def snapshots(*parts: Part) -> bytes:
    return json.dumps(
        [
            {
                "id": part.id,
                "time": part.time.isoformat(),
                "hostname": part.host,
                "tags": [f"{key}={value}" for key, value in part.tags.items()],
            }
            for part in parts
        ]
    ).encode()


def keeping(*parts: Part) -> bytes:
    groups: list[dict[str, Any]] = [{"keep": [{"id": part.id} for part in parts], "remove": []}]
    return json.dumps(groups).encode()


def test_what_the_policy_does_not_keep_is_surplus_but_for_the_newest() -> None:
    old, middle, new = parts_of(1), parts_of(2), parts_of(3)
    repository, asked = restic(snapshots=snapshots(*old, *middle, *new), forget=keeping(middle[-1]))
    found = surplus(repository, HOST, KeepPolicy.parse("1d"), NOW)
    assert [one.time for one in found] == [MOMENT + timedelta(hours=1)]
    words = asked.calls[-1].words
    assert words[words.index("--tag") + 1] == "part=seal"
    assert words[words.index("--host") + 1] == HOST


def test_backups_under_an_earlier_name_count_as_this_deployments_where_that_is_said() -> None:
    old, new, foreign = parts_of(1, host="registry@old"), parts_of(2, host=HOST), parts_of(3, host="registry@other")
    repository, asked = restic(snapshots=snapshots(*old, *new), forget=keeping(new[-1]))
    policy = KeepPolicy.parse("1", ["registry@old", HOST])
    assert policy.hosts(HOST) == (HOST, "registry@old")
    assert [one.host for one in surplus(repository, HOST, policy, NOW)] == ["registry@old"]
    for call in asked.calls:
        named = [word for before, word in itertools.pairwise(call.words) if before == "--host"]
        assert named == [HOST, "registry@old"]
    words = asked.calls[-1].words
    # As one: else the newest of each would stay.
    assert words[words.index("--group-by") + 1] == ""
    assert foreign[0].host not in words


def test_backups_of_a_clock_that_was_ahead_take_the_place_of_no_others() -> None:
    old, made, ahead = parts_of(1), parts_of(2), (parts_of(24 * 365), parts_of(24 * 366))
    stored = [part for parts in (old, made, *ahead) for part in parts]
    repository, asked = restic(snapshots=snapshots(*stored), forget=keeping(ahead[0][-1], ahead[1][-1]))
    found = surplus(repository, HOST, KeepPolicy.parse("1,7d"), MOMENT + timedelta(hours=2))
    # What was made last stays, and what is dated after it, until that is past.
    assert [one.time for one in found] == [MOMENT + timedelta(hours=1)]
    assert asked.calls[-1].words[-4:] == ("--keep-last", "3", "--keep-daily", "9")


def test_without_backups_nothing_is_surplus() -> None:
    repository, _ = restic(snapshots=b"[]", forget=b"")
    assert surplus(repository, HOST, KeepPolicy.parse("1d"), NOW) == ()


def test_seals_are_removed_first_and_then_what_no_complete_backup_has() -> None:
    old, new, cut = parts_of(1), parts_of(2), parts_of(3, [PartKind.LINKS])
    repository, asked = restic(snapshots=snapshots(*old, *new, *cut), forget=keeping(new[-1]))
    going = surplus(repository, HOST, KeepPolicy.parse("1"), NOW)
    asked.calls.clear()
    remove(repository, (HOST,), going)
    forgotten = [call.words for call in asked.calls if call.words[0] == "forget"]
    assert forgotten[0] == ("forget", old[-1].id)
    assert forgotten[1] == ("forget", "--prune", cut[0].id)


def test_an_interrupted_removal_continues() -> None:
    old, new = parts_of(1), parts_of(2)
    repository, asked = restic(snapshots=snapshots(*old[:2], *new))
    remove(repository, (HOST,), ())
    assert asked.calls[-1].words == ("forget", "--prune", old[0].id, old[1].id)


def test_if_nothing_is_removed_nothing_is_pruned() -> None:
    repository, asked = restic(snapshots=snapshots(*parts_of(1)))
    remove(repository, (HOST,), ())
    assert {call.words[0] for call in asked.calls} == {"snapshots"}


def test_locks_of_this_deployment_are_taken_over() -> None:
    repository, asked = restic(locks=b"1\n", list=b"1\n", cat=b'{"hostname": "deployer-registry-m"}')
    take_over_locks(repository, "deployer-registry-m")
    assert asked.calls[-1].words == ("unlock", "--remove-all")


def test_locks_of_another_are_respected() -> None:
    repository, asked = restic(locks=b"1\n", list=b"1\n2\n", cat=b'{"hostname": "laptop"}')
    take_over_locks(repository, "deployer-registry-m")
    # Those that restic takes for dead ones go, whoever left them.
    assert asked.calls[-1].words == ("unlock",)


def test_without_locks_nothing_is_done() -> None:
    repository, asked = restic(locks=b"")
    take_over_locks(repository, "deployer-registry-m")
    assert [call.script for call in asked.calls] == ["locks"]
