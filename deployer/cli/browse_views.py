"""How repositories, tags, images and deletions look: for people, and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployer.cli.words import age, size
from deployer.registry.answers import printable
from deployer.registry.manifests import ImageManifest
from deployer.workflows.deletion import TagRemoval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deployer.cli.output import Output
    from deployer.registry.imageconfig import ImageConfig
    from deployer.workflows.browse import Inspection, Repository, Tag
    from deployer.workflows.deletion import Outcome, Plan, Removal

_NONE = "-"


def shown(text: str) -> str:
    """Text of somebody else's, on one line and harmless to a terminal."""
    return printable(text).replace("\n", " ")


def short(digest: str) -> str:
    """The first 12 characters of a digest, as Docker shows it."""
    return digest.partition(":")[2][:12]


def print_tags(out: Output, tags: Sequence[Tag], now: datetime | None = None) -> None:
    """Print tags as a table."""
    moment = now or datetime.now(UTC)
    rows = [(shown(tag.name), short(tag.digest), *_facts(tag, moment)) for tag in tags]
    out.table(("TAG", "DIGEST", "SIZE", "PLATFORMS", "AGE"), rows)


def print_tree(out: Output, repositories: Sequence[Repository], now: datetime | None = None) -> None:
    """Print each repository with its tags below it."""
    moment = now or datetime.now(UTC)
    for repository in repositories:
        out.line(out.bold(shown(repository.name)))
        rows = [(shown(tag.name), *_facts(tag, moment)) for tag in repository.tags]
        widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
        for position, (name, amount, platforms, old) in enumerate(rows, start=1):
            branch = "└─" if position == len(rows) else "├─"
            facts = f"{amount.rjust(widths[1])}  {old.ljust(widths[3])}  {platforms}"
            out.line(f"{branch} {name.ljust(widths[0])}  {facts}")
        if not repository.tags:
            out.line("└─ (not yours to read)" if repository.refused else "└─ (no tags)")


def warn_of_repositories(out: Output, repositories: Iterable[Repository]) -> None:
    """Warn of tags that are half deleted, incomplete or unreadable, and of repositories that may not be read."""
    for repository in repositories:
        if repository.refused:
            out.warn(str(repository.refused))
        for tag in repository.tags:
            warn_of_tag(out, f"{repository.name}:{tag.name}", tag)
        for name, error in repository.unreadable:
            tag_name = f"{repository.name}:{shown(name)}"
            out.warn(f"The tag {tag_name} cannot be read. {error} To remove it: deployer delete {tag_name}")
            for line in error.original.splitlines():
                out.note(f"  | {line}")


def warn_of_tag(out: Output, name: str, tag: Tag) -> None:
    """Warn where one tag is half deleted or incomplete."""
    if tag.half_deleted:
        out.warn(
            f"{name} is half deleted: a deletion was cut off. It was {tag.half_deleted}. "
            f"Finish it: deployer delete {name}"
        )
    if tag.missing:
        lost = ", ".join(short(digest) for digest in tag.missing)
        out.warn(f"{name} is not whole: the registry has lost {lost}. Push it again.")


def repository_json(repository: Repository) -> dict[str, Any]:
    """A repository with its tags; what is wrong with a tag stands there only where something is."""
    found: dict[str, Any] = {"name": repository.name, "tags": [_tag_json(tag) for tag in repository.tags]}
    if repository.unreadable:
        found["unreadable"] = [{"tag": name, "error": str(error)} for name, error in repository.unreadable]
    if repository.refused:
        found["refused"] = str(repository.refused)
    return found


def _tag_json(tag: Tag) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tag": tag.name,
        "digest": tag.digest,
        "media_type": tag.media_type,
        "size": tag.size,
        "created": _moment(tag.created),
        "platforms": list(tag.platforms),
    }
    if tag.half_deleted:
        found["half_deleted"] = tag.half_deleted
    if tag.missing:
        found["missing"] = list(tag.missing)
    return found


def print_inspection(out: Output, found: Inspection, address: str, now: datetime | None = None) -> None:
    """Print everything that people want to know of one image."""
    moment, manifest, tag = now or datetime.now(UTC), found.manifest, found.tag
    created = f"{_moment(tag.created)} ({age(tag.created, moment)})" if tag.created else _NONE
    pairs = [
        ("Image", f"{address}/{found.reference}"),
        ("Digest", tag.digest),
        ("Media type", tag.media_type),
        ("Size", f"{size(tag.size)}, compressed" if tag.size is not None else _NONE),
        ("Created", created),
        ("Platforms", shown(", ".join(tag.platforms)) or _NONE),
    ]
    if manifest.artifact_type or (isinstance(manifest, ImageManifest) and not manifest.is_image):
        kind = manifest.artifact_type or (manifest.config.media_type if isinstance(manifest, ImageManifest) else "")
        pairs.append(("Artifact", shown(kind)))
    if manifest.subject:
        pairs.append(("Belongs to", manifest.subject.digest))
    pairs += _config_fields(found.config) if found.config else []
    pairs += [("Annotation", shown(f"{key}={value}")) for key, value in sorted(manifest.annotations.items())]
    out.fields(pairs)
    if found.children:
        out.line()
        rows = [
            (
                shown(child.platform) or _NONE,
                child.digest,
                _size(child.size),
                age(child.created, moment) if child.created else _NONE,
            )
            for child in found.children
        ]
        out.table(("PLATFORM", "DIGEST", "SIZE", "AGE"), rows)
    if isinstance(manifest, ImageManifest) and manifest.layers:
        out.line()
        out.table(("LAYER", "SIZE"), [(layer.digest, size(layer.size)) for layer in manifest.layers])


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
    return [(name, shown(value)) for name, value in pairs if value]


