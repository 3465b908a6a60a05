from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.registry.content.imageconfig import ImageConfig, parse_config


def test_a_configuration_is_read() -> None:
    document = {
        "created": "2024-06-29T23:28:22.123456789+02:00",
        "os": "linux",
        "architecture": "arm",
        "variant": "v7",
        "author": "me",
        "config": {
            "Labels": {"a": "b", "n": 1, "é": ["è"]},
            "Entrypoint": ["/bin/app"],
            "Cmd": ["serve"],
            "Env": ["A=b"],
            "WorkingDir": "/srv",
            "User": "app",
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Volumes": {"/data": {}},
        },
    }
    found = parse_config(json.dumps(document).encode())
    assert found.created == datetime(2024, 6, 29, 21, 28, 22, 123456, tzinfo=UTC)
    assert str(found.platform) == "linux/arm/v7"
    assert (found.author, found.user, found.working_directory) == ("me", "app", "/srv")
    assert (found.entrypoint, found.command, found.environment) == (("/bin/app",), ("serve",), ("A=b",))
    assert (found.ports, found.volumes) == (("443/tcp", "80/tcp"), ("/data",))
    assert found.labels == {"a": "b", "n": "1", "é": '["è"]'}


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'{"config": null}', b'{"config": {"Labels": null}}', b"\xff"]
)
def test_what_is_not_there_is_empty(content: bytes) -> None:
    assert parse_config(content) == ImageConfig()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["config", "Labels", "Env", "os", "created"]), inner)
    ),
)


@given(JSON)
def test_no_configuration_makes_reading_fail(document: Any) -> None:
    assert isinstance(parse_config(json.dumps(document).encode()), ImageConfig)
