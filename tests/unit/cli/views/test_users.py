"""How users and what they may do are reported."""

from __future__ import annotations

import pytest

from deployer.cli.views.access.users import in_words
from deployer.settings.access import AccessRule
from tests.unit.workflows.users.test_permissions import RULES, permissions


@pytest.mark.parametrize(
    ("rules", "name", "words"),
    [
        ((), "ann", "full access (pull, push, delete)"),
        (RULES, "admin", "full access (pull, push, delete)"),
        (RULES, "user01", "pull: team/*, centos, public/*"),
        (RULES, "ci", "pull: everything; push: team/*"),
        (RULES, "nobody", "pull: public/*"),
        (RULES[:3], "nobody", "none"),
        (
            (AccessRule(("a",), ("x", "y"), ("pull",)), AccessRule(("a",), ("y", "x"), ("push",))),
            "a",
            "pull, push: x, y",
        ),
    ],
)
def test_what_a_user_may_do_in_words(rules: tuple[AccessRule, ...], name: str, words: str) -> None:
    assert in_words(permissions(rules).of_user(name)) == words
