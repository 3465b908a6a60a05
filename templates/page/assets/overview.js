/** What the list of tags shows of each, and what a repository weighs. */
import { describe, readConfig } from "./manifest.js";

// No index of honest use holds indexes so deep; deeper ones count as what is not here.
const DEPTH = 8;

/**
 * @typedef {{digest: string, kind: "image" | "index" | "artifact" | "legacy" | "missing", size: number | null,
 *   parts: number, platforms: string[], created: Date | null, artifactType: string, halfDeleted: boolean,
 *   sharing: string[]}} Details
 * `size` in bytes, null where not all is there; `parts` are an index's images; `sharing` all tags on the digest, this
 * one too; `halfDeleted`: a deletion was cut off.
 * @typedef {{tags: Map<string, Details>, size: number, may: {push: boolean, delete: boolean}}} Repository
 * `size` counts what several tags share once.
 */

/**
 * @param {{tags: Record<string, string>, manifests: Record<string, {document: any, config: any}>, may?: any}} answer
 * @returns {Repository}
 */
export function readRepository({ tags, manifests, may }) {
  const known = new Map(Object.entries(manifests).map(([digest, entry]) => [digest, describeEntry(entry)]));
  const tagsOf = new Map(Object.values(tags).map((digest) => [digest, []]));
  for (const [tag, digest] of Object.entries(tags)) tagsOf.get(digest).push(tag);
  const details = new Map([...tagsOf].map(([digest, sharing]) => [digest, { ...detailsOf(digest, known), sharing }]));
  return {
    tags: new Map(Object.entries(tags).map(([tag, digest]) => [tag, details.get(digest)])),
    size: weight(known.values()),
    may: { push: may?.push === true, delete: may?.delete === true },
  };
}

function describeEntry({ document, config }) {
  const description = describe(document, document.mediaType);
  const { created, platform } = readConfig(config ?? {});
  return { ...description, created: created ?? description.created, platform };
}

function detailsOf(digest, known) {
  const description = known.get(digest);
  const nothing = { digest, kind: "missing", size: null, parts: 0, platforms: [], created: null, artifactType: "", halfDeleted: false };
  if (!description) return nothing;
  const { kind, artifactType, created, platform, size, halfDeleted } = description;
  const own = { ...nothing, kind, artifactType, created, halfDeleted };
  if (kind !== "index") return { ...own, parts: 1, size: kind === "legacy" ? null : size, platforms: platform ? [platform] : [] };
  const parts = images(description, known, new Set([digest]));
  return {
    ...own,
    parts: parts.length,
    size: parts.every((part) => part.description) ? sum(parts.map((part) => part.description.size)) : null,
    platforms: [...new Set(parts.map((part) => part.platform || part.description?.platform).filter(Boolean))],
    created: created ?? parts.find((part) => part.description?.created)?.description.created ?? null,
  };
}

/** The images of an index, each once, however often indexes in it name it; those never pushed have no description. */
function images(index, known, seen, depth = 1) {
  return index.children.flatMap((child) => {
    if (seen.has(child.digest)) return [];
    seen.add(child.digest);
    const description = known.get(child.digest);
    if (description?.kind === "index" && depth < DEPTH) return images(description, known, seen, depth + 1);
    return [{ ...child, description }];
  });
}

function weight(descriptions) {
  const blobs = new Map();
  for (const description of descriptions) for (const { digest, size } of description.blobs) blobs.set(digest, size);
  return sum([...blobs.values()]);
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
