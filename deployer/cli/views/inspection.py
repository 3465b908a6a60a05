"""How one image looks in full: for people, and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.images import NONE, moment_json, size_or_none, warn_of_nested, warn_of_tag, warn_of_unchecked
from deployer.cli.views.words import age, size
from deployer.printable import one_line, printable
from deployer.registry.content.json_text import read_json
from deployer.registry.content.kinds import Kind, Purpose
from deployer.registry.content.manifests import ImageManifest
from deployer.workflows.images.tags import State

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.registry.content.documents import Document
    from deployer.registry.content.imageconfig import ImageConfig
    from deployer.registry.content.kinds import Content
    from deployer.registry.content.manifests import Manifest
    from deployer.workflows.images.inspection import Inspection


@dataclass(frozen=True)
class InspectionReport(Report):
    """One image in full, in the registry at an address."""

    address: str
    found: Inspection

    def as_json(self) -> dict[str, Any]:
        """Descriptor, manifest and configuration."""
        return inspection_json(self.found)

    def print(self, out: Output) -> None:
        """Print everything that people want to know of it."""
        print_inspection(out, self.found, self.address)

    def remark(self, out: Output) -> None:
        """Warn of what is wrong with it."""
        warn_of_tag(out, str(self.found.reference), self.found.tag)
        for nested in self.found.tag.nested:
            warn_of_nested(out, self.found.reference, nested)
        if self.found.is_unchecked:
            warn_of_unchecked(out, [self.found.reference.repository])


def print_answer(out: Output, document: Document, *, headers: bool, raw: bool) -> None:
    """Print what came, whatever it is."""
    if headers:
        for line in (document.status_line, *(f"{name}: {value}" for name, value in document.headers)):
            out.line(printable(line))
    if raw:
        if headers:
            out.line()
        out.content(document.content)
        if document.is_schema_1:
            out.note("Schema 1 manifest: the digest covers the payload without the signatures, not these exact bytes.")
    if document.is_from_storage:
        out.warn("The registry does not serve this manifest; it was read from the registry's storage.")


def print_inspection(out: Output, found: Inspection, address: str, now: datetime | None = None) -> None:
    """Print everything that people want to know of one image."""
    moment, manifest, tag = now or datetime.now(UTC), found.manifest, found.tag
    created = f"{moment_json(tag.created)} ({age(tag.created, moment)})" if tag.created else NONE
    pairs = [
        ("Image", f"{address}/{found.reference}"),
        ("Digest", tag.digest),
        ("Media type", one_line(tag.media_type) or NONE),
        ("Size", NONE if tag.size is None else f"{size(tag.size)}, compressed"),
        ("Created", created),
        ("Platforms", one_line(", ".join(tag.platforms)) or NONE),
    ]
    pairs += [("State", str(State.HALF))] if tag.half_deleted else []
    pairs += _manifest_fields(manifest, found.kind) if manifest else [("Manifest", size(len(found.document.content)))]
    pairs += _config_fields(found.config) if found.config else []
    if manifest:
        pairs += [("Annotation", one_line(f"{key}={value}")) for key, value in sorted(manifest.annotations.items())]
    out.fields(pairs)
    if found.children:
        out.line()
        rows = [
            (
                one_line(child.platform) or NONE,
                child.digest,
                size_or_none(child.size),
                age(child.created, moment) if child.created else NONE,
            )
            for child in found.children
        ]
        out.table(("PLATFORM", "DIGEST", "SIZE", "AGE"), rows)
    if isinstance(manifest, ImageManifest) and manifest.layers:
        out.line()
        out.table(("LAYER", "SIZE"), [(layer.digest, size_or_none(layer.size)) for layer in manifest.layers])


def _manifest_fields(manifest: Manifest, content: Content | None) -> list[tuple[str, str]]:
    pairs = []
    kind = manifest.artifact_type or (content.type if content else "")
    if kind or (content and content.kind in {Kind.ARTIFACT, Kind.CACHE}):
        pairs.append(("Artifact", one_line(kind) or "unknown type"))
    if content and content.purpose is Purpose.ENCRYPTED:
        pairs.append(
            ("Encrypted", "yes; Docker cannot unpack the layers; podman and nerdctl can, with the decryption key")
        )
    if manifest.subject:
        pairs.append(("Belongs to", manifest.subject.digest))
    return pairs


def _config_fields(config: ImageConfig) -> list[tuple[str, str]]:
    pairs = [
        ("Author", config.author),
        ("Entrypoint", json.dumps(config.entrypoint, ensure_ascii=False) if config.entrypoint else ""),
        ("Command", json.dumps(config.command, ensure_ascii=False) if config.command else ""),
        ("User", config.user),
        ("Directory", config.working_directory),
        ("Ports", ", ".join(config.ports)),
        ("Volumes", ", ".join(config.volumes)),
        *(("Environment", entry) for entry in config.environment),
        *(("Label", f"{key}={value}") for key, value in sorted(config.labels.items())),
    ]
    return [(name, one_line(value)) for name, value in pairs if value]


def inspection_json(found: Inspection) -> dict[str, Any]:
    """Descriptor, manifest and configuration; null if one is not JSON; what is wrong is there if something is."""
    document = found.document
    told = {
        "descriptor": {"mediaType": document.media_type, "digest": document.digest, "size": len(document.content)},
        "manifest": _json_or_none(document.content),
        "config": _json_or_none(found.config_content),
    }
    told |= {"half_deleted": found.tag.half_deleted} if found.tag.half_deleted else {}
    told |= {"unchecked": True} if found.is_unchecked else {}
    return told | ({"error": str(found.fault)} if found.fault else {})


def _json_or_none(content: bytes | None) -> Any:  # noqa: ANN401 - whatever the image's maker wrote
    try:
        return read_json(content) if content is not None else None
    except ValueError:
        return None
