"""The web page for those who log in, in a real browser, over TLS."""

from __future__ import annotations

import contextlib
import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import Error, expect

from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.build import build
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice
from deployer.workflows.page import upkeep_state
from deployer.workflows.schedule import installed, records
from deployer.workflows.schedule.records import RunResult
from tests.browser.conftest import PATIENCE
from tests.browser.pages import press
from tests.support.articles import USERS, deploy_articles, pin
from tests.support.content import push_image
from tests.support.signed_in import client_of, password_of, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Watch
    from tests.support.stack import DeployedStack

REPOSITORIES = ("centos", "other/app", "team/app")
LANGUAGES = {
    "en-US": {
        "list": "No repository is listed for you",
        "name": "Repository name",
        "open": "Open",
        "invalid": "Invalid repository name",
        "forbidden": "the access rules of this registry do not allow you to read this",
        "unauthorized": "You are not logged in, your password was changed, or your user was removed.",
        "again": "Log in again",
    },
    "ja-JP": {
        "list": "表示できるリポジトリはありません",
        "name": "リポジトリの名前",
        "open": "開く",
        "invalid": "リポジトリ名が正しくありません",
        "forbidden": "このレジストリのアクセス規則により閲覧できません",
        "unauthorized": "ログインしていないか、パスワードが変更されたか、ユーザーが削除されました。",
        "again": "ログインし直す",
    },
}
WORDS = LANGUAGES["en-US"]


