"""Variables of the services that undo what deployer's commands rely on, and those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.errors import PreflightError
from deployer.layout import Service
from deployer.paths import Deployment
from deployer.rendering.deployment import RenderInputs, ServiceImages, render_deployment
from deployer.settings.model import Settings
from deployer.workflows.checks import service_environment
from deployer.workflows.checks.service_environment import RELIED_ON, conflicts
from deployer.workflows.finding import FindingState

DEPLOYMENT = Deployment("registry", Path("/deployment"))
STORAGE = "REGISTRY_STORAGE"
ROOT = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"
CACHE = "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR"
READ_ONLY = "REGISTRY_STORAGE_MAINTENANCE_READONLY"

# What the variables are, and words of what is said of them.
REFUSED = {
    "another root": ({ROOT: "/elsewhere"}, "are not where deployer looks"),
    "below the root": ({ROOT: "/var/lib/registry/more"}, "are not where deployer looks"),
    "another root in a mapping": (
        {"REGISTRY_STORAGE_FILESYSTEM": "{rootdirectory: /elsewhere}"},
        "are not where deployer looks",
    ),
    "memory": ({STORAGE: "inmemory"}, "are not where deployer looks"),
    "another driver": (
        {STORAGE: "s3", "REGISTRY_STORAGE_S3_BUCKET": "b", "REGISTRY_STORAGE_S3_SECRETKEY": "hidden"},
        "are not where deployer looks",
    ),
    "two drivers": ({"REGISTRY_STORAGE_AZURE_CONTAINER": "c"}, "are not where deployer looks"),
    "no storage": ({STORAGE: ""}, "are not where deployer looks"),
    "a cache": ({CACHE: "inmemory"}, "leaves such a cache stale"),
    "a cache elsewhere": ({CACHE: "redis"}, "leaves such a cache stale"),
    "a cache in a mapping": ({"REGISTRY_STORAGE_CACHE": "{blobdescriptor: inmemory}"}, "leaves such a cache stale"),
    "a cache by its old name": ({"REGISTRY_STORAGE_CACHE_LAYERINFO": "inmemory"}, "leaves such a cache stale"),
    "a mirror": ({"REGISTRY_PROXY_REMOTEURL": "https://example.com"}, "a pull-through cache"),
    "an address": ({"REGISTRY_HTTP_ADDR": ":5000"}, "does not reach the registry"),
    "a port": ({"REGISTRY_HTTP_NET": "tcp"}, "does not reach the registry"),
    "a prefix": ({"REGISTRY_HTTP_PREFIX": "/registry/"}, "does not reach the registry"),
    "a certificate": ({"REGISTRY_HTTP_TLS_CERTIFICATE": "/c.pem"}, "does not reach the registry"),
    "a login": ({"REGISTRY_AUTH_HTPASSWD_REALM": "r"}, "requires a second login"),
    "a login by name": ({"REGISTRY_AUTH": "silly"}, "requires a second login"),
    "pages": ({"REGISTRY_CATALOG_MAXENTRIES": "1000"}, "omits repositories"),
}
WARNED = {
    "no deleting": ({"REGISTRY_STORAGE_DELETE_ENABLED": "false"}, "cannot be deleted"),
    "no deleting in a mapping": ({"REGISTRY_STORAGE_DELETE": "{enabled: false}"}, "cannot be deleted"),
    "read-only": ({f"{READ_ONLY}_ENABLED": "true"}, "is read-only"),
    "read-only in a mapping": ({READ_ONLY: "{enabled: true}"}, "is read-only"),
    "a host": ({"REGISTRY_HTTP_HOST": "https://example.com"}, "continue at that address"),
    "a health check elsewhere": ({"REGISTRY_HTTP_DEBUG_ADDR": ":6000"}, "the health check"),
}
HARMLESS: tuple[dict[str, str], ...] = (
    {},
    {"REGISTRY_LOG_LEVEL": "debug", "REGISTRY_LOG_ACCESSLOG_DISABLED": "false"},
    {ROOT: "/var/lib/registry/", "REGISTRY_STORAGE_DELETE_ENABLED": "true", CACHE: ""},
    {"REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS": "50", "REGISTRY_STORAGE_REDIRECT_DISABLE": "true"},
    {"REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE": "24h", f"{READ_ONLY}_ENABLED": "false"},
    {"REGISTRY_HTTP_SECRET": "s", "REGISTRY_HTTP_TLS_MINIMUMTLS": "tls1.3", "REGISTRY_HTTP_DEBUG_ADDR": ":5001"},
    {"REGISTRY_AUTH": "none", "REGISTRY_PROXY_REMOTEURL": "", "REGISTRY_REDIS_ADDR": "r:6379"},
    {"REGISTRY_PORT_5000_TCP_ADDR": "172.17.0.2", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_NAME": "n"},
    {"STORAGE": "inmemory", "OTEL_TRACES_EXPORTER": "none"},
)


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_commands_rely_on_is_not_undone(case: str) -> None:
    variables, words = REFUSED[case]
    found = conflicts({Service.REGISTRY: variables})
    with pytest.raises(PreflightError, match=words) as caught:
        service_environment.refuse(found, DEPLOYMENT)
    assert all(name in caught.value.message for name in variables)
    assert "hidden" not in caught.value.message
    assert str(DEPLOYMENT.override_file) in caught.value.advice[0]
    assert service_environment.findings(found, DEPLOYMENT)[0].state is FindingState.WRONG


@pytest.mark.parametrize("case", WARNED)
def test_a_wish_by_which_nothing_is_lost_is_only_told(case: str) -> None:
    variables, words = WARNED[case]
    found = conflicts({Service.REGISTRY: variables})
    service_environment.refuse(found, DEPLOYMENT)
    (remark,) = service_environment.remarks(found)
    assert words in remark
    assert all(name in remark for name in variables)
    assert [one.state for one in service_environment.findings(found, DEPLOYMENT)] == [FindingState.NOTE]


@pytest.mark.parametrize("variables", HARMLESS)
def test_what_undoes_nothing_passes(variables: dict[str, str]) -> None:
    assert conflicts({Service.REGISTRY: variables}) == ()


def test_everything_is_refused_at_once() -> None:
    found = conflicts({Service.REGISTRY: {CACHE: "inmemory", "REGISTRY_AUTH_SILLY_REALM": "r"}})
    with pytest.raises(PreflightError) as caught:
        service_environment.refuse(found, DEPLOYMENT)
    assert CACHE in caught.value.message
    assert "REGISTRY_AUTH_SILLY_REALM" in caught.value.message


def test_only_the_variables_that_decide_are_named() -> None:
    (found,) = conflicts({Service.REGISTRY: {CACHE: "redis", f"{CACHE}SIZE": "5", "REGISTRY_LOG_LEVEL": "info"}})
    assert found.variables == (CACHE,)


@pytest.mark.parametrize(("folder", "refused"), [("/data", False), ("/data/", False), ("/tmp/x", True)])
def test_the_certificates_of_the_frontend_stay_in_its_volume(folder: str, refused: bool) -> None:
    found = conflicts({Service.FRONTEND: {"XDG_DATA_HOME": folder}})
    assert bool(found) is refused
    if found:
        assert "The frontend's environment sets XDG_DATA_HOME" in found[0].sentence


def test_a_value_that_is_no_yaml_is_left_to_the_registry() -> None:
    assert conflicts({Service.REGISTRY: {"REGISTRY_LOG_FIELDS": "{["}}) == ()


def test_what_is_relied_on_is_what_the_rendered_configuration_says() -> None:
    files = render_deployment(Settings(), ServiceImages("r", "f"), RenderInputs("0" * 64))
    rendered = yaml.safe_load(next(file.content for file in files if file.path == "registry/config.yaml"))

    def contains(said: Any, relied_on: Any) -> bool:
        if not isinstance(relied_on, dict):
            return bool(said == relied_on)
        return all(contains(said[key], value) for key, value in relied_on.items())

    assert contains(rendered, RELIED_ON)
    assert all(one.holds(rendered) for one in service_environment._REGISTRY)
