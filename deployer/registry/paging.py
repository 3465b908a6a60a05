"""Lists that come in pages: the Link header's `rel="next"` (OCI distribution specification)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from deployer.errors import RegistryError
from deployer.printable import printable
from deployer.registry.protocol.answers import not_a_registry, refusal

if TYPE_CHECKING:
    from deployer.registry.connection.transport import Transport
    from deployer.registry.protocol.answers import Answer

_MAX_PAGES = 100_000
_LINK = re.compile(r"<([^>]*)>([^,<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\"?(?:\s|;|$)", re.IGNORECASE)


def collect(transport: Transport, first: Answer, key: str) -> list[str]:
    """All names under `key`, from this page and those it links to; a null list holds none.

    Raises RegistryError if the pages go in a circle, break off, or hold something else.
    """
    names: list[str] = []
    seen: set[str] = set()
    page = first
    while True:
        names += _names(page, transport, key)
        seen.add(_path(page.url))
        target = next_page(page)
        if target is None:
            return names
        if target in seen or len(seen) >= _MAX_PAGES:
            raise RegistryError(
                f"The registry at {transport.place.address} returned its {key} in an endless loop.",
                original=printable(str(page.headers.get("Link", ""))),
            )
        page = _following(transport, target, key)


def next_page(page: Answer) -> str | None:
    """Path and query of the next page, or None after the last.

    Host and scheme of the link are left out: a registry behind a proxy may not know its own.
    """
    for target, parameters in _LINK.findall(", ".join(page.headers.get_list("Link"))):
        if _NEXT.search(parameters):
            return _path(urljoin(page.url, target))
    return None


def _following(transport: Transport, target: str, key: str) -> Answer:
    try:
        page = transport.send("GET", target)
    except RegistryError as error:
        if key == "repositories":
            # distribution 3 panics while paging if `foo` and `foo/1bar` both exist.
            advice = "It does not page its catalog; set catalog.maxentries: 1000000 in its configuration."
            raise type(error)(error.message, (*error.advice, advice), error.original) from error
        raise
    if not page.ok:
        raise refusal(page, transport.place)
    return page


def _names(page: Answer, transport: Transport, key: str) -> list[str]:
    document = page.json_object(transport.place)
    names = document.get(key)
    if names is None and key in document:
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise not_a_registry(page, transport.place)
    return names


def _path(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, ""))
