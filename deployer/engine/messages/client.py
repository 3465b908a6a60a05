"""What the Docker client prints of itself and of its way to the engine, and the message that users get for it.

In order: the first match is used. They are tried before those of the engine.
"""

from __future__ import annotations

from deployer.engine.messages.rule import MessageRule, rule
from deployer.errors import EngineUnavailable

_SILENT = r"connect to the docker (?:daemon|api)"
_FORBIDDEN = r"permission denied while trying to connect to the docker"
_OTHER_ENGINE = "{own_engine}   (to use this machine's own engine)"
_TLS_FILES = r"unable to resolve docker endpoint: (.*\.pem.*|.*tls.*|.*x509.*)"
_NO_TLS_FILES = "The Docker client cannot use its certificates for the engine: {1}"
_CERT_PATH = "Or set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem."
_PLUGIN = "Install the package docker-compose-plugin, docker-compose-v2 or docker-compose (version 2.8 or newer)."

# docker/cli: cli/command/cli.go, cli/context/store/metadatastore.go, cli/context/docker/load.go,
# cli/connhelper, cli-plugins/manager. moby: client/request.go, client/errors.go, daemon/server/middleware/version.go.
TABLE: tuple[MessageRule, ...] = (
    rule(
        r'context "([^"]*)"(?: does not exist|: context not found|.*: not found)'
        r'|current context "([^"]*)" is not found',
        'Docker\'s context "{1}{2}" does not exist.',
        "{own_engine}   (to use this machine's own engine; docker context ls lists the contexts)",
        kind=EngineUnavailable,
    ),
    rule(
        _TLS_FILES,
        _NO_TLS_FILES,
        "unset DOCKER_TLS_VERIFY   (any value, 0 too, turns TLS on)",
        _CERT_PATH,
        kind=EngineUnavailable,
        variable="DOCKER_TLS_VERIFY",
    ),
    rule(
        _TLS_FILES,
        _NO_TLS_FILES,
        "unset DOCKER_TLS   (any value, 0 too, turns TLS on)",
        _CERT_PATH,
        kind=EngineUnavailable,
        variable="DOCKER_TLS",
    ),
    rule(_TLS_FILES, _NO_TLS_FILES, _OTHER_ENGINE, _CERT_PATH, kind=EngineUnavailable),
    rule(
        r"unable to parse docker host|protocol not available|invalid bind address|unsupported protocol scheme"
        r"|unable to resolve docker endpoint: parse |ssh host connection is not valid"
        r"|^(?:failed to initialize: )?parse \"[a-z]+://"
        r"|unix socket path \"[^\"]*\" is too long|dial tcp: address \d+: invalid port",
        "The Docker client is configured with an invalid engine address.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        r"command \[ssh .*stderr=(?:\s*)([^\n]*)",
        "The Docker client cannot reach its engine over SSH: {1}",
        "ssh HOST docker version   (must work without a prompt; HOST as in DOCKER_HOST or the context)",
        kind=EngineUnavailable,
    ),
    rule(
        r"invalid header field (?:name|value)",
        "Docker's config.json has a header that HTTP does not allow.",
        "Correct HttpHeaders in ~/.docker/config.json.",
        "unset DOCKER_CUSTOM_HEADERS",
        kind=EngineUnavailable,
    ),
    rule(
        r"failed to (?:parse|set) custom headers",
        "The variable DOCKER_CUSTOM_HEADERS has an invalid format.",
        "The format is NAME=VALUE,NAME=VALUE",
        "Or remove it: unset DOCKER_CUSTOM_HEADERS",
        kind=EngineUnavailable,
    ),
    # Before those of an engine that does not answer: newer clients begin both alike.
    rule(
        rf"{_FORBIDDEN}.*unix:///run/user/(\d+)/",
        "You are not allowed to use this Docker engine: it is rootless, and only its user (UID {1}) may use it.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        rf"{_FORBIDDEN}.*unix://(?!(?:/var)?/run/docker\.sock[:;\s])(\S+?)[:;]",
        "You do not have permission to use the Docker engine at {1}.",
        "ls -l {1}   (shows the user and the group that have permission)",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        _FORBIDDEN,
        "You do not have permission to use the Docker engine of this machine.",
        "sudo usermod -aG docker $USER   (then log out and back in)",
        kind=EngineUnavailable,
    ),
    rule(
        rf"{_SILENT} at unix://(\S*?[^/\s])/+(?:;|\.\s)|dial unix (\S*?[^/\s])/+: connect",
        "The Docker client is configured with an engine address that ends with a slash, which socket paths never do.",
        "export DOCKER_HOST=unix://{1}{2}",
        kind=EngineUnavailable,
    ),
    rule(
        rf"{_SILENT} at unix:///run/user/(\d+)/docker\.sock",
        "The rootless Docker engine of the user with UID {1} is not responding.",
        "systemctl --user start docker   (as that user; your own UID: id --user)",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        rf"{_SILENT} at unix://\S*/\.docker/(?:run|desktop)/docker\S*\.sock",
        "Docker Desktop is not responding.",
        "Start Docker Desktop.",
        kind=EngineUnavailable,
    ),
    rule(
        rf"{_SILENT} at (?!(?-i:unix://(?:/var)?/run/docker\.sock))"
        r'|error during connect: .*"https?://(?!%2Fvar%2Frun%2Fdocker\.sock|docker/)[^"]*": (?:dial|EOF|context)',
        "No Docker engine responds at the address configured for the Docker client.",
        "Start the engine that should listen there; no other engine has its containers.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        r"error during connect: .*(?:x509|tls|certificate)|TLS-enabled daemon without TLS|--tlsverify"
        r"|HTTP request to an HTTPS server",
        "The Docker client and the engine did not accept each other's certificates.",
        "Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory with this engine's ca.pem, cert.pem and "
        "key.pem.",
        kind=EngineUnavailable,
    ),
    rule(
        r"cannot connect to the docker daemon|failed to connect to the docker api|error during connect",
        "No Docker engine is running on this machine.",
        "sudo systemctl start docker",
        "docker info   (shows where the client looks for it)",
        kind=EngineUnavailable,
    ),
    rule(
        r"client version (\S+) is too new\. Maximum supported API version is (\S+?)\.?(?:\s|$)",
        "The Docker client uses API version {1}, but the engine supports at most {2}.",
        "unset DOCKER_API_VERSION   (the client then negotiates a version)",
        "Update the engine.",
        kind=EngineUnavailable,
    ),
    rule(
        r"client version (\S+) is too old\. Minimum supported API version is (\S+?)[,.]?(?:\s|$)",
        "The Docker client or its Compose plugin uses API version {1}, but the engine requires at least {2}.",
        "unset DOCKER_API_VERSION   (the client then negotiates a version)",
        "Update the Docker client and the Compose plugin.",
        kind=EngineUnavailable,
    ),
    rule(
        r"error response from daemon: page not found|check if the server supports the requested API version",
        "The variable DOCKER_API_VERSION is not an API version that the engine supports.",
        "unset DOCKER_API_VERSION   (the client then negotiates a version)",
        kind=EngineUnavailable,
        variable="DOCKER_API_VERSION",
    ),
    rule(
        r"DOCKER_BUILDKIT environment variable expects boolean",
        "The variable DOCKER_BUILDKIT is not a boolean value.",
        "unset DOCKER_BUILDKIT   (or set it to 0 or 1)",
        kind=EngineUnavailable,
    ),
    rule(
        r"check if the server supports the requested API version|error reading remote info: invalid character"
        r"|^invalid character '<' looking for beginning of value|error response from daemon: page not found"
        r"|error response from daemon: \d{3} [A-Z][A-Za-z ]*$",
        "The server at the engine's address is not a Docker engine.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    rule(
        r"buildx component is missing or broken|buildx: (?:not found|executable file not found)",
        "Docker's buildx plugin is missing or cannot be run.",
        "Install the package docker-buildx-plugin or docker-buildx.",
        kind=EngineUnavailable,
    ),
    rule(
        r"is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: "
        r"|usage:\s+docker \[OPTIONS\] COMMAND",
        "Docker's Compose plugin is missing or cannot be run.",
        _PLUGIN,
        "docker info   (shows a plugin that cannot be run, and its file)",
        kind=EngineUnavailable,
    ),
    rule(
        r"docker-credential-(\S+?)\"?: (?:executable file not found|no such file)",
        "Docker's config.json uses the credential helper docker-credential-{1}, which is not installed.",
        "Install it, or remove credsStore and credHelpers from ~/.docker/config.json and log in again.",
    ),
    rule(
        r"error getting credentials - err: (?:.*?), out: `([^`]*)`",
        "Docker's credential helper returned no credentials: {1}",
        "Unlock or repair the helper set in ~/.docker/config.json as credsStore or in credHelpers.",
    ),
    rule(
        r"valid https URL required for trust server|error establishing connection to trust repository"
        r"|unable to reach trust server|trust server .*(?:invalid|unreachable)",
        "Docker Content Trust is enabled, but the Notary server in DOCKER_CONTENT_TRUST_SERVER is not responding.",
        "unset DOCKER_CONTENT_TRUST   (for this command: DOCKER_CONTENT_TRUST=0 before it)",
        "unset DOCKER_CONTENT_TRUST_SERVER   (then the registry itself is used)",
        variable="DOCKER_CONTENT_TRUST_SERVER",
    ),
    rule(
        r"error contacting notary server",
        "Docker Content Trust is enabled, but no Notary server responds for {address}.",
        "unset DOCKER_CONTENT_TRUST   (for this command: DOCKER_CONTENT_TRUST=0 before it)",
    ),
    rule(
        r"remote trust data does not exist|no valid trust data|trust pinning"
        r"|does not have trust data|could not rotate trust",
        "Docker Content Trust is enabled, but {address} has no signatures for it.",
        "unset DOCKER_CONTENT_TRUST   (for this command: DOCKER_CONTENT_TRUST=0 before it)",
    ),
    rule(
        r"\"([^\"]+)\": (?:unknown operating system or architecture|cannot parse platform specifier"
        r"|invalid (?:OS|component)|unknown value)",
        "Docker does not support the platform {1}.",
        "Use OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64.",
        "unset DOCKER_DEFAULT_PLATFORM   (to use this machine's platform)",
    ),
    rule(
        r"authorization denied by plugin (\S+?): ([^\n]*)",
        "The engine's authorization plugin {1} does not allow this: {2}",
    ),
)
