"""Holding signals back."""

from __future__ import annotations

import signal

from tools.machine import signals


def test_a_signal_waits_while_a_process_is_being_started() -> None:
    seen: list[str] = []
    previous = signal.signal(signal.SIGTERM, lambda *_: seen.append("signal"))
    try:
        with signals.holding_signals():
            signal.raise_signal(signal.SIGTERM)
            seen.append("started")
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert seen == ["started", "signal"]
