"""The documentation is true if a program can tell: links, commands, translations, lists of what there is."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.settings.build import paths
from tests.support.command_line import UsageError, commands, known, options_of, parse
from tests.support.markdown import Page
from tests.unit.test_layers import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PATHS = [
    *(ROOT / name for name in ("README.md", "README.ja.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *DOCS.rglob("*.md"),
]
PAGES = {str(path.relative_to(ROOT)): Page.read(path) for path in sorted(PATHS)}
ENGLISH = [name for name in PAGES if "ja" not in re.split(r"[/.]", name)]
TRANSLATED = {
    "README.ja.md": "README.md",
    **{name: f"docs/{name.removeprefix('docs/ja/')}" for name in PAGES if re.fullmatch(r"docs/ja/(?!README).+", name)},
}
PUNCTUATION = re.compile(r"[|<>;&]+")
# Words of a private dialect, for which Docker's and Kubernetes' documentation has others.
DIALECT = re.compile(
    r"\b(?:anew|mends?|mended|heeds?|heeded|lies|stands(?! for)|catalogues?|whoever|wherefrom)\b", re.IGNORECASE
)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(name: str) -> None:
    page = PAGES[name]
    for link in page.links:
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        place = str(path.relative_to(ROOT))
        assert path.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in PAGES[place].anchors, f"{name}: {link}"


def test_every_page_can_be_found_from_another() -> None:
    linked = {
        str((page.path.parent / link.partition("#")[0]).resolve().relative_to(ROOT))
        for page in PAGES.values()
        for link in page.links
    }
    assert PAGES.keys() - linked == set()


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_same_headings_code_and_tables(name: str) -> None:
    assert PAGES[name].structure == PAGES[TRANSLATED[name]].structure


def test_the_tutorial_and_every_how_to_page_are_translated() -> None:
    wanted = {name for name in PAGES if re.match(r"docs/(?:tutorial\.md|how-to/)", name)}
    assert wanted - set(TRANSLATED.values()) == set()


def lines_of(command: str) -> Iterator[list[str]]:
    """The words of each `deployer` in a shell's line, up to a pipe, a redirection or the next command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not PUNCTUATION.fullmatch(word):
            words.append(word)
            continue
        if words[:1] == ["deployer"]:
            yield words[1:]
        words = []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_line_that_is_shown_parses(name: str) -> None:
    for block in PAGES[name].blocks:
        for command in block.commands:
            for words in lines_of(command):
                try:
                    parse(words)
                except UsageError as error:
                    pytest.fail(f"{name}: {command}: {error.format_message()}")


@pytest.mark.parametrize("name", PAGES)
def test_every_target_of_make_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = [*PAGES[name].spans, *(command for block in PAGES[name].blocks for command in block.commands)]
    named = {words[1] for words in map(str.split, shown) if words[:1] == ["make"] and len(words) > 1}
    # It writes the generated pages, and comes with them.
    assert named - targets <= {"docs"}


def test_the_parser_refuses_what_does_not_exist() -> None:
    for words in (["gc", "--unknown"], ["collect"], ["delete"], ["user", "rename", "bob"]):
        with pytest.raises(UsageError):
            parse(words)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_the_prose_names_exists(name: str) -> None:
    for span in PAGES[name].spans:
        words = re.split(r" [|<>] ", span)[0].split()
        if words[0] != "deployer" or len(words) == 1:
            continue
        words = re.sub(r"^(?:--(?:config|name|host|port) \S+ )+", "", " ".join(words[1:])).split()
        # A span may name several commands of a group at once.
        for variant in [[*words[:1], one, *words[2:]] for one in words[1].split("|")] if "|" in span else [words]:
            command = known([word for word in variant if re.fullmatch("[a-z][a-z-]*", word)])
            assert command is not None, f"{name}: {span}"
            named = {word.partition("=")[0] for word in variant if word.startswith("-")}
            assert named <= options_of(command) | {"--help"}, f"{name}: {span}"


@pytest.mark.parametrize("name", ENGLISH)
def test_the_prose_uses_the_words_of_the_field(name: str) -> None:
    plain = re.sub(r"`[^`]*`", "", PAGES[name].text)
    assert DIALECT.findall(plain) == []


def test_every_command_with_json_has_its_section() -> None:
    described = {
        line.removeprefix("## ") for line in PAGES["docs/reference/json-output.md"].prose if line.startswith("## ")
    }
    assert {name for name, command in commands() if "--json" in options_of(command)} == described


def test_every_library_has_its_reason() -> None:
    told = PAGES["docs/decisions/0011-libraries.md"].text.lower()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [name for name in (re.split(r"[<>=]", line)[0] for line in wanted) if name.lower() not in told] == []


def test_every_variable_of_the_settings_is_listed() -> None:
    told = PAGES["docs/reference/environment.md"].text
    sections = {"registry", "frontend", "backup", "groups", "access", "expect", "retention"}
    # What runs by itself is written in the file alone.
    said = [path for path in paths() if path.partition(".")[0] != "schedule"]
    single = [path for path in said if "[]" not in path and path not in sections]
    assert [path for path in single if f"`DEPLOYER_{path.replace('.', '_').upper()}`" not in told] == []


def test_the_architecture_shows_the_layers_of_imports() -> None:
    drawn = next(
        block.lines for block in PAGES["docs/explanation/architecture.md"].blocks if "  cli/main" in block.lines
    )
    assert [set(line.split()) for line in drawn] == [set(layer) for layer in LAYERS]


NAMED = {**PAGES, "tests/contract/README.md": Page.read(ROOT / "tests/contract/README.md")}
# What the folders of the page's own modules are in, in the table of the contract.
ASSETS = "templates/page/assets/"
PLACE = re.compile(r"(?:deployer/[\w/]*(?:\.py|/)|(?:templates|tests|tools|benchmarks)/[\w./-]*)")


@pytest.mark.parametrize("name", NAMED)
def test_every_file_that_is_named_exists(name: str) -> None:
    for span in NAMED[name].spans:
        is_path = PLACE.fullmatch(span)
        is_asset = name == "tests/contract/README.md" and re.fullmatch(r"[a-z]+/[a-z-]+\.js", span)
        if is_path or is_asset:
            assert (ROOT / (ASSETS if is_asset else "") / span).exists(), span


def test_every_rule_of_the_contract_is_in_its_table() -> None:
    spans = set(NAMED["tests/contract/README.md"].spans)
    assert {path.name for path in (ROOT / "tests/contract").glob("*.json")} <= spans