@pytest.fixture(scope="module")
def page_stack(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    made = deploy_articles(make_stack)
    with client_of(made, "admin") as admin:
        for repository in REPOSITORIES:
            push_image(admin, repository, "1.0")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def browser(page_stack: DeployedStack, launch: Callable[..., Browser]) -> Iterator[Browser]:
    """Chromium that takes this deployment's certificate, and no other that it does not know."""
    launched = launch(f"--ignore-certificate-errors-spki-list={pin(page_stack)}")
    yield launched
    launched.close()


@pytest.fixture
def open_as(open_page: Callable[..., Page], page_stack: DeployedStack) -> Callable[..., Page]:
    """Opens an address as a user; logged out if there is none."""

    def open_address(user: str, path: str = "/", *, password: str = "", **options: object) -> Page:
        known = {"http_credentials": {"username": user, "password": password or password_of(user)}} if user else {}
        return open_page(path, base=f"https://{page_stack.address}", **known, **options)

    return open_address


@pytest.fixture
def change_users(page_stack: DeployedStack) -> Iterator[Callable[..., None]]:
    """Changes who the users are, and their passwords; they are as before at the end."""

    def change(*names: str, **changed: str) -> None:
        write_users(page_stack, names, **changed)
        page_stack.up()

    yield change
    change(*USERS)


class TestSignedOut:
    @pytest.mark.parametrize("path", ["/", "/repository/team/app", "/assets/main.js", "/v2/_catalog"])
    @pytest.mark.parametrize("user", ["", "admin"], ids=["signed-out", "wrong-password"])
    def test_the_browser_is_asked_before_anything_is_shown(
        self, open_as: Callable[..., Page], watch: Watch, page_stack: DeployedStack, user: str, path: str
    ) -> None:
        watch.expect("401")
        page = open_as(user, "", password="guessed")
        answers: list[tuple[int, str]] = []
        page.on("response", lambda answer: answers.append((answer.status, answer.headers["www-authenticate"])))
        # Without words to answer with, Chromium shows its own error.
        with contextlib.suppress(Error):
            page.goto(path)
        assert answers
        assert set(answers) == {(401, f'Basic realm="registry at {page_stack.address}"')}
        expect(page.locator("#view")).to_have_count(0)


class TestTheTable:
    """The page's column of the table: what each user sees."""

    def test_admin_sees_everything(self, open_as: Callable[..., Page]) -> None:
        page = open_as("admin")
        for repository in REPOSITORIES:
            expect(page.get_by_role("link", name=repository, exact=True)).to_be_visible()
        page.get_by_role("link", name="team/app").click()
        expect(page.locator("#tags")).to_contain_text("1.0")
        expect(page.locator("#tags")).to_contain_text("linux/amd64")
        expect(page.locator("main .command")).to_contain_text("docker pull localhost:")

    def test_user01_sees_what_is_allowed_and_nothing_else(self, open_as: Callable[..., Page], watch: Watch) -> None:
        watch.expect("403")
        page = open_as("user01")
        for repository in ("team/app", "centos"):
            expect(page.get_by_role("link", name=repository, exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="other/app", exact=True)).to_have_count(0)
        page.get_by_role("link", name="team/app").click()
        expect(page.locator("#tags")).to_contain_text("1.0")
        expect(page.locator("#tags")).to_contain_text("linux/amd64")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_user02_is_listed_nothing_and_may_open_by_name(
        self, open_as: Callable[..., Page], watch: Watch, language: str
    ) -> None:
        watch.expect("403")
        words = LANGUAGES[language]
        page = open_as("user02", locale=language)
        expect(page.get_by_role("heading", level=2)).to_have_text(words["list"])
        expect(page.locator("html")).to_have_attribute("lang", language[:2])
        page.get_by_label(words["name"]).fill("team/app")
        page.get_by_role("button", name=words["open"], exact=True).click()
        expect(page).to_have_url(re.compile("/repository/team/app$"))
        expect(page.get_by_role("alert")).to_contain_text(words["forbidden"])
        page.go_back()
        expect(page.get_by_label(words["name"])).to_be_visible()

    @pytest.mark.parametrize(
        ("user", "repository"), [("user01", "other/app"), ("user02", "team/app"), ("user02", "centos")]
    )
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_what_is_denied_is_said_in_words(
        self, open_as: Callable[..., Page], watch: Watch, user: str, repository: str, language: str
    ) -> None:
        watch.expect("403")
        words = LANGUAGES[language]
        page = open_as(user, f"/repository/{repository}", locale=language)
        expect(page.get_by_role("alert")).to_contain_text(words["forbidden"])
        expect(page.get_by_role("alert")).to_contain_text("HTTP 403: requested access to the resource is denied")
        expect(page.locator("#tags")).to_be_hidden()


class TestScheduledCommands:
    """Who may delete everything sees what ran by itself; others are not even told that something did."""

    @pytest.fixture
    def failed(self, page_stack: DeployedStack) -> Iterator[None]:
        """A command of the schedule has failed."""
        deployment, now = Deployment(page_stack.name, page_stack.directory), datetime.now(UTC)
        settings = build(Settings, {"schedule": {"gc": "nightly"}}, [])
        wanted = installed.wanted(settings, RunnerChoice.NONE, None, now - timedelta(hours=1))
        assert wanted is not None
        installed.keep(deployment, wanted)
        with records.begun(deployment, Job.GC, now) as run:
            run.finish(RunResult.FAILED, now, sentence="No access to server.example.")
        upkeep_state.publish(deployment, now)
        yield
        shutil.rmtree(deployment.runs_directory)
        deployment.schedule_file.unlink()
        deployment.upkeep_state_file.unlink()

    @pytest.mark.parametrize(
        ("language", "link", "title", "result"),
        [
            ("en-US", "Schedule .1 problem", "Scheduled commands", "failed"),
            ("ja-JP", "定期実行.問題 1 件", "定期実行", "失敗"),
        ],
    )
    @pytest.mark.usefixtures("failed")
    def test_who_may_delete_everything_sees_what_failed_and_what_to_run(
        self, open_as: Callable[..., Page], language: str, link: str, title: str, result: str
    ) -> None:
        page = open_as("admin", locale=language)
        page.get_by_role("link", name=re.compile(link)).click()
        expect(page).to_have_url(re.compile("/schedule$"))
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_role("table").last.get_by_role("row").last).to_contain_text(result)
        expect(page.locator("main .command")).to_contain_text("deployer run-scheduled gc")
        expect(page.locator("main")).not_to_contain_text("server.example")

    @pytest.mark.usefixtures("failed")
    def test_others_are_told_nothing(self, open_as: Callable[..., Page], watch: Watch) -> None:
        watch.expect("403")
        page = open_as("user01", "")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/")
        expect(page.get_by_role("link", name="team/app", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("Schedule"))).to_have_count(0)
        assert not [url for url in asked if url.endswith("/overview/upkeep")]
        page.goto("/schedule")
        expect(page.get_by_role("alert")).to_contain_text("HTTP 403")
        expect(page.get_by_role("table")).to_have_count(0)


