/** What manifests weigh: their configurations and layers, or what an index names that is no manifest. */
import { isObject, list, words } from "../browser/checked.js";
import { isIndex, namesManifest } from "./media-types.js";

/**
 * @typedef {{digest: string, size: number | null}} Blob size in bytes; null where it says none that can be
 * @param {any} document a manifest @param {string} [mediaType] as the registry calls it
 * @returns {Blob[]}
 */
export function partsOf(document, mediaType = words(document.mediaType)) {
  const blob = (part) => ({ digest: words(part.digest), size: size(part.size) });
  if (document.schemaVersion === 1) return [];
  if (!isIndex(document, mediaType)) return [document.config, ...list(document.layers)].filter(isObject).map(blob);
  const named = list(document.manifests).filter((entry) => isObject(entry) && !namesManifest(entry)).map(blob);
  return [...new Map(named.map((part) => [part.digest, part])).values()];
}

/**
 * @param {any[]} documents manifests, or what is in the place of one
 * @returns {number} in bytes; what several of them need counts once, and what says no size that can be counts nothing
 */
export function weigh(documents) {
  const sizes = new Map();
  for (const document of documents.filter(isObject)) for (const { digest, size: bytes } of partsOf(document)) sizes.set(digest, bytes ?? 0);
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** @param {(number | null)[]} sizes @returns {number | null} their sum, null where one is not known */
export const total = (sizes) => (sizes.includes(null) ? null : sizes.reduce((sum, one) => sum + one, 0));

const size = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : null);
