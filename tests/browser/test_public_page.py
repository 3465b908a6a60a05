"""The page where everyone may see a part without login: what they see, and how they log in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.support.content import push_image
from tests.support.signed_in import client_of, password_of, write_rules, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, HttpCredentials, Page

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

RULES = [
    {"users": ["admin"], "allow": ["pull", "push", "delete"]},
    {"users": ["anonymous"], "repositories": ["public/*"], "allow": ["pull"]},
]
WORDS = {
    "en": {"in": "Log in", "out": "Log out", "again": "Log in again", "refused": "You are logged out"},
    "ja": {"in": "ログイン", "out": "ログアウト", "again": "ログインし直す", "refused": "ログインしていません"},
}


@pytest.fixture(scope="module")
def public(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    stack = make_stack()
    write_rules(stack, RULES)
    write_users(stack, ["admin"])
    stack.up()
    with client_of(stack, "admin") as admin:
        for name in ("public/app", "team/app"):
            push_image(admin, name, "1.0", layers=(name,))
    yield stack
    stack.remove()


@pytest.fixture
def visit(browser: Browser, public: DeployedStack) -> Iterator[Callable[..., Page]]:
    """Opens an address with a browser that answers the question for a login, once it is asked."""
    contexts = []

    def open_address(path: str, language: str) -> Page:
        answers: HttpCredentials = {"username": "admin", "password": password_of("admin")}
        context = browser.new_context(base_url=public.url, locale=language, http_credentials=answers)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(path)
        return page

    yield open_address
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", WORDS)
def test_who_comes_without_login_sees_the_part_and_may_log_in(visit: Callable[..., Page], language: str) -> None:
    words = WORDS[language]
    page = visit("/", language)
    expect(page.get_by_role("link", name="public/app")).to_be_visible()
    expect(page.get_by_role("link", name="team/app")).to_have_count(0)
    page.get_by_role("link", name="public/app").click()
    expect(page.locator("#tags")).to_contain_text("1.0")
    page.get_by_role("button", name=words["in"], exact=True).click()
    # One comes back to where one was.
    expect(page.locator("header")).to_contain_text("admin")
    expect(page).to_have_url(f"{page.url.rpartition('/repository')[0]}/repository/public/app")
    expect(page.locator("#tags")).to_contain_text("1.0")
    page.goto("/")
    expect(page.get_by_role("link", name="team/app")).to_be_visible()


@pytest.mark.parametrize("language", WORDS)
def test_what_needs_a_login_says_so_and_leads_to_it(visit: Callable[..., Page], watch: Watch, language: str) -> None:
    watch.expect("403")
    words = WORDS[language]
    page = visit("/repository/team/app", language)
    expect(page.get_by_role("alert")).to_contain_text(words["refused"])
    page.get_by_role("alert").get_by_role("button").click()
    expect(page.locator("#tags")).to_contain_text("1.0")
    expect(page.locator("header")).to_contain_text("admin")


def test_after_logging_out_the_part_for_everyone_is_there_again(visit: Callable[..., Page]) -> None:
    page = visit("/sign-in", "en")
    expect(page.get_by_role("link", name="team/app")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")
    page.goto("/")
    expect(page.get_by_role("link", name="public/app")).to_be_visible()
    expect(page.get_by_role("link", name="team/app")).to_have_count(0)
    expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
