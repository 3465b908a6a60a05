/** What manifests weigh: their configurations and layers, or what an index names that is not a manifest. */
import { asString, isObject } from "../browser/checked.js";
import { children, isIndex } from "./media-types.js";

/**
 * @typedef {{digest: string, size: number | null}} Blob size in bytes; null if it says none that can be
 * @param {any} document a manifest @param {string} [mediaType] as the registry calls it
 * @returns {Blob[]}
 */
export function partsOf(document, mediaType = asString(document.mediaType)) {
  const blob = (part) => ({ digest: asString(part.digest), size: size(part.size) });
  if (document.schemaVersion === 1) return [];
  const { config, layers, blobs } = children(document);
  if (!isIndex(document, mediaType)) return [config, ...layers].filter(isObject).map(blob);
  return [...new Map(blobs.map(blob).map((part) => [part.digest, part])).values()];
}

/**
 * @typedef {{bytes: number, isAll: boolean}} Sum `isAll` is false if the size of some of it is not known: there is at
 * least so much
 * @param {any[]} documents manifests, or what is in the place of one that could not be read
 * @returns {Sum} what several of them need counts once
 */
function totalSize(documents) {
  const sizes = new Map();
  for (const document of documents.filter(isObject)) for (const { digest, size: bytes } of partsOf(document)) sizes.set(digest, bytes ?? sizes.get(digest) ?? null);
  const sum = sumOf(sizes.values());
  return { ...sum, isAll: sum.isAll && documents.every((document) => isObject(document) && document.schemaVersion !== 1) };
}

/**
 * @param {{tags: Record<string, string>, manifests: Record<string, any>}} read what the overview says of a repository
 * @returns {Sum} what it has; of a tag whose manifest could not be read, nothing is known
 */
export function repositorySize({ tags, manifests }) {
  const digests = new Set([...Object.keys(manifests), ...Object.values(tags)]);
  return totalSize([...digests].map((digest) => manifests[digest]?.document));
}

/** @param {Iterable<number | null>} sizes null if one is not known @returns {Sum} */
export function sumOf(sizes) {
  const all = [...sizes];
  return { bytes: all.reduce((sum, one) => sum + (one ?? 0), 0), isAll: !all.includes(null) };
}

/** @param {(number | null)[]} sizes @returns {number | null} their sum, null if one is not known */
export const total = (sizes) => (sizes.includes(null) ? null : sizes.reduce((sum, one) => sum + one, 0));

const size = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : null);
