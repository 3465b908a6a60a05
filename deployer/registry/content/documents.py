"""Manifests as the registry gave them, not interpreted: deleting, untagging and `inspect --raw` need no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import ContentDamaged, RegistryError
from deployer.reference import is_digest
from deployer.registry.content import manifests
from deployer.registry.content.json_text import read_json
from deployer.registry.protocol.answers import not_a_registry, original_text

if TYPE_CHECKING:
    from deployer.registry.protocol.answers import Answer
    from deployer.registry.protocol.place import Place


@dataclass(frozen=True)
class Document:
    """The manifest behind a tag or digest: its digest, its type and its exact bytes, whatever they say.

    `name` is how it was asked for; `origin` the answer's first lines. `damage` says that the bytes are
    not those of the digest, and is None if they are. `is_from_storage`: the registry itself does not give it.
    """

    name: str
    digest: str
    media_type: str
    content: bytes = field(repr=False)
    status_line: str
    headers: tuple[tuple[str, str], ...]
    origin: str
    damage: RegistryError | None = None
    is_from_storage: bool = False

    @property
    def is_schema_1(self) -> bool:
        """Whether it is of Docker's first kind, whose digest is not that of these bytes."""
        return is_schema_1(self.media_type, self.content)

    def interpreted(self) -> manifests.Manifest:
        """What it says. Raises RegistryError if it is damaged, or says nothing that is known."""
        if self.damage:
            raise self.damage
        try:
            return manifests.parse(self.content, self.media_type, self.digest)
        except RegistryError as error:
            raise type(error)(f"{self.name}: {error.message}", error.advice, error.original or self.origin) from error


def read_document(answer: Answer, reference: str, name: str, place: Place) -> Document:
    """Take a successful answer; nothing of what the manifest says decides. Raises RegistryError for a web page."""
    if "html" in answer.content_type:
        raise not_a_registry(answer, place)
    promised = str(answer.headers.get("Docker-Content-Digest", ""))
    wanted = tuple(digest for digest in (reference, promised) if is_digest(digest))
    # The raw form keeps the names as the registry wrote them.
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in answer.headers.raw)
    return Document(
        name=name,
        digest=wanted[0] if wanted else manifests.digest_of(answer.content),
        media_type=answer.content_type,
        content=answer.content,
        status_line=answer.status_line,
        headers=headers,
        origin=original_text(answer).splitlines()[0],
        damage=_manifest_damage(answer, wanted, name),
    )


def damage_of(answer: Answer, wanted: tuple[str, ...], what: str) -> RegistryError | None:
    """The error if the answer's bytes do not match one of the digests."""
    for digest in wanted:
        actual = manifests.digest_of(answer.content, digest.partition(":")[0])
        if actual != digest:
            return ContentDamaged(
                f"{what} does not match its digest: it was damaged in the registry or in transit.",
                (
                    "Run the command again.",
                    "If this persists, run on the machine that runs the registry: deployer check --repair",
                    "Or there: deployer gc --damaged, then push again.",
                ),
                f"{original_text(answer).splitlines()[0]}\nexpected {digest}\ngot {actual}, {len(answer.content)} "
                "bytes",
                len(answer.content),
            )
    return None


def is_schema_1(media_type: str, content: bytes) -> bool:
    """Whether these bytes are a manifest of Docker's schema 1.

    Its digest is that of the payload without the signatures, which registries make afresh for each answer
    (distribution, manifest schema 1): it cannot be computed from the bytes.
    """
    if media_type in manifests.SCHEMA_1_TYPES:
        return True
    if media_type in manifests.MANIFEST_TYPES:
        return False
    try:
        document = read_json(content)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("schemaVersion") == 1


def _manifest_damage(answer: Answer, wanted: tuple[str, ...], name: str) -> RegistryError | None:
    damage = damage_of(answer, wanted, f"The manifest of '{name}'")
    if damage and is_schema_1(answer.content_type, answer.content):
        # That the registry names the digest that was asked for is all that can be checked.
        return None if len(set(wanted)) == 1 else damage
    return damage
