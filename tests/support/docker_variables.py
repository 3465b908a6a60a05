"""What Docker's programs read of the environment and of config.json, each with a value that does harm.

From the sources of docker/cli, docker/compose, compose-spec/compose-go and docker/buildx.
"""

from __future__ import annotations

from types import MappingProxyType

CLIENT = MappingProxyType(
    {
        "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
        "DOCKER_CONTENT_TRUST": "1",
        "DOCKER_CONTENT_TRUST_SERVER": "https://127.0.0.1:9",
        "DOCKER_API_VERSION": "1.30",
        "DOCKER_BUILDKIT": "1",
        "DOCKER_CLI_HINTS": "true",
        "DOCKER_CLI_HOOKS": "true",
        "DOCKER_HIDE_LEGACY_COMMANDS": "1",
        "DOCKER_AUTH_CONFIG": "not even JSON",
        "DOCKER_CLI_OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_RESOURCE_ATTRIBUTES": "not a pair",
        "DEBUG": "1",
    }
)
COMPOSE = MappingProxyType(
    {
        "COMPOSE_FILE": "/nowhere/compose.yaml",
        "COMPOSE_PROJECT_NAME": "another",
        "COMPOSE_PROFILES": "another",
        "COMPOSE_ENV_FILES": "/nowhere/.env",
        "COMPOSE_DISABLE_ENV_FILE": "not a boolean",
        "COMPOSE_PATH_SEPARATOR": "/",
        "COMPOSE_CONVERT_WINDOWS_PATHS": "1",
        "COMPOSE_REMOVE_ORPHANS": "not a boolean",
        "COMPOSE_IGNORE_ORPHANS": "1",
        "COMPOSE_PARALLEL_LIMIT": "many",
        "COMPOSE_ANSI": "sometimes",
        "COMPOSE_PROGRESS": "sometimes",
        "COMPOSE_MENU": "1",
        "COMPOSE_STATUS_STDOUT": "1",
        "COMPOSE_COMPATIBILITY": "1",
        "COMPOSE_EXPERIMENTAL": "1",
        "COMPOSE_BAKE": "1",
        "COMPOSE_DOCKER_CLI_BUILD": "1",
    }
)
BUILDERS = MappingProxyType(
    {
        "BUILDX_BUILDER": "gone",
        "BUILDX_CONFIG": "/nowhere",
        "BUILDX_NO_DEFAULT_LOAD": "1",
        "BUILDKIT_HOST": "tcp://127.0.0.1:9",
        "BUILDKIT_PROGRESS": "rawjson",
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "/nowhere",
        "SOURCE_DATE_EPOCH": "never",
    }
)
EVERYTHING = MappingProxyType({**CLIENT, **COMPOSE, **BUILDERS})

PROXY = "http://127.0.0.1:9"
CONFIGURATION = MappingProxyType(
    {
        "proxies": {"default": {"httpProxy": PROXY, "httpsProxy": PROXY, "noProxy": "none", "allProxy": PROXY}},
        "psFormat": "{{.Mounts}}",
        "imagesFormat": "{{.Size}}",
        "networksFormat": "{{.Driver}}",
        "volumesFormat": "{{.Driver}}",
        "pruneFilters": ["label=nobodys"],
        "detachKeys": "not a key",
        "aliases": {"builder": "gone"},
        "plugins": {"compose": {"hooks": "up,down"}},
        "features": {"hooks": "true"},
        "credsStore": "gone",
    }
)
