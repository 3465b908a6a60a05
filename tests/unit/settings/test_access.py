"""Groups, rules for them, and expectations, as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError
from deployer.settings.access import Expectation, Group
from deployer.settings.lines import lines_of
from deployer.settings.load import Flags, load

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.settings.model import Settings


def read(folder: Path, text: str) -> Settings:
    (folder / "deployer.yaml").write_text(text)
    return load(Flags(), {"HOME": str(folder)}, folder).settings


def test_groups_are_users_of_rules(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        "groups: {developers: [alice, bob, alice], ops: carol}\n"
        "access:\n- {groups: [developers, ops], users: [bob], allow: pull}\n- {groups: ops, allow: [delete]}\n",
    )
    assert made.groups == (Group("developers", ("alice", "bob")), Group("ops", ("carol",)))
    assert [rule.users for rule in made.user_rules] == [("bob", "alice", "carol"), ("carol",)]
    assert [rule.groups for rule in made.user_rules] == [(), ()]


def test_expectations_are_statements(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        "groups: {developers: [alice]}\n"
        "expect:\n- ci: [cannot delete team/*, can  push and pull  a, 'can pull, push, and delete b']\n"
        "- anonymous: cannot push\n- group:developers: can pull\n",
    )
    assert made.expect == (
        Expectation("ci", False, ("delete",), "team/*"),
        Expectation("ci", True, ("pull", "push"), "a"),
        Expectation("ci", True, ("pull", "push", "delete"), "b"),
        Expectation("anonymous", False, ("push",), "*"),
        Expectation("group:developers", True, ("pull",), "*"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("groups: {a: []}", "groups: the group 'a' has no users; name one, or remove the group and its rules"),
        ("groups: {a: ['*']}", "groups: '*' cannot be in the group 'a'; name it in the rule's users"),
        ("groups: {a: [anonymous]}", "groups: 'anonymous' cannot be in the group 'a'; name it in the rule's users"),
        ("groups: {'a b': [c]}", "groups: 'a b' is not a valid group name"),
        ("groups: {a: [b c]}", "groups: 'b c' is not a valid user name"),
        ("groups: [a]", "groups: ['a'] is not a list of groups"),
        ("access: [{groups: [a], allow: pull}]",
         "access[0].groups: no such group 'a'; define it under `groups`"),
        ("groups: {developers: [b]}\naccess: [{groups: [developer], allow: pull}]",
         "access[0].groups: no such group 'developer', did you mean developers?"),
        ("access: [{allow: pull}]", "access[0]: the rule has no users or groups"),
        ("access: [{groups: a, repositories: b}]", "access[0]: the rule has no allow"),
        ("access: [{groups: [], allow: pull}]", "access[0].groups: [] is not a list of groups"),
        ("expect: [{ci: [may delete a]}]", "expect: 'may delete a' is not a valid expectation; use for example"),
        ("expect: [{ci: [cannot fly a]}]", "expect: 'fly' is not one of: pull, push, delete"),
        ("expect: [{ci: [can push A]}]", "expect: 'A' cannot match a repository name"),
        ("expect: [{ci: []}]", "expect: [] does not say what 'ci' can or cannot do"),
        ("expect: [{'*': can pull}]", "expect: '*' is not a valid user name"),
        ("expect: ci", "expect: 'ci' is not a list such as"),
        ("expect: [{group:x: can pull}]", "expect: no such group 'x'; define it under `groups`"),
    ],
)  # fmt: skip
def test_mistakes_are_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert any(said in problem for problem in caught.value.problems), caught.value.problems


def test_settings_have_lines() -> None:
    found = lines_of(b"name: a\naccess:\n  # first\n  - users: [a]\n    allow: pull\n\n  - users: [b]\n")
    assert (found["name"], found["access[0]"], found["access[0].allow"], found["access[1]"]) == (1, 4, 5, 7)
    assert lines_of(b"a: [") == lines_of(b"\xff") == lines_of(b"") == {}
