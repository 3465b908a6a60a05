"""Several images asked for at once, from answers that real engines gave to `docker image inspect`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from deployer.engine.client import Client
from deployer.engine.images import Images
from deployer.engine.values import LocalImage
from deployer.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path

# A client that knows some images, complains of the others, and counts how often it was run.
_PROGRAM = """\
import json, sys
folder, complaint = sys.argv[1:3]
known, names = json.load(open(folder + "/known")), sys.argv[7:]
open(folder + "/runs", "a").write("run\\n")
for name in names:
    if name in known:
        print(known[name], 7)
for name in names:
    if name not in known:
        print(complaint.format(name), file=sys.stderr)
sys.exit(any(name not in known for name in names))
"""


@pytest.mark.parametrize("complaint", ["Error response from daemon: No such image: {}", "Error: No such image: {}"])
def test_several_are_asked_for_at_once(complaint: str, tmp_path: Path) -> None:
    (tmp_path / "known").write_text(json.dumps({"a:1": "sha256:a", "c": "sha256:c"}))
    images = Images(Client(os.environ, (sys.executable, "-c", _PROGRAM, str(tmp_path), complaint)))
    found = images.find_all(["a:1", "b:1", "c", "a:1"])
    assert found == {"a:1": LocalImage("sha256:a", 7), "b:1": None, "c": LocalImage("sha256:c", 7)}
    assert len((tmp_path / "runs").read_text().splitlines()) == 1


def test_another_complaint_is_no_missing_image(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(json.dumps({"a:1": "sha256:a"}))
    complaint = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock ({})"
    images = Images(Client(os.environ, (sys.executable, "-c", _PROGRAM, str(tmp_path), complaint)))
    with pytest.raises(EngineUnavailable):
        images.find_all(["a:1", "b:1"])


def test_a_name_without_a_tag_is_missed_under_the_tag_that_the_engine_gives_it(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(json.dumps({"a:1": "sha256:a"}))
    complaint = "Error response from daemon: No such image: {}:latest"
    images = Images(Client(os.environ, (sys.executable, "-c", _PROGRAM, str(tmp_path), complaint)))
    assert images.find_all(["b", "a:1"]) == {"b": None, "a:1": LocalImage("sha256:a", 7)}
    assert len((tmp_path / "runs").read_text().splitlines()) == 1


def test_none_asks_for_nothing() -> None:
    assert Images(Client({}, ("/nowhere",))).find_all([]) == {}
