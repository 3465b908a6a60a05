from __future__ import annotations

import threading
import time

import pytest

from deployer.registry.parallel import each
from tests.support.run import PATIENCE_SECONDS


def test_results_keep_the_order_of_the_items() -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (5 - number % 5))
        return number

    assert each(work, range(50), 8) == list(range(50))


def test_never_more_than_the_given_number_at_once() -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)

    def work(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    each(work, range(32), 4)
    assert most == 4


def test_the_first_failure_ends_the_work() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        time.sleep(0.01)
        done.append(number)
        return number

    with pytest.raises(ValueError, match="three"):
        each(work, range(10_000), 4)
    assert len(done) < 9_000


@pytest.mark.parametrize("workers", [1, 8])
def test_one_item_and_none_need_no_threads(workers: int) -> None:
    main = threading.get_ident()
    assert each(lambda _: threading.get_ident(), ["one"], workers) == [main]
    assert each(lambda item: item, [], workers) == []


def test_calls_may_be_nested() -> None:
    assert each(lambda outer: sum(each(lambda inner: outer * inner, range(5), 4)), range(6), 4) == [
        10 * outer for outer in range(6)
    ]


def test_an_interruption_does_not_wait_for_what_hangs() -> None:
    gate = threading.Event()
    ended = []

    def work(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt
        gate.wait(PATIENCE_SECONDS)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        each(work, range(4), 4)
    assert ended == []
    gate.set()