def inspection_json(found: Inspection) -> dict[str, Any]:
    """Descriptor, manifest and configuration; the configuration is null where it is no JSON."""
    manifest = found.manifest
    return {
        "descriptor": {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.content)},
        "manifest": json.loads(manifest.content),
        "config": _json_or_none(found.config_content),
    }


def removal_lines(removal: Removal) -> list[str]:
    """What a removal does, in lines."""
    if not isinstance(removal, TagRemoval):
        what = f"and with it the {_listed(removal.tags)}" if removal.tags else "no tag names it"
        return [f"{removal.name}: the manifest goes, {what}."]
    if removal.half_deleted:
        return [f"{removal.name}: half deleted already, this finishes it. It was {removal.half_deleted}."]
    if not removal.digest:
        return [f"{removal.name}: the tag names nothing any more, it goes."]
    if removal.kept_by:
        stays = f"the image keeps the {_listed(removal.kept_by)}"
    else:
        stays = f"no other tag names the image; it stays as {removal.repository}@{removal.digest}"
    return [f"{removal.name} ({short(removal.digest)}): the tag goes, {stays}."]


def removal_warnings(removal: Removal) -> list[str]:
    """What a removal breaks or leaves behind."""
    if isinstance(removal, TagRemoval):
        return []
    warnings = []
    if removal.breaks:
        names = ", ".join(f"{removal.repository}:{tag}" for tag in removal.breaks)
        warnings.append(f"It is a part of {names}: whoever pulls that for this platform will fail.")
    if removal.attached:
        warnings.append(f"Its signatures stay: {_listed(removal.attached)}.")
    return warnings


def print_outcome(out: Output, outcome: Outcome) -> None:
    """Say how one removal ended."""
    if outcome.error is not None:
        print_failure(out, outcome)
        return
    out.line(f"Deleted {outcome.removal.name}")
    if outcome.pushed_anew:
        out.warn(f"{outcome.removal.name} has been pushed anew meanwhile, as {outcome.pushed_anew}: that stays.")


def space_note(outcomes: Sequence[Outcome]) -> str:
    """How the space of what was deleted is freed."""
    left = any(isinstance(one.removal, TagRemoval) and not one.removal.kept_by for one in outcomes if not one.error)
    option = " --untagged" if left else ""
    return f"The space is freed by `deployer gc{option}`, on the machine that runs the registry."


def print_failure(out: Output, outcome: Outcome) -> None:
    """Print why one removal failed."""
    if outcome.error is not None:
        out.error(outcome.error)


def deletion_json(plan: Plan, outcomes: Sequence[Outcome], *, dry_run: bool) -> dict[str, Any]:
    """Each removal, and whether it was done; `deleted` is false throughout in a dry run."""
    ended = {outcome.removal: outcome for outcome in outcomes}
    removals = []
    for removal in plan.removals:
        error = ended[removal].error if removal in ended else None
        entry: dict[str, Any] = {
            "name": removal.name,
            "repository": removal.repository,
            "tag": removal.tag if isinstance(removal, TagRemoval) else None,
            "digest": removal.digest or None,
            "media_type": removal.media_type or None,
        }
        if isinstance(removal, TagRemoval):
            entry |= {"kept_by": list(removal.kept_by), "half_deleted": removal.half_deleted}
        else:
            entry |= {"tags": list(removal.tags), "breaks": list(removal.breaks), "attached": list(removal.attached)}
        removals.append(entry | {"deleted": removal in ended and not error, "error": str(error) if error else None})
    return {"dry_run": dry_run, "removals": removals}


def _facts(tag: Tag, now: datetime) -> tuple[str, str, str]:
    platforms = "(half deleted)" if tag.half_deleted else shown(", ".join(tag.platforms)) or _NONE
    return _size(tag.size), platforms, age(tag.created, now) if tag.created else _NONE


def _size(count: int | None) -> str:
    return _NONE if count is None else size(count)


def _listed(tags: Sequence[str], most: int = 8) -> str:
    names = ", ".join(tags[:most]) + (f" and {len(tags) - most} more" if len(tags) > most else "")
    return f"tag {names}" if len(tags) == 1 else f"tags {names}"


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _json_or_none(content: bytes | None) -> Any:  # noqa: ANN401 - whatever the image's maker wrote
    try:
        return json.loads(content) if content is not None else None
    except ValueError:
        return None
