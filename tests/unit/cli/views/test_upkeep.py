from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from deployer.cli.output import Output
from deployer.cli.views.upkeep import PruneReport, question
from deployer.settings.retention import RetentionRule
from deployer.workflows.upkeep.prune import plan_prune
from tests.support.local_storage import Tree
from tests.support.registry_content import image

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from deployer.workflows.upkeep.survey.garbage import Survey


def test_what_prune_cannot_date_is_named_with_a_way_to_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path)
    tree.push("app", ["large"], image("large", config={"Labels": {"long": "x" * 4000}}))
    monkeypatch.setattr("deployer.workflows.upkeep.retention.CONFIG_MAX_BYTES", 2000)
    err = io.StringIO()
    report = PruneReport(plan_prune(tree.storage(), (RetentionRule(keep=1),)), is_dry_run=True)
    report.print(Output(io.StringIO(), err))
    told = err.getvalue()
    assert "The creation time of app:large is unknown" in told
    assert "The tag is kept." in told
    assert "--by pushed" in told
    assert report.as_json()["undated"] == [{"repository": "app", "tag": "large"}]


def test_the_question_names_the_registry_that_loses_something() -> None:
    cases = {
        (True, False, True): "This removes most of the content of localhost:5000. Continue only if the storage is",
        (True, False, False): "Remove 1 tag and 1 manifest from localhost:5000?",
        (False, True, False): "Remove the damaged files from localhost:5000?",
        (False, False, False): "",
    }
    for (images, damaged, unusual), said in cases.items():
        plan = SimpleNamespace(
            removes_images=images, is_unusual=unusual, removal=SimpleNamespace(damaged=(1,) if damaged else ())
        )
        assert question(cast("Survey", plan), "1 tag and 1 manifest", "localhost:5000").startswith(said)


def test_a_pattern_that_no_repository_matches_is_a_warning_with_what_was_meant(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.push("team/app", ["1"], image("app"))
    rules = (RetentionRule(("team/ap", "taem/*", "team/*"), keep=1), RetentionRule(("taem/*",), keep=2))
    err = io.StringIO()
    PruneReport(plan_prune(tree.storage(), rules)).remark(Output(io.StringIO(), err))
    assert err.getvalue().splitlines() == [
        "Warning: No repository matches 'team/ap'. Did you mean team/app?",
        "Warning: No repository matches 'taem/*'.",
    ]
    err = io.StringIO()
    empty = Tree(tmp_path / "empty")
    PruneReport(plan_prune(empty.storage(), rules)).remark(Output(io.StringIO(), err))
    assert err.getvalue() == ""
