"""Rules for everyone: pulling without login, by every client, and nothing else."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest

from tests.support.access_table import SIGNED_OUT, Cell, cells, checked, logged_in
from tests.support.content import push_image
from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import client_of, password_of, write_rules, write_users
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.registry_clients import Client
    from tests.support.stack import DeployedStack

RULES = [
    {"users": ["admin"], "allow": ["pull", "push", "delete"]},
    {"users": ["user01"], "repositories": ["team/*"], "allow": ["pull"]},
    {"users": ["anonymous"], "repositories": ["public/*"], "allow": ["pull"]},
]
TABLE = """
                   admin    user01    removed    signed-out
login              yes      yes       sign-in    sign-in
push:public/app    yes      denied    sign-in    login
pull:public/app    yes      yes       sign-in    yes
pull:team/app      yes      yes       sign-in    login
delete:public/app  yes      denied    sign-in    login
catalog            yes      yes       sign-in    yes
page               yes      yes       sign-in    yes
"""
WORDS = {
    "denied": "denied: requested access to the resource is denied",
    "login": "denied: login required: docker login",
    "sign-in": "unauthorized: authentication required",
    "docker login sign-in": "unauthorized",
    "podman login sign-in": "invalid username/password",
    "skopeo login sign-in": "invalid username/password",
    "podman push denied": r"requested access to the resource is denied|403 \(Forbidden\)",
    "skopeo push denied": r"requested access to the resource is denied|403 \(Forbidden\)",
    "podman push login": r"login required: docker login|403 \(Forbidden\)",
    "skopeo push login": r"login required: docker login|403 \(Forbidden\)",
    "skopeo delete denied": "DENIED.*requested access to the resource is denied",
    "skopeo delete login": "DENIED.*login required: docker login",
    "skopeo delete sign-in": "authentication required|unauthorized",
    "podman sign-in": "authentication required|invalid username/password",
    "skopeo sign-in": "authentication required|invalid username/password",
    "curl denied": '"DENIED","message":"requested access to the resource is denied"',
    # It asks for no token.
    "curl login": '"UNAUTHORIZED","message":"authentication required"',
    "curl sign-in": '"UNAUTHORIZED","message":"authentication required"',
    "curl page sign-in": "401 Unauthorized",
}
LISTED = {"admin": {"public/app", "team/app"}, "user01": {"public/app", "team/app"}, SIGNED_OUT: {"public/app"}}


@pytest.fixture(scope="module")
def public(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    stack = make_stack(DEPLOYER_TLS="internal")
    write_rules(stack, RULES)
    write_users(stack, ("admin", "user01", "removed"))
    stack.up()
    yield stack
    stack.remove()


@pytest.fixture(scope="module")
def admin(public: DeployedStack) -> Iterator[httpx.Client]:
    with client_of(public, "admin") as opened:
        yield opened


@pytest.fixture(scope="module")
def clients(
    public: DeployedStack, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Client]:
    """Each client of each user, logged in; then one of the users is removed."""
    made = logged_in(public, ("admin", "user01", "removed"), tmp_path_factory)
    for repository in ("public/app", "team/app"):
        assert made["docker", "admin"].push(repository, "1").done
    assert public.deployer("user", "remove", "removed", "--yes").returncode == 0
    return made


@pytest.mark.parametrize("cell", list(cells(TABLE, WORDS)))
def test_each_may_do_what_the_rules_allow(
    cell: Cell, clients: dict[tuple[str, str], Client], admin: httpx.Client
) -> None:
    answer = checked(cell, clients[cell.client.name, cell.user], admin)
    if answer.done and cell.verb == "catalog":
        assert {name for name in ("public/app", "team/app") if name in answer.words} == LISTED[cell.user]


def packed(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def nobody(public: DeployedStack, clients: object) -> Iterator[httpx.Client]:
    with client_of(public, None) as opened:
        yield opened


def token_of(client: httpx.Client, authorization: str = "") -> str:
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.get("/v2/token?service=x&scope=repository:team/app:pull,push,delete", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json()["token"])


def test_a_client_that_knows_nothing_is_told_where_tokens_are(nobody: httpx.Client, public: DeployedStack) -> None:
    realm = f'Bearer realm="https://{public.address}/v2/token",service="{public.address}"'
    answer = nobody.get("/v2/")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, realm)
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    denied = nobody.get("/v2/team/app/tags/list")
    assert denied.headers["WWW-Authenticate"] == f'{realm},scope="repository:team/app:pull"'
    begun = nobody.post("/v2/team/app/blobs/uploads/")
    assert begun.headers["WWW-Authenticate"] == f'{realm},scope="repository:team/app:pull,push"'
    # What everyone may have needs none.
    assert nobody.get("/v2/public/app/tags/list").status_code == 200


def test_a_token_is_as_good_as_the_login_that_it_was_given_for(nobody: httpx.Client) -> None:
    def status(token: str, path: str) -> int:
        return nobody.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    everyone = token_of(nobody)
    user = token_of(nobody, f"Basic {packed('user01', password_of('user01'))}")
    assert [status(everyone, path) for path in ("/v2/", "/v2/public/app/tags/list", "/v2/team/app/tags/list")] == [
        200, 200, 403,
    ]  # fmt: skip
    assert [status(user, path) for path in ("/v2/", "/v2/public/app/tags/list", "/v2/team/app/tags/list")] == [200] * 3
    assert status(user, "/overview/stored") == 403


def attempts() -> Iterator[object]:
    right, wrong, gone = packed("user01", password_of("user01")), packed("user01", "no"), packed("removed", "x")
    values = {
        "wrong": [f"Bearer {wrong}"],
        "removed": [f"Bearer {gone}"],
        "stranger": [f"Bearer {packed('nobody', 'x')}"],
        "cut": [f"Bearer {right[:-3]}"],
        "bare": ["Bearer"],
        "nothing": [""],
        "basic-inside": [f"Bearer Basic {right}"],
        "twice": [f"Bearer Bearer {right}"],
        "everyone-and-more": ["Bearer anonymous x"],
        "everyone-twice": ["Bearer anonymousanonymous"],
        "basic-everyone": ["Basic anonymous"],
        "digest": [f"Digest {right}"],
        "negotiate": ["Negotiate anonymous"],
        "json": ['Bearer {"token":"anonymous"}'],
        "wrong-before-everyone": [f"Basic {wrong}", "Bearer anonymous"],
    }
    yield from (pytest.param(lines, id=name) for name, lines in values.items())


@pytest.mark.parametrize("lines", list(attempts()))
def test_no_other_header_opens_what_needs_a_login(nobody: httpx.Client, lines: list[str]) -> None:
    headers = [("Authorization", line) for line in lines]
    for path in ("/v2/team/app/tags/list", "/v2/team/app/manifests/1", "/overview/tags/team/app", "/overview/stored"):
        assert nobody.get(path, headers=headers).status_code in {400, 401, 403}, path
    answer = nobody.get("/v2/_catalog", headers=headers)
    assert answer.status_code != 200 or answer.json() == {"repositories": ["public/app"]}
    assert nobody.post("/v2/public/app/blobs/uploads/", headers=headers).status_code in {400, 401, 403}


def test_tokens_are_given_to_get_alone(nobody: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = nobody.request(method, "/v2/token", data={"username": "admin", "password": password_of("admin")})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")
    for path in ("/v2/token/", "/v2/token/x", "/token"):
        assert "access_token" not in nobody.get(path).text
    refused = nobody.get("/v2/token", headers={"Authorization": f"Basic {packed('admin', 'no')}"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")


@pytest.mark.parametrize("header", [("Sec-Fetch-Mode", "cors"), ("User-Agent", "Mozilla/5.0 (X11; Linux) Firefox/1")])
def test_no_web_page_gets_the_login_that_its_browser_sends(nobody: httpx.Client, header: tuple[str, str]) -> None:
    sent = dict([header, ("Authorization", f"Basic {packed('user01', password_of('user01'))}")])
    answer = nobody.get("/v2/token", headers=sent)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")


def test_the_list_of_everyone_is_paged_and_tells_of_nothing_else(nobody: httpx.Client, admin: httpx.Client) -> None:
    for number in range(3):
        push_image(admin, f"public/p{number}", "1", layers=("p",))
    whole = ["public/app", "public/p0", "public/p1", "public/p2"]
    assert nobody.get("/v2/_catalog").json() == {"repositories": whole}
    assert nobody.get("/v2/_catalog?n=10").json() == {"repositories": whole}
    first = nobody.get("/v2/_catalog?n=3")
    assert first.json() == {"repositories": whole[:3]}
    assert first.headers["Link"] == '</v2/_catalog?last=public%2Fp1&n=3>; rel="next"'
    rest = nobody.get("/v2/_catalog?last=public%2Fp1&n=3")
    assert (rest.json(), "Link" in rest.headers) == ({"repositories": whole[3:]}, False)
    assert nobody.get("/v2/_catalog?last=public/zzz").json() == {"repositories": []}
    refused = nobody.get("/v2/_catalog?n=-1")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "PAGINATION_NUMBER_INVALID")
    tags = {"public/app": ANY, **dict.fromkeys(whole[1:], 1)}
    assert nobody.get("/overview/catalog").json() == {"repositories": tags, "all": False}
    assert set(nobody.get("/overview/pushed").json()["pushed"]) == set(whole)


def test_the_command_line_needs_no_login_for_it_either(public: DeployedStack, clients: object) -> None:
    assert public.deployer("catalog").stdout.splitlines()[0] == "public/app"
    assert public.deployer("tags", "public/app").returncode == 0
    refused = public.deployer("tags", "team/app")
    assert refused.returncode == 1
    assert "does not allow you (not logged in) to pull from 'team/app'." in refused.stderr
    assert f"docker login {public.address}" in refused.stderr
    pushed = public.deployer("delete", "public/app:1", "--yes")
    assert (pushed.returncode, "not logged in" in pushed.stderr) == (1, True)


def test_no_token_or_password_is_in_the_log(public: DeployedStack, nobody: httpx.Client) -> None:
    token = token_of(nobody, f"Basic {packed('user01', password_of('user01'))}")
    nobody.get("/v2/team/app/tags/list", headers={"Authorization": f"Bearer {token}"})
    log = docker("logs", public.containers()["frontend"])
    assert "/v2/token" in log
    assert token not in log
    assert password_of("user01") not in log


def test_the_rule_comes_and_goes_with_up(public: DeployedStack, nobody: httpx.Client) -> None:
    write_rules(public, RULES[:2])
    public.up()
    answer = nobody.get("/v2/public/app/tags/list", timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert nobody.get("/v2/token").status_code == 401
    assert nobody.get("/", headers={"Authorization": "Bearer anonymous"}).status_code == 401
    write_rules(public, RULES)
    public.up()
    assert nobody.get("/v2/public/app/tags/list").status_code == 200
