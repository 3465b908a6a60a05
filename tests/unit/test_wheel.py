"""The wheel: what pipx installs carries the templates and runs without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_the_templates_and_runs_on_its_own(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
        names = set(wheel.namelist())
    for template in (path for path in (ROOT / "templates").rglob("*") if path.is_file()):
        assert f"deployer/templates/{template.relative_to(ROOT / 'templates').as_posix()}" in names
    program = (
        "import deployer; from deployer.rendering import deployment, snippets; "
        "print(deployer.__file__); print(len(deployment.page_files()), snippets.override().path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )
    assert done.stdout.startswith(str(installed))
    assert done.stdout.strip().endswith("compose.override.yaml")
