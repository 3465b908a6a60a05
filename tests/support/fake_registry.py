"""A registry in memory that answers as distribution 2.8 or 3 does, for tests without an engine."""

from __future__ import annotations

import base64
import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.registry_content import TYPES, push, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.registry_content import Image

HTML = b"<!doctype html><html><head><title>Welcome</title></head><body>It works</body></html>"

_PATH = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs|tags)/(?P<rest>.+)")
_INDEXES = {types["index"] for types in TYPES.values()}


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request, as the registry saw it."""

    method: str
    path: str
    headers: Mapping[str, str]


def refused(status: int, code: str, detail: Any = None, message: str = "no") -> Reply:
    """A refusal in the registry's own form."""
    entry = {"code": code, "message": message, **({"detail": detail} if detail else {})}
    return Reply(status, json.dumps({"errors": [entry]}).encode(), {"Content-Type": "application/json; charset=utf-8"})


@dataclass
class Held:
    """What one repository holds: manifests as (media type, bytes) by digest, and tags; a damaged tag names ""."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeRegistry:
    """`version` is "2.8" or "3"; `before` may answer a request in its place, or act first."""

    version: str = "2.8"
    deleting: str = "enabled"
    max_entries: int = 1_000_000
    tags_page: int | None = None
    emptied: str = "null"
    user: tuple[str, str] | None = None
    challenge: str = 'Basic realm="registry"'
    repositories: dict[str, Held] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    before: Callable[[Asked], Reply | None] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def transport(self) -> httpx.MockTransport:
        """The registry behind an httpx client, without a network."""

        def answer(request: httpx.Request) -> httpx.Response:
            path = request.url.raw_path.decode()
            reply = self.answer(request.method, path, dict(request.headers), request.read())
            headers = {"Content-Length": str(len(reply.body)), **reply.headers}
            return httpx.Response(
                reply.status, headers=headers, content=b"" if request.method == "HEAD" else reply.body
            )

        return httpx.MockTransport(answer)

    @property
    def client(self) -> httpx.Client:
        """A client for the tests' own pushes."""
        return httpx.Client(base_url="http://fake", transport=self.transport)

    def asked_for(self, *methods: str) -> list[str]:
        """The paths that were asked for with these methods, in order."""
        return [one.path for one in self.asked if one.method in methods]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        asked = Asked(method, path, {key.lower(): value for key, value in headers.items()})
        with self._lock:
            self.asked.append(asked)
        if self.before is not None and (reply := self.before(asked)) is not None:
            return reply
        with self._lock:
            reply = self._refuse_stranger(asked) or self._answer(asked, body)
        return Reply(reply.status, reply.body, {"Docker-Distribution-Api-Version": "registry/2.0", **reply.headers})

    def _refuse_stranger(self, asked: Asked) -> Reply | None:
        if self.user is None:
            return None
        expected = "Basic " + base64.b64encode(":".join(self.user).encode()).decode()
        if asked.headers.get("authorization") == expected:
            return None
        reply = refused(401, "UNAUTHORIZED", message="authentication required")
        return Reply(401, reply.body, {**reply.headers, "WWW-Authenticate": self.challenge})

    def _answer(self, asked: Asked, body: bytes) -> Reply:
        parts = urlsplit(asked.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/v2/":
            return Reply(200, b"{}", {"Content-Type": "application/json"})
        if parts.path == "/v2/_catalog":
            return self._catalog(query)
        found = _PATH.fullmatch(parts.path)
        if not found:
            return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        name, kind, rest = found.group("name"), found.group("kind"), found.group("rest")
        if kind == "tags":
            return self._tags(name, query)
        if kind == "blobs":
            return self._blob(asked.method, name, rest, query, body)
        return self._manifest(asked, name, rest, body)

    def _catalog(self, query: Mapping[str, str]) -> Reply:
        size = int(query.get("n", min(100, self.max_entries)))
        if size > self.max_entries:
            return refused(400, "PAGINATION_NUMBER_INVALID", {"n": size})
        return _page("/v2/_catalog", "repositories", sorted(self.repositories), size, query.get("last", ""))

    def _tags(self, name: str, query: Mapping[str, str]) -> Reply:
        held = self.repositories.get(name)
        if held is None or (not held.tags and self.emptied == "404"):
            return refused(404, "NAME_UNKNOWN", {"name": name})
        if not held.tags:
            return _json({"name": name, "tags": None if self.emptied == "null" else []})
        names = list(held.tags)
        if self.version == "2.8" or self.tags_page is None:
            return _json({"name": name, "tags": names if self.version == "2.8" else sorted(names)})
        return _page(f"/v2/{name}/tags/list", "tags", sorted(names), self.tags_page, query.get("last", ""))

    def _blob(self, method: str, name: str, rest: str, query: Mapping[str, str], body: bytes) -> Reply:
        if method == "POST":
            return Reply(202, b"", {"Location": f"/v2/{name}/blobs/uploads/1?_state=x"})
        if method == "PUT":
            self.blobs[query["digest"]] = body
            return Reply(201) if sha256(body) == query["digest"] else refused(400, "DIGEST_INVALID")
        if rest not in self.blobs:
            return refused(404, "BLOB_UNKNOWN")
        return Reply(200, self.blobs[rest], {"Content-Type": "application/octet-stream", "Docker-Content-Digest": rest})

    def _manifest(self, asked: Asked, name: str, reference: str, body: bytes) -> Reply:
        if asked.method == "PUT":
            held = self.repositories.setdefault(name, Held())
            return self._put(held, reference, asked.headers["content-type"], body)
        if asked.method == "DELETE":
            return self._delete(name, reference)
        held = self.repositories.get(name, Held())
        digest = held.tags.get(reference, reference)
        if digest not in held.manifests:
            return refused(404, "MANIFEST_UNKNOWN", {"Tag": reference}) if digest else refused(500, "UNKNOWN")
        media_type, content = held.manifests[digest]
        if media_type not in asked.headers.get("accept", ""):
            # What 2.8 does to clients that do not name the types they take.
            media_type, content = "application/vnd.docker.distribution.manifest.v1+prettyjws", b'{"schemaVersion": 1}'
        headers = {"Docker-Content-Digest": sha256(content), "Etag": f'"{sha256(content)}"', "Content-Type": media_type}
        return Reply(200, content, headers)

    def _put(self, held: Held, reference: str, media_type: str, body: bytes) -> Reply:
        digest = sha256(body)
        held.manifests[digest] = (media_type, body)
        if not reference.startswith("sha256:"):
            held.tags[reference] = digest
        return Reply(201, b"", {"Docker-Content-Digest": digest})

    def _untag(self, held: Held, tag: str) -> Reply:
        if self.version == "2.8":
            return refused(400, "DIGEST_INVALID")
        return refused(404, "MANIFEST_UNKNOWN") if held.tags.pop(tag, None) is None else Reply(202)

    def _delete(self, name: str, reference: str) -> Reply:
        if self.deleting == "read-only":
            return Reply(405, b"Method not allowed\n", {"Content-Type": "text/plain"})
        if self.deleting == "disabled":
            return refused(405, "UNSUPPORTED")
        held = self.repositories.get(name, Held())
        if not reference.startswith("sha256:"):
            return self._untag(held, reference)
        if held.manifests.pop(reference, None) is None:
            return refused(404, "MANIFEST_UNKNOWN")
        if "" in held.tags.values():
            # The manifest is gone by now, and its tags stay.
            return refused(500, "UNKNOWN")
        held.tags = {tag: digest for tag, digest in held.tags.items() if digest != reference}
        return Reply(202)


def pushed(fake: FakeRegistry, repository: str, tag: str | None, *contents: Image) -> Image:
    """Push the last under the tag, those before it under their digests; what was asked for that is forgotten."""
    with fake.client as pusher:
        for content in contents[:-1]:
            push(pusher, repository, None, content)
        push(pusher, repository, tag, contents[-1])
    fake.asked.clear()
    return contents[-1]


def _json(value: Any) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8"})


def _page(path: str, key: str, names: list[str], size: int, last: str) -> Reply:
    rest = [name for name in names if name > last]
    reply = _json({key: rest[:size]})
    if len(rest) <= size:
        return reply
    link = f'<{path}?last={rest[size - 1]}&n={size}>; rel="next"'
    return Reply(200, reply.body, {**reply.headers, "Link": link})


@contextmanager
def serving(answer: Callable[[str, str, Mapping[str, str], bytes], Reply]) -> Iterator[int]:
    """Serve these answers on a port of the loopback interface, over real HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body in one piece: two would wait for each other's acknowledgement.
        wbufsize = -1

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = answer(self.command, self.path, dict(self.headers), body)
            # Without a Date of its own, so that an answer may have another or none.
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                # A client may give up in the middle of an answer.
                with suppress(ConnectionError):
                    self.wfile.write(reply.body)
                    self.wfile.flush()
                return
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
