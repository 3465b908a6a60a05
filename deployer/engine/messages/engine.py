"""What Compose and the engine print of themselves, and what a user is told for it.

In order: the first that matches is told. Above each group is whose text it is, and in which of
the project's files it is written.
"""

from __future__ import annotations

from deployer.engine.messages.rule import MessageRule, rule
from deployer.errors import EngineUnavailable, ImageInUse, ImageNotFound

_OVERRIDE = "Correct compose.override.yaml in the deployment's folder, if you made one."
_RENDER = "deployer render --diff   (shows what else was changed in the files)"

# moby: daemon/libnetwork/ipamapi/contract.go and ipamutils (up to engine 26: "could not find an available …"),
# libnetwork/error.go, drivers/bridge, portallocator; daemon/volume/service/errors.go; daemon/volume/mounts/validate.go;
# daemon/errors.go, delete.go, start.go, exec.go, container/view.go, logger/logger.go; daemon/images/image_delete.go.
# docker/compose: pkg/compose. compose-go: loader, validation. Docker Desktop: "Mounts denied".
TABLE: tuple[MessageRule, ...] = (
    rule(
        r"containerd\.sock",
        "The engine's containerd does not answer.",
        "sudo systemctl restart containerd docker",
        kind=EngineUnavailable,
    ),
    rule(
        r"predefined address pools have been fully subnetted|non-overlapping IPv[46] address pool",
        "The engine has no range of addresses left for the deployment's network.",
        "docker network ls --filter dangling=true   (those in which no container is)",
        "Remove of them what nobody needs: docker network rm NAME",
        "Or give it more: default-address-pools in its daemon.json, then restart it.",
    ),
    rule(
        r"pool overlaps with other one|networks have overlapping IPv[46]|conflicts with network \S+ \(",
        "The range of addresses that the deployment's network asks for is taken by another network.",
        _OVERRIDE,
        "docker network ls   (lists the networks)",
    ),
    rule(
        r"network (\S+) (?:id \S+ )?has active endpoints(?: \(([^)]*)\))?|network (\S+)\s+resource is still in use",
        "The network {1}{3} is in use by other containers. {2}",
        "docker network inspect {1}{3}   (lists them; docker network disconnect takes one out)",
    ),
    rule(
        r"(\S+) hook exited with status 137",
        "A hook of the service '{1}' was ended with its container, which stopped meanwhile.",
        "deployer logs {1}   (shows why it stopped)",
        "Correct the service or its hook in compose.override.yaml, in the deployment's folder.",
    ),
    rule(
        r"(\S+) hook exited with status (\d+)",
        "A hook of the service '{1}' ended with exit code {2}.",
        "Correct post_start or pre_stop of '{1}' in compose.override.yaml, in the deployment's folder.",
    ),
    rule(
        r"cannot expose privileged port (\d+)",
        "A rootless engine may not publish port {1}: the system keeps the ports below 1024 for root.",
        "deployer up --port 5000   (or another port above 1023)",
        "Or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start={1}",
    ),
    rule(
        r"cannot assign requested address",
        "The engine's machine does not have the address to listen on.",
        "Set `bind` (and `host`) to an address of that machine, or bind to auto.",
    ),
    rule(
        r"port is already allocated|address already in use|ports are not available|all ports are allocated",
        "The port is taken by something else.",
        "deployer up --port PORT   (with a free one)",
    ),
    rule(
        r"no chain/target/match by that name|iptables failed|failed to .*(?:nftables|iptables)",
        "The engine's firewall rules are gone or cannot be written: something else has changed the firewall.",
        "sudo systemctl restart docker   (writes them again)",
    ),
    rule(
        r"remove (\S+): volume is in use - \[([^\]]*)\]",
        "The volume {1} is in use by a container.",
        "docker ps --all --filter volume={1}   (lists it)",
    ),
    rule(r"(?:get|remove|inspect) (\S+): no such volume", "There is no volume {1}.", "docker volume ls"),
    rule(
        r'volume "([^"]+)" declared as external, but could not be found|external volume "([^"]+)" not found',
        "The volume {1}{2}, which a Compose file names as external, does not exist.",
        "docker volume create {1}{2}   (makes an empty one)",
    ),
    rule(
        r"network (\S+) declared as external, but could not be found",
        "The network {1}, which a Compose file names as external, does not exist.",
        "docker network create {1}",
    ),
    rule(
        r'container name "/?([^"]+)" is already in use',
        "Another container has the name {1}.",
        "docker rename {1} NAME   (keeps it, under a name that no container has)",
    ),
    rule(
        r"mounts denied|is not shared from the host|path .* is not shared",
        "Docker Desktop may not read the deployment's folder.",
        "Add it in Docker Desktop: Settings, Resources, File sharing.",
    ),
    rule(
        r"bind source path does not exist: (\S+)|error while creating mount source path '([^']+)'",
        "The engine does not see {1}{2}: it is on another machine, or may not look there (as Docker from a snap).",
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
        "Where a file of the deployment belongs there is a folder.",
        "deployer render --diff   (names the files that were changed)",
    ),
    rule(
        r"logging driver does not support reading",
        "The log driver of this container keeps nothing that can be read here.",
        "docker info --format '{{.LoggingDriver}}'   (names the engine's driver: read the logs where it sends them)",
    ),
    rule(
        r"can(?:not|'t| not) (?:start a|get logs from) .*paused|cannot start a paused container"
        r"|container \S+ is paused|unpause the container",
        "A container of the deployment is paused.",
        "docker unpause CONTAINER   (`deployer status` names it)",
    ),
    rule(
        r"container (\S+) is restarting",
        "The container {1} restarts again and again.",
        "deployer logs",
    ),
    rule(
        r"container (\S+) is not running|service \"([^\"]+)\" is not running",
        "The container {1}{2} is not running.",
        "deployer up",
    ),
    rule(
        r"no such container: (\S+)",
        "There is no container {1} (any more).",
        "deployer status",
    ),
    rule(
        r"marked for removal|removal of container \S+ is already in progress|dead or marked",
        "The container is being removed.",
        "Run the command again.",
    ),
    rule(
        r"exec: .* executable file not found|exec: .*: no such file or directory",
        "The image does not hold the program that this service runs; is it the right image?",
        "deployer render --diff   (shows which image is asked for)",
    ),
    rule(
        r"exec format error|exec .*: exec format error",
        "A program of the image is made for another kind of processor than this machine's.",
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
        "The engine has no such image.",
        "docker images",
        kind=ImageNotFound,
    ),
    rule(
        r"invalid reference format|invalid tag format|repository name must |is a reserved name"
        r"|invalid repository name",
        "That is not a valid name of an image.",
        "Write NAME:TAG, the name in lower case: team/app:1.0",
    ),
    rule(
        r"no space left on device|disk quota exceeded",
        "A disk is full: the engine's own, or the registry's.",
        "docker system df   (what the engine's takes up)",
        "df -h   (on the machine that runs the registry)",
    ),
    rule(
        r"cannot allocate memory|resource temporarily unavailable|too many open files",
        "The engine's machine has no memory, processes or open files left.",
        "Free some on it, then run the command again.",
    ),
    rule(
        r"insufficient UIDs or GIDs|failed to lchown .*invalid argument|/etc/subuid",
        "The image has files of users beyond the numbers that this engine (rootless, or with userns-remap) has.",
        "Widen the range of the engine's user in /etc/subuid and /etc/subgid, then restart the engine.",
    ),
    rule(
        r"max depth exceeded",
        "The image has more layers than the engine can hold.",
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
        "The image that this machine has is made for another platform than the one that is asked for.",
        "unset DOCKER_DEFAULT_PLATFORM",
        "deployer up --build   (builds deployer's own images again, for this machine)",
    ),
)
