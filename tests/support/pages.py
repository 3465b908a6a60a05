"""Stand-ins for the images of other pages: what they were asked and told, by a small server of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.workflows.deployment.provision import BUILT_FRONTEND
from tests.support.run import RUN, WORKER
from tests.support.stack import docker

if TYPE_CHECKING:
    import httpx

_FOLDER = Path(__file__).parent / "stand_in_page"


@dataclass(frozen=True)
class Asked:
    """What a stand-in says that it was asked, and what its environment holds. Headers in small letters."""

    path: str
    headers: dict[str, str]
    environment: dict[str, str]

    @classmethod
    def of(cls, response: httpx.Response) -> Asked:
        """Read a stand-in's answer, which must be one."""
        assert response.status_code == 200, response.text
        said = response.json()
        headers = {name.lower(): ", ".join(values) for name, values in said["headers"].items()}
        return cls(said["path"], headers, dict(line.split("=", 1) for line in said["environment"]))


def build_stand_ins() -> dict[str, str]:
    """Build the stand-ins from the frontend's image, which must be here; their names, by page."""
    names = {page: f"stand-in-{page}:{RUN}-{WORKER}" for page in ("joxit", "kwk")}
    for page, base, file in (("joxit", BUILT_FRONTEND, "Dockerfile"), ("kwk", names["joxit"], "kwk.Dockerfile")):
        recipe = str(_FOLDER / file)
        docker("build", "--quiet", "--build-arg", f"BASE={base}", "--tag", names[page], "--file", recipe, str(_FOLDER))
    return names
