"""The addresses of S3 and REST servers: restic's forms, checked before its container is started.

Restic parses them loosely (its sources, internal/backend/s3 and rest, config.go): it takes the bucket in
`s3://BUCKET/FOLDER` for a host, drops a login in an S3 address, and finds a missing scheme only when it connects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import UsageError
from deployer.redaction import HIDDEN, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

S3, REST = "s3:", "rest:"
_S3_FORM, _REST_FORM = "s3:https://HOST/BUCKET", "rest:https://HOST/PATH/"
_HOST = r"(?P<host>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?"
_SERVER = re.compile(_HOST, re.ASCII)
_REST = re.compile(rf"https?://(?P<login>[\w.~!$&'()*+,;=:%-]*@)?{_HOST}(?P<path>/[^\s?#]*)?", re.ASCII)
# A bucket's name, as the client of S3 in restic takes it (minio-go, pkg/s3utils).
_BUCKET = re.compile(r"[A-Za-z0-9][\w.:-]{1,61}[A-Za-z0-9]", re.ASCII)
_NO_BUCKET = re.compile(r"\.\.|\.-|-\.|\d+(?:\.\d+){3}")
_PAIRS = {
    S3: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    REST: ("RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD"),
}


def is_address(written: str) -> bool:
    """Whether a target is on one of these servers."""
    return written.startswith((S3, REST))


def check(written: str) -> None:
    """Make sure that restic will understand an address as it is meant. Raises UsageError with the right form."""
    if written.startswith(S3):
        _check_s3(written)
    else:
        _check_rest(written)


def check_login(written: str, environment: Mapping[str, str]) -> None:
    """Make sure that the login in the environment is complete, if there is one. Raises UsageError.

    Without any, a server without login is meant, or one that knows the machine, as Amazon's do.
    """
    kind = next((kind for kind in _PAIRS if written.startswith(kind)), None)
    if kind is None or has_login(written):
        return
    there = [name for name in _PAIRS[kind] if environment.get(name)]
    missing = [name for name in _PAIRS[kind] if name not in there]
    if there and missing:
        raise UsageError(
            f"{there[0]} is set, but {missing[0]} is not.", (f"Set both for {without_secrets(written)}, or neither.",)
        )


def has_login(written: str) -> bool:
    """Whether an address has a login of its own."""
    found = _REST.fullmatch(written.removeprefix(REST)) if written.startswith(REST) else None
    return found is not None and bool(found["login"])


def _check_s3(written: str) -> None:
    address = written.removeprefix(S3)
    scheme = re.match("https?://", address)
    # Restic reads all that begins with "http" as a URL.
    bare = address[scheme.end() :] if scheme else address.removeprefix("//")
    server, _, path = bare.partition("/")
    if "@" in server:
        raise _invalid(
            f"{S3}{scheme[0] if scheme else ''}{HIDDEN}@{server.rpartition('@')[2]}",
            "An S3 address has no login: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.",
        )
    is_server = _is_server(server)
    if not is_server or re.search(r"[\s?#]", bare) or (not scheme and address.startswith("http")):
        raise _invalid(written, f"Use {_S3_FORM}.")
    if not scheme and not (re.search("[.:]", server) or server == "localhost"):
        # As Amazon's own tools write it.
        place = bare.rstrip("/")
        raise UsageError(
            f"'{written}' names no server: '{server}' is in the place of its host.",
            (
                f"For a bucket at Amazon: s3:https://s3.amazonaws.com/{place}",
                f"At another server: s3:https://HOST/{place}",
                *((f"For a server of that name: s3:https://{place}",) if "/" in place else ()),
            ),
        )
    bucket = path.partition("/")[0]
    if not bucket:
        raise UsageError(
            f"'{written}' names no bucket.", (f"Use {S3}{scheme[0] if scheme else 'https://'}{server}/BUCKET.",)
        )
    if not _BUCKET.fullmatch(bucket) or _NO_BUCKET.search(bucket):
        raise UsageError(
            f"'{bucket}' in '{written}' is not a valid name of a bucket.",
            ("A bucket's name has 3 to 63 lowercase letters, digits, '.' and '-'.",),
        )


def _check_rest(written: str) -> None:
    address = written.removeprefix(REST)
    found = _REST.fullmatch(address)
    if found and _is_port(found["port"]):
        return
    bare = address.removeprefix("//")
    server, _, path = bare.partition("/")
    if "://" in address or not _is_server(server) or re.search(r"[\s?#]", bare):
        raise _invalid(written, f"Use {_REST_FORM}.", "The login can be in RESTIC_REST_USERNAME and _PASSWORD.")
    raise UsageError(
        f"'{written}' does not say whether the server has TLS.",
        (f"Use {REST}https://{server}/{path}, or without TLS {REST}http://{server}/{path}.",),
    )


def _is_server(text: str) -> bool:
    found = _SERVER.fullmatch(text)
    return found is not None and _is_port(found["port"])


def _is_port(text: str | None) -> bool:
    return text is None or 0 < int(text) <= 65535


def _invalid(written: str, *advice: str) -> UsageError:
    return UsageError(f"'{without_secrets(written)}' is not a valid backup target.", advice)
