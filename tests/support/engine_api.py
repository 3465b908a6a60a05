"""Looks at the engine through its own API: a Docker client started for each look costs more than the look."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

import httpx

from tests.support.run import PATIENCE_SECONDS


@cache
def _client() -> httpx.Client:
    """One for this process, to where the Docker client finds the engine, which must be a socket of this machine."""
    context = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    host = subprocess.run(context, check=True, capture_output=True, text=True).stdout.strip()
    assert host.startswith("unix://"), f"the tests need an engine of this machine, not {host}"
    transport = httpx.HTTPTransport(uds=host.removeprefix("unix://"))
    return httpx.Client(transport=transport, base_url="http://engine", timeout=PATIENCE_SECONDS)


def containers(label: str) -> list[dict[str, Any]]:
    """All containers with a label, also those that have ended, as `GET /containers/json` tells them."""
    filters = json.dumps({"label": [label]})
    answer = _client().get("/containers/json", params={"all": "true", "filters": filters})
    return list(answer.raise_for_status().json())


def remove_project(name: str) -> None:
    """Remove the containers, volumes and networks of one Compose project; what is gone already is no failure."""
    label = f"com.docker.compose.project={name}"
    client = _client()
    for container in containers(label):
        client.delete(f"/containers/{container['Id']}", params={"force": "true", "v": "true"})
    filters = {"filters": json.dumps({"label": [label]})}
    for volume in client.get("/volumes", params=filters).raise_for_status().json()["Volumes"] or []:
        client.delete(f"/volumes/{volume['Name']}", params={"force": "true"})
    for network in client.get("/networks", params=filters).raise_for_status().json():
        client.delete(f"/networks/{network['Id']}")
