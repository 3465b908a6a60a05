"""What Docker prints, turned into an error in the user's terms, with the command that fixes it.

The tables are in `client.py`, `engine.py` and `registry.py` beside this.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING

from deployer.engine.messages import client, engine, registry
from deployer.engine.messages.ended import Ended
from deployer.errors import EngineError, EngineUnavailable
from deployer.redaction import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Lines that are not the reason: how to use the client, warnings, progress, rules.
_NO_REASON = re.compile(
    r"^(?:(?:Run|See) '.*(?:--help|COMMAND)|Usage:|WARNING:|DEPRECATED|time=\S+ level=(?:warn|info|debug)|-{3,}$|\s*$|"
    r"\s*(?:Network|Volume|Container) \S+\s+(?:Creat|Start|Stopp|Remov|Recreat|Runn|Wait)\w+\s*$|exit status \d+$)"
)
_PREFIX = re.compile(
    r"^(?:docker: |Error response from daemon: |Failed to initialize: |Error: |ERROR: |failed to solve: )+",
    re.IGNORECASE,
)
_LOGGED = re.compile(r'^time=\S+ level=(?:error|fatal) msg="(.*)"$')
_NONE: Mapping[str, str] = MappingProxyType({})
_TRACE = re.compile(r"^goroutine \d+ \[")


def translate(
    original: str, *, address: str = "", variables: Mapping[str, str] = _NONE, ended: Ended | None = None
) -> EngineError:
    """Turn what Docker printed into an error that says what happened and how to fix it.

    `address` is the registry that was spoken to, HOST:PORT or words such as "the image's registry"; without one the
    engine itself is what complains. `variables` are those that the client ran with; how it `ended` is
    reported if it printed no reason.
    """
    original = without_secrets(original)
    for rule in (*client.TABLE, *engine.TABLE, *(registry.TABLE if address else engine.LOCAL)):
        error = rule.error_for(original, address, variables)
        if error is not None:
            return error
    reason = last_line(original)
    if not reason and ended is not None:
        return ended.error(original)
    return EngineError(reason or "Docker failed and gave no reason.", (), original)


def last_line(original: str) -> str:
    """What Docker gave as its reason: the last line that is one, without what is before each of them."""
    lines = list(takewhile(lambda line: not _TRACE.match(line), original.strip().splitlines()))
    reasons = [line.strip() for line in lines if not _NO_REASON.match(line)]
    if not reasons:
        return ""
    logged = _LOGGED.match(reasons[-1])
    return _PREFIX.sub("", logged[1].replace('\\"', '"') if logged else reasons[-1])


@contextmanager
def translated(variables: Mapping[str, str] = _NONE, drawn: Callable[[], str] = str) -> Iterator[None]:
    """Turn what running the client raises, here or in python-on-whales, into our errors.

    `variables` are those that the client ran with; `drawn` tells what it said on the terminal.
    """
    try:
        yield
    except OSError as error:
        # Without the program's name it is no failure to run it, but of what is done with its output.
        if error.filename is None:
            raise
        raise _no_client(error) from error
    except Exception as error:
        # Compared by name, so that python-on-whales need not be imported to tell.
        if type(error).__name__ == "ClientNotFoundError":
            raise _no_client(error) from error
        if not hasattr(error, "docker_command"):
            raise
        printed = str(getattr(error, "stderr", "") or getattr(error, "stdout", "") or drawn())
        ended = Ended.of_whole(error.docker_command, getattr(error, "return_code", 1))
        raise translate(printed, variables=variables, ended=ended) from error


def _no_client(error: Exception) -> EngineUnavailable:
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        sentence = f"The `docker` program of this machine cannot be run: {error.strerror}."
    else:
        sentence = "The `docker` program is not installed on this machine."
    return EngineUnavailable(sentence, ("Install Docker Engine, or Docker Desktop.",))
