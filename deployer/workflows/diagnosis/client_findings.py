"""Which engine the Docker client speaks to, and whether its plugins run."""

from __future__ import annotations

import contextlib
import shlex
from itertools import chain
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, PreflightError
from deployer.redaction import without_secrets
from deployer.registry.login import docker_config
from deployer.registry.login.docker_config import DockerConfig
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.transfer.remarks import Transfer, remarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployer.engine.report import Plugin
    from deployer.workflows.diagnosis.examined import Examined


def choice(examined: Examined) -> Iterator[Finding]:
    """Look at what is set and does not count: docker/cli, cli/command/cli.go, resolveContextName."""
    environment = examined.environment
    host, context = without_secrets(environment.get("DOCKER_HOST", "")), environment.get("DOCKER_CONTEXT")
    current = _configuration(environment).context
    if host and context:
        yield Finding(
            FindingState.NOTE,
            f"DOCKER_HOST and DOCKER_CONTEXT are both set: Docker uses {host}, not the context {context}.",
            ("unset DOCKER_CONTEXT   (or unset DOCKER_HOST, to use the context)",),
        )
    elif current and current != "default" and (host or (context and context != current)):
        variable = "DOCKER_HOST" if host else "DOCKER_CONTEXT"
        yield Finding(
            FindingState.NOTE,
            f"{variable} is set to {host or context}: Docker uses it instead of the context {current} chosen with "
            "`docker context use`.",
            (f"unset {variable}   (to use the context)",),
        )


def logins(examined: Examined) -> Iterator[Finding]:
    """Look for a value in config.json that hides the logins from Docker, and maybe not from deployer."""
    config = _configuration(examined.environment)
    mistake = config.mistake or config.mistake_for_some
    if mistake:
        yield Finding(FindingState.NOTE, mistake.message, mistake.advice)


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at what makes the user's pushes and pulls mean something else, and at the client's plugins."""
    stack = examined.stack
    # An engine that does not take the registry's name is told with its other options.
    with contextlib.suppress(PreflightError):
        found = [remarks(transfer, stack.settings, stack.engine, examined.environment) for transfer in Transfer]
        yield from (Finding(FindingState.NOTE, remark) for remark in dict.fromkeys(chain.from_iterable(found)))
    for plugin in stack.engine.system.plugins():
        yield from _plugin(plugin)


def _configuration(environment: Mapping[str, str]) -> DockerConfig:
    try:
        return docker_config.read(docker_config.config_file(environment))
    except DeployerError:
        # Docker warns about such a file and continues; a login that it hides is reported when one is needed.
        return DockerConfig()


def _plugin(plugin: Plugin) -> Iterator[Finding]:
    is_ours = plugin.name == "compose"
    if plugin.error:
        meant = "`deployer up` needs it" if is_ours else "not needed by deployer"
        hidden = f" It hides {plugin.shadowed[0]}." if plugin.shadowed else ""
        fix = (
            f"mv {shlex.quote(plugin.path)} {shlex.quote(f'{plugin.path}.old')}   (then {plugin.shadowed[0]} is used)"
            if plugin.shadowed
            else f"Install the package docker-{plugin.name}-plugin again, or remove {plugin.path}."
        )
        yield Finding(
            FindingState.WRONG if is_ours else FindingState.NOTE,
            f"The Docker plugin {plugin.name} cannot be run; {meant}.{hidden}",
            (fix,),
            f"{plugin.path}: {plugin.error}",
        )
    elif plugin.shadowed and is_ours:
        yield Finding(
            FindingState.NOTE,
            f"Docker has several Compose plugins: {plugin.path} ({plugin.version}) is used, "
            f"{plugin.shadowed[0]} is not.",
            (f"To use {plugin.shadowed[0]} instead, remove {plugin.path}. Otherwise remove {plugin.shadowed[0]}.",),
        )
