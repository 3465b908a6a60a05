"""What status finds amiss."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from deployer.engine.values import ContainerState, Health
from deployer.errors import NotReady
from deployer.layout import OWN_CERTIFICATE
from deployer.paths import Deployment
from deployer.record import Owned, PinnedImage, Release, Resource, ResourceKind
from deployer.settings.model import FrontendSettings, Page, Settings, TlsSettings
from deployer.workflows.checks import problems, readiness
from deployer.workflows.deployment.service_change import Action, change_of
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis import status
from tests.support.certificates import DAY, certificate, now
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container
from tests.support.local_storage import LocalEngine

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer
    from tests.support.certificates import Certified


@pytest.mark.parametrize(
    ("page", "version", "amiss"),
    [
        ("kwk", "distribution 3.0.0", True),
        ("kwk", "distribution 2.8.3", False),
        ("kwk", "", False),
        ("joxit", "distribution 3.0.0", False),
        ("builtin", "distribution 3.0.0", False),
    ],
)
def test_a_registry_whose_image_told_nothing_may_turn_out_to_be_one_that_kwk_cannot_read(
    page: str, version: str, amiss: bool
) -> None:
    found = problems.of_page(Settings(frontend=FrontendSettings(page=Page(page))), version)
    expected = f"The kwk page cannot show image details: it needs registry 2.8, but this is {version}."
    assert [problem.sentence for problem in found] == ([expected] if amiss else [])


def test_the_scheduler_has_the_pinned_image_of_the_registry() -> None:
    pins = tuple(PinnedImage(service, f"{service}:1", f"id of {service}") for service in ("registry", "frontend"))
    release = Release(pins)
    found = {service: status._pin(release, service) for service in ("registry", "frontend", "page", "scheduler")}
    assert found == {"registry": pins[0], "frontend": pins[1], "page": None, "scheduler": pins[0]}


TASK = replace(service_container("task", "exited"), health=Health.NONE, restart_policy="no")


@pytest.mark.parametrize(
    ("container", "told"),
    [
        (replace(TASK, state=ContainerState.RUNNING), ""),
        (TASK, ""),
        (replace(TASK, restart_policy="on-failure"), ""),
        (replace(TASK, exit_code=1), "The service task is exited."),
        (replace(TASK, restart_policy="unless-stopped"), "The service task is exited."),
        (
            replace(TASK, service="registry", state=ContainerState.RUNNING),
            "The service registry does not restart after a reboot",
        ),
    ],
)
def test_a_task_of_the_users_own_may_come_to_its_end(container: ServiceContainer, told: str) -> None:
    found = problems.of_containers((container,), None, None)
    assert len(found) == bool(told)
    assert "".join(problem.sentence for problem in found).startswith(told)


@pytest.mark.parametrize(
    ("storage", "place"),
    [
        (Resource(ResourceKind.DIRECTORY, "/mnt/elsewhere"), "/mnt/elsewhere"),
        (Resource(ResourceKind.VOLUME, "other"), "volume other"),
        (None, "volume registry_data"),
    ],
)
def test_the_place_is_where_up_put_the_images_and_not_where_the_settings_say(
    storage: Resource | None, place: str, tmp_path: Path
) -> None:
    stack = Stack(Settings(), Deployment("registry", tmp_path), FakeEngine())
    stack.deployment.owned_file.write_bytes(Owned(storage=storage).content)
    assert status._place(stack) == place


def test_folders_that_no_registry_made_are_no_repositories(tmp_path: Path) -> None:
    """The page does not count them either."""

    class Listing(FakeContainers):
        def execute(self, container: str, *command: str) -> str:
            return '{"repositories": ["app", "#recycle/app", "Upper/App"]}'

    stack = Stack(Settings(), Deployment("registry", tmp_path), FakeEngine(containers=Listing()))
    assert status._repositories(stack, (service_container("frontend", "running"),)) == 1


def test_a_changed_restart_policy_is_put_right_by_what_changes_it() -> None:
    """`up` keeps such a container: Compose does not compare the policy that a container has."""
    container = replace(service_container("registry", "running"), restart_policy="no")
    [problem] = problems.of_containers((container,), None, None)
    assert problem.advice == ("docker update --restart always registry-registry-1",)
    assert change_of("registry", container.config_hash, None, container, outdated=False).action is Action.KEEP


def test_what_is_paused_is_told_once_with_what_ends_that() -> None:
    """`up` refuses while something is paused."""
    containers = (service_container("frontend", "running"), service_container("registry", "paused"))
    [problem] = problems.of_containers(containers, None, None)
    assert (problem.sentence, problem.advice) == (
        "The service registry is paused.",
        ("docker unpause registry-registry-1",),
    )


@pytest.mark.parametrize("missing", ["frontend", "registry"])
def test_a_service_without_a_container_is_told(missing: str) -> None:
    left = "registry" if missing == "frontend" else "frontend"
    [problem] = problems.without_container((service_container(left, "running"),))
    assert (problem.sentence, problem.advice[0]) == (f"The service {missing} has no container.", "deployer up")
    assert problems.without_container(()) == ()


def test_a_task_that_has_ended_is_not_started_again_and_keeps_nothing_from_being_ready() -> None:
    class Done(FakeContainers):
        ended = TASK

        def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
            return (self.ended,)

        def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
            return ()

    assert change_of("task", "hash", TASK.image_id, TASK, outdated=False).action is Action.KEEP
    readiness._refuse_ended(FakeEngine(containers=Done()), "registry")
    failed = Done()
    failed.ended = replace(TASK, exit_code=3)
    assert change_of("task", "hash", TASK.image_id, failed.ended, outdated=False).action is Action.START
    with pytest.raises(NotReady, match="The service task does not keep running"):
        readiness._refuse_ended(FakeEngine(containers=failed), "registry")


@pytest.mark.parametrize("is_renewed", [False, True])
@pytest.mark.parametrize(
    ("served", "problems_of", "remarks_of"),
    [
        (certificate("127.0.0.1", begins=now() - 9 * DAY, ends=now() - DAY), "expired on", ""),
        (certificate("127.0.0.1", ends=now() + 3 * DAY), "", "expires in "),
        (certificate("127.0.0.1"), "", ""),
    ],
)
def test_the_certificate_that_is_served_is_judged_whatever_the_file_holds(
    tmp_path: Path, served: Certified, problems_of: str, remarks_of: str, *, is_renewed: bool
) -> None:
    file, key = (certificate("127.0.0.1") if is_renewed else served).write(tmp_path / "own")
    deployment = Deployment("registry", tmp_path)
    copy = tmp_path / OWN_CERTIFICATE
    copy.parent.mkdir(parents=True)
    copy.write_bytes(served.pem)
    settings = Settings(host="127.0.0.1", port=1, tls=TlsSettings(certificate=str(file), key=str(key)))
    stopped = [
        replace(service_container(one, "exited"), ports=(), directory=str(tmp_path)) for one in ("registry", "frontend")
    ]
    found = status.read(Stack(settings, deployment, FakeEngine(containers=FakeContainers(found=stopped))))
    of_certificate = [one.sentence for one in found.problems if "certificate" in one.sentence]
    assert len(of_certificate) == bool(problems_of)
    assert problems_of in "".join(of_certificate)
    assert found.encryption.has_ended is bool(problems_of)
    told = "".join(one.sentence for one in found.remarks)
    assert (remarks_of or ("another certificate" if is_renewed and not problems_of else "")) in told
    assert bool(told) is (bool(remarks_of) or (is_renewed and not problems_of))


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("registry github.com/distribution/distribution/v3 3.0.0", "distribution 3.0.0"),
        ("of my own", "of my own"),
        ("", ""),
    ],
)
def test_one_question_tells_the_version_and_the_room_in_the_storage(printed: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a" * 5000)
    programs = tmp_path / "programs"
    programs.mkdir()
    registry = programs / "registry"
    registry.write_text(f"#!/bin/sh\n{f'echo {printed}' if printed else 'exit 1'}\n")
    registry.chmod(0o755)
    engine = cast("Engine", LocalEngine(tmp_path, path=f"{programs}:{os.environ['PATH']}"))
    stack = Stack(Settings(), Deployment("registry", tmp_path), engine)
    inside = status._look_inside(stack, service_container("registry", "running"))
    assert inside.version == version
    assert inside.used is not None
    assert inside.free is not None
    assert 5000 <= inside.used < 10**6
    assert inside.free % 1024 == 0
