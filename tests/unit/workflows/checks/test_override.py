from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.engine.values import Project
from deployer.errors import UnsetVariables
from deployer.workflows.checks.override import refuse_variables

if TYPE_CHECKING:
    from pathlib import Path

USED = {
    "plain": "services: {a: {command: $HOME}}",
    "braces": 'services: {a: {command: "x ${HOME}"}}',
    "a default": 'services: {a: {command: "${HOME:-/root}"}}',
    "an alternative": 'services: {a: {command: "${HOME:+x}"}}',
    "in a default": 'services: {a: {command: "${MINE:-${HOME}}"}}',
    "after a dollar sign": 'services: {a: {command: "$$$HOME"}}',
    "a list without a value": "services: {a: {environment: [A=b, HOME]}}",
    "a mapping without a value": "services: {a: {environment: {HOME: }}}",
    "a secret": "secrets: {s: {environment: HOME}}",
    "a tag": "services: {a: {command: !override [$HOME]}}",
    "a tagged mapping": "services: {a: {environment: !reset {HOME: }}}",
    "an included file": "include: [more.yaml]",
    "an included file with its folder": "include: [{path: [more.yaml], project_directory: .}]",
    "an extended file": "services: {a: {extends: {file: more.yaml, service: b}}}",
    "a file of variables": "services: {a: {env_file: more.env}}",
    "files of variables": "services: {a: {env_file: [{path: name.env}]}}",
}
NOT_USED = {
    "escaped": 'services: {a: {command: "$$HOME $${HOME}"}}',
    "a comment": "services: {a: {command: x}} # ${HOME}",
    "a value of that name": "services: {a: {environment: {HOME: /root, B: HOME}}}",
    "an empty value": 'services: {a: {environment: {HOME: ""}}}',
    "a home": 'services: {a: {volumes: ["~/x:/x"]}}',
    "what does not reach Compose": 'services: {a: {command: "${TZ:-UTC}"}}',
    "a file that is missing": "include: [nowhere.yaml]",
    "a file of elsewhere": "include: [oci://example.com/x]",
    "a file that includes itself": "include: [compose.override.yaml]",
    "no YAML": "services: {a: [$HOME",
    "nothing": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "compose.yaml").write_text("services: {}")
    (tmp_path / "more.yaml").write_text('services: {b: {command: "${HOME}"}}')
    (tmp_path / "more.env").write_text("# PATH\nA=${HOME:-x}\n")
    (tmp_path / "name.env").write_text("A=1\n\nHOME\n")
    return Project("x", tmp_path, (tmp_path / "compose.yaml", tmp_path / "compose.override.yaml"))


@pytest.mark.parametrize("form", USED)
def test_a_variable_that_compose_itself_needs_is_refused_in_every_form(form: str, project: Project) -> None:
    project.files[1].write_text(USED[form])
    with pytest.raises(UnsetVariables, match=r"use \$\{HOME\}\.") as caught:
        refuse_variables(project)
    assert not any(":-" in line for line in caught.value.advice)


@pytest.mark.parametrize("name", ["PWD", "DOCKER_CONFIG", "DOCKER_HOST", "TMPDIR", "DOCKER_CLI_PLUGIN_SOCKET"])
def test_so_is_what_compose_or_the_client_sets(name: str, project: Project) -> None:
    project.files[1].write_text(f'services: {{a: {{command: "${{{name}:-x}}"}}}}')
    with pytest.raises(UnsetVariables):
        refuse_variables(project)


@pytest.mark.parametrize("form", NOT_USED)
def test_what_takes_no_variable_of_the_environment_is_accepted(form: str, project: Project) -> None:
    project.files[1].write_text(NOT_USED[form])
    refuse_variables(project)


def test_a_project_without_an_override_is_accepted(project: Project) -> None:
    refuse_variables(Project("x", project.directory, project.files[:1]))
