"""docker-registry-frontend and docker-registry-ui at `/`, on a real engine, behind the real frontend.

The pages' images are stand-ins (tests/support/stand_in_page): no hub is asked. What they show is theirs; what is
checked here is how they are reached, what they are told, what they never see, and what the registry answers to
their questions as their sources write them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.cut_off import wait_until
from tests.support.pages import Asked, build_stand_ins
from tests.support.registry_content import CREATED, image, push
from tests.support.run import free_port
from tests.support.signed_in import client_of, write_rules, write_users
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# As angular's $http asks.
ANGULAR = {"Accept": "application/json, text/plain, */*"}
# What schema 1 is made of, as Docker writes it: without one the registry cannot make any.
HISTORY = [{"created": CREATED, "created_by": "/bin/sh -c #(nop) ADD file"}] * 2
RULES = [
    {"users": ["anna"], "allow": ["pull", "push", "delete"]},
    {"users": ["bert"], "repositories": ["team/*"], "allow": ["pull"]},
]


@dataclass(frozen=True)
class Own:
    """A deployment, and the stand-ins' names by page."""

    stack: DeployedStack
    images: dict[str, str]

    def page(self, page: str) -> dict[str, str]:
        """What sets that page up with its stand-in."""
        return {"DEPLOYER_FRONTEND_PAGE": page, "DEPLOYER_FRONTEND_PAGE_IMAGE": self.images[page]}

    def up(self, page: str) -> str:
        """Bring it up with that page; what it said."""
        return self.stack.deployer("up", "--yes", environment=self.page(page), check=True).stderr

    def log_of_page(self) -> str:
        return docker("logs", self.stack.containers()["page"], merged=True)


@pytest.fixture(scope="module")
def own(make_stack: Callable[..., DeployedStack]) -> Iterator[Own]:
    """An open registry, brought up with its builtin page."""
    stack = make_stack(DEPLOYER_IMAGES="build")
    stack.up()
    images = build_stand_ins()
    yield Own(stack, images)
    stack.remove()
    docker("image", "rm", "--force", *images.values(), check=False)


@pytest.fixture(scope="module")
def signed_in(own: Own, make_stack: Callable[..., DeployedStack]) -> Iterator[Own]:
    """A registry with TLS, users and rules, and kwk's page."""
    made = Own(make_stack(DEPLOYER_IMAGES="build", DEPLOYER_TLS="internal"), own.images)
    write_users(made.stack, ["anna", "bert"])
    write_rules(made.stack, RULES)
    made.up("kwk")
    with client_of(made.stack, "anna") as anna:
        for repository in ("team/app", "secret"):
            push(anna, repository, "1", image("one", "two", config={"Labels": {"kind": "test"}}, history=HISTORY))
    yield made
    made.stack.remove()


def inspected(container: str) -> dict[str, Any]:
    return dict(json.loads(docker("inspect", container))[0])


def networks_of(stack: DeployedStack) -> set[str]:
    label = f"label=com.docker.compose.project={stack.name}"
    return set(docker("network", "ls", "--filter", label, "--format", "{{.Name}}").split())


@pytest.mark.parametrize("path", ["/", "/repositories/20", "/tag/team/app/1", "/assets/a%20b.js?x=1", "/v2x", "/v20/"])
def test_every_path_but_the_registrys_is_the_pages_for_who_has_logged_in(signed_in: Own, path: str) -> None:
    with client_of(signed_in.stack, None) as nobody:
        assert nobody.get(path).status_code == 401
    with client_of(signed_in.stack, "bert") as bert:
        answer = bert.get(path)
    asked = Asked.of(answer)
    assert asked.path == answer.request.url.path
    assert asked.headers["x-forwarded-proto"] == "https"
    assert "connect-src 'self'; frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Server" not in answer.headers


def test_the_page_never_sees_a_password(signed_in: Own) -> None:
    with client_of(signed_in.stack, "anna") as anna:
        asked = Asked.of(anna.get("/", headers={"Proxy-Authorization": "Basic eDp5"}))
    assert not {"authorization", "proxy-authorization"} & asked.headers.keys()
    assert "Basic" not in json.dumps([asked.headers, asked.environment])


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/_catalog", "//v2/_catalog", "/%76%32/_catalog", "/x/../v2/"])
def test_the_registrys_paths_never_reach_the_page_however_they_are_written(signed_in: Own, path: str) -> None:
    before, after = signed_in.log_of_page(), f"/after-{uuid4().hex}"
    with client_of(signed_in.stack, "anna") as anna:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            answer = anna.request(method, f"https://{signed_in.stack.address}{path}")
            assert "environment" not in answer.text
        assert Asked.of(anna.get(after)).path == after
    assert wait_until(lambda: after in signed_in.log_of_page())
    added = signed_in.log_of_page().removeprefix(before)
    assert "v2" not in added
    assert "%76" not in added


