"""What `access explain` says is what a registry does; rules are compared and tested before they are in effect."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from deployer.permissions.explanation import Request, explain
from deployer.settings.load import Flags, load
from tests.support.content import push_image
from tests.support.signed_in import client_of, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from deployer.settings.model import Settings
    from tests.support.stack import DeployedStack

USERS = ("admin", "alice", "bob", "carol")
REPOSITORIES = ("team/app", "team/web/api", "team", "public/tool", "ci/build-1", "a", "team-x/app", "x.y/z_z")
PATTERNS = ("*", "team/*", "team*", "public/*", "ci/build-?", "a", "?", "*/app", "*.y/*", "team/app")
ACTIONS = ("pull", "push", "delete")
ABSENT = f"sha256:{'0' * 64}"
ADMIN = {"users": ["admin"], "allow": [*ACTIONS]}
GROUPS = {"developers": ["alice", "bob"], "reviewers": ["bob", "carol"]}
RULES = [ADMIN, {"groups": ["developers"], "repositories": ["team/*"], "allow": ["pull", "push"]}]


def random_rules(seed: int) -> list[dict[str, Any]]:
    """Rules for users, groups and everyone, with patterns that overlap."""
    chance = random.Random(seed)
    whom = [{"users": [name]} for name in (*USERS, "*", "anonymous")] + [{"groups": [name]} for name in GROUPS]
    rules = []
    for _ in range(12):
        who = chance.choice(whom)
        is_public = who == {"users": ["anonymous"]}
        allow = ["pull"] if is_public else chance.sample(ACTIONS, chance.randint(1, 2))
        rules.append({**who, "repositories": chance.sample(PATTERNS, chance.randint(1, 2)), "allow": allow})
    return [ADMIN, *rules]


def write_settings(stack: DeployedStack, rules: list[dict[str, Any]], **more: object) -> Settings:
    stack.folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (stack.folder / "deployer.yaml").write_text(json.dumps({"groups": GROUPS, "access": rules, **more}))
    return load(Flags(), {"HOME": str(stack.folder)}, stack.folder).settings


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    made = make_stack()
    write_settings(made, RULES)
    write_users(made, USERS)
    made.up()
    with client_of(made, "admin") as admin:
        push_image(admin, "team/app", "1")
        push_image(admin, "team/web", "1")
    yield made
    made.remove()


def does(client: httpx.Client, action: str, repository: str) -> bool:
    """Whether the registry does it, or would if there were something."""
    requests = {
        "pull": ("GET", f"/v2/{repository}/tags/list"),
        "push": ("POST", f"/v2/{repository}/blobs/uploads/"),
        "delete": ("DELETE", f"/v2/{repository}/manifests/{ABSENT}"),
    }
    answer = client.request(*requests[action])
    assert answer.status_code in {200, 202, 401, 403, 404}, answer.text
    return answer.status_code not in {401, 403}


# Two of these have rules for everyone, and one has none.
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_registry_does_what_is_explained(stack: DeployedStack, seed: int) -> None:
    settings = write_settings(stack, random_rules(seed))
    stack.up()
    for user in (*USERS, None):
        with client_of(stack, user) as client:
            for repository in REPOSITORIES:
                for action in ACTIONS:
                    request = Request(user or "anonymous", action, repository)
                    expected = explain(settings.access, settings.groups, request, has_users=True)
                    assert does(client, action, repository) is expected.is_allowed, expected


def test_rules_are_compared_before_they_are_in_effect(stack: DeployedStack) -> None:
    write_settings(stack, RULES)
    stack.up()
    assert "nothing would change for anyone" in stack.deployer("access", "diff", check=True).stdout
    write_settings(stack, [ADMIN, {**RULES[1], "repositories": ["team/app*"]}])
    lost = "alice, bob lose push: team/* except team/app* (1 repository, 1 pushed to in the last 7 days)"
    assert lost in stack.deployer("access", "diff", check=True).stdout
    assert lost in stack.deployer("up", "--dry-run", check=True).stdout
    with client_of(stack, "alice") as alice:
        assert does(alice, "push", "team/web")
        assert f"Access: {lost}" in stack.deployer("up", check=True).stderr
        assert not does(alice, "push", "team/web")
        assert does(alice, "push", "team/app")


def test_rules_that_are_not_as_expected_do_not_come_into_effect(stack: DeployedStack) -> None:
    expected = [{"group:developers": ["can push team/*"]}, {"carol": ["cannot push"]}]
    write_settings(stack, RULES, expect=expected)
    stack.up()
    assert "2 of 2 expectations met" in stack.deployer("access", "test", check=True).stdout
    write_settings(stack, [ADMIN, {"users": ["carol"], "allow": ["push"]}], expect=expected)
    tested = stack.deployer("access", "test")
    assert (tested.returncode, "0 of 2 expectations met" in tested.stdout) == (1, True)
    for command in (("up",), ("render",)):
        refused = stack.deployer(*command)
        assert refused.returncode == 2
        assert "expect: carol can push a, by access[1] (carol: cannot push *)" in refused.stderr
    with client_of(stack, "carol") as carol, client_of(stack, "bob") as bob:
        assert not does(carol, "push", "team/app")
        assert does(bob, "push", "team/app")
    assert stack.deployer("access", "explain", "bob", "push", "team/app").returncode == 1
