"""What the Docker client, Compose and the engine print of themselves, and what a user is told for it.

In order: the first that matches is told. Above each group stands whose text it is, and in which of
the project's files it is written.
"""

from __future__ import annotations

from deployer.complaint import Complaint, complaint
from deployer.errors import EngineUnavailable, ImageInUse, ImageNotFound

_SILENT = r"connect to the docker (?:daemon|api)"
_FORBIDDEN = r"permission denied while trying to connect to the docker"
_OTHER_ENGINE = "{own_engine}   (to use this machine's own engine)"
_TLS_FILES = r"unable to resolve docker endpoint: (.*\.pem.*|.*tls.*|.*x509.*)"
_NO_TLS_FILES = "The Docker client cannot use its certificates for the engine: {1}"
_CERT_PATH = "Or let DOCKER_CERT_PATH name the folder of ca.pem, cert.pem and key.pem."
_PLUGIN = "Install the package docker-compose-plugin, docker-compose-v2 or docker-compose (version 2 or newer)."
_OVERRIDE = "Correct compose.override.yaml in the deployment's folder, if you made one."
_RENDER = "deployer render --diff   (shows what else was changed in the files)"

# docker/cli: cli/command/cli.go, cli/context/store/metadatastore.go, cli/context/docker/load.go,
# cli/connhelper, cli-plugins/manager. moby: client/request.go, client/errors.go, daemon/server/middleware/version.go.
_CLIENT = (
    complaint(
        r'context "([^"]*)"(?: does not exist|: context not found|.*: not found)'
        r'|current context "([^"]*)" is not found',
        'Docker\'s context "{1}{2}" does not exist.',
        "{own_engine}   (to use this machine's own engine; docker context ls lists the contexts)",
        kind=EngineUnavailable,
    ),
    complaint(
        _TLS_FILES,
        _NO_TLS_FILES,
        "unset DOCKER_TLS_VERIFY   (any value, 0 too, turns TLS on)",
        _CERT_PATH,
        kind=EngineUnavailable,
        variable="DOCKER_TLS_VERIFY",
    ),
    complaint(
        _TLS_FILES,
        _NO_TLS_FILES,
        "unset DOCKER_TLS   (any value, 0 too, turns TLS on)",
        _CERT_PATH,
        kind=EngineUnavailable,
        variable="DOCKER_TLS",
    ),
    complaint(_TLS_FILES, _NO_TLS_FILES, _OTHER_ENGINE, _CERT_PATH, kind=EngineUnavailable),
    complaint(
        r"unable to parse docker host|protocol not available|invalid bind address|unsupported protocol scheme"
        r"|unable to resolve docker endpoint: parse |ssh host connection is not valid"
        r"|^(?:failed to initialize: )?parse \"[a-z]+://"
        r"|unix socket path \"[^\"]*\" is too long|dial tcp: address \d+: invalid port",
        "The address that the Docker client has for its engine is not valid.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        r"command \[ssh .*stderr=(?:\s*)([^\n]*)",
        "The Docker client does not reach its engine over SSH: {1}",
        "ssh HOST docker version   (has to work without a question; HOST as in DOCKER_HOST or the context)",
        kind=EngineUnavailable,
    ),
    complaint(
        r"invalid header field (?:name|value)",
        "Docker's config.json has a header that HTTP does not allow.",
        "Correct HttpHeaders in ~/.docker/config.json.",
        "unset DOCKER_CUSTOM_HEADERS",
        kind=EngineUnavailable,
    ),
    complaint(
        r"failed to (?:parse|set) custom headers",
        "The variable DOCKER_CUSTOM_HEADERS is not in the form that Docker reads.",
        "Its form is NAME=VALUE,NAME=VALUE",
        "Or take it away: unset DOCKER_CUSTOM_HEADERS",
        kind=EngineUnavailable,
    ),
    # Before those of an engine that does not answer: newer clients begin both alike.
    complaint(
        rf"{_FORBIDDEN}.*unix:///run/user/(\d+)/",
        "You may not use this Docker engine: it is rootless, and its user alone may (number {1}).",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        rf"{_FORBIDDEN}.*unix://(?!(?:/var)?/run/docker\.sock[:;\s])(\S+?)[:;]",
        "You may not use the Docker engine at {1}.",
        "ls -l {1}   (shows the user and the group who may)",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        _FORBIDDEN,
        "You may not use the Docker engine of this machine.",
        "sudo usermod -aG docker $USER   (then sign out and in again)",
        kind=EngineUnavailable,
    ),
    complaint(
        rf"{_SILENT} at unix://(\S*?[^/\s])/+(?:;|\.\s)|dial unix (\S*?[^/\s])/+: connect",
        "The address that the Docker client has for its engine ends with a slash, as no socket does.",
        "export DOCKER_HOST=unix://{1}{2}",
        kind=EngineUnavailable,
    ),
    complaint(
        rf"{_SILENT} at unix:///run/user/(\d+)/docker\.sock",
        "The rootless Docker engine of the user with the number {1} does not answer.",
        "systemctl --user start docker   (as that user; your own number: id --user)",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        rf"{_SILENT} at unix://\S*/\.docker/(?:run|desktop)/docker\S*\.sock",
        "Docker Desktop does not answer.",
        "Start Docker Desktop.",
        kind=EngineUnavailable,
    ),
    complaint(
        rf"{_SILENT} at (?!(?-i:unix://(?:/var)?/run/docker\.sock))"
        r'|error during connect: .*"https?://(?!%2Fvar%2Frun%2Fdocker\.sock|docker/)[^"]*": (?:dial|EOF|context)',
        "No Docker engine answers at the address that the Docker client has for it.",
        "Start the engine that is to listen there: what it runs, no other engine has.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        r"error during connect: .*(?:x509|tls|certificate)|TLS-enabled daemon without TLS|--tlsverify"
        r"|HTTP request to an HTTPS server",
        "The Docker client and the engine do not accept each other's certificates.",
        "Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of this engine's ca.pem, cert.pem and key.pem.",
        kind=EngineUnavailable,
    ),
    complaint(
        r"cannot connect to the docker daemon|failed to connect to the docker api|error during connect",
        "No Docker engine answers on this machine.",
        "sudo systemctl start docker",
        "docker info   (says where the client looks for it)",
        kind=EngineUnavailable,
    ),
    complaint(
        r"client version (\S+) is too new\. Maximum supported API version is (\S+?)\.?(?:\s|$)",
        "The Docker client speaks version {1} of the API, and the engine knows {2} at most.",
        "unset DOCKER_API_VERSION   (then the client takes a version that both know)",
        "Update the engine.",
        kind=EngineUnavailable,
    ),
    complaint(
        r"client version (\S+) is too old\. Minimum supported API version is (\S+?)[,.]?(?:\s|$)",
        "The Docker client or its Compose plugin speaks version {1} of the API, and the engine wants {2} at least.",
        "unset DOCKER_API_VERSION   (then the client takes a version that both know)",
        "Update the Docker client and the Compose plugin.",
        kind=EngineUnavailable,
    ),
    complaint(
        r"error response from daemon: page not found|check if the server supports the requested API version",
        "The variable DOCKER_API_VERSION does not name a version of the API that the engine knows.",
        "unset DOCKER_API_VERSION   (then the client takes a version that both know)",
        kind=EngineUnavailable,
        variable="DOCKER_API_VERSION",
    ),
    complaint(
        r"DOCKER_BUILDKIT environment variable expects boolean",
        "The variable DOCKER_BUILDKIT is not a boolean value.",
        "unset DOCKER_BUILDKIT   (or set it to 0 or 1)",
        kind=EngineUnavailable,
    ),
    complaint(
        r"check if the server supports the requested API version|error reading remote info: invalid character"
        r"|^invalid character '<' looking for beginning of value|error response from daemon: page not found"
        r"|error response from daemon: \d{3} [A-Z][A-Za-z ]*$",
        "What answers at the engine's address is not a Docker engine.",
        _OTHER_ENGINE,
        kind=EngineUnavailable,
    ),
    complaint(
        r"buildx component is missing or broken|buildx: (?:not found|executable file not found)",
        "Docker's buildx plugin is missing or does not run.",
        "Install the package docker-buildx-plugin or docker-buildx.",
        kind=EngineUnavailable,
    ),
    complaint(
        r"is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: "
        r"|usage:\s+docker \[OPTIONS\] COMMAND",
        "Docker has no Compose plugin here, or one that does not run.",
        _PLUGIN,
        "docker info   (names a plugin that does not run, with its file)",
        kind=EngineUnavailable,
    ),
    complaint(
        r"docker-credential-(\S+?)\"?: (?:executable file not found|no such file)",
        "Docker's config.json names the credential helper docker-credential-{1}, which is not installed.",
        "Install it, or take credsStore and credHelpers out of ~/.docker/config.json and sign in again.",
    ),
    complaint(
        r"error getting credentials - err: (?:.*?), out: `([^`]*)`",
        "Docker's credential helper gives no credentials: {1}",
        "Unlock or repair the helper that ~/.docker/config.json names as credsStore or in credHelpers.",
    ),
    complaint(
        r"valid https URL required for trust server|error establishing connection to trust repository"
        r"|unable to reach trust server|trust server .*(?:invalid|unreachable)",
        "Docker's content trust is on, and DOCKER_CONTENT_TRUST_SERVER does not name a Notary server that answers.",
        "unset DOCKER_CONTENT_TRUST   (for this command: DOCKER_CONTENT_TRUST=0 before it)",
        "unset DOCKER_CONTENT_TRUST_SERVER   (then the registry itself is asked)",
        variable="DOCKER_CONTENT_TRUST_SERVER",
    ),
    complaint(
        r"error contacting notary server|remote trust data does not exist|no valid trust data|trust pinning"
        r"|does not have trust data|could not rotate trust",
        "Docker's content trust is on, and {address} has no signatures of that kind.",
        "unset DOCKER_CONTENT_TRUST   (for this command: DOCKER_CONTENT_TRUST=0 before it)",
    ),
    complaint(
        r"\"([^\"]+)\": (?:unknown operating system or architecture|cannot parse platform specifier"
        r"|invalid (?:OS|component)|unknown value)",
        "Docker does not know the platform {1}.",
        "Write OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64.",
        "unset DOCKER_DEFAULT_PLATFORM   (then it is this machine's platform)",
    ),
    complaint(
        r"authorization denied by plugin (\S+?): ([^\n]*)",
        "The engine's authorization plugin {1} does not allow that: {2}",
    ),
)

# moby: daemon/libnetwork/ipamapi/contract.go and ipamutils (up to engine 26: "could not find an available …"),
# libnetwork/error.go, drivers/bridge, portallocator; daemon/volume/service/errors.go; daemon/volume/mounts/validate.go;
# daemon/errors.go, delete.go, start.go, exec.go, container/view.go, logger/logger.go; daemon/images/image_delete.go.
# docker/compose: pkg/compose. compose-go: loader, validation. Docker Desktop: "Mounts denied".
_ENGINE = (
    complaint(
        r"containerd\.sock",
        "The engine's containerd does not answer.",
        "sudo systemctl restart containerd docker",
        kind=EngineUnavailable,
    ),
    complaint(
        r"predefined address pools have been fully subnetted|non-overlapping IPv[46] address pool",
        "The engine has no range of addresses left for the deployment's network.",
        "docker network prune   (removes the networks that no container uses)",
        "Or give it more: default-address-pools in its daemon.json, then restart it.",
    ),
    complaint(
        r"pool overlaps with other one|networks have overlapping IPv[46]|conflicts with network \S+ \(",
        "The range of addresses that the deployment's network asks for is taken by another network.",
        _OVERRIDE,
        "docker network ls   (lists the networks)",
    ),
    complaint(
        r"network (\S+) (?:id \S+ )?has active endpoints(?: \(([^)]*)\))?|network (\S+)\s+resource is still in use",
        "The network {1}{3} is in use by other containers. {2}",
        "docker network inspect {1}{3}   (lists them; docker network disconnect takes one out)",
    ),
    complaint(
        r"cannot expose privileged port (\d+)",
        "A rootless engine may not publish port {1}: the system keeps the ports below 1024 for root.",
        "deployer up --port 5000   (or another port above 1023)",
        "Or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start={1}",
    ),
    complaint(
        r"cannot assign requested address",
        "The engine's machine does not have the address to listen on.",
        "Set `bind` (and `host`) to an address of that machine, or bind to auto.",
    ),
    complaint(
        r"port is already allocated|address already in use|ports are not available|all ports are allocated",
        "The port is taken by something else.",
        "deployer up --port PORT   (with a free one)",
    ),
    complaint(
        r"no chain/target/match by that name|iptables failed|failed to .*(?:nftables|iptables)",
        "The engine's firewall rules are gone or cannot be written: something else has changed the firewall.",
        "sudo systemctl restart docker   (writes them again)",
    ),
    complaint(
        r"remove (\S+): volume is in use - \[([^\]]*)\]",
        "The volume {1} is in use by a container.",
        "docker ps --all --filter volume={1}   (lists it)",
    ),
    complaint(r"(?:get|remove|inspect) (\S+): no such volume", "There is no volume {1}.", "docker volume ls"),
    complaint(
        r'volume "([^"]+)" declared as external, but could not be found|external volume "([^"]+)" not found',
        "The volume {1}{2}, which a Compose file names as external, does not exist.",
        "docker volume create {1}{2}   (makes an empty one)",
    ),
    complaint(
        r"network (\S+) declared as external, but could not be found",
        "The network {1}, which a Compose file names as external, does not exist.",
        "docker network create {1}",
    ),
    complaint(
        r'container name "/?([^"]+)" is already in use',
        "Another container has the name {1}.",
        "docker rename {1} {1}-old   (keeps it under another name)",
    ),
    complaint(
        r"mounts denied|is not shared from the host|path .* is not shared",
        "Docker Desktop may not read the deployment's folder.",
        "Add it in Docker Desktop: Settings, Resources, File sharing.",
    ),
    complaint(
        r"bind source path does not exist: (\S+)|error while creating mount source path '([^']+)'",
        "The engine does not see {1}{2}: it is on another machine, or may not look there (as Docker from a snap).",
        "docker context ls   (shows which engine is used)",
    ),
    complaint(
        r"are you trying to mount a directory onto a file",
        "Where a file of the deployment belongs there is a folder.",
        "deployer render --diff   (names the files that were changed)",
    ),
    complaint(
        r"logging driver does not support reading",
        "The log driver of this container keeps nothing that can be read here.",
        "docker info --format '{{.LoggingDriver}}'   (names the engine's driver: read the logs where it sends them)",
    ),
    complaint(
        r"can(?:not|'t| not) (?:start a|get logs from) .*paused|cannot start a paused container"
        r"|container \S+ is paused|unpause the container",
        "A container of the deployment is paused.",
        "docker unpause CONTAINER   (`deployer status` names it)",
    ),
    complaint(
        r"container (\S+) is restarting",
        "The container {1} restarts again and again.",
        "deployer logs",
    ),
    complaint(
        r"container (\S+) is not running|service \"([^\"]+)\" is not running",
        "The container {1}{2} is not running.",
        "deployer up",
    ),
    complaint(
        r"no such container: (\S+)",
        "There is no container {1} (any more).",
        "deployer status",
    ),
    complaint(
        r"marked for removal|removal of container \S+ is already in progress|dead or marked",
        "The container is being removed.",
        "Run the command again.",
    ),
    complaint(
        r"exec: .* executable file not found|exec: .*: no such file or directory",
        "The image does not hold the program that this service runs; is it the right image?",
        "deployer render --diff   (shows which image is asked for)",
    ),
    complaint(
        r"exec format error|exec .*: exec format error",
        "A program of the image is made for another kind of processor than this machine's.",
        "deployer up --build   (builds the images for this machine)",
    ),
    complaint(
        r"unable to (?:delete|remove) .*(?:must be forced|cannot be forced|must force).* - (.*)",
        "The image is in use: {1}.",
        "docker ps --all   (lists the containers with their images)",
        kind=ImageInUse,
    ),
    complaint(
        r"no such image|image not known|reference does not exist|does not exist locally with the tag"
        r"|tag does not exist: ",
        "The engine has no such image.",
        "docker images",
        kind=ImageNotFound,
    ),
    complaint(
        r"invalid reference format|invalid tag format|repository name must |is a reserved name"
        r"|invalid repository name",
        "That is not a valid name of an image.",
        "Write NAME:TAG, the name in lower case: team/app:1.0",
    ),
    complaint(
        r"no space left on device|disk quota exceeded",
        "A disk is full: the engine's own, or the registry's.",
        "docker system df   (what the engine's takes up)",
        "df -h   (on the machine that runs the registry)",
    ),
    complaint(
        r"cannot allocate memory|resource temporarily unavailable|too many open files",
        "The engine's machine has no memory, processes or open files left.",
        "Free some on it, then run the command again.",
    ),
    complaint(
        r"insufficient UIDs or GIDs|failed to lchown .*invalid argument|/etc/subuid",
        "The image has files of users beyond the numbers that this engine (rootless, or with userns-remap) has.",
        "Widen the range of the engine's user in /etc/subuid and /etc/subgid, then restart the engine.",
    ),
    complaint(
        r"max depth exceeded",
        "The image has more layers than the engine can hold.",
        "Build it with fewer layers.",
    ),
    complaint(
        r"(yaml: .*|validating \S+: .*|services\.\S+ .*(?:not allowed|must be).*|additional propert.*"
        r"|failed to parse \S+: .*|failed to read file .*|no configuration file provided.*"
        r"|(?:service|network|volume) \"?\S+ (?:refers to undefined|has neither).*"
        r"|.*must be a (?:mapping|string|list).*)",
        "Docker Compose does not accept the deployment's files: {1}",
        _OVERRIDE,
        _RENDER,
    ),
)

# moby: daemon/images/image.go, daemon/containerd/image.go. Said of a registry's image it means another thing.
LOCAL: tuple[Complaint, ...] = (
    complaint(
        r"was found but (?:its platform|does not)|no matching manifest for|no match for platform",
        "The image that this machine has is made for another platform than the one that is asked for.",
        "unset DOCKER_DEFAULT_PLATFORM",
        "deployer up --build   (builds deployer's own images again, for this machine)",
    ),
)

TABLE: tuple[Complaint, ...] = (*_CLIENT, *_ENGINE)
