"""What the benchmarks make of their measurements."""

from __future__ import annotations

from benchmarks.measure import NUMBER, RATE, THROUGHPUT, Figure, medians, table


def test_measurements_are_made_in_turn_and_the_first_does_not_count() -> None:
    made: list[str] = []
    values = {"ours": iter([100.0, 3.0, 1.0, 2.0]), "peer": iter([0.0, 7.0, 9.0, 8.0])}

    def measured(name: str) -> float:
        made.append(name)
        return next(values[name])

    found = medians({"ours": lambda: measured("ours"), "peer": lambda: measured("peer")}, 3)
    assert found == {"ours": 2, "peer": 8}
    assert made == ["ours", "peer"] * 4


def test_figures_are_written_in_their_own_units() -> None:
    rows = table(
        [
            Figure("start", 0.5, 0.25, "bare", "≤ 1.5", reached=False),
            Figure("requests", 2000, 40, "htpasswd", "≥ 20", reached=True, form=RATE),
            Figure("pull", 900.4, 600.3, "nginx", "", reached=True, form=THROUGHPUT),
            Figure("long tasks", 0, None, "", "none", reached=True, form=NUMBER),
        ]
    ).splitlines()[2:]
    assert rows == [
        "| start | 0.500 s | 0.250 s (bare) | 2.00 | ≤ 1.5 (missed) |",
        "| requests | 2,000/s | 40/s (htpasswd) | 50.00 | ≥ 20 |",
        "| pull | 900 MB/s | 600 MB/s (nginx) | 1.50 |  |",
        "| long tasks | 0 |  |  | none |",
    ]