def test_the_page_is_told_the_address_of_clients_and_no_way_to_the_registry(signed_in: Own) -> None:
    with client_of(signed_in.stack, "bert") as bert:
        told = Asked.of(bert.get("/")).environment
    assert {key: value for key, value in told.items() if key.startswith("ENV_")} == {
        "ENV_DOCKER_REGISTRY_HOST": "127.0.0.1",
        "ENV_DOCKER_REGISTRY_PORT": "9",
        "ENV_REGISTRY_PROXY_FQDN": "localhost",
        "ENV_REGISTRY_PROXY_PORT": str(signed_in.stack.port),
        "ENV_MODE_BROWSE_ONLY": "true",
    }


@pytest.mark.parametrize("headers", [{}, ANGULAR], ids=["no Accept", "as angular asks"])
def test_kwk_gets_what_it_reads_from_the_registry_and_only_what_the_user_may(
    signed_in: Own, headers: dict[str, str]
) -> None:
    def asked(user: str, path: str) -> Any:
        with client_of(signed_in.stack, user) as client:
            if not headers:
                del client.headers["Accept"]
            return client.get(path, headers=headers)

    answer = asked("bert", "/v2/team/app/manifests/1")
    assert answer.status_code == 200
    manifest = answer.json()
    assert (manifest["schemaVersion"], manifest["architecture"], len(manifest["fsLayers"])) == (1, "amd64", 2)
    newest = json.loads(manifest["history"][0]["v1Compatibility"])
    assert re.fullmatch("[0-9a-f]{64}", newest["id"])
    assert (newest["os"], newest["created"]) == ("linux", CREATED)
    assert newest["config"]["Labels"] == {"kind": "test"}
    assert asked("bert", "/v2/team/app/tags/list").json()["tags"] == ["1"]
    assert asked("anna", "/v2/_catalog?n=20&last=").json()["repositories"] == ["secret", "team/app"]
    assert asked("bert", "/v2/_catalog?n=20&last=").json()["repositories"] == ["team/app"]
    assert asked("bert", "/v2/secret/manifests/1").status_code == 403


def test_a_page_deletes_on_its_own_origin_by_the_rules_and_on_no_other(signed_in: Own) -> None:
    stack, path = signed_in.stack, "/v2/team/gone/manifests/"
    with client_of(stack, "anna") as anna, client_of(stack, "bert") as bert:
        digest = push(anna, "team/gone", "1", image("gone"))
        same = {"Origin": f"https://{stack.address}"}
        assert anna.delete(path + digest, headers={"Origin": "https://other.example"}).status_code == 403
        assert bert.delete(path + digest, headers=same).status_code == 403
        assert anna.delete(path + digest, headers=same).status_code == 202


def test_the_pages_container_is_locked_down_as_far_as_its_image_bears_it(signed_in: Own) -> None:
    containers = signed_in.stack.containers()
    page = inspected(containers["page"])
    host = page["HostConfig"]
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"])
    assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == {
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID",
    }  # fmt: skip
    assert (host["RestartPolicy"]["Name"], host["Privileged"]) == ("always", False)
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    # Nothing of this machine, nothing of the registry, and no volume without a name.
    assert [mount for mount in page["Mounts"] if mount["Type"] != "tmpfs"] == []
    network = f"{signed_in.stack.name}_page"
    assert set(page["NetworkSettings"]["Networks"]) == {network}
    assert json.loads(docker("network", "inspect", "--format", "{{json .Internal}}", network)) is True
    assert set(inspected(containers["registry"])["NetworkSettings"]["Networks"]) == {f"{signed_in.stack.name}_default"}
    # To the frontend it is a client like any other.
    ask = ("wget", "-q", "-O", "-", "--no-check-certificate", "https://frontend:5000/v2/_catalog")
    assert docker("exec", containers["page"], *ask, check=False) == ""


def test_the_frontend_still_reaches_beyond(signed_in: Own) -> None:
    routes = docker("exec", signed_in.stack.containers()["frontend"], "cat", "/proc/net/route")
    assert [line.split()[1] for line in routes.splitlines()].count("00000000") == 1


def test_status_doctor_and_logs_know_the_page(signed_in: Own) -> None:
    stack, settings = signed_in.stack, signed_in.page("kwk")
    found = json.loads(stack.deployer("status", "--json", environment=settings, check=True).stdout)
    assert (found["ready"], found["page"]) == (True, f"https://{stack.address}/")
    assert [service["service"] for service in found["services"]] == ["frontend", "page", "registry"]
    with client_of(stack, "bert") as bert:
        Asked.of(bert.get("/in-the-log"))
    logs = ("logs", "page", "--tail", "5")
    assert wait_until(lambda: "/in-the-log" in stack.deployer(*logs, environment=settings, check=True).stdout)

    docker("stop", stack.containers()["page"])
    stopped = stack.deployer("status", "--json", environment=settings)
    problems = json.loads(stopped.stdout)["problems"]
    assert "The service page is exited." in problems
    assert "The page's own service does not respond to the frontend." in problems
    assert "error  The service page is exited." in stack.deployer("doctor", environment=settings).stdout
    with client_of(stack, "bert") as bert:
        assert (bert.get("/").status_code, bert.get("/v2/team/app/tags/list").status_code) == (502, 200)
    assert "Done (page: started)" in signed_in.up("kwk")
    with client_of(stack, "bert") as bert:
        assert Asked.of(bert.get("/")).path == "/"


