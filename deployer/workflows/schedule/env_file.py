"""A file with variables for a scheduled command, like Compose's `env_file`: one NAME=value per line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host.files import no_access, read_whole

if TYPE_CHECKING:
    from pathlib import Path

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def read(path: Path) -> dict[str, str]:
    """The variables in a file. Raises HostError, without quoting what may be a secret."""
    try:
        text = read_whole(path).decode()
    except OSError as error:
        raise no_access(path, error) from error
    except UnicodeDecodeError as error:
        raise HostError(f"{path} is not valid UTF-8.") from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = _LINE.fullmatch(bare)
        if match is None:
            raise HostError(f"{path}:{number}: not in the form NAME=value.")
        value = match[2].strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[match[1]] = value[1:-1] if quoted else value
    return found
