/** Manifests of a repository that nothing leads to: no tag, no index that has one, nothing that they are attached to. */
import { isObject, list, words } from "./checked.js";

/**
 * @typedef {{digest: string, document: any, bytes: number, pushed: Date | null}} Untagged `document` is null where it
 * cannot be had
 * @param {{tags: Record<string, string>, manifests: Record<string, {document: any, bytes: number, pushed: number}>}} answer
 * @returns {{untagged: Untagged[], unsure: number}} the last pushed first; `unsure`: tagged manifests that cannot be
 * had, so that nobody knows what they lead to
 */
export function readUntagged({ tags, manifests }) {
  const known = new Map(Object.entries(manifests));
  const documentOf = (digest) => known.get(digest)?.document ?? null;
  const attached = new Map();
  for (const digest of known.keys()) {
    const subject = words(documentOf(digest)?.subject?.digest);
    if (subject) attached.set(subject, [...(attached.get(subject) ?? []), digest]);
  }
  // A manifest leads to those that it names, and to those that are attached to it.
  const reached = new Set(Object.values(tags));
  for (const digest of reached) {
    for (const entry of list(documentOf(digest)?.manifests)) if (isObject(entry)) reached.add(words(entry.digest));
    for (const other of attached.get(digest) ?? []) reached.add(other);
  }
  const untagged = [...known]
    .filter(([digest]) => !reached.has(digest))
    .map(([digest, { document, bytes, pushed }]) => ({ digest, document, bytes, pushed: pushed ? new Date(pushed * 1000) : null }));
  const open = [...reached].filter((digest) => known.has(digest) && !documentOf(digest)).length;
  const gone = new Set(Object.values(tags).filter((digest) => !known.has(digest))).size;
  return { untagged: untagged.sort((one, other) => (other.pushed ?? 0) - (one.pushed ?? 0)), unsure: open + gone };
}
