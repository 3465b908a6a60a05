"""Reading versions."""

from __future__ import annotations

import pytest

from tools.machine import versions


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.40.3\n", (2, 40, 3)),
        ("2.26.1-4", (2, 26, 1)),
        ("1:29.1", (29, 1)),
        ("20.10.24+dfsg1-1", (20, 10, 24)),
        ("docker: 'compose' is not a docker command.", ()),
        ("", ()),
    ],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert versions.version_of(text) == version
