from __future__ import annotations

import pytest

from deployer.address import host_port, is_loopback
from deployer.registry.protocol.place import Place
from deployer.settings.model import Settings


@pytest.mark.parametrize(
    ("host", "written"), [("a.example", "a.example:5000"), ("192.0.2.1", "192.0.2.1:5000"), ("::1", "[::1]:5000")]
)
def test_a_host_and_a_port_are_written_the_same_everywhere(host: str, written: str) -> None:
    assert host_port(host, 5000) == Settings(host=host).address == Place.of(f"http://{written}").address == written


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost.example", False),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("a.example", False),
    ],
)
def test_what_is_this_machine_alone(host: str, found: bool) -> None:
    assert is_loopback(host) == Settings(host=host).is_loopback == Place.of(f"http://{host_port(host, 1)}").is_loopback
    assert is_loopback(host) == found
