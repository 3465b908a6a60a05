/** What of an image cannot be pulled, by the damaged and missing content in the overview. */
import { asString, isObject } from "../browser/checked.js";
import { children } from "./media-types.js";

// In bytes; the registry reads no more of a manifest, which may be whole all the same.
const REGISTRYS_LIMIT = 4_194_304;

/**
 * @typedef {{digest: string, size: number | null, isManifest: boolean, isUnlinked: boolean, stated: number | null}} Damaged
 * `size`: the bytes that the file has instead; null if there is none. Where it is unlinked, it is its link that is missing or damaged;
 * `stated`: the size that a manifest says, where it is the file or the manifest that is wrong
 * @param {{manifests: Record<string, any>, damaged?: Record<string, number | null>, unlinked?: Record<string, true>,
 *   sizes?: Record<string, number>}} answer
 * the overview's, of a repository
 * @returns {(digest: string) => Damaged[]} what of a manifest, and of all that is pulled with it, cannot be had or is
 * not what it was: configurations and layers first, then manifests
 */
export function damageIn({ manifests, damaged: told = {}, unlinked, sizes: found = {} }) {
  const [damaged, sizes] = [told, found].map((table) => (isObject(table) ? table : {}));
  if (![damaged, sizes].some((table) => Object.keys(table).length)) return () => [];
  const documentOf = (digest) => (Object.hasOwn(manifests, digest) && isObject(manifests[digest]?.document) ? manifests[digest].document : {});
  const isDamaged = (digest) => Object.hasOwn(damaged, digest);
  const asDamaged = (digest, isManifest) => ({
    digest, size: damaged[digest], isManifest, isUnlinked: isObject(unlinked) && Object.hasOwn(unlinked, digest), stated: null,
  });
  const isTooLarge = (digest) => damaged[digest] > REGISTRYS_LIMIT;

  return (root) => {
    const needed = new Set([root]);
    const parts = new Set();
    const stated = new Map();
    const note = ({ digest, size }) => Number.isSafeInteger(size) && Object.hasOwn(sizes, digest) && sizes[digest] !== size && stated.set(digest, size);
    // A set is iterated to its end, however it grows in the meantime.
    for (const digest of needed) {
      const { config, layers, images } = children(documentOf(digest));
      for (const child of images) {
        needed.add(asString(child.digest));
        note(child);
      }
      for (const part of [config, ...layers].filter(isObject)) {
        parts.add(asString(part.digest));
        note(part);
      }
    }
    const wrong = (digest, isManifest) => (isDamaged(digest) ? asDamaged(digest, isManifest)
      : { digest, size: sizes[digest], isManifest, isUnlinked: false, stated: stated.get(digest) });
    const isWrong = (digest) => isDamaged(digest) || stated.has(digest);
    return [
      ...[...parts].filter((digest) => isWrong(digest) && !needed.has(digest)).map((digest) => wrong(digest, false)),
      ...[...needed].filter((digest) => isWrong(digest) && !isTooLarge(digest)).map((digest) => wrong(digest, true)),
    ];
  };
}
