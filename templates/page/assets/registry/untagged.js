/** Manifests of a repository that nothing leads to: no tag, no index that has one, nothing that they are attached to. */
import { asString } from "../browser/checked.js";

const DIGEST = /sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}/g;

/**
 * What cannot be read may lead to any other manifest: while a tag, or a manifest with one, is such, none is listed; and
 * while one without a tag is such, those alone that cannot be read (as `deployer gc --untagged` keeps what is in doubt).
 * @typedef {{digest: string, document: any, bytes: number, pushed: Date | null}} Untagged `document` is null if it
 * cannot be had
 * @param {{tags: Record<string, string>, manifests: Record<string, {document: any, bytes: number, pushed: number}>}} answer
 * @returns {{untagged: Untagged[], unread: number}} the last pushed first; `unread`: how many tags and manifests cannot
 * be had, so that it is unknown what they lead to
 */
export function readUntagged({ tags, manifests }) {
  const known = new Map(Object.entries(manifests));
  const documentOf = (digest) => known.get(digest)?.document ?? null;
  const attached = new Map();
  for (const digest of known.keys()) {
    const subject = asString(documentOf(digest)?.subject?.digest);
    if (subject) attached.set(subject, [...(attached.get(subject) ?? []), digest]);
  }
  const tagged = new Set(Object.values(tags));
  const reached = new Set(tagged);
  // A manifest leads to those that it names, wherever, and to those that are attached to it.
  for (const digest of reached) {
    for (const other of named(documentOf(digest))) if (known.has(other)) reached.add(other);
    for (const other of attached.get(digest) ?? []) reached.add(other);
  }
  const unread = [...new Set([...known.keys(), ...tagged])].filter((digest) => !documentOf(digest));
  const inDoubt = unread.some((digest) => reached.has(digest));
  const untagged = [...known]
    .filter(([digest, { document }]) => !reached.has(digest) && !inDoubt && (!unread.length || !document))
    .map(([digest, { document, bytes, pushed }]) => ({ digest, document, bytes, pushed: pushed ? new Date(pushed * 1000) : null }));
  return { untagged: untagged.sort((one, other) => Number(other.pushed) - Number(one.pushed)), unread: unread.length };
}

const named = (document) => (document ? JSON.stringify(document).match(DIGEST) ?? [] : []);
