/** Tags that only attach something to an image: signatures, attestations, lists of contents, and the list of referrers. */

// cosign's form, with any ending; without one that of clients where a registry knows no referrers API (OCI
// distribution specification, referrers tag schema), which shortens a digest to 64 digits.
const ATTACHED = /^(sha256|sha512)-([0-9a-f]{64})(?:\.([A-Za-z0-9_][\w.-]*))?$/;
const ENDINGS = { sig: "signature", att: "attestation", sbom: "sbom", src: "source", vex: "vex" };

/**
 * @param {string} tag
 * @returns {string} the digest to which it attaches something, of sha512 its beginning; empty for ordinary tags
 */
export function attachedTo(tag) {
  const [, algorithm, hex] = ATTACHED.exec(tag) ?? [];
  return hex ? `${algorithm}:${hex}` : "";
}

/** @param {string} tag @returns {string} what it is by its ending, as in `text.image.purposes`; empty for ordinary tags */
export function attachedPurpose(tag) {
  const [whole, , , ending] = ATTACHED.exec(tag) ?? [];
  if (!whole) return "";
  return ending === undefined ? "referrers" : Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : "other";
}

/** @param {string} tag @param {string} digest @returns {boolean} whether the tag attaches something to the digest */
export function isAttachedTo(tag, digest) {
  const subject = attachedTo(tag);
  return subject !== "" && digest.startsWith(subject);
}

/**
 * @param {string} tag @param {string} digest its own
 * @returns {boolean} whether it only attaches something to another manifest; one that names its own digest does not
 */
export const clings = (tag, digest) => attachedTo(tag) !== "" && !isAttachedTo(tag, digest);

/**
 * @param {Record<string, string>} tags digests by tag @param {Iterable<string>} manifests digests that are here
 * @returns {Map<string, {to: string, orphan: boolean}>} of the attached tags alone; `orphan`: what it is attached to is not here
 */
export function readAttached(tags, manifests) {
  const attached = Object.keys(tags).filter((tag) => clings(tag, tags[tag]));
  const here = new Set(attached.length ? manifests : []);
  const long = [...here].filter((digest) => digest.startsWith("sha512:"));
  const subject = (to) => (here.has(to) ? to : long.find((digest) => digest.startsWith(to)));
  return new Map(attached.map((tag) => {
    const to = attachedTo(tag);
    return [tag, { to: subject(to) ?? to, orphan: subject(to) === undefined }];
  }));
}
