"""The gate's order of things, with a frontend and an engine of the test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import EngineError, GateError, HostError
from deployer.host.lock import exclusive
from deployer.layout import GATE_HEADER
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.upkeep import gate as module
from deployer.workflows.upkeep.gate import DrainPolicy, Gate, GateHolder, WritePauser, recover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from deployer.engine.engine import Engine

WHO = GateHolder("gc", 4711, datetime(2026, 11, 26, 12, 0, tzinfo=UTC))


@dataclass
class FakeEngine:
    """Answers what Caddy would count: one pair of uploads and commits for each question, the last for ever."""

    counts: list[tuple[int, int]]
    asked: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    broken: bool = False
    place: str = "unix:///var/run/docker.sock"

    @property
    def containers(self) -> FakeEngine:
        return self

    @property
    def system(self) -> FakeEngine:
        return self

    def endpoint(self) -> str:
        return self.place

    def execute(self, container: str, *command: str) -> str:
        self.asked.append(container)
        uploads, commits = self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]
        found = {
            "unix//run/registry/./registry.sock": uploads,
            "unix//run/registry/././registry.sock": commits,
            "registry:5000": 9,
        }
        return json.dumps([{"address": name, "num_requests": number} for name, number in found.items()])

    def remove_helpers(self, label: str) -> None:
        if self.broken:
            raise EngineError("No engine answers.")
        self.removed.append(label)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment("registry", tmp_path)
    made.gate_directory.mkdir(parents=True)
    return made


@pytest.fixture
def port(deployment: Deployment) -> Iterator[int]:
    """A frontend that refuses while the gate is closed, as Caddy does."""

    class Frontend(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            closed = (deployment.gate_directory / "closed").exists()
            self.send_response(503 if closed else 404)
            if closed:
                self.send_header(GATE_HEADER, "closed")
            self.end_headers()
            self.wfile.write(b"whatever the words are")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = HTTPServer(("127.0.0.1", 0), Frontend)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def pauser(deployment: Deployment, port: int, engine: FakeEngine, frontends: Sequence[tuple[str, ...]]) -> WritePauser:
    answers = list(frontends)
    return WritePauser(
        Gate.of(deployment),
        Settings(port=port),
        cast("Engine", engine),
        lambda: answers.pop(0) if len(answers) > 1 else answers[0],
        WHO,
    )


def nothing() -> None:
    return


def said() -> tuple[list[str], DrainPolicy]:
    words: list[str] = []
    return words, DrainPolicy(0.3, words.append)


def test_it_is_closed_inside_and_open_after(deployment: Deployment, port: int) -> None:
    words, drain = said()
    gate = Gate.of(deployment)
    with pauser(deployment, port, FakeEngine([(0, 0)]), [("f",)]).pause(drain, nothing) as pause:
        assert gate.holder() == WHO
        assert (deployment.gate_directory / "closed").exists()
    assert gate.holder() is None
    assert not list(deployment.gate_directory.iterdir())
    assert pause.seconds > 0
    assert not words


def test_pushes_in_progress_are_let_finish_but_not_for_ever(deployment: Deployment, port: int) -> None:
    words, drain = said()
    with pauser(deployment, port, FakeEngine([(1, 0), (2, 1), (0, 0)]), [("f",)]).pause(drain, nothing):
        assert len(words) == 1
    words, drain = said()
    with pauser(deployment, port, FakeEngine([(1, 0)]), [("f",)]).pause(drain, nothing):
        assert words[-1] == "Some pushes are still in progress; if one fails, repeat it."


def test_a_write_that_does_not_finish_opens_it_again(
    deployment: Deployment, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COMMIT_SECONDS", 0.5)
    ended: list[bool] = []
    with (
        pytest.raises(GateError, match="did not finish"),
        pauser(deployment, port, FakeEngine([(0, 1)]), [("f",)]).pause(said()[1], lambda: ended.append(True)),
    ):
        pytest.fail("it must not begin")
    assert ended == [True]
    assert Gate.of(deployment).holder() is None


def test_after_a_failure_the_helper_ends_before_it_opens(deployment: Deployment, port: int) -> None:
    gate = Gate.of(deployment)
    seen: list[GateHolder | None] = []
    with (
        pytest.raises(KeyboardInterrupt),
        pauser(deployment, port, FakeEngine([(0, 0)]), [("f",)]).pause(said()[1], lambda: seen.append(gate.holder())),
    ):
        raise KeyboardInterrupt
    assert seen == [WHO]
    assert gate.holder() is None


def test_while_the_helper_may_live_it_stays_closed(deployment: Deployment, port: int) -> None:
    def cannot() -> None:
        raise EngineError("No engine answers.")

    with (
        pytest.raises(EngineError),
        pauser(deployment, port, FakeEngine([(0, 0)]), [("f",)]).pause(said()[1], cannot),
    ):
        raise RuntimeError
    assert Gate.of(deployment).holder() == WHO


def test_a_frontend_that_comes_up_in_the_meantime_is_counted_too(deployment: Deployment, port: int) -> None:
    engine = FakeEngine([(0, 1), (0, 0)])
    with pauser(deployment, port, engine, [(), ("late",)]).pause(said()[1], nothing):
        pass
    assert engine.asked == ["late", "late"]


def test_one_that_does_not_refuse_is_noticed(deployment: Deployment, port: int) -> None:
    Gate.of(deployment)
    elsewhere = Deployment("other", deployment.directory / "other")
    elsewhere.gate_directory.mkdir(parents=True)
    with (
        pytest.raises(GateError, match="do not match this version of deployer"),
        pauser(elsewhere, port, FakeEngine([(0, 0)]), [("f",)]).pause(said()[1], nothing),
    ):
        pytest.fail("it must not begin")
    assert Gate.of(elsewhere).holder() is None


def test_an_earlier_frontend_that_counts_nothing_is_noticed(deployment: Deployment, port: int) -> None:
    engine = FakeEngine([(0, 0)])
    engine.containers.execute = lambda container, *command: '[{"address":"registry:5000","num_requests":0}]'  # type: ignore[method-assign]
    with (
        pytest.raises(GateError, match="do not match this version of deployer") as caught,
        pauser(deployment, port, engine, [("f",)]).pause(said()[1], nothing),
    ):
        pytest.fail("it must not begin")
    assert caught.value.advice == ("deployer up",)


# -- what a command that is gone has left


def test_nothing_is_said_of_an_open_gate(deployment: Deployment) -> None:
    assert recover(deployment, cast("Engine", FakeEngine([(0, 0)]))) == ""


def test_a_gate_left_closed_is_opened_once_the_helper_is_gone(deployment: Deployment) -> None:
    Gate.of(deployment).close(WHO)
    engine = FakeEngine([(0, 0)])
    words = recover(deployment, cast("Engine", engine))
    assert words == (
        "`deployer gc` (process 4711) ended while writes were paused (since 2026-11-26 12:00:00 UTC). "
        "They have resumed."
    )
    assert engine.removed == [str(deployment.directory)]
    assert Gate.of(deployment).holder() is None


def test_what_a_nas_puts_into_its_folder_stays_and_stops_nothing(deployment: Deployment) -> None:
    gate = Gate.of(deployment)
    gate.close(WHO)
    for name in (".AppleDouble", ".closed.x"):
        (deployment.gate_directory / name).mkdir()
    (deployment.gate_directory / ".DS_Store").touch()
    (deployment.gate_directory / ".draining.y").touch()
    gate.open()
    assert {path.name for path in deployment.gate_directory.iterdir()} == {".AppleDouble", ".closed.x", ".DS_Store"}


def test_a_folder_in_place_of_its_file_is_a_sentence_with_a_way_out(deployment: Deployment) -> None:
    (deployment.gate_directory / "closed").mkdir(parents=True)
    with pytest.raises(HostError, match="Is a directory") as caught:
        Gate.of(deployment).holder()
    assert caught.value.advice == (
        f"ls -l {deployment.gate_directory}/closed   (this is a directory; a file is needed)",
    )


def test_while_the_command_lives_it_is_left_closed(deployment: Deployment) -> None:
    Gate.of(deployment).close(WHO)
    engine = FakeEngine([(0, 0)])
    with exclusive(deployment.lock_file, "gc"):
        assert recover(deployment, cast("Engine", engine)) == ""
    assert not engine.removed
    assert Gate.of(deployment).holder() == WHO


def test_where_no_engine_answers_it_stays_closed_and_that_is_said(deployment: Deployment) -> None:
    Gate.of(deployment).close(WHO)
    words = recover(deployment, cast("Engine", FakeEngine([(0, 0)], broken=True)))
    assert words.endswith("They are still paused: No engine answers.")
    assert Gate.of(deployment).holder() == WHO


def test_with_an_engine_elsewhere_it_stays_closed_for_the_helper_here_may_be_running(deployment: Deployment) -> None:
    Gate.of(deployment).close(WHO)
    engine = FakeEngine([(0, 0)], place="ssh://there")
    assert "on another machine (ssh://there)" in recover(deployment, cast("Engine", engine))
    assert not engine.removed
    assert Gate.of(deployment).holder() == WHO


def test_a_damaged_mark_holds_all_the_same(deployment: Deployment) -> None:
    (deployment.gate_directory / "closed").write_text("{")
    assert Gate.of(deployment).holder() is not None
