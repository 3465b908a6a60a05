"""Where things stand on this machine."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RUN_DIRECTORY = Path("/var/run")
DAEMON_LOG = Path("/var/log/dockerd.log")
COMPOSE_PLUGIN = Path("/usr/local/lib/docker/cli-plugins/docker-compose")
