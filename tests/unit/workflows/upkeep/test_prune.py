"""The rule that the options of `prune` give."""

from __future__ import annotations

import pytest

from deployer.errors import UsageError
from deployer.settings.load import Loaded
from deployer.settings.model import Settings
from deployer.workflows.upkeep.prune import rules_of


@pytest.mark.parametrize(
    ("options", "patterns", "said"),
    [
        ({"keep": 1}, [""], "REPOSITORY: "),
        ({"keep": "0"}, [], "--keep: 0 is not a valid number of images to keep"),
        ({"older_than": "soon"}, [], "--older-than: "),
    ],
)
def test_a_mistake_is_told_by_what_was_typed(options: dict[str, object], patterns: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        rules_of(options, patterns, Loaded(Settings(), None))
    assert caught.value.message.startswith(said)
