"""Paths and addresses inside a deployment: in its folder and in its containers."""

from __future__ import annotations

from enum import StrEnum


class Service(StrEnum):
    """The services of a deployment, in the order of their images; the page's is there for some pages only.

    The scheduler runs the registry's image, where there is a schedule and no systemd.
    """

    REGISTRY = "registry"
    FRONTEND = "frontend"
    PAGE = "page"
    SCHEDULER = "scheduler"


HIDDEN_SECRET = "(kept in the file 'secrets')"  # noqa: S105 - what is shown instead of one

# Below the deployment's folder: what the frontend reads about users and rules.
ACCESS_FOLDER = "frontend/access"
# Has a line for each user with access; empty if everyone has access.
USERS_IN_FORCE = f"{ACCESS_FOLDER}/users"
# Holds a line for each access rule.
GRANTS = f"{ACCESS_FOLDER}/grants"
# The copies of the user's own certificate and key that are served.
OWN_CERTIFICATE = "frontend/tls/certificate.pem"
OWN_KEY = "frontend/tls/key.pem"
# What runs a command of the schedule, in the environment of `up`.
RUN_SCHEDULED = "schedule/run.sh"
HIDDEN = {
    RUN_SCHEDULED: "# (runs the scheduled commands, in an environment that may have secrets)",
    USERS_IN_FORCE: "# (the users and the hashes of their passwords, kept in the file 'users')",
    OWN_KEY: "# (the certificate's key)",
}

# Where a registry keeps its images, in its container.
STORAGE = "/var/lib/registry"
# What it makes there (distribution, registry/storage/paths.go), and where that is in its container.
REGISTRY_FOLDER = "docker/registry/v2"
REGISTRY_ROOT = f"{STORAGE}/{REGISTRY_FOLDER}"
BLOBS = f"{REGISTRY_ROOT}/blobs"
# The file there by which a directory is known again, whatever is mounted in its place.
STORAGE_ID = ".deployer-id"

# Where the services find what is rendered for them, in their containers.
CONFIGURATION = "/etc/deployer"
# Where the registry's socket is, in both containers.
SOCKETS = "/run/registry"
# Where Caddy keeps its CA and its certificates, in the frontend's container.
FRONTEND_DATA = "/data"
# What the name of a registry's own CA begins with.
CA_NAME = "deployer registry"
# What is written there while the frontend runs: the gate's marks, and what the page shows of the commands that ran.
GATE_FOLDER = "frontend/gate"
UPKEEP_STATE = "frontend/upkeep/state.json"
NOT_RENDERED = (f"{GATE_FOLDER}/", "frontend/upkeep/")
# The disk guard in the deployment's folder, where it notes the disk's state, in memory, and the history, which is not
# backed up.
DISK_GUARD = "frontend/disk.sh"
DISK_NOTES = "/tmp/disk"  # noqa: S108 - in the frontend's container, which has a /tmp of its own
DISK_HISTORY = f"{SOCKETS}/disk-history"
# How its refusal begins, and the header of uploads that it accepts because they are needed to delete.
DISK_REFUSAL = "pushes are refused: the registry's disk is nearly full"
PLACEHOLDER_HEADER = "Deployer-Placeholder"
# If a rule is for everyone: where the frontend gives tokens, the token of clients that are not logged in, which is not
# base64 and so is no login, and how refusals begin for those.
TOKEN_PATH = "/v2/token"  # noqa: S105 - a path
NOBODY_TOKEN = "anonymous"  # noqa: S105 - known to everyone
LOGIN_REQUIRED = "login required"
# Where the frontend serves the certificate of its own CA.
CA_PATH = "/.well-known/deployer/ca.crt"

# What the frontend reads again while it runs.
RELOADED = ("frontend/access/", "frontend/tls/")
# The file that each service reads once, when it starts.
SERVICE_FILES = {Service.REGISTRY: "registry/config.yaml", Service.FRONTEND: "frontend/Caddyfile"}
# The files that say, in the gate's folder, that writes are paused, wait, or that a helper may be running.
GATE_MARKS = ("closed", "stopping", "draining", ".work")
# With "closed" in it, an answer is the maintenance gate's: the frontend writes nothing for now.
GATE_HEADER = "Deployer-Gate"
