"""Whether what answers on the port is a registry with its page."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from deployer.engine.values import Health, ServiceContainer
from deployer.errors import EngineError, NotReady
from deployer.settings.model import FrontendSettings, Page, Settings
from deployer.workflows.checks import problems, readiness
from deployer.workflows.checks.readiness import Fault, Reply
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container
from tests.support.run import PATIENCE_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REGISTRY = {"Docker-Distribution-Api-Version": "registry/2.0"}


@contextmanager
def answering(answers: dict[str, tuple[int, dict[str, str]]]) -> Iterator[int]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers = answers[self.path]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("api", "page", "found"),
    [
        ((200, REGISTRY), (200, {}), (Fault.NONE, Fault.NONE)),
        ((401, REGISTRY), (401, {}), (Fault.NONE, Fault.NONE)),
        ((502, {}), (200, {}), (Fault.STATUS, Fault.NONE)),
        ((200, {}), (200, {}), (Fault.NOT_A_REGISTRY, Fault.NONE)),
        ((200, REGISTRY), (404, {}), (Fault.NONE, Fault.STATUS)),
    ],
)
def test_the_answers_are_judged(
    api: tuple[int, dict[str, str]], page: tuple[int, dict[str, str]], found: tuple[Fault, Fault]
) -> None:
    with answering({"/v2/": api, "/": page}) as port:
        answer = readiness.probe(Settings(port=port), FakeEngine(), "project")
    assert (answer.api.fault, answer.page.fault) == found
    assert [bool(reply.words) for reply in (answer.api, answer.page)] == [fault is not Fault.NONE for fault in found]
    assert answer.is_ready == (found == (Fault.NONE, Fault.NONE))


def test_without_a_page_none_is_asked_for() -> None:
    with answering({"/v2/": (200, REGISTRY)}) as port:
        settings = Settings(port=port, frontend=FrontendSettings(page=Page.NONE))
        assert readiness.probe(settings, FakeEngine(), "project").is_ready


class Frontend(FakeContainers):
    """One container that has ended, after it logged our questions for a minute."""

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        started = datetime(2026, 1, 1, tzinfo=UTC)
        return (
            replace(service_container("frontend", "exited"), id="id", started=started, health=Health.NONE, exit_code=1),
        )

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        line = '2026/01/01 00:00:00.653\tINFO\thttp.log.access.log0\thandled request\t{{"request": {{"remote_ip": '
        line += '"172.18.0.1", "method": "{}", "host": "127.0.0.1:5000", "uri": "{}"}}, "status": 502}}'
        polled = [line.format("GET", uri) for uri in ("/v2/", "/")] * 1200
        return tuple(
            ["the reason", *polled, line.format("GET", "/v2/app/tags/list"), line.format("POST", "/v2/")][-count:]
        )


def test_the_last_lines_hold_the_reason_and_not_our_own_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_LOOK_AT_CONTAINERS_SECONDS", 0)
    with pytest.raises(NotReady) as caught:
        readiness.wait(Settings(port=free_port()), FakeEngine(containers=Frontend()), "project", PATIENCE_SECONDS)
    lines = caught.value.original.splitlines()
    assert lines[0] == "the reason"
    assert ["/v2/app/tags/list" in lines[1], "POST" in lines[2], len(lines)] == [True, True, 3]


def test_silence_is_no_answer() -> None:
    answer = readiness.probe(Settings(port=free_port()), FakeEngine(), "project")
    assert answer.api.fault is Fault.UNREACHABLE
    assert answer.api.words.startswith("no response from /v2/ (")


@pytest.mark.parametrize(("answers", "fault"), [(b"", Fault.SILENT), (None, Fault.UNREACHABLE)])
def test_what_takes_connections_and_says_nothing_is_another_fault(
    answers: bytes | None, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_TIMEOUT_SECONDS", 0.2 if answers is None else PATIENCE_SECONDS)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = Thread(target=answer_each, args=(server, answers))
        thread.start()
        found = readiness.probe(Settings(port=server.getsockname()[1]), FakeEngine(), "project")
        thread.join()
    assert found.api.fault is fault


def answer_each(server: socket.socket, answers: bytes | None) -> None:
    """Take the connections of one probe, and close each at once, or keep it without a word if there is no answer."""
    kept = []
    for _ in range(2):
        connection, _address = server.accept()
        if answers is None:
            kept.append(connection)
        else:
            connection.close()
    # A client that gives up closes its end.
    for connection in kept:
        while connection.recv(1024):
            pass
        connection.close()


@dataclass
class WithPage(FakeContainers):
    """The containers of a page that is a service; the frontend's container may reach it or not."""

    reaches: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        return tuple(service_container(service, "running") for service in ("frontend", "page", "registry"))

    def execute(self, container: str, *command: str) -> str:
        self.asked.append((container, command[-1]))
        if not self.reaches:
            raise EngineError("no", original="connection refused")
        return ""

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        return (f"log of {container}",)


