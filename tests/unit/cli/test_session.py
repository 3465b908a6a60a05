"""What a session shows, asks and takes from the command line."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer

from deployer.cli.output import Output
from deployer.cli.presentation import Presentation, Report
from deployer.cli.registration import command
from deployer.cli.selection import COMMANDS
from deployer.cli.session import NOTHING_CHANGED, Session
from deployer.errors import EXIT_FAILURE, ConfirmationNeeded, NotFound
from deployer.paths import Deployment
from deployer.record import Record
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.cli.presentation import Offer


@dataclass(frozen=True)
class Counted(Report):
    """A report of a number; less than one is a failure."""

    number: int

    def as_json(self) -> dict[str, int]:
        return {"number": self.number}

    def print(self, out: Output) -> None:
        out.line(f"{self.number} found")

    def remark(self, out: Output) -> None:
        out.warn("counted in haste")

    @property
    def has_failed(self) -> bool:
        return self.number < 1


class Screen:
    """A session that writes into memory."""

    def __init__(self, **presentation: bool) -> None:
        self.streams = io.StringIO(), io.StringIO()
        self.session = Session(
            None, None, None, None, {}, Path("/"), Output(*self.streams), Presentation(**presentation)
        )

    @property
    def printed(self) -> tuple[str, str]:
        return self.streams[0].getvalue(), self.streams[1].getvalue()


@pytest.mark.parametrize(("as_json", "result"), [(False, "2 found\n"), (True, '{\n  "number": 2\n}\n')])
def test_a_report_is_shown_as_it_is_wanted_and_its_remarks_always(as_json: bool, result: str) -> None:
    screen = Screen(as_json=as_json)
    screen.session.show(Counted(2))
    assert screen.printed == (result, "Warning: counted in haste\n")


def test_a_report_of_a_failure_is_shown_and_ends_the_command() -> None:
    screen = Screen(as_json=True)
    with pytest.raises(typer.Exit) as ended:
        screen.session.show(Counted(0))
    assert ended.value.exit_code == EXIT_FAILURE
    assert json.loads(screen.printed[0]) == {"number": 0}


@pytest.mark.parametrize(
    ("as_json", "dry_run", "shown"),
    [(False, False, True), (False, True, True), (True, False, False), (True, True, True)],
)
def test_a_plan_is_shown_unless_a_program_gets_the_result_later(as_json: bool, dry_run: bool, shown: bool) -> None:
    screen = Screen(as_json=as_json, dry_run=dry_run)
    assert screen.session.show_plan(Counted(1)) is dry_run
    assert bool(screen.printed[0]) is shown
    assert (NOTHING_CHANGED in screen.printed[1]) is dry_run


def test_yes_answers_every_question() -> None:
    Screen(yes=True).session.confirm("Really?")
    Screen().session.confirm("Really?", yes=True)
    with pytest.raises(ConfirmationNeeded) as asked:
        Screen().session.confirm("Really?", otherwise=("Think again.",))
    assert asked.value.advice == ("Think again.",)


@dataclass(frozen=True)
class Cooking:
    """Options that belong together."""

    minutes: Annotated[int, typer.Option("--minutes")] = 5
    salted: Annotated[bool, typer.Option("--salted")] = False


@pytest.fixture(autouse=True)
def _commands() -> Iterator[None]:
    """No other test is to know the commands that are registered here."""
    before = set(COMMANDS)
    yield
    COMMANDS.intersection_update(before)


def run(words: list[str], *offers: Offer) -> tuple[Any, ...]:
    """What a command with a group of options gets of these words."""
    app, got = typer.Typer(), list[Any]()

    @command(app, "cook", recovers=False, offers=offers)
    def cook(session: Session, dish: Annotated[str, typer.Argument()], cooking: Cooking) -> None:
        got.extend((dish, cooking, session.presentation, session.host))

    app(words, standalone_mode=False)
    return tuple(got)


def test_a_dataclass_stands_for_an_option_of_each_of_its_fields() -> None:
    assert run(["egg"]) == ("egg", Cooking(), Presentation(), None)
    words = ["egg", "--minutes", "9", "--salted", "--host", "kitchen"]
    assert run(words) == ("egg", Cooking(9, salted=True), Presentation(), "kitchen")


def test_a_command_has_the_options_that_it_offers_and_no_others() -> None:
    _, _, presentation, _ = run(["egg", "--json", "--yes"], "yes", "as_json")
    assert presentation == Presentation(as_json=True, yes=True)
    with pytest.raises(Exception, match="--dry-run"):
        run(["egg", "--dry-run"], "yes", "as_json")


def test_the_help_has_its_options_in_their_order() -> None:
    app = typer.Typer()

    @command(app, "cook", recovers=False, offers=("yes", "dry_run"))
    def cook(session: Session, cooking: Cooking, last: Annotated[bool, typer.Option("--last")] = False) -> None:
        raise NotImplementedError

    options = [one.opts[0] for one in typer.main.get_command(app).params]
    shared = ["--config", "--name", "--host", "--port"]
    assert [one for one in options if not one.endswith("-completion")] == [
        *("--minutes", "--salted", "--last", "--yes", "--dry-run"), *shared,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "host", "is_refused"),
    [(None, "registry.example", True), (None, None, False), ("team", "a.example", False)],
)
def test_a_command_for_this_machine_refuses_an_address_elsewhere(
    tmp_path: Path, name: str | None, host: str | None, is_refused: bool
) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    session = Session(None, name, host, None, environment, tmp_path, Output(io.StringIO(), io.StringIO()))
    # A registry elsewhere is what a client of it is for.
    session.require_deployment()
    with pytest.raises(NotFound) if is_refused else nullcontext():
        session.require_deployment(FakeEngine(containers=FakeContainers()))


@pytest.mark.parametrize("written", ["host: registry.example\n", "port: 5077\n"])
def test_what_changes_the_storage_goes_by_the_address_in_the_file_too(tmp_path: Path, written: str) -> None:
    """A deployer.yaml may be that of a client of another registry, on a machine with one of the same name."""
    environment = {"XDG_DATA_HOME": str(tmp_path / "data")}
    (tmp_path / "deployer.yaml").write_text(written)
    mine = Deployment.of("registry", environment)
    mine.directory.mkdir(parents=True)
    mine.compose_file.touch()
    mine.record_file.write_bytes(Record("localhost", 5000).content)
    engine = FakeEngine(containers=FakeContainers())
    session = Session(None, None, None, None, environment, tmp_path, Output(io.StringIO(), io.StringIO()))
    session.require_deployment(engine)
    with pytest.raises(NotFound, match="is at localhost:5000, but the settings say"):
        session.require_deployment(engine, changes=True)
