"""How many of many words are in a line: the first few, and the number of the rest."""

from __future__ import annotations

import pytest

from deployer.phrases import FIT, first, in_command, listed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c", "d", "e"], "a, b, c, d, e"),
        (["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"),
    ],
)
def test_the_first_words_and_how_many_more(words: list[str], told: str) -> None:
    assert listed(words) == told


def test_of_digests_a_command_names_as_many_as_a_line_holds() -> None:
    names = [f"team/app@sha256:{number:064}" for number in range(20)]
    assert len(" ".join(first(names))) <= FIT
    assert in_command(names) == f"{' '.join(names[:3])} (and 17 more)"
    assert in_command(names[:1]) == names[0]
    assert first(["x" * 1000, "y"]) == ["x" * 1000]