class TestOpeningByName:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_name_that_cannot_be_is_said_at_the_field(
        self, open_as: Callable[..., Page], watch: Watch, language: str
    ) -> None:
        watch.expect("403")
        words = LANGUAGES[language]
        page = open_as("user02", locale=language)
        field = page.get_by_label(words["name"])
        for name in ("", "Team/App", "team//app", "../v2"):
            field.fill(name)
            press(field, "Enter")
            expect(page.get_by_role("alert")).to_contain_text(words["invalid"])
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_be_focused()
        expect(page).to_have_url(re.compile("/$"))
        field.fill("team")
        expect(page.get_by_role("alert")).to_be_empty()

    def test_an_images_name_opens_its_repository(
        self, open_as: Callable[..., Page], watch: Watch, page_stack: DeployedStack
    ) -> None:
        watch.expect("403")
        page = open_as("user02")
        expect(page.get_by_label(WORDS["name"])).to_be_visible()
        page.keyboard.press("/")
        expect(page.get_by_label(WORDS["name"])).to_be_focused()
        page.keyboard.type(f" {page_stack.address}/team/app:1.0 ")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/repository/team/app$"))
        expect(page.get_by_role("heading", level=1)).to_be_focused()

    def test_a_folder_leads_to_the_field_with_its_name(self, open_as: Callable[..., Page], watch: Watch) -> None:
        watch.expect("403")
        page = open_as("user02", "/repository/team/app")
        page.get_by_role("navigation").get_by_role("link", name="team").click()
        expect(page.get_by_label(WORDS["name"])).to_have_value("team/")
        expect(page.get_by_role("searchbox")).to_be_hidden()


class TestWhileAPageIsOpen:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_changed_password_or_a_removed_user_is_said_in_words(
        self,
        open_as: Callable[..., Page],
        watch: Watch,
        change_users: Callable[..., None],
        language: str,
    ) -> None:
        watch.expect("401")
        words = LANGUAGES[language]
        watch.expect("403")
        changed, removed = open_as("admin", locale=language), open_as("user02", locale=language)
        expect(changed.get_by_role("link", name="team/app")).to_be_visible()
        removed.get_by_label(words["name"]).fill("team/app")
        change_users("admin", "user01", admin="another password")

        changed.get_by_role("link", name="team/app").click()
        removed.get_by_role("button", name=words["open"], exact=True).click()
        for page in (changed, removed):
            expect(page.get_by_role("alert")).to_contain_text(words["unauthorized"])
            expect(page.get_by_role("alert")).to_contain_text("HTTP 401: authentication required")
        changed.go_back()
        expect(changed.get_by_role("alert")).to_contain_text(words["unauthorized"])
        expect(changed.get_by_role("link", name="team/app")).to_have_count(0)

        change_users(*USERS)
        changed.get_by_role("button", name=words["again"]).click()
        expect(changed.get_by_role("link", name="team/app")).to_be_visible()

    def test_tags_that_are_refused_ask_for_a_login(self, open_as: Callable[..., Page], watch: Watch) -> None:
        watch.expect("401")
        page = open_as("admin", "")
        page.route(re.compile("/overview/tags/"), lambda route: route.fulfill(status=401, body="{}"))
        page.goto("/repository/team/app")
        expect(page.get_by_role("alert")).to_contain_text(WORDS["unauthorized"])
        page.unroute(re.compile("/overview/tags/"))
        page.get_by_role("button", name=WORDS["again"]).click()
        expect(page.locator("#tags")).to_contain_text("linux/amd64")


class TestWhoIAm:
    def test_the_page_says_who_is_logged_in(self, open_as: Callable[..., Page], watch: Watch) -> None:
        watch.expect("403")
        for user in USERS:
            page = open_as(user)
            expect(page.locator("header")).to_contain_text(user)
            expect(page.get_by_role("button", name="Log out")).to_be_visible()

    def test_logging_out_makes_the_browser_forget(
        self, browser: Browser, page_stack: DeployedStack, watch: Watch
    ) -> None:
        watch.expect("401")
        # With the login in the address it is the browser itself that keeps it, as after its own question.
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"https://admin:{quote(password_of('admin'), safe='')}@{page_stack.address}/")
        page.goto(f"https://{page_stack.address}/")
        expect(page.get_by_role("link", name="team/app")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_role("link", name="team/app")).to_have_count(0)
        expect(page.locator("header")).not_to_contain_text("admin")

        answers: list[int] = []
        # An answer to what the page before had asked may come late.
        page.on("response", lambda answer: answers.extend([answer.status] * answer.request.is_navigation_request()))
        with contextlib.suppress(Error):
            page.goto(f"https://{page_stack.address}/", timeout=3000)
        assert set(answers) <= {401}
        expect(page.locator("#view")).to_have_count(0)
        page.context.close()

    def test_the_words_that_log_out_log_nobody_in(self, page_stack: DeployedStack) -> None:
        with client_of(page_stack, None) as client:
            for path in ("/", "/v2/", "/overview/session", "/sign-out/", "/sign-out/../v2/_catalog", "//sign-out"):
                assert client.get(path, auth=("signed-out", "--")).status_code == 401, path
            assert client.get("/sign-out", auth=("signed-out", "--")).status_code == 204
            assert client.get("/sign-out", auth=("admin", password_of("admin"))).status_code == 401
