"""What Compose and the engine print of themselves, and the message that users get for it.

In order: the first match is used. Above each group is whose text it is, and in which of
the project's files it is written.
"""

from __future__ import annotations

from deployer.engine.messages.rule import MessageRule, rule
from deployer.errors import EngineUnavailable, ImageInUse, ImageNotFound

_OVERRIDE = "Correct compose.override.yaml in the deployment's directory, if you created one."
_RENDER = "deployer render --diff   (shows what else was changed in the files)"

# moby: daemon/libnetwork/ipamapi/contract.go and ipamutils (up to engine 26: "could not find an available …"),
# libnetwork/error.go, drivers/bridge, portallocator; daemon/volume/service/errors.go; daemon/volume/mounts/validate.go;
# daemon/errors.go, delete.go, start.go, exec.go, container/view.go, logger/logger.go; daemon/images/image_delete.go.
# docker/compose: pkg/compose. compose-go: loader, validation. Docker Desktop: "Mounts denied".
TABLE: tuple[MessageRule, ...] = (
    rule(
        r"containerd\.sock",
        "The engine's containerd is not responding.",
        "sudo systemctl restart containerd docker",
        kind=EngineUnavailable,
    ),
    rule(
        r"predefined address pools have been fully subnetted|non-overlapping IPv[46] address pool",
        "The engine has no address range left for the deployment's network.",
        "docker network ls --filter dangling=true   (networks without containers)",
        "Remove those that are not needed: docker network rm NAME",
        "Or add ranges: set default-address-pools in its daemon.json, then restart the engine.",
    ),
    rule(
        r"pool overlaps with other one|networks have overlapping IPv[46]|conflicts with network \S+ \(",
        "The address range of the deployment's network is already in use by another network.",
        _OVERRIDE,
        "docker network ls   (lists the networks)",
    ),
    rule(
        r"network (\S+) (?:id \S+ )?has active endpoints(?: \(([^)]*)\))?|network (\S+)\s+resource is still in use",
        "The network {1}{3} is in use by other containers. {2}",
        "docker network inspect {1}{3}   (lists them; docker network disconnect removes one)",
    ),
    rule(
        r"(\S+) hook exited with status 137",
        "A hook of the service '{1}' ended with its container, which stopped in the meantime.",
        "deployer logs {1}   (shows why it stopped)",
        "Correct the service or its hook in compose.override.yaml, in the deployment's directory.",
    ),
    rule(
        r"(\S+) hook exited with status (\d+)",
        "A hook of the service '{1}' ended with exit code {2}.",
        "Correct post_start or pre_stop of '{1}' in compose.override.yaml, in the deployment's directory.",
    ),
    rule(
        r"cannot expose privileged port (\d+)",
        "A rootless engine cannot publish port {1}: the system reserves ports below 1024 for root.",
        "deployer up --port 5000   (or another port above 1023)",
        "Or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start={1}",
    ),
    rule(
        r"cannot assign requested address",
        "The engine's machine does not have the address to listen on.",
        "Set `bind` (and `host`) to an address of that machine, or set `bind` to auto.",
    ),
    rule(
        r"port is already allocated|address already in use|ports are not available|all ports are allocated",
        "The port is already in use.",
        "deployer up --port PORT   (use a free port)",
    ),
    rule(
        r"no chain/target/match by that name|iptables failed|failed to .*(?:nftables|iptables)",
        "The engine's firewall rules are missing or cannot be written: another program changed the firewall.",
        "sudo systemctl restart docker   (writes them again)",
    ),
    rule(
        r"remove (\S+): volume is in use - \[([^\]]*)\]",
        "The volume {1} is in use by a container.",
        "docker ps --all --filter volume={1}   (lists it)",
    ),
    rule(r"(?:get|remove|inspect) (\S+): no such volume", "No such volume: {1}.", "docker volume ls"),
    rule(
        r'volume "([^"]+)" declared as external, but could not be found|external volume "([^"]+)" not found',
        "The volume {1}{2}, which a Compose file declares as external, does not exist.",
        "docker volume create {1}{2}   (creates an empty one)",
    ),
    rule(
        r"network (\S+) declared as external, but could not be found",
        "The network {1}, which a Compose file declares as external, does not exist.",
        "docker network create {1}",
    ),
    rule(
        r'container name "/?([^"]+)" is already in use',
        "The container name {1} is already in use.",
        "docker rename {1} NAME   (keeps it, under a name that no container has)",
    ),
    rule(
        r"mounts denied|is not shared from the host|path .* is not shared",
        "Docker Desktop cannot access the deployment's directory.",
        "Add it in Docker Desktop: Settings, Resources, File sharing.",
    ),
    rule(
        r"bind source path does not exist: (\S+)|error while creating mount source path '([^']+)'",
        "The engine cannot see {1}{2}: it runs on another machine or has no access (as with Docker from a snap).",
        "docker context ls   (shows which engine is used)",
    ),
    rule(
        r"invalid mount config for type \"[^\"]+\": ([^\n]+)",
        "A mount in the deployment's files is not valid: {1}.",
        _OVERRIDE,
        _RENDER,
    ),
    rule(
        r"are you trying to mount a directory onto a file",
        "There is a directory where the deployment needs a file.",
        "deployer render --diff   (shows the files that were changed)",
    ),
    rule(
        r"logging driver does not support reading",
        "This container's log driver does not support reading logs.",
        "docker info --format '{{.LoggingDriver}}'   (shows the engine's log driver; read the logs where it sends "
        "them)",
    ),
    rule(
        r"can(?:not|'t| not) (?:start a|get logs from) .*paused|cannot start a paused container"
        r"|container \S+ is paused|unpause the container",
        "A container of the deployment is paused.",
        "docker unpause CONTAINER   (`deployer status` shows its name)",
    ),
    rule(
        r"container (\S+) is restarting",
        "The container {1} keeps restarting.",
        "deployer logs",
    ),
    rule(
        r"container (\S+) is not running|service \"([^\"]+)\" is not running",
        "The container {1}{2} is not running.",
        "deployer up",
    ),
    rule(
        r"no such container: (\S+)",
        "No such container: {1}.",
        "deployer status",
    ),
    rule(
        r"marked for removal|removal of container \S+ is already in progress|dead or marked",
        "The container is being removed.",
        "Run the command again.",
    ),
    rule(
        r"exec: .* executable file not found|exec: .*: no such file or directory",
        "The image does not contain the program that this service runs. Is it the right image?",
        "deployer render --diff   (shows which image is configured)",
    ),
    rule(
        r"exec format error|exec .*: exec format error",
        "A program in the image was built for a different CPU architecture.",
        "deployer up --build   (builds the images for this machine)",
    ),
    rule(
        r"unable to (?:delete|remove) .*(?:must be forced|cannot be forced|must force).* - (.*)",
        "The image is in use: {1}.",
        "docker ps --all   (lists the containers with their images)",
        kind=ImageInUse,
    ),
    rule(
        r"no such image|image not known|reference does not exist|does not exist locally with the tag"
        r"|tag does not exist: ",
        "No such image on this engine.",
        "docker images",
        kind=ImageNotFound,
    ),
    rule(
        r"invalid reference format|invalid tag format|repository name must |is a reserved name"
        r"|invalid repository name",
        "Invalid image name.",
        "Use NAME:TAG with a lowercase name, such as team/app:1.0",
    ),
    rule(
        r"no space left on device|disk quota exceeded",
        "A disk is full: the engine's own, or the registry's.",
        "docker system df   (shows the engine's disk usage)",
        "df -h   (on the machine that runs the registry)",
    ),
    rule(
        r"cannot allocate memory|resource temporarily unavailable|too many open files",
        "The engine's machine is out of memory, processes or open files.",
        "Free some of these resources there, then run the command again.",
    ),
    rule(
        r"insufficient UIDs or GIDs|failed to lchown .*invalid argument|/etc/subuid",
        "The image contains files owned by user IDs outside the range of this engine (rootless, or with userns-remap).",
        "Widen the range of the engine's user in /etc/subuid and /etc/subgid, then restart the engine.",
    ),
    rule(
        r"max depth exceeded",
        "The image has more layers than the engine supports.",
        "Build it with fewer layers.",
    ),
    rule(
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
LOCAL: tuple[MessageRule, ...] = (
    rule(
        r"was found but (?:its platform|does not)|no matching manifest for|no match for platform",
        "The local image is for a different platform than requested.",
        "unset DOCKER_DEFAULT_PLATFORM",
        "deployer up --build   (builds deployer's own images again, for this machine)",
    ),
)
