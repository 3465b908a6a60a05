"""Volumes and networks, with a client in the place of Docker's."""

from __future__ import annotations

import os
import sys

import pytest

from deployer.engine.client import Client
from deployer.engine.resources import Networks
from deployer.errors import EngineError

# Two networks, of which the second is removed before it is asked about, as the engine then says it.
_PROGRAM = """\
import json, sys
if sys.argv[2] == "ls":
    print("1\\n2\\n3")
    sys.exit()
print(json.dumps([
    {"Name": "kept", "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}, {"Subnet": "fd00::/64"}]}},
    {"Name": "none", "IPAM": {"Config": None}},
]))
print(COMPLAINT, file=sys.stderr)
sys.exit(1)
"""


def networks(complaint: str) -> Networks:
    return Networks(Client(os.environ, (sys.executable, "-c", _PROGRAM.replace("COMPLAINT", repr(complaint)))))


def test_a_network_that_is_removed_while_it_is_read_has_no_range() -> None:
    found = networks("Error response from daemon: network 2 not found").subnets()
    assert found == ("172.18.0.0/16", "fd00::/64")


def test_another_failure_is_one() -> None:
    with pytest.raises(EngineError):
        networks("Error response from daemon: something else").subnets()
