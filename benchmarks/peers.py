"""Programs to be measured against that are no part of the project."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

BUILD = Path(__file__).parents[1] / ".build"


def crane() -> str:
    """The crane program: this machine's, or Debian sid's, kept in .build/.

    Raises SystemExit with a sentence if neither can be had.
    """
    found = shutil.which("crane")
    if found:
        return found
    kept = BUILD / "crane" / "usr" / "bin" / "crane"
    if not kept.exists():
        _unpack_from_sid("crane", BUILD / "crane")
    return str(kept)


def _unpack_from_sid(package: str, target: Path) -> None:
    """Download a package of Debian sid through apt, with this machine's own mirror, and unpack it."""
    if not shutil.which("apt-get"):
        raise SystemExit(f"The benchmarks need {package} on PATH; Debian sid has it as a package.")
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    mirror = next((line.split("|")[2] for line in listed.splitlines() if line.startswith("Debian|Debian|")), None)
    if mirror is None:
        raise SystemExit(f"The benchmarks need {package} on PATH; this machine's apt knows no mirror of Debian.")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "lists" / "partial").mkdir(parents=True)
        (root / "sid.list").write_text(
            f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} sid main\n"
        )
        apt = [
            "apt-get", "--quiet", "-o", f"Dir::Etc::sourcelist={root}/sid.list", "-o", "Dir::Etc::sourceparts=-",
            "-o", f"Dir::State::lists={root}/lists", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
            "-o", "APT::Sandbox::User=root",
        ]  # fmt: skip
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run([*apt, "download", package], check=True, capture_output=True, cwd=root)
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "--extract", str(next(root.glob("*.deb"))), str(target)], check=True)
