"""Text of other people's on a terminal: scripts stay whole, and nothing steers or turns around."""

from __future__ import annotations

import pytest

from deployer.cli.output import cells, padded
from deployer.printable import one_line, printable

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII",
        FAMILY,
        f"a{FAMILY}b",
        "\u2764\ufe0f",  # a heart in colour: a variation selector
        "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468",
        "1\ufe0f\u20e3",
        "\U0001f1ef\U0001f1f5",
        ENGLAND,
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a joiner's opposite inside a word
        "\u0915\u094d\u200d\u0937",  # Hindi
        "e\u0301",
        "\u65e5\u672c\u3000\u8a9e",  # an ideographic space
        "1\u00a0000",
        "\u06dd\u0661",  # a sign that is before a number
        "\U0001fae8",  # an emoji that came after this Python
        "two\nlines",
    ],
)
def test_what_a_script_needs_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("\x9b31m", "\ufffd31m"),
        ("a\rb\x08\x07\x00\x7f", "a\ufffdb\ufffd\ufffd\ufffd\ufffd"),
        ("\u202etxt.exe", "\ufffdtxt.exe"),
        ("\u2067x\u2069", "\ufffdx\ufffd"),
        ("\u2028\u2029", "\ufffd\ufffd"),
        ("ad\u200dmin", "ad\ufffdmin"),  # joins nothing: it would only hide
        ("\u200cx", "\ufffdx"),
        ("\u0645\u200c", "\u0645\ufffd"),
        ("\u0645\u200c\u200c\u0645", "\u0645\ufffd\ufffd\u0645"),
        ("\u200b\ufeff\u2060", "\ufffd\ufffd\ufffd"),
        ("\U000e0041", "\ufffd"),
        ("\ud800", "\ufffd"),
        ("\ue000", "\ufffd"),
    ],
)
def test_what_steers_or_hides_is_shown_as_such(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_one_line_is_one() -> None:
    assert one_line("a\nb\x1b") == "a b\ufffd"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("\u65e5\u672c", 4), ("e\u0301", 1), (FAMILY, 2), ("\u0645\u06cc\u200c\u062e", 3)]
)
def test_columns_are_counted_as_a_terminal_shows_them(text: str, width: int) -> None:
    assert cells(text) == width
    assert padded(text, 6) == text + " " * (6 - width)
    assert padded(text, 6, right=True) == " " * (6 - width) + text
