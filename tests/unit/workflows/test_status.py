"""What status finds amiss."""

from __future__ import annotations

import pytest

from deployer.settings import FrontendSettings, Settings
from deployer.workflows import status


@pytest.mark.parametrize(
    ("page", "version", "amiss"),
    [
        ("kwk", "distribution 3.0.0", True),
        ("kwk", "distribution 2.8.3", False),
        ("kwk", "", False),
        ("joxit", "distribution 3.0.0", False),
        ("builtin", "distribution 3.0.0", False),
    ],
)
def test_a_registry_whose_image_told_nothing_may_turn_out_to_be_one_that_kwk_cannot_read(
    page: str, version: str, amiss: bool
) -> None:
    found = status._page(Settings(frontend=FrontendSettings(page=page)), version)  # type: ignore[arg-type]
    expected = f"The page kwk shows no image's details: it needs registry 2.8, and this is {version}."
    assert found == ((expected,) if amiss else ())
