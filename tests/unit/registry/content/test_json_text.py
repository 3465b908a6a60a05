"""JSON as Go and browsers read it."""

from __future__ import annotations

import pytest

from deployer.registry.content.json_text import read_json


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xef\xbb\xbf{}", b'{"a": NaN}', b'{"a": -Infinity}', b"[" * 200_000, '{"a": 1}'.encode("utf-16")],
)
def test_what_they_refuse_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever Python's reader says
        read_json(content)


def test_what_they_take_is_taken() -> None:
    assert read_json(b'{"by": "Jos\xe9"}') == {"by": "Jos\ufffd"}
    assert read_json(b'{"a": ' + b"9" * 5000 + b', "b": 12, "c": 1e999}') == {
        "a": float("inf"),
        "b": 12,
        "c": float("inf"),
    }