def test_the_page_becomes_healthy(signed_in: Own, own: Own) -> None:
    own.up("joxit")
    signed_in.up("kwk")
    for stack in (signed_in.stack, own.stack):
        test = inspected(stack.containers()["page"])["Config"]["Healthcheck"]["Test"][1:]
        docker("exec", stack.containers()["page"], *test)
        # Whatever else it says is no health.
        docker("exec", stack.containers()["page"], "sh", "-c", "mv /srv/answer.json /srv/gone")
        with pytest.raises(AssertionError):
            docker("exec", stack.containers()["page"], *test)
        docker("exec", stack.containers()["page"], "sh", "-c", "mv /srv/gone /srv/answer.json")


def test_from_page_to_page_and_back_nothing_is_left(own: Own) -> None:
    stack = own.stack
    stack.up()
    first = stack.containers()
    folder = stack.directory / "frontend" / "page"
    assert (folder / "index.html").is_file()

    planned = stack.deployer("up", "--dry-run", environment=own.page("joxit"), check=True).stdout
    assert "service  page: create" in planned
    assert "file     frontend/page/index.html: will be removed" in planned
    assert "Done (frontend: recreated, page: created)" in own.up("joxit")
    assert not [path for path in folder.rglob("*") if path.is_file()]
    with stack.client as client:
        told = Asked.of(client.get("/deep/er")).environment
    assert (
        told.items()
        >= {
            "SINGLE_REGISTRY": "true",
            "DELETE_IMAGES": "true",
            "SHOW_CONTENT_DIGEST": "true",
            "CATALOG_ELEMENTS_LIMIT": "1000000",
            "REGISTRY_SECURED": "true",
            "PULL_URL": stack.address,
            "ENABLE_VERSION_NOTIFICATION": "false",
        }.items()
    )
    second = stack.containers()
    assert second["registry"] == first["registry"]
    assert "nothing to change" in own.up("joxit")
    assert stack.containers() == second

    # The frontend does not know which of the two it is.
    assert "Done (page: recreated)" in own.up("kwk")
    assert "Done (frontend: recreated, page: removed)" in stack.deployer("up", "--yes", check=True).stderr
    assert networks_of(stack) == {f"{stack.name}_default"}
    assert set(stack.containers()) == {"registry", "frontend"}
    assert (folder / "index.html").is_file()
    with stack.client as client:
        assert "<!doctype html>" in client.get("/").text

    own.up("joxit")
    stack.deployer("down", environment=own.page("joxit"), check=True)
    assert (stack.containers(), networks_of(stack)) == ({}, set())


def test_another_image_of_the_page_makes_the_page_again_and_nothing_else(own: Own) -> None:
    own.up("joxit")
    before = own.stack.containers()
    docker(
        "build", "--quiet", "--tag", own.images["joxit"], "-", stdin=f"FROM {own.images['joxit']}\nENV A=B\n".encode()
    )
    assert "Done (page: recreated)" in own.up("joxit")
    after = own.stack.containers()
    assert {service for service in after if after[service] != before[service]} == {"page"}


def test_a_page_that_cannot_be_had_or_does_not_stay_up_is_told(own: Own) -> None:
    stack = own.stack
    stack.up()
    before = stack.containers()
    nowhere = f"localhost:{free_port()}/ui:2"
    settings = {"DEPLOYER_FRONTEND_PAGE": "joxit", "DEPLOYER_FRONTEND_PAGE_IMAGE": nowhere}
    refused = stack.deployer("up", "--yes", environment=settings)
    assert refused.returncode == 1
    assert f"The page's image {nowhere} cannot be pulled and cannot be built locally." in refused.stderr
    assert "docker load --input FILE" in refused.stderr
    assert "connection refused" in refused.stderr
    assert stack.containers() == before

    broken = f"{own.images['joxit']}-broken"
    recipe = f'FROM {own.images["joxit"]}\nCMD ["sh", "-c", "echo no such setting; exit 3"]\n'
    docker("build", "--quiet", "--tag", broken, "-", stdin=recipe.encode())
    ended = stack.deployer("up", "--yes", environment={**settings, "DEPLOYER_FRONTEND_PAGE_IMAGE": broken})
    assert ended.returncode == 1
    assert "The service page does not keep running" in ended.stderr
    assert "no such setting" in ended.stderr
    assert "deployer logs page" in ended.stderr
    stack.up()
    docker("image", "rm", "--force", broken, check=False)


def test_a_registry_that_kwk_cannot_read_is_refused_before_anything_changes(own: Own) -> None:
    own.stack.up()
    before = own.stack.containers()
    version_3 = {**own.page("kwk"), "DEPLOYER_IMAGES": "auto", "DEPLOYER_REGISTRY_IMAGE": "registry:3.0.0"}
    refused = own.stack.deployer("up", "--yes", environment=version_3)
    assert refused.returncode == 2
    assert (
        'needs registry 2.8, but registry:3.0.0 is version 3: set registry: {image: "registry:2.8.3"}' in refused.stderr
    )
    assert own.stack.containers() == before
