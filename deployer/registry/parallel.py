"""Several requests at once, never more than a given number."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> list[Result]:
    """Call the function for every item, at most `workers` at a time; results in the items' order.

    The first exception ends the work and is raised here. The threads are daemons, so Ctrl-C does
    not wait for an answer that never comes.
    """
    waiting = list(items)
    if workers < 2 or len(waiting) < 2:
        return [function(item) for item in waiting]
    positions = iter(range(len(waiting)))
    lock = threading.Lock()
    done: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            with lock:
                position = next(positions, None)
            if position is None:
                return
            try:
                done.put((position, function(waiting[position]), None))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
                done.put((position, None, error))
                return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(waiting)))]
    for thread in threads:
        thread.start()
    results: dict[int, Result | None] = {}
    try:
        while len(results) < len(waiting):
            position, result, error = done.get()
            if error is not None:
                raise error
            results[position] = result
    finally:
        stopped.set()
    for thread in threads:
        thread.join()
    return [results[position] for position in range(len(waiting))]  # type: ignore[misc]  # every place is filled
