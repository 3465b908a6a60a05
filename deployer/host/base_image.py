"""A Debian root file system, made here from Debian's (or Ubuntu's) packages, without Docker Hub."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host import programs

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYRINGS = {
    "debian": Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    "ubuntu": Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
}
# What the health checks and certificate checks inside the images need.
_PACKAGES = "ca-certificates,wget"


def make_archive(archive: Path, allow: Callable[[str], None]) -> None:
    """Write a minimal root file system of this machine's own release as a tar archive; takes about 20 s.

    `allow` is asked before a package is installed. Raises HostError.
    """
    purpose = "Building images from Debian packages"
    release = _release()
    family = next(
        (name for name in (release.get("ID", ""), *release.get("ID_LIKE", "").split()) if name in _KEYRINGS), ""
    )
    suite = release.get("VERSION_CODENAME", "")
    if not family or not suite:
        raise HostError(
            f"{purpose} works only on Debian and Ubuntu; this is {release.get('NAME', platform.system())}.",
            (
                "Load the images from a file: docker load < images.tar",
                "Set their names in registry.image and frontend.image.",
            ),
        )
    programs.need("mmdebstrap", "mmdebstrap", purpose=purpose, allow=allow)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{unneeded}/*" for unneeded in ("doc", "man", "locale", "info")]
    if _KEYRINGS[family].exists():
        command.append(f"--keyring={_KEYRINGS[family]}")
    programs.run([*command, suite, "-", *_mirrors(suite)], "Creating a Debian base image", output=archive)


def _release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _mirrors(suite: str) -> list[str]:
    """This machine's own sources of the release, as lines of sources.list."""
    listed = programs.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)",
            "Created-By: Packages",
        ],
        "Asking apt for its sources",
    )
    lines = []
    for line in listed.splitlines():
        origin, address, codename, component = line.split("|")
        if origin in {"Debian", "Ubuntu"} and codename.startswith(suite):
            lines.append(f"deb {address} {codename} {component}")
    return lines
