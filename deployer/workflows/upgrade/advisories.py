"""The list of known vulnerabilities: the one in the package, or a file of the user's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from deployer.errors import UsageError
from deployer.host.files import read_if_there
from deployer.rendering.templates import templates_directory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FILE = "advisories.yaml"
_FORM = "A list has `dated` and `advisories`, each with id, component, since, fixed, needs and summary."


@dataclass(frozen=True)
class Advisory:
    """A vulnerability of a service's program: introduced and fixed in which version, and what it needs.

    `debian` is the first revision of Debian's package that has the fix, "" if none is known.
    """

    id: str
    component: str
    since: str
    fixed: str
    needs: str
    summary: str
    debian: str = ""

    def is_fixed_in(self, version: str, package: str = "") -> bool:
        """Whether a version has the fix; one that cannot be read has not.

        `package` is the version of Debian's package, "" if the program is from elsewhere: only a revision that is
        known to have the fix has it, as no others can be compared without dpkg.
        """
        if package and package == self.debian:
            return True
        numbers = _numbers(version)
        return bool(numbers) and numbers >= _numbers(self.fixed)

    def is_older(self, version: str) -> bool:
        """Whether a version is older than the one that introduced it; one that cannot be read is not."""
        numbers = _numbers(version)
        return bool(numbers) and numbers < _numbers(self.since)


@dataclass(frozen=True)
class Advisories:
    """The list, and its date."""

    dated: date
    known: tuple[Advisory, ...]

    def of(self, component: str, version: str, package: str = "") -> Iterable[Advisory]:
        """Those of a component that a version does not have the fix of."""
        return (one for one in self.known if one.component == component and not one.is_fixed_in(version, package))


def load(file: Path | None) -> Advisories:
    """The list in a file, or the package's own. Raises UsageError for one that is not such a list, and HostError."""
    path = file or templates_directory() / _FILE
    content = read_if_there(path)
    if content is None:
        raise UsageError(f"--advisories: there is no file {path}.", (_FORM,))
    try:
        raw: Any = yaml.safe_load(content)
        known = tuple(Advisory(**{key: str(value) for key, value in one.items()}) for one in raw["advisories"])
        dated = raw["dated"] if isinstance(raw["dated"], date) else date.fromisoformat(str(raw["dated"]))
    except (yaml.YAMLError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is not a list of advisories.", (_FORM,), str(error)) from error
    return Advisories(dated, known)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version: (2, 8, 2) of "2.8.2+ds1"; none if it does not begin with one."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    return tuple(int(one) for one in found[1].split(".")) if found else ()
