"""`deployer backup TARGET` without the command's name."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
import typer

from deployer.cli.default_command import DefaultGroup
from deployer.cli.main import main
from deployer.cli.registration import take_shared_options

CREATE = ("create", "/mnt/nas", False, None)


def group() -> tuple[Any, list[tuple[object, ...]]]:
    """A group as `backup` is one, and what its commands were run with."""
    app, ran = typer.Typer(cls=DefaultGroup, no_args_is_help=True), list[tuple[object, ...]]()
    take_shared_options(app)

    @app.command()
    def create(
        target: str,
        new: Annotated[bool, typer.Option("--new")] = False,
        keep: Annotated[str | None, typer.Option("--keep")] = None,
        name: Annotated[str | None, typer.Option("--name")] = None,
        config: Annotated[str | None, typer.Option("--config", "-c")] = None,
    ) -> None:
        ran.append(("create", target, new, keep))

    @app.command("list")
    def list_all(target: str, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        ran.append(("list", target, as_json))

    return app, ran


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/mnt/nas", CREATE),
        ("create /mnt/nas", CREATE),
        ("--new /mnt/nas", ("create", "/mnt/nas", True, None)),
        ("/mnt/nas --new --keep 7d", ("create", "/mnt/nas", True, "7d")),
        ("--keep 7d /mnt/nas", ("create", "/mnt/nas", False, "7d")),
        ("--keep=7d /mnt/nas", ("create", "/mnt/nas", False, "7d")),
        ("--name team /mnt/nas", CREATE),
        ("--name=team -c other.yaml /mnt/nas", CREATE),
        ("--name list /mnt/nas", CREATE),
        ("--keep list /mnt/nas", ("create", "/mnt/nas", False, "list")),
        ("-- list", ("create", "list", False, None)),
        ("./list", ("create", "./list", False, None)),
        ("create list", ("create", "list", False, None)),
        ("/mnt/list", ("create", "/mnt/list", False, None)),
        ("list /mnt/nas", ("list", "/mnt/nas", False)),
        ("list /mnt/nas --json", ("list", "/mnt/nas", True)),
        ("--name team list /mnt/nas", ("list", "/mnt/nas", False)),
        ("list create", ("list", "create", False)),
    ],
)
def test_the_first_word_decides(words: str, expected: tuple[object, ...]) -> None:
    app, ran = group()
    app(words.split(), standalone_mode=False)
    assert ran == [expected]


@pytest.mark.parametrize("words", ["lst /mnt/nas", "/mnt/nas /mnt/other", "--nonsense /mnt/nas", "--new", "--name x"])
def test_what_is_no_command_and_no_target_is_wrong_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", *words.split()]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["--name", "team", "--help"]])
def test_help_before_a_word_is_of_the_group(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", *words]) == 0
    shown = capsys.readouterr().out
    assert "  list " in shown
    assert "`deployer backup TARGET` makes a backup" in " ".join(shown.split())


def test_nothing_is_the_help_of_the_group(capsys: pytest.CaptureFixture[str]) -> None:
    main(["backup"])
    assert "  list " in "".join(capsys.readouterr())


@pytest.mark.parametrize("words", [["/mnt/nas", "--help"], ["create", "--help"], ["--keep", "7d", "/x", "--help"]])
def test_help_behind_a_word_is_of_the_backup(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", *words]) == 0
    assert "--without-secrets" in capsys.readouterr().out


def test_help_of_the_list_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "list", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--without-secrets" not in shown
    assert "deployer backup list" in shown
