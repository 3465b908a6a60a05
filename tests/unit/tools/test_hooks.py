"""The hooks of `.pre-commit-config.yaml` are the checks of `make check`."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def programs(lines: list[str]) -> set[str]:
    """The name of each program that is called, with its subcommand where the check is one of several."""
    calls = (line.replace("$(BIN)", ".venv/bin").split() for line in lines)
    found = {(Path(call[0]).name, *(word for word in call[1:2] if word.isalpha())) for call in calls}
    return {" ".join(names) for names in found}


def test_each_check_is_a_hook() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^check:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert recipe
    checks = [line.strip() for line in recipe[1].splitlines() if not line.startswith("\t@")]
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [one["repo"] for one in configuration["repos"]] == ["local"]
    hooks = [hook["entry"] for one in configuration["repos"] for hook in one["hooks"]]
    assert programs(hooks) == programs(checks)
    assert len(checks) == 6


def test_a_hook_runs_what_the_repository_installs() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    for hook in configuration["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith((".venv/bin/", ".build/node/"))
