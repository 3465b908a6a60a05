"""The flags that named the deployment stand in every advice, once and in their place."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from deployer.cli.main import main
from deployer.cli.output import Output
from deployer.cli.selection import Selection
from deployer.cli.session import Session
from deployer.errors import DeployerError

if TYPE_CHECKING:
    from pathlib import Path

TEAM = Selection.of(config=None, name="team", host=None, port="5077")


@pytest.mark.parametrize(
    ("advice", "followed"),
    [
        ("Check tls.key in deployer.yaml.", "Check tls.key in /etc/registry/team.yaml."),
        ("Set `tls: internal` in deployer.yaml (or DEPLOYER_TLS=internal).",
         "Set `tls: internal` in /etc/registry/team.yaml (or DEPLOYER_TLS=internal)."),
        # Another machine's.
        ("The rules are in deployer.yaml on the machine that runs it.",
         "The rules are in deployer.yaml on the machine that runs it."),
    ],
)  # fmt: skip
def test_an_advice_names_the_file_that_was_read(advice: str, followed: str) -> None:
    read = Selection()
    read.note_file("/etc/registry/team.yaml")
    assert read.applied(advice) == followed
    assert read.applied(followed) == followed
    assert Selection().applied(advice) == advice


def test_a_command_notes_the_file_that_it_reads(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_text("name: here\n")
    (tmp_path / "t.yaml").write_text("name: there\n")
    for config, named in ((None, "deployer.yaml"), (tmp_path / "t.yaml", str(tmp_path / "t.yaml"))):
        out = Output(io.StringIO(), io.StringIO())
        session = Session(config, None, None, None, {"HOME": str(tmp_path)}, tmp_path, out)
        assert session.settings.name
        assert out.selection.applied("Check host in deployer.yaml.") == f"Check host in {named}."


@pytest.mark.parametrize(
    ("advice", "followed"),
    [
        ("deployer up", "deployer up --name team --port 5077"),
        ("Start it: deployer up", "Start it: deployer up --name team --port 5077"),
        ("deployer up --port 5001   (any free port)", "deployer up --name team --port 5001   (any free port)"),
        ("deployer status   (here)", "deployer status --name team --port 5077   (here)"),
        ("deployer catalog --tags", "deployer catalog --name team --port 5077 --tags"),
        (
            "`deployer up` starts the registry again.",
            "`deployer up --name team --port 5077` starts the registry again.",
        ),
        (
            "Next: deployer logs, deployer doctor",
            "Next: deployer logs --name team --port 5077, deployer doctor --name team --port 5077",
        ),
        (
            "deployer up --name a --port 1, deployer logs",
            "deployer up --name a --port 1, deployer logs --name team --port 5077",
        ),
        ("`deployer gc`, not --port 1", "`deployer gc --name team --port 5077`, not --port 1"),
        # Who names a host names the registry.
        ("deployer configure-daemon --host localhost", "deployer configure-daemon --host localhost"),
        ("deployer configure-daemon", "deployer configure-daemon --name team --port 5077"),
        # A command of a group is two words, and the group alone is none.
        ("deployer user add bob", "deployer user add --name team --port 5077 bob"),
        (
            "See deployer user, and: deployer user list",
            "See deployer user, and: deployer user list --name team --port 5077",
        ),
        # No commands.
        ("It is as deployer renders it; deployer needs 2.", "It is as deployer renders it; deployer needs 2."),
        ("docker images", "docker images"),
    ],
)
def test_every_command_gets_the_flags_that_it_lacks(advice: str, followed: str) -> None:
    assert TEAM.applied(advice) == followed
    assert TEAM.applied(followed) == followed
    assert Selection().applied(advice) == advice


def test_values_are_quoted_for_the_shell_and_kept_as_typed() -> None:
    selection = Selection.of(config="my files/$x.yaml", host="h")
    assert selection.applied("deployer up") == "deployer up --config 'my files/$x.yaml' --host h"
    assert selection.applied("deployer up -c other.yaml") == "deployer up --host h -c other.yaml"


def test_errors_remarks_and_warnings_carry_them_and_original_words_do_not() -> None:
    err = io.StringIO()
    out = Output(io.StringIO(), err, selection=TEAM)
    out.note("Next: deployer up")
    out.warn("To remove it: deployer delete a:1")
    out.error(DeployerError("It failed.", ("deployer logs",), "see deployer logs"))
    assert err.getvalue().splitlines() == [
        "Next: deployer up --name team --port 5077",
        "Warning: To remove it: deployer delete --name team --port 5077 a:1",
        "Error: It failed.",
        "  → deployer logs --name team --port 5077",
        "  | see deployer logs",
    ]


def test_a_command_that_fails_names_the_deployment_it_was_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["catalog", "--port", "1"]) == 1
    assert "→ Start it: deployer up --port 1\n" in capsys.readouterr().err
    assert main(["init", "--config", "my own.yaml"]) == 0
    assert "Next: deployer up --config 'my own.yaml'\n" in capsys.readouterr().err
    assert main(["init", "--config", "my own.yaml"]) == 2
    assert "→ deployer init --config 'my own.yaml' --force" in capsys.readouterr().err
    assert main(["init", "--host", "192.0.2.1"]) == 0
    assert capsys.readouterr().err.endswith("Next: deployer up\n")
