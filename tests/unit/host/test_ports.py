"""Who listens on this machine's ports."""

from __future__ import annotations

import os
import socket

from deployer.host import ports
from tests.support.run import free_port


def test_a_held_port_is_seen_with_its_holder() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert not ports.is_free("127.0.0.1", port)
        assert not ports.is_free("", port)
        assert ports.listener(port).endswith(f"(process {os.getpid()})")


def test_a_free_port_is_free() -> None:
    port = free_port()
    assert ports.is_free("127.0.0.1", port)
    assert ports.listener(port) == ""


def test_the_port_that_is_advised_is_free_and_is_one() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert ports.free_near(port - 1, ("127.0.0.1",)) != port
    assert 1024 <= ports.free_near(65535, ("",)) < 65535


def test_only_this_machines_addresses_are_its_own() -> None:
    assert ports.is_own_address("127.0.0.1")
    assert not ports.is_own_address("203.0.113.7")
