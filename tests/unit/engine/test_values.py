from __future__ import annotations

from typing import Any

import pytest

from deployer.engine.values import ServiceContainer

RAW: dict[str, Any] = {
    "Id": "1",
    "Name": "/registry-frontend-1",
    "Image": "sha256:1",
    "State": {"Status": "running", "StartedAt": "2026-01-01T00:00:00Z", "ExitCode": 0},
    "Config": {"Image": "caddy:2", "Labels": {}},
}


def container(options: dict[str, Any], ports: dict[str, Any] | None) -> ServiceContainer:
    host = {"RestartPolicy": {"Name": ""}, "PortBindings": options}
    return ServiceContainer.of({**RAW, "HostConfig": host, "NetworkSettings": {"Ports": ports}})


@pytest.mark.parametrize(
    ("asked", "state", "expected"),
    [
        ("5000", "5000", (5000,)),
        # A range lets the engine choose; so do 0 and nothing.
        ("5640-5645", "5641", (5641,)),
        ("0", "49153", (49153,)),
        ("", "49153", (49153,)),
        # What does not run has no port but the one it asks for.
        ("5000", None, (5000,)),
        ("5640-5645", None, ()),
        ("", None, ()),
    ],
)
def test_the_ports_are_those_that_the_engine_has_chosen(
    asked: str, state: str | None, expected: tuple[int, ...]
) -> None:
    chosen = {"5001/tcp": [{"HostIp": "127.0.0.1", "HostPort": state}], "80/tcp": None} if state else {}
    found = container({"5001/tcp": [{"HostIp": "127.0.0.1", "HostPort": asked}], "80/tcp": None}, chosen)
    assert found.ports == expected
    assert found.is_published


@pytest.mark.parametrize("mode", ["", "default", "bridge", "host", "none", "container:1"])
def test_a_network_that_nobody_made_for_it_cannot_be_lost(mode: str) -> None:
    host = {"RestartPolicy": {"Name": ""}, "NetworkMode": mode}
    assert not ServiceContainer.of({**RAW, "HostConfig": host, "NetworkSettings": {"Networks": {}}}).is_disconnected


@pytest.mark.parametrize(
    ("networks", "expected"), [({}, True), ({"b": None}, True), ({"a": {"NetworkID": "1"}}, False)]
)
def test_the_network_that_it_was_made_for_can(networks: dict[str, Any], expected: bool) -> None:
    host = {"RestartPolicy": {"Name": ""}, "NetworkMode": "a"}
    found = ServiceContainer.of({**RAW, "HostConfig": host, "NetworkSettings": {"Networks": networks}})
    assert found.is_disconnected is expected
