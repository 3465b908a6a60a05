/** Which manifests are not whole, by what the overview tells of damaged and missing content. */
import { isObject, list, words } from "./checked.js";

/**
 * @param {{manifests: Record<string, any>, damaged?: Record<string, number | null>}} answer the overview's, of a repository
 * @returns {(digest: string) => boolean} whether something that a manifest needs cannot be had, or is not what it was
 */
export function damageIn({ manifests, damaged }) {
  if (!isObject(damaged) || !Object.keys(damaged).length) return () => false;
  const isDamaged = (digest) => Object.hasOwn(damaged, digest);
  const known = new Map();

  function isHurt(digest) {
    if (known.has(digest)) return known.get(digest);
    // An index that names itself is read once.
    known.set(digest, false);
    const document = Object.hasOwn(manifests, digest) ? manifests[digest]?.document : null;
    const parts = isObject(document) ? [document.config, ...list(document.layers), ...list(document.manifests)] : [];
    const hurt = isDamaged(digest) || parts.some((part) => isDamaged(words(part?.digest)) || isHurt(words(part?.digest)));
    known.set(digest, hurt);
    return hurt;
  }
  return isHurt;
}
