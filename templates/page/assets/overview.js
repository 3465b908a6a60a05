/** What the list of tags shows of each, and what a repository weighs. */
import { describe, moment, platformName } from "./manifest.js";

// An index may hold indexes; one that holds itself must not keep us for ever.
const DEPTH = 3;
const HALF_DELETED = "deployer.half-deleted.digest";

/**
 * @typedef {{digest: string, kind: "image" | "index" | "artifact" | "legacy" | "missing", size: number | null,
 *   parts: number, platforms: string[], created: Date | null, artifactType: string, halfDeleted: boolean,
 *   siblings: string[]}} Details
 * `size` in bytes, null where not all is there; `parts` are an index's images; `siblings` the other tags on the
 * digest; `halfDeleted`: a deletion was cut off.
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
  const details = new Map([...tagsOf.keys()].map((digest) => [digest, detailsOf(digest, known)]));
  const found = Object.entries(tags).map(([tag, digest]) => {
    const siblings = digest ? tagsOf.get(digest).filter((other) => other !== tag) : [];
    return [tag, { ...details.get(digest), siblings }];
  });
  return {
    tags: new Map(found),
    size: weight(known.values()),
    may: { push: may?.push === true, delete: may?.delete === true },
  };
}

function describeEntry({ document, config }) {
  const description = describe(document, document.mediaType);
  return { ...description, created: moment(config?.created) ?? description.created, platform: platformName(config) };
}

function detailsOf(digest, known) {
  const description = known.get(digest);
  const nothing = { digest, kind: "missing", size: null, parts: 0, platforms: [], created: null, artifactType: "", halfDeleted: false };
  if (!description) return nothing;
  const { kind, artifactType, created, platform, size, annotations } = description;
  const own = { ...nothing, kind, artifactType, created, halfDeleted: Boolean(annotations[HALF_DELETED]) };
  if (kind !== "index") return { ...own, parts: 1, size: kind === "legacy" ? null : size, platforms: platform ? [platform] : [] };
  const parts = images(description, known);
  return {
    ...own,
    parts: parts.length,
    size: parts.every((part) => part.description) ? sum(parts.map((part) => part.description.size)) : null,
    platforms: [...new Set(parts.map((part) => part.platform || part.description?.platform).filter(Boolean))],
    created: created ?? parts.find((part) => part.description?.created)?.description.created ?? null,
  };
}

/** The images of an index; those that were never pushed have no description. */
function images({ children }, known, depth = 1) {
  return children.flatMap((child) => {
    const description = known.get(child.digest);
    const isIndex = description?.kind === "index" && depth < DEPTH;
    return isIndex ? images(description, known, depth + 1) : [{ ...child, description }];
  });
}

function weight(descriptions) {
  const blobs = new Map();
  for (const description of descriptions) for (const { digest, size } of description.blobs) blobs.set(digest, size);
  return sum([...blobs.values()]);
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