JOXIT = FrontendSettings(page=Page.JOXIT)


@pytest.mark.parametrize("reaches", [True, False])
def test_a_page_of_its_own_service_is_asked_behind_the_login_too(reaches: bool) -> None:
    page = WithPage(reaches=reaches)
    with answering({"/v2/": (401, REGISTRY), "/": (401, {})}) as port:
        answer = readiness.probe(Settings(port=port, frontend=JOXIT), FakeEngine(containers=page), "project")
        assert readiness.probe(Settings(port=port), FakeEngine(containers=WithPage(reaches=False)), "project").is_ready
    assert answer.page.fault is (Fault.NONE if reaches else Fault.SERVICE_SILENT)
    assert page.asked == [("id of frontend", "http://page/")]


def test_a_page_of_its_own_service_that_does_not_answer_is_named_with_its_log() -> None:
    with answering({"/v2/": (200, REGISTRY), "/": (502, {})}) as port, pytest.raises(NotReady) as caught:
        readiness.wait(Settings(port=port, frontend=JOXIT), FakeEngine(containers=WithPage()), "project", 0.1)
    assert "the page responded with 502" in caught.value.message
    assert (caught.value.advice, caught.value.original) == (("deployer logs page",), "log of id of page")


@dataclass
class Healthy(WithPage):
    """Both services run; the frontend's health is as given."""

    health: str = "healthy"

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        found = (service_container(service, "running") for service in ("frontend", "registry"))
        return tuple(replace(container, health=Health(self.health)) for container in found)


def test_a_healthy_frontend_whose_port_is_silent_is_told_with_the_engines_options() -> None:
    settings = Settings(port=free_port())
    with pytest.raises(NotReady) as caught:
        readiness.wait(settings, FakeEngine(containers=Healthy()), "project", 0.1)
    assert readiness.UNPUBLISHED in caught.value.message
    assert "userland-proxy" in caught.value.advice[0]
    assert not any("deployer logs" in line for line in caught.value.advice)
    answer = readiness.probe(settings, FakeEngine(containers=Healthy()), "project")
    containers = Healthy().of_project("project")
    [problem] = problems.of_containers(containers, answer, None)
    assert (problem.sentence, problem.advice) == (readiness.UNPUBLISHED, readiness.UNPUBLISHED_ADVICE)


@dataclass
class Disconnected(Healthy):
    """The frontend has lost its network."""

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        networks: dict[str, dict[str, str]] = {"frontend": {"other": "1"}, "registry": {"registry_default": "2"}}
        return tuple(
            replace(container, network="registry_default", networks=networks[container.service])
            for container in super().of_project(project)
        )


def test_a_frontend_without_its_network_is_told_with_the_command_that_connects_it() -> None:
    settings = Settings(port=free_port())
    with pytest.raises(NotReady) as caught:
        readiness.wait(settings, FakeEngine(containers=Disconnected()), "project", 0.1)
    assert caught.value.advice[0] == "docker network connect registry_default registry-frontend-1"
    assert readiness.UNPUBLISHED not in caught.value.message
    containers = Disconnected().of_project("project")
    answer = readiness.probe(settings, FakeEngine(containers=Disconnected()), "project")
    [problem] = problems.of_containers(containers, answer, None)
    assert problem.advice == caught.value.advice


def test_a_frontend_that_is_not_healthy_is_told_with_its_log() -> None:
    with pytest.raises(NotReady) as caught:
        readiness.wait(Settings(port=free_port()), FakeEngine(containers=Healthy(health="starting")), "project", 0.1)
    assert caught.value.advice == ("deployer logs frontend",)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.STATUS, Fault.NOT_A_REGISTRY, Fault.NONE])
def test_a_port_that_answers_in_whatever_way_is_published(fault: Fault) -> None:
    assert not readiness.is_unpublished(readiness.Answer(Reply(fault)), Healthy().of_project("project"))


def test_a_paused_registry_is_not_taken_for_a_port_that_is_not_published() -> None:
    silent = readiness.Answer(Reply(Fault.UNREACHABLE))
    frontend = service_container("frontend", "running")
    assert readiness.is_unpublished(silent, (frontend, service_container("registry", "running")))
    assert not readiness.is_unpublished(silent, (frontend, service_container("registry", "paused")))
