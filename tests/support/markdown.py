"""Markdown pages read for tests: their headings, links, tables and blocks of code."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = "```"
_HEADING = re.compile(r"(#{1,6}) (.+)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
# A remark behind a command, or its own line.
_REMARK = re.compile(r"(?:^|\s{2,})# .*$")


@dataclass(frozen=True)
class Block:
    """A block of code, in the language that its fence names."""

    language: str
    lines: tuple[str, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The command lines of a console block, without their remarks."""
        return tuple(_REMARK.sub("", line[2:]) for line in self.lines if line.startswith("$ "))

    @property
    def form(self) -> object:
        """What stays the same in a translation: all but remarks, and of pictures the number of lines."""
        if not self.language:
            return len(self.lines)
        return tuple(_REMARK.sub("", line) for line in self.lines)


@dataclass(frozen=True)
class Page:
    """A page: its blocks of code, and the other lines."""

    path: Path
    prose: tuple[str, ...]
    blocks: tuple[Block, ...]
    structure: tuple[object, ...]

    @classmethod
    def read(cls, path: Path) -> Page:
        """Read a page."""
        prose: list[str] = []
        blocks: list[Block] = []
        structure: list[object] = []
        opened: list[str] | None = None
        for line in path.read_text().splitlines():
            if line.startswith(_FENCE):
                if opened is None:
                    opened = [line.removeprefix(_FENCE)]
                else:
                    blocks.append(Block(opened[0], tuple(opened[1:])))
                    structure.append(("code", blocks[-1].language, blocks[-1].form))
                    opened = None
            elif opened is not None:
                opened.append(line)
            else:
                prose.append(line)
                heading = _HEADING.fullmatch(line)
                if heading:
                    structure.append(("heading", len(heading[1])))
                elif line.startswith("|"):
                    structure.append(("row", line.replace("\\|", "").count("|")))
        return cls(path, tuple(prose), tuple(blocks), tuple(structure))

    @property
    def text(self) -> str:
        """The prose in one piece."""
        return "\n".join(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The anchors of the headings, as GitHub makes them."""
        seen: Counter[str] = Counter()
        found = set()
        for line in self.prose:
            heading = _HEADING.fullmatch(line)
            if heading:
                slug = re.sub(r"[^\w\- ]", "", heading[2].lower()).replace(" ", "-")
                found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
                seen[slug] += 1
        return found

    @property
    def links(self) -> Iterator[str]:
        """The targets of links and images that lead to a file of this repository."""
        plain = _SPAN.sub("", self.text)
        # A link's text may be code, and then its brackets are empty here.
        return (target for target in _LINK.findall(plain) if not re.match(r"[a-z]+:", target))

    @property
    def spans(self) -> list[str]:
        """The pieces of code in the prose."""
        return _SPAN.findall(self.text)
