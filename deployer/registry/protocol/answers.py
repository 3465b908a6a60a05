"""What a registry answers: its form, and its refusals in sentences."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from deployer.errors import (
    DeletingDisabled,
    Denied,
    DeployerError,
    Forbidden,
    NotFound,
    Obstructed,
    RegistryError,
    StorageFull,
    TryAgain,
)
from deployer.layout import DISK_REFUSAL, LOGIN_REQUIRED
from deployer.printable import excerpt, one_line, printable

if TYPE_CHECKING:
    import httpx

    from deployer.registry.protocol.place import Place

API_HEADER = "Docker-Distribution-Api-Version"

# As distribution's drivers report a failed write: by the error's number on Linux (ENOSPC, EDQUOT), or in words.
# distribution has the system's number, or its words: ENOTDIR and EISDIR.
# distribution 3, registry/storage/manifeststore.go: what 2.8 has stored of schema 1.
UNSERVED_SCHEMA_1 = re.compile(r"unrecognized manifest schema version 1\b")
_OBSTACLE = re.compile(r'"Path": ?"([^"]+)"[^}]*"Err": ?(?P<number>20|21)\b|(/\S+): (?:(?P<words>not|is) a directory)')
_FULL = re.compile(r'"Err":\s*(28|122)\b|no space left on device|disk quota exceeded')
_ORIGINAL_LENGTH = 1500
# As Go's servers, nginx and Apache say it.
_TLS_WANTED = re.compile(
    r"http request (?:was sent )?to (?:an )?https (?:server|port)|plain http to an ssl-enabled server", re.IGNORECASE
)
_STANDARD_DENIAL = "requested access to the resource is denied"
_OF_REPOSITORY = re.compile(r"/v2/(?P<name>.+)/(?:manifests|blobs|tags|referrers)/")
# `look` is the frontend's word for HEAD.
_DONE_TO = {"pull": "pull from", "look": "pull from", "push": "push to", "delete": "delete from"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end; `user` is who asked, "" without a login; `via` the proxy between."""

    method: str
    url: str
    status: int
    reason: str
    version: str
    headers: httpx.Headers
    content: bytes = field(repr=False)
    user: str = ""
    via: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def status_line(self) -> str:
        """The first line as HTTP writes it."""
        return f"{self.version} {self.status} {self.reason}".rstrip()

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def has_api_header(self) -> bool:
        """Whether it carries the header that registries put into every answer."""
        return str(self.headers.get(API_HEADER, "")).startswith("registry/2")

    @property
    def errors(self) -> tuple[dict[str, Any], ...]:
        """The errors in the registry's own form (OCI distribution specification, error codes)."""
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError):
            return ()
        found = document.get("errors") if isinstance(document, dict) else None
        return tuple(entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its errors."""
        return tuple(str(entry.get("code", "")) for entry in self.errors)

    @property
    def is_from_registry(self) -> bool:
        """Whether a registry wrote it, and not a web server or a proxy."""
        return self.has_api_header or any(self.codes)

    def json_object(self, place: Place) -> dict[str, Any]:
        """The body as a JSON object. Raises RegistryError if it is none."""
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError) as error:
            if self.has_api_header:
                raise RegistryError(
                    f"The registry at {place.address} sent an unreadable response, or closed the connection.",
                    original=f"{original_text(self)}\n{error}",
                ) from error
            raise not_a_registry(self, place) from error
        if not isinstance(document, dict):
            raise not_a_registry(self, place)
        return document


def original_text(answer: Answer) -> str:
    """What came back, as lines fit for a terminal: status, then the errors or the text's beginning."""
    lines = [f"{answer.method} {answer.url}: {answer.status_line}"]
    for entry in answer.errors:
        detail = entry.get("detail")
        shown = "" if detail in (None, "", {}, []) else f" ({json.dumps(detail, ensure_ascii=False)})"
        lines.append(f"{entry.get('code', '')}: {entry.get('message', '')}{shown}")
    if not answer.errors and answer.content:
        lines.append(_readable(answer))
    return printable("\n".join(lines))[:_ORIGINAL_LENGTH]


def _readable(answer: Answer) -> str:
    text = answer.content[:20_000].decode(errors="replace")
    if "html" in answer.content_type or text.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"a web page: {title.group(1).strip()}" if title else "a web page"
    return " ".join(text.split())[:300]


def tells_tls(answer: Answer) -> bool:
    """Whether a server that was asked in plain HTTP says that this same port speaks TLS.

    Servers send us on to it, or refuse with a sentence; there is no standard for either.
    """
    asked = urlsplit(answer.url)
    if asked.scheme != "http":
        return False
    if answer.status == 400:
        return bool(_TLS_WANTED.search(answer.content[:2000].decode(errors="replace")))
    try:
        target = urlsplit(urljoin(answer.url, answer.headers.get("Location", "")))
        there = (target.scheme, target.hostname, target.port or 443)
    except ValueError:
        return False
    return 300 <= answer.status < 400 and there == ("https", asked.hostname, asked.port or 80)


def not_a_registry(answer: Answer, place: Place) -> DeployerError:
    """The sentence for an answer that no registry gives."""
    through = (f"The response came through the {answer.via}, and may be from the proxy itself.",) if answer.via else ()
    return RegistryError(
        f"The server at {place.url} is not a registry.",
        (f"Check the host and the port: another program may be using {place.address}.", *through),
        original_text(answer),
    )


def refusal(answer: Answer, place: Place) -> DeployerError:
    """The error for an answer that is no success, whatever was asked.

    Callers that know what a 404 means say so themselves.
    """
    original = original_text(answer)
    known = _by_status(answer, place, original)
    if known:
        return known
    if not answer.is_from_registry:
        return not_a_registry(answer, place)
    if answer.status == 404:
        return NotFound(f"The registry at {place.address} has no such resource.", original=original)
    if answer.status == 405:
        return deleting_refused(answer, place) if answer.method == "DELETE" else _not_allowed(place, original)
    if answer.status >= 500:
        return _failure(answer, place, original)
    return RegistryError(f"{place.address} rejected the request (HTTP {answer.status}).", original=original)


def _failure(answer: Answer, place: Place, original: str) -> RegistryError:
    if _FULL.search(original):
        return StorageFull(
            f"The disk of the registry at {place.address} is full.",
            (
                (
                    "On the machine that runs it: deployer gc   (frees the space of deleted images; or free space "
                    "in another way)"
                ),
            ),
            original,
        )
    if UNSERVED_SCHEMA_1.search(original):
        return RegistryError(
            f"The manifest is Docker's schema 1, which the registry at {place.address} cannot serve: version 3 dropped "
            "support for it.",
            (
                (
                    "Registry 2.8 serves it. On the machine that runs the registry, set registry: "
                    '{image: "registry:2.8.3"} in deployer.yaml, and run: deployer upgrade'
                ),
            ),
            original,
        )
    obstacle = _OBSTACLE.search(original)
    if obstacle:
        return _obstructed(obstacle, place, original)
    return RegistryError(
        f"The registry at {place.address} failed (HTTP {answer.status}).",
        ("For details, see the registry's log: deployer logs",),
        original,
    )


def _obstructed(found: re.Match[str], place: Place, original: str) -> Obstructed:
    path = found[1] or found[3]
    if (found["number"] or found["words"]) in {"20", "not"}:
        what = f"there is a file instead of a directory at {path} or above it"
    else:
        what = f"there is a directory instead of a file at {path}"
    return Obstructed(
        f"The registry at {place.address} cannot read its storage: {what}.",
        ("On the machine that runs the registry: deployer doctor   (names it)", "Move it away."),
        original,
    )


def _by_status(answer: Answer, place: Place, original: str) -> DeployerError | None:
    at = f"The registry at {place.address}"
    sign_in = f"docker login {place.address}"
    match answer.status:
        case 401:
            known: DeployerError | None = Denied(f"{at} requires login.", (sign_in,), original)
        case 403 if DISK_REFUSAL in _message(answer):
            known = RegistryError(
                f"{place.address} refuses this{_message(answer)}.",
                ("On the machine that runs the registry: deployer gc   (frees the space of deleted images)",),
                original,
            )
        case 403:
            known = _forbidden(answer, place, original)
        case 429:
            known = TryAgain(f"{at} received too many requests.", (_again(answer),), original)
        case 503 if answer.errors:
            known = TryAgain(f"{at} cannot accept this request now{_message(answer)}.", (_again(answer),), original)
        case 502 | 503 | 504 if not answer.is_from_registry:
            known = TryAgain(
                f"The registry behind {place.address} is not responding (HTTP {answer.status} from the server in "
                "front of it).",
                ("deployer status", "deployer logs registry"),
                original,
            )
        case status if 300 <= status < 400:
            target = excerpt(str(answer.headers.get("Location", "nowhere")))
            advice = "Use that host and port instead."
            known = RegistryError(f"{place.address} redirects to {target}.", (advice,), original)
        case _:
            known = None
    return known


def _forbidden(answer: Answer, place: Place, original: str) -> Forbidden:
    """Who may not do what: from the error's detail if it has one, otherwise from the request."""
    who = f"'{answer.user}'" if answer.user else "you (not logged in)"
    message = _message(answer)
    said = "" if _STANDARD_DENIAL in message else message
    as_another = f"To do it as another user: docker login {place.address}"
    if message.startswith(f": {LOGIN_REQUIRED}"):
        said, as_another = "", f"docker login {place.address}"
    if urlsplit(answer.url).path.startswith("/v2/_catalog"):
        return Forbidden(
            f"The registry at {place.address} does not allow {who} to list all repositories{said}.",
            ("You can still open a repository by name: deployer tags NAME", as_another),
            original,
        )
    return Forbidden(
        f"The registry at {place.address} does not allow {who} to {_what(answer)}{said}.",
        ("The rules are under `access:` in deployer.yaml on the machine that runs the registry.", as_another),
        original,
    )


def _what(answer: Answer) -> str:
    # The form is distribution's: a list with one entry for each access that was asked for.
    details = [entry.get("detail") for entry in answer.errors]
    entries = [one for detail in details if isinstance(detail, list) for one in detail if isinstance(one, dict)]
    wanted = [(str(one["Action"]), str(one["Name"])) for one in entries if one.get("Name") and "Action" in one]
    if not wanted:
        found = _OF_REPOSITORY.match(unquote(urlsplit(answer.url).path))
        if not found:
            return "do this"
        action = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(answer.method, "push")
        wanted = [(action, found["name"])]
    return " or ".join(f"{_DONE_TO.get(action, 'do this to')} '{one_line(name)}'" for action, name in wanted)


def deleting_refused(answer: Answer, place: Place) -> DeletingDisabled:
    """Which of the two reasons a registry has for 405 to a DELETE.

    distribution answers JSON if deleting is disabled and plain text if it is read-only.
    """
    original = original_text(answer)
    if answer.errors:
        return DeletingDisabled(
            f"Deleting is disabled at the registry at {place.address}.",
            (
                (
                    "deployer up   (if deployer runs it, and without REGISTRY_STORAGE_DELETE_ENABLED in "
                    "compose.override.yaml)"
                ),
                "Otherwise, set storage.delete.enabled: true in its configuration.",
            ),
            original,
        )
    return DeletingDisabled(
        f"The registry at {place.address} is read-only: nothing can be deleted.",
        (
            (
                "deployer up   (if deployer runs it, and without REGISTRY_STORAGE_MAINTENANCE_READONLY in "
                "compose.override.yaml)"
            ),
            "Otherwise, remove storage.maintenance.readonly from its configuration.",
        ),
        original,
    )


def _not_allowed(place: Place, original: str) -> RegistryError:
    return RegistryError(f"The registry at {place.address} does not support this kind of request.", original=original)


def _message(answer: Answer) -> str:
    messages = [entry.get("message") for entry in answer.errors]
    first = next((text for text in messages if isinstance(text, str) and text), "")
    return f": {excerpt(first).strip().rstrip('.')}" if first else ""


def _again(answer: Answer) -> str:
    wait = str(answer.headers.get("Retry-After", ""))
    return f"Try again in {wait} seconds." if wait.isdigit() else "Try again in a moment."
