/** What of an image cannot be pulled, by the damaged and missing content in the overview. */
import { asString, isObject } from "../browser/checked.js";
import { children } from "./media-types.js";

// In bytes; the registry reads no more of a manifest, which may be whole all the same.
const REGISTRYS_LIMIT = 4_194_304;

/** @returns {Record<string, any>} */
const asTable = (told) => (isObject(told) ? told : {});

/**
 * @typedef {{digest: string, size: number | null, isManifest: boolean, isUnlinked: boolean, isRestorable: boolean, obstacle: string,
 *   isForeign: boolean, stated: number | null}} Damaged
 * `size`: the bytes that the file has instead; null if there is none. Where it is unlinked, it is its link that is missing or damaged, and it
 * is restorable where that is all; `obstacle`: the path of what is in place of its file or link, empty if nothing is; what is foreign a tag names, and
 * it is not a manifest; `stated`: the size that a manifest says, where it is the file or the manifest that is wrong
 * @param {{manifests: Record<string, any>, damaged?: Record<string, number | null>, unlinked?: Record<string, boolean>,
 *   obstacles?: Record<string, string>, foreign?: Record<string, true>, sizes?: Record<string, number>}} answer
 * the overview's, of a repository
 * @returns {(digest: string) => Damaged[]} what of a manifest, and of all that is pulled with it, cannot be had or is
 * not what it was: configurations and layers first, then manifests
 */
export function damageIn({ manifests, ...told }) {
  const [damaged, unlinked, obstacles, foreign, sizes] = [told.damaged, told.unlinked, told.obstacles, told.foreign, told.sizes].map(asTable);
  if (![damaged, foreign, sizes].some((table) => Object.keys(table).length)) return () => [];
  const documentOf = (digest) => (Object.hasOwn(manifests, digest) && isObject(manifests[digest]?.document) ? manifests[digest].document : {});
  const isDamaged = (digest) => Object.hasOwn(damaged, digest);
  const asDamaged = (digest, isManifest) => ({
    digest, size: damaged[digest] ?? null, isManifest, isUnlinked: Object.hasOwn(unlinked, digest), isRestorable: unlinked[digest] === true,
    obstacle: asString(obstacles[digest]), isForeign: isManifest && Object.hasOwn(foreign, digest), stated: null,
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
    const isForeign = (digest, isManifest) => isManifest && Object.hasOwn(foreign, digest);
    const wrong = (digest, isManifest) => (isDamaged(digest) || isForeign(digest, isManifest) ? asDamaged(digest, isManifest)
      : { ...asDamaged(digest, isManifest), size: sizes[digest], stated: stated.get(digest) });
    const isWrong = (digest, isManifest) => isDamaged(digest) || isForeign(digest, isManifest) || stated.has(digest);
    return [
      ...[...parts].filter((digest) => isWrong(digest, false) && !needed.has(digest)).map((digest) => wrong(digest, false)),
      ...[...needed].filter((digest) => isWrong(digest, true) && !isTooLarge(digest)).map((digest) => wrong(digest, true)),
    ];
  };
}
