/** What of an image nobody can pull, by what the overview tells of damaged and missing content. */
import { isObject, list, words } from "../browser/checked.js";
import { isAttestation, namesManifest } from "./media-types.js";

// In bytes; the registry reads no more of a manifest, which may be whole all the same.
const REGISTRYS_LIMIT = 4_194_304;

/**
 * @typedef {{digest: string, size: number | null, isManifest: boolean, isUnlinked: boolean}} Damaged
 * `size`: the bytes that the file has instead; null where there is none, or where it is unlinked: its link is missing
 * @param {{manifests: Record<string, any>, damaged?: Record<string, number | null>, unlinked?: Record<string, true>}} answer
 * the overview's, of a repository
 * @returns {(digest: string) => Damaged[]} what of a manifest, and of all that is pulled with it, cannot be had or is
 * not what it was: configurations and layers first, then manifests
 */
export function damageIn({ manifests, damaged, unlinked }) {
  if (!isObject(damaged) || !Object.keys(damaged).length) return () => [];
  const documentOf = (digest) => (Object.hasOwn(manifests, digest) && isObject(manifests[digest]?.document) ? manifests[digest].document : {});
  const isDamaged = (digest) => Object.hasOwn(damaged, digest);
  const told = (digest, isManifest) => ({ digest, size: damaged[digest], isManifest, isUnlinked: isObject(unlinked) && Object.hasOwn(unlinked, digest) });
  const isTooLarge = (digest) => damaged[digest] > REGISTRYS_LIMIT;

  return (root) => {
    const needed = new Set([root]);
    const parts = new Set();
    // A set is gone through to its end, however it grows meanwhile.
    for (const digest of needed) {
      const { config, layers, manifests: children } = documentOf(digest);
      for (const child of list(children).filter(isImage)) needed.add(words(child.digest));
      for (const part of [config, ...list(layers)]) parts.add(words(part?.digest));
    }
    return [
      ...[...parts].filter((digest) => isDamaged(digest) && !needed.has(digest)).map((digest) => told(digest, false)),
      ...[...needed].filter((digest) => isDamaged(digest) && !isTooLarge(digest)).map((digest) => told(digest, true)),
    ];
  };
}

const isImage = (entry) => isObject(entry) && namesManifest(entry) && !isAttestation(entry);
