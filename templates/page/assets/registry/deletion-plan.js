/** What deleting means, before anything is deleted: what goes, what stays, what a repository weighs less. */
import { naturally } from "../browser/format.js";
import { isAttachedTo } from "../content/attached.js";
import { HALF_DELETED, NOTHING, describe, originalOf } from "../content/manifest.js";
import { children } from "../content/media-types.js";
import { sumOf } from "../content/weight.js";

/**
 * @typedef {{tags: Record<string, string>, manifests: Record<string, {document: any}>}} Stored as in the overview
 * @typedef {{digest: string, going: string[], staying: string[], partOf: string[], attached: string[], lost: boolean,
 *   halfDeleted: boolean, isIndex: boolean}} Group
 * One manifest: its tags that go and that stay, the tags of indexes that hold it, the tags of its signatures. It is
 * `lost` where the tags name nothing that is there, `halfDeleted` where an earlier deletion was interrupted.
 */

/** What a placeholder names for a tag that named nothing that can be read. */
export const NO_DIGEST = `sha256:${"0".repeat(64)}`;

/**
 * @param {Stored} stored @param {string[]} wanted tags that are to go
 * @returns {Group[]} one for each digest; damaged tags first, on which distribution 2.8 stumbles in deleting others
 */
export function planDeletion(stored, wanted) {
  const going = new Set(wanted);
  const digests = new Set(Object.entries(stored.tags).filter(([tag]) => going.has(tag)).map(([, digest]) => digest));
  return [...digests]
    .map(grouper(stored, going))
    .sort((one, other) => rank(one) - rank(other) || naturally(one.going[0], other.going[0]));
}

const rank = ({ digest, lost }) => (digest ? (lost ? 1 : 2) : 0);

/** @param {Stored} stored @param {string} digest @returns {Group} the image with all its tags */
export function planImage(stored, digest) {
  const going = new Set(Object.keys(stored.tags).filter((tag) => stored.tags[tag] === digest));
  return grouper(stored, going)(digest);
}

/**
 * @param {Group[]} groups @param {boolean} whole whether the one group goes with its manifest
 * @returns {boolean} whether something without a tag is left, which `deployer gc` alone keeps; `deployer delete` says the same
 * (`space_note` in `deployer/cli/views/deletion.py`)
 */
export function leavesUntagged(groups, whole) {
  return whole ? groups[0].isIndex : groups.some(({ staying, lost }) => !staying.length || lost);
}

function grouper({ tags, manifests }, going) {
  const all = Object.entries(tags).sort(([one], [other]) => naturally(one, other));
  const staying = all.filter(([tag]) => !going.has(tag));
  const parts = new Map();
  for (const digest of new Set(staying.map(([, digest]) => digest))) {
    for (const part of below(manifests, digest).slice(1)) parts.get(part)?.push(digest) ?? parts.set(part, [digest]);
  }
  const namesOf = (entries, isWanted) => entries.filter(([, digest]) => isWanted(digest)).map(([tag]) => tag);
  return (digest) => {
    const own = namesOf(all, (other) => other === digest);
    return {
      digest,
      going: own.filter((tag) => going.has(tag)),
      staying: own.filter((tag) => !going.has(tag)),
      partOf: namesOf(staying, (other) => parts.get(digest)?.includes(other)),
      attached: namesOf(staying, (other) => other !== digest).filter((tag) => digest && isAttachedTo(tag, digest)),
      lost: !manifests[digest],
      isIndex: Array.isArray(manifests[digest]?.document.manifests),
      // A placeholder is one tag's alone; whatever else says so is deleted as any image is.
      halfDeleted: own.length === 1 && Boolean(originalIn(manifests[digest])),
    };
  };
}

const originalIn = (stored) => (stored?.document ? originalOf(stored.document) : "");

/**
 * The image that is in for a tag's own for a moment, as `deployer/registry/content/placeholder.py` makes it.
 * @param {{tag: string, digest: string, mediaType: string, nonce: string}} options what the tag named, and its type
 * @returns {{mediaType: string, text: string}}
 */
export function createPlaceholder({ tag, digest, mediaType, nonce }) {
  // Where nothing is known of the tag, Docker's.
  const isOci = mediaType !== "" && !mediaType.startsWith("application/vnd.docker.");
  const family = `application/vnd.${isOci ? "oci.image" : "docker.distribution"}.manifest.v${isOci ? 1 : 2}+json`;
  const config = `application/vnd.${isOci ? "oci.image.config" : "docker.container.image"}.v1+json`;
  const document = {
    schemaVersion: 2,
    mediaType: family,
    config: { mediaType: config, digest: NOTHING.digest, size: NOTHING.text.length },
    layers: [],
    annotations: { [HALF_DELETED]: digest, "deployer.half-deleted.tag": tag, "deployer.half-deleted.nonce": nonce },
  };
  return { mediaType: family, text: JSON.stringify(document, null, 3) };
}

/**
 * @param {Stored} stored
 * @returns {(going: Set<string>, digests?: string[]) => import("../content/weight.js").Sum} what no staying tag of this
 * repository needs, once these tags have gone, and what has these digests
 */
export function createWeigher({ tags, manifests }) {
  const known = new Map();
  const blobsOf = (digest) => {
    if (!known.has(digest)) {
      const documents = below(manifests, digest).map((one) => manifests[one].document);
      const original = originalIn(manifests[digest]);
      const named = !original || original === NO_DIGEST ? [] : Object.hasOwn(manifests, original) ? blobsOf(original) : [{ digest: original, size: null }];
      // A manifest of schema 1 says no sizes.
      const own = documents.flatMap((document) =>
        document.schemaVersion === 1 ? [{ digest, size: null }] : describe(document, document.mediaType).blobs);
      known.set(digest, [...own, ...named]);
    }
    return known.get(digest);
  };
  return (going, more) => {
    const sizes = new Map();
    /** @param {[string, string]} entry */
    const isGoing = ([tag]) => going.has(tag);
    /** @param {[string, string][]} entries */
    const digests = (entries) => new Set(entries.map(([, digest]) => digest));
    const all = Object.entries(tags);
    for (const one of [...digests(all.filter(isGoing)), ...(more || [])]) for (const { digest, size } of blobsOf(one)) sizes.set(digest, size);
    for (const one of digests(all.filter((entry) => !isGoing(entry)))) for (const { digest } of blobsOf(one)) sizes.delete(digest);
    return sumOf(sizes.values());
  };
}

/** A manifest's digest and those of all below it that are there, each once. */
function below(manifests, digest) {
  const found = new Set();
  const waiting = [digest];
  while (waiting.length) {
    const one = waiting.pop();
    if (found.has(one) || !Object.hasOwn(manifests, one)) continue;
    found.add(one);
    const { manifests: parts, blobs } = children(manifests[one].document);
    waiting.push(...[...parts, ...blobs].map((child) => child.digest));
  }
  return [...found];
}
