"""Text of other people's, made harmless to a terminal, with what their scripts need left whole."""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LONGEST = 200
_JOINERS = "\u200c\u200d"
# Characters before a number, which Unicode counts among the invisible ones (Prepended_Concatenation_Mark).
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Emoji newer than this Python's Unicode (emoji-data.txt, Extended_Pictographic keeps these places for them).
_PICTOGRAPHS = range(0x1F000, 0x1FB00)
# The flags of regions: a black flag and its region's letters as tags (Unicode Technical Standard 51, 4.7).
_REGION = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f")


def printable(text: str) -> str:
    """The text without characters that could steer a terminal or turn its neighbours around; line ends and tabs stay.

    A joiner, or its opposite, stays inside a word: Persian and Indic scripts write with them, and emoji are
    joined of several (Unicode Standard 23.2). Everything else that is invisible, and every override and isolate
    of direction, becomes a replacement sign.
    """
    pieces, end = [], 0
    for flag in _REGION.finditer(text):
        pieces += [_cleaned(text[end : flag.start()]), flag.group()]
        end = flag.end()
    return "".join((*pieces, _cleaned(text[end:])))


def one_line(text: str) -> str:
    """The same, on one line."""
    # Of CR LF too, as HTTP and Windows end a line, a space is left.
    return printable(text.replace("\r\n", "\n")).replace("\n", " ").replace("\t", " ")


def excerpt(text: str) -> str:
    """The same, short enough for a sentence: other people's may have any length."""
    shown = one_line(text[: _LONGEST + 1])
    return shown if len(text) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _cleaned(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        sign if _is_harmless(sign) or (sign in _JOINERS and _is_inside(text, position)) else _REPLACEMENT
        for position, sign in enumerate(text)
    )


def _is_harmless(sign: str) -> bool:
    if sign.isprintable() or sign in "\n\t" or sign in _VISIBLE_FORMATS:
        return True
    # The spaces of other scripts are not among what Python prints.
    return unicodedata.category(sign) == "Zs" or _is_new_pictograph(sign)


def _is_new_pictograph(sign: str) -> bool:
    return ord(sign) in _PICTOGRAPHS and unicodedata.category(sign) == "Cn"


def _is_inside(text: str, position: int) -> bool:
    """Whether a joiner is between two signs that may be joined; between plain ASCII it would only hide."""
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    return all(sign > "\x7f" and (sign.isprintable() or _is_new_pictograph(sign)) for sign in (before, after))
