"""The Registry HTTP API, one method for each thing that is asked of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from deployer.errors import LateAnswer, NotFound, TooLarge, TryAgain
from deployer.layout import PLACEHOLDER_HEADER
from deployer.reference import is_digest
from deployer.registry.connection.tls_context import installed
from deployer.registry.connection.transport import MEGABYTE, Timeouts, Transport
from deployer.registry.content import manifests
from deployer.registry.content.documents import damage_of, read_document
from deployer.registry.content.imageconfig import CONFIG_MAX_BYTES
from deployer.registry.overview import Overview, parse_overview
from deployer.registry.paging import collect
from deployer.registry.parallel import each
from deployer.registry.protocol.answers import deleting_refused, original_text, refusal
from deployer.registry.protocol.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import httpx

    from deployer.registry.connection.transport import Sink
    from deployer.registry.content.documents import Document
    from deployer.registry.content.manifests import Descriptor, Manifest
    from deployer.registry.login.credentials import Credentials
    from deployer.registry.protocol.answers import Answer
    from deployer.settings.model import Settings

# distribution refuses manifests of more than 4 MiB.
MANIFEST_LIMIT = 5 * MEGABYTE

# One page of everything: ours allows it, and paging is slow and broken. Then the default maximum, then none.
_CATALOG_PAGES = (1_000_000, 1000, None)
_MOMENT = 0.1
# Compressed, the bytes would not be those of the digest.
_EXACT = {"Accept-Encoding": "identity"}
_OF_PLACEHOLDER = {PLACEHOLDER_HEADER: "1"}
# Without all four, 2.8 converts to schema 1 and answers with a digest that nothing has. The last is for whatever
# else a registry holds; distribution passes over it.
_ACCEPT = {"Accept": ", ".join((*manifests.MANIFEST_TYPES, "*/*")), **_EXACT}

Item = TypeVar("Item")
Result = TypeVar("Result")


class RegistryClient:
    """One registry. Use it in a `with` block, from as many threads as you like.

    `url` is `http://host:port`, or with https; one that is asked in plain HTTP and speaks TLS is asked
    in HTTPS. `environment` says where Docker's logins, installed CAs and a proxy are;
    `credentials` replace the saved login; `plain` says that the registry has no TLS, so
    that a login may cross the network unencrypted; `ca` is the certificate of the
    deployment's own CA, trusted as well. `concurrency` bounds the parallel requests. Every
    method raises RegistryUnreachable, Denied or RegistryError as well as what it names itself.
    """

    def __init__(  # noqa: PLR0913 - all but the URL by name
        self,
        url: str,
        environment: Mapping[str, str],
        *,
        concurrency: int = 8,
        timeouts: Timeouts | None = None,
        credentials: Credentials | None = None,
        plain: bool = False,
        ca: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._concurrency = concurrency
        self._has_overview = True
        self._unchecked: set[str] = set()
        self._transport = Transport(
            url,
            environment,
            connections=concurrency,
            timeouts=timeouts or Timeouts(),
            trust=installed(Place.of(url), environment, ca),
            credentials=credentials,
            plain=plain,
            inner=transport,
        )

    @classmethod
    def of(
        cls,
        settings: Settings,
        environment: Mapping[str, str],
        ca: Path | None,
        *,
        credentials: Credentials | None = None,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """The registry that settings name. `ca` is where its own CA would be kept on this machine."""
        return cls(
            settings.url,
            environment,
            timeouts=timeouts,
            credentials=credentials,
            plain=settings.tls.is_off,
            ca=ca if ca and ca.is_file() else None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    @property
    def place(self) -> Place:
        """Where the registry is."""
        return self._transport.place

    @property
    def signs_in(self) -> bool:
        """Whether the registry asked for a login so far."""
        return self._transport.signs_in

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call the function for every item, as many at once as this client allows, results in order."""
        return each(function, items, self._concurrency)

    def ping(self) -> None:
        """Make sure that a registry answers, and lets us in (`GET /v2/`)."""
        answer = self._get("/v2/")
        if not answer.ok:
            raise refusal(answer, self.place)
        if not answer.has_api_header:
            answer.json_object(self.place)

    def time(self) -> datetime | None:
        """What the registry's clock says, from the Date of its answer (RFC 9110, 6.6.1); None if it says none."""
        try:
            found = parsedate_to_datetime(self._get("/v2/").headers.get("Date", ""))
        except ValueError:
            return None
        return found if found.tzinfo else None

    def catalog(self) -> tuple[str, ...]:
        """The names of all repositories, sorted (`GET /v2/_catalog`)."""
        for size in _CATALOG_PAGES:
            answer = self._get("/v2/_catalog" + (f"?{urlencode({'n': size})}" if size else ""))
            if answer.status == 400 and "PAGINATION_NUMBER_INVALID" in answer.codes and size:
                continue
            break
        if not answer.ok:
            raise refusal(answer, self.place)
        return tuple(sorted(set(collect(self._transport, answer, "repositories"))))

    def tags(self, repository: str) -> tuple[str, ...]:
        """The tags of one repository, sorted; none if it is emptied. Raises NotFound."""
        answer = self._get(f"{_base(repository)}/tags/list")
        if answer.status == 404 and answer.is_from_registry:
            raise NotFound(
                f"No repository named '{repository}' at {self.place.address}.", original=original_text(answer)
            )
        if not answer.ok:
            raise refusal(answer, self.place)
        return tuple(sorted(set(collect(self._transport, answer, "tags"))))

    def head(self, repository: str, reference: str) -> Descriptor:
        """Type, digest and size of the manifest behind a tag or digest, whatever it says. Raises NotFound."""
        path = _manifest_path(repository, reference)
        answer = self._transport.send("HEAD", path, headers=_ACCEPT)
        digest = str(answer.headers.get("Docker-Content-Digest", ""))
        length = str(answer.headers.get("Content-Length", ""))
        if not (answer.ok and is_digest(digest) and length.isdecimal()):
            # A HEAD answer has no body that says what is wrong; the GET has.
            found = self.document(repository, reference)
            return manifests.Descriptor(found.media_type, found.digest, len(found.content))
        return manifests.Descriptor(answer.content_type, digest, int(length))

    def document(self, repository: str, reference: str, limit: int = MANIFEST_LIMIT) -> Document:
        """The manifest behind a tag or digest, of at most `limit` bytes, not interpreted. Raises NotFound."""
        path = _manifest_path(repository, reference)
        answer = self._transport.send("GET", path, headers=_ACCEPT, limit=limit)
        if answer.status == 500 and not is_digest(reference):
            # A tag that is being pushed is an empty file for a moment, on which 2.8 fails.
            time.sleep(_MOMENT)
            answer = self._transport.send("GET", path, headers=_ACCEPT, limit=limit)
        separator = "@" if is_digest(reference) else ":"
        name = f"{repository}{separator}{reference}"
        if answer.status == 404 and answer.is_from_registry:
            raise NotFound(f"No image '{name}' at {self.place.address}.", original=original_text(answer))
        if not answer.ok:
            raise refusal(answer, self.place)
        return read_document(answer, reference, name, self.place)

    def manifest(self, repository: str, reference: str) -> Manifest:
        """What the manifest behind a tag or digest says, its bytes checked against the digest. Raises NotFound."""
        return self.document(repository, reference).interpreted()

    def blob(self, repository: str, digest: str) -> bytes:
        """A small blob, such as an image's configuration, checked against its digest. Raises NotFound or TooLarge."""
        path = f"{_base(repository)}/blobs/{digest}"
        try:
            answer = self._transport.send("GET", path, headers=_EXACT, limit=CONFIG_MAX_BYTES)
        except TooLarge as error:
            bound = f"{CONFIG_MAX_BYTES >> 20} MiB, the most that deployer reads of a configuration"
            raise TooLarge(f"The blob {digest} of '{repository}' is larger than {bound}.") from error
        if answer.status == 404 and answer.is_from_registry:
            raise NotFound(
                f"The registry at {self.place.address} is missing the blob {digest} of '{repository}'.",
                ("Push the image again.",),
                original_text(answer),
            )
        if not answer.ok:
            raise refusal(answer, self.place)
        damage = damage_of(answer, (digest,), f"The blob {digest} of '{repository}'")
        if damage:
            raise damage
        return answer.content

    def blob_size(self, repository: str, digest: str) -> int | None:
        """The size in bytes of a blob that the registry says to have; None if it has not."""
        answer = self._transport.send("HEAD", f"{_base(repository)}/blobs/{digest}", headers=_EXACT)
        if answer.status == 404:
            return None
        length = str(answer.headers.get("Content-Length", ""))
        if not answer.ok or not length.isdecimal():
            raise refusal(answer, self.place)
        return int(length)

    def read_blob(self, repository: str, digest: str, sink: Sink) -> bool:
        """Read a blob of any size into a sink, which compares it with its digest; False if there is none."""
        answer = self._transport.send("GET", f"{_base(repository)}/blobs/{digest}", headers=_EXACT, sink=sink)
        if answer.status == 404 and answer.is_from_registry:
            return False
        if answer.status != 200:
            raise refusal(answer, self.place)
        return True

    def overview(self, repository: str) -> Overview | None:
        """The repository in one answer, where a frontend of ours with its page is before the registry.

        None if it does not, or does not tell: then the registry's own API is to be asked.
        """
        if not self._has_overview:
            return None
        try:
            answer = self._get(f"/overview/tags/{quote(repository)}")
        except (LateAnswer, TryAgain):
            # It reads the whole repository; the API's answers are small.
            self._unchecked.add(repository)
            return None
        found = parse_overview(answer.content) if answer.status == 200 else None
        # Ours refuses in the registry's form; whatever else answers has no overview of other repositories either.
        if found is None and not answer.codes:
            self._has_overview = False
        # 507 where the repository has more than is read for one answer.
        if (found is None and answer.status >= 500 and answer.codes) or (found and found.is_unchecked):
            self._unchecked.add(repository)
        return found

    def is_unchecked(self, repository: str) -> bool:
        """Whether `overview` has said of a repository that it was not, or not wholly, looked at for damage."""
        return repository in self._unchecked

    def stored_manifest(self, repository: str, digest: str, limit: int = MANIFEST_LIMIT) -> Document | None:
        """A manifest's file as it is in the storage, where a frontend of ours gives it; None if it does not.

        Call `overview` first: it finds out whether there is such a frontend.
        """
        if not (self._has_overview and digest.startswith("sha256:")):
            return None
        path = f"/overview/manifest/{quote(repository)}@{digest}"
        answer = self._transport.send("GET", path, headers=_EXACT, limit=limit)
        if answer.status != 200:
            return None
        found = read_document(answer, digest, f"{repository}@{digest}", self.place)
        return replace(found, is_from_storage=True)

    def put_blob(self, repository: str, content: bytes) -> str:
        """Upload the small blob of a placeholder in one piece; returns its digest.

        A frontend of ours takes it also while it refuses other uploads, because its disk is nearly full.
        """
        answer = self._transport.send("POST", f"{_base(repository)}/blobs/uploads/", headers=_OF_PLACEHOLDER)
        location = str(answer.headers.get("Location", ""))
        if answer.status != 202 or not location:
            raise refusal(answer, self.place)
        digest = manifests.digest_of(content)
        joint = "&" if "?" in location else "?"
        kind = {"Content-Type": "application/octet-stream"}
        answer = self._transport.send(
            "PUT", f"{location}{joint}{urlencode({'digest': digest})}", headers=kind, content=content
        )
        if answer.status != 201:
            raise refusal(answer, self.place)
        return digest

    def put_manifest(self, repository: str, reference: str, media_type: str, content: bytes) -> str:
        """Store a manifest under a tag or digest, as exactly these bytes; returns its digest.

        Only to delete a tag: a frontend of ours takes it also on a full disk.
        """
        headers = {"Content-Type": media_type, **_OF_PLACEHOLDER}
        answer = self._transport.send("PUT", _manifest_path(repository, reference), headers=headers, content=content)
        if answer.status != 201:
            raise refusal(answer, self.place)
        return manifests.digest_of(content)

    def check_deleting(self, repository: str) -> None:
        """Make sure that the registry deletes, by deleting a digest that nothing has.

        Raises DeletingDisabled if deleting is disabled or the registry is read-only.
        """
        answer = self._delete(repository, manifests.NO_DIGEST)
        if answer.status == 405:
            raise deleting_refused(answer, self.place)
        if not answer.is_from_registry and not answer.ok:
            raise refusal(answer, self.place)
        if answer.status not in {400, 404} and not answer.ok:
            raise refusal(answer, self.place)

    def deletes_tags(self, repository: str) -> bool:
        """Whether the registry deletes a tag as a tag (distribution 3), by deleting one that is not there."""
        answer = self._delete(repository, f"deployer-{secrets.token_hex(16)}")
        return answer.status == 404 and answer.is_from_registry

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Remove one tag and leave its manifest (distribution 3); False if only digests can be deleted (2.8).

        Raises NotFound, DeletingDisabled.
        """
        answer = self._delete(repository, tag)
        if answer.status == 400 or (answer.status == 405 and "UNSUPPORTED" in answer.codes):
            # The probe comes first, so here UNSUPPORTED speaks of tags and not of deleting.
            return False
        self._expect_deleted(answer, f"{repository}:{tag}")
        return True

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Remove a manifest and every tag that points to it. Raises NotFound, DeletingDisabled."""
        self._expect_deleted(self._delete(repository, digest), f"{repository}@{digest}")

    def _delete(self, repository: str, reference: str) -> Answer:
        return self._transport.send("DELETE", _manifest_path(repository, reference), headers=_ACCEPT)

    def _expect_deleted(self, answer: Answer, name: str) -> None:
        if answer.status == 404 and answer.is_from_registry:
            raise NotFound(f"No image '{name}' at {self.place.address}.", original=original_text(answer))
        if not answer.ok:
            raise refusal(answer, self.place)

    def _get(self, path: str) -> Answer:
        return self._transport.send("GET", path)


def _base(repository: str) -> str:
    return f"/v2/{quote(repository)}"


def _manifest_path(repository: str, reference: str) -> str:
    return f"{_base(repository)}/manifests/{quote(reference, safe=':')}"
