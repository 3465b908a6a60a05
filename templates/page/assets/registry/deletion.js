/**
 * Deleting tags, and images with all their tags. Knows nothing of the document.
 *
 * Distribution 3 deletes a tag by its name. 2.8 deletes digests only, with all tags on them: there a placeholder
 * image is put onto the tag, and its digest is deleted, which nothing else has. The steps are those of
 * `deployer/workflows/images/untagging.py`. Whatever ends them half-way, the tag is as it was, or on a placeholder that says
 * what it is, and which `deployer` and this page finish.
 */
import { NOTHING, originalOf } from "../content/manifest.js";
import { ACCEPT } from "../content/media-types.js";
import { RegistryError } from "./client.js";
import { NO_DIGEST, createPlaceholder } from "./deletion-plan.js";

// Before each try, in milliseconds: pushes and deletions at the same time make the registry stumble for a moment.
const PAUSES = [0, 100, 500];
const PASSING = ["failed", "missing", "busy"];
// With these statuses nothing was done: not allowed, not offered, or not now.
const UNDONE = [400, 401, 403, 405, 429, 503];
const DIGEST = /^sha256:[0-9a-f]{64}$/;

// With it, the frontend takes what a deletion stores, also while it refuses pushes because the disk is nearly full.
const OF_PLACEHOLDER = { "Deployer-Placeholder": "1" };

/**
 * @typedef {{tag: string, digest: string, lost?: boolean, staying?: string[]}} Target what the tag is known to name,
 * and the tags of the same digest that stay
 * @typedef {{outcome: "deleted" | "gone" | "pushedAgain" | "shared" | "linked" | "mayNotPush" | "failed" | "partial" | "unknown", error?: any,
 *   digest?: string, tags?: string[]}} Result
 * gone: another client was faster. pushedAgain: the tag names another `digest` now, and is left alone. shared: other `tags` have
 * come to the image. linked: in the storage it is the same file as other `tags`, and stays with them. mayNotPush: the tag stays, as 2.8 wants a push. failed: it is as it was. partial: it may be on a
 * placeholder, or on nothing. unknown: it is as it was, or deleted: neither the answer came nor one to the look at it.
 */

/**
 * @param {{client: any, name: string, nonce?: () => string, wait?: (milliseconds: number) => Promise<void>}} options
 * `name` is the repository's. What is begun is ended: no signal breaks it off.
 */
export function createDeletion({ client, name, nonce = randomNonce, wait = pause }) {
  /** @type {"" | "tags" | "digests"} */
  let knownWay = "";
  let hasConfig = false;

  /** @param {string} method @param {string} reference @param {{mediaType?: string, body?: string}} [content] */
  const ask = (method, reference, { mediaType, body } = {}) =>
    client.send(method, `/v2/${name}/manifests/${reference}`, {
      headers: { Accept: ACCEPT, ...(mediaType ? { "Content-Type": mediaType, ...OF_PLACEHOLDER } : {}) }, body, cache: "no-store",
    });

  /**
   * How this registry deletes: `tags`, or only `digests`. It asks about a tag that does not exist, so nothing changes.
   * Fails if it deletes nothing, see `refusal`.
   * @returns {Promise<"tags" | "digests">}
   */
  async function way() {
    if (knownWay) return knownWay;
    let error = await errorOf(ask("DELETE", `deployer-probe-${nonce()}`));
    // Refused for tags, it may still be allowed for digests.
    const wayOfTags = error?.status === 405 && error.code ? "digests" : "";
    if (wayOfTags) error = await errorOf(ask("DELETE", NO_DIGEST));
    if (error && ![400, 404].includes(error.status)) throw error;
    knownWay = wayOfTags || (error?.status === 400 ? "digests" : "tags");
    return knownWay;
  }

  /** What a tag names, as its exact bytes; null if it is gone, or names nothing that can be read. */
  async function read(tag, { lost = false } = {}) {
    try {
      const response = await ask("GET", tag);
      const body = await response.arrayBuffer();
      const mediaType = (response.headers.get("Content-Type") ?? "").split(";")[0];
      return { digest: digestIn(response), mediaType, body };
    } catch (error) {
      if (error.kind === "missing" || (lost && error.kind === "failed")) return null;
      throw error;
    }
  }

  async function uploadConfig() {
    const started = await client.send("POST", `/v2/${name}/blobs/uploads/`, { headers: OF_PLACEHOLDER });
    const location = started.headers.get("Location") ?? "";
    const address = `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(NOTHING.digest)}`;
    await client.send("PUT", address, { headers: { "Content-Type": "application/octet-stream" }, body: NOTHING.text });
    hasConfig = true;
  }

  /** @param {Target} target @returns {Promise<Result>} */
  async function untag({ tag, digest, lost, staying = [] }) {
    const original = await read(tag, { lost });
    if (original ? lost || original.digest !== digest : !lost) {
      return original ? { outcome: "pushedAgain", digest: original.digest } : { outcome: "gone" };
    }
    const byName = (await way()) === "tags" && (await removeByName(tag, digest));
    return byName || replace(tag, digest, original, staying);
  }

  /**
   * Delete a tag by its name; null where only digests are deleted. 3 removes the tag's directory, and fails halfway if a push
   * writes into it at the same time: what it left is deleted again, unless the tag has another image by then.
   * @returns {Promise<Result | null>}
   */
  async function removeByName(tag, digest) {
    let error = null;
    for (const delay of PAUSES) {
      await wait(delay);
      const now = error && (await read(tag, { lost: true }).catch(() => null));
      if (now && now.digest !== digest) return { outcome: "pushedAgain", digest: now.digest };
      const before = error;
      error = await errorOf(ask("DELETE", tag));
      if (!error || (before && error.kind === "missing")) return { outcome: "deleted" };
      if (error.status !== 500) break;
    }
    return error.status === 400 ? null : lookedFor({ digest, tags: [tag], error });
  }

  /**
   * What has come of a deletion that ended in an error: an answer that is lost, or a proxy's, says nothing of that.
   * @param {{digest: string, tags: string[], error: any, isWhole?: boolean}} options
   * @returns {Promise<Result>}
   */
  async function lookedFor({ digest, tags, error, isWhole = false }) {
    if (UNDONE.includes(error.status) || error.kind === "missing") throw error;
    try {
      if (isWhole && (await read(digest))) return { outcome: "failed", error };
      const now = (await client.repository(name)).tags;
      const there = tags.filter((tag) => Object.hasOwn(now, tag));
      if (isWhole) return there.some((tag) => now[tag] === digest) ? { outcome: "partial", error } : { outcome: "deleted" };
      const [tag] = there;
      if (!tag) return { outcome: "deleted" };
      return now[tag] === digest ? { outcome: "failed", error } : { outcome: "pushedAgain", digest: now[tag] };
    } catch {
      // The first failure is more specific.
      return { outcome: "unknown", error };
    }
  }

  /**
   * Put a placeholder onto the tag and delete it, on registries that delete digests only.
   * @returns {Promise<Result>}
   */
  async function replace(tag, digest, original, staying) {
    if (!hasConfig) {
      const error = await errorOf(uploadConfig());
      if (error) return { outcome: error.kind === "forbidden" ? "mayNotPush" : "failed", error };
      const now = await read(tag, { lost: !original });
      if (now?.digest !== original?.digest) return now ? { outcome: "pushedAgain", digest: now.digest } : { outcome: "gone" };
    }
    const mark = nonce();
    const pointedTo = namedBy(original) || digest || NO_DIGEST;
    const placeholder = createPlaceholder({ tag, digest: pointedTo, mediaType: original?.mediaType ?? "", nonce: mark });
    const isOurs = ({ body }) => new TextDecoder().decode(body).includes(mark);
    let failure;
    for (const delay of PAUSES) {
      await wait(delay);
      try {
        const found = failure && (await read(tag, { lost: true }));
        if (found && found.digest !== digest && !isOurs(found)) return { outcome: "pushedAgain", digest: found.digest };
        const stored = digestIn(await ask("PUT", tag, { mediaType: placeholder.mediaType, body: placeholder.text }));
        // Deleted by a digest that is not the placeholder's, something else would go.
        const kept = DIGEST.test(stored) && (await read(stored));
        if (!kept || !isOurs(kept)) throw new RegistryError("notRegistry");
        const along = await movedAlong(staying, stored);
        if (along.length) {
          const back = await putBack(tag, digest, original, isOurs, new RegistryError("failed"));
          return back.outcome === "failed" ? { outcome: "linked", tags: along } : back;
        }
        await ask("DELETE", stored);
        return { outcome: "deleted" };
      } catch (error) {
        failure = known(error);
        if (!PASSING.includes(failure.kind)) break;
      }
    }
    return putBack(tag, digest, original, isOurs, failure);
  }

  /** Tags that a link in the file system has moved along: 2.8 writes into a tag's file in place. */
  async function movedAlong(staying, stored) {
    const found = await Promise.all(staying.map((other) => read(other, { lost: true })));
    return staying.filter((_, index) => found[index]?.digest === stored);
  }

  /**
   * After a failure, restore the tag; one that was pushed again is kept.
   * @returns {Promise<Result>}
   */
  async function putBack(tag, digest, original, isOurs, error) {
    try {
      const now = await read(tag, { lost: true });
      if (now?.digest === digest) return { outcome: "failed", error };
      if (now && !isOurs(now)) return { outcome: "pushedAgain", digest: now.digest };
      if (original) {
        await ask("PUT", tag, original);
        return { outcome: "failed", error };
      }
    } catch {
      // The first failure is more specific.
    }
    return { outcome: "partial", error };
  }

  /** Whatever comes of it, as a result. A tag or manifest that is not there any more is what was wanted. */
  const told = async (action) => {
    try {
      return await action;
    } catch (error) {
      return error.kind === "missing" ? { outcome: "gone" } : { outcome: "failed", error: known(error) };
    }
  };

  return {
    way,

    /** Remove a tag and nothing else. @param {Target} target @returns {Promise<Result>} */
    tag: (target) => told(untag(target)),

    /**
     * Remove a manifest with its tags, unless others have come to it.
     * @param {{digest: string, tags: string[]}} target @returns {Promise<Result>}
     */
    image: ({ digest, tags }) => told((async () => {
      await way();
      const now = Object.entries((await client.repository(name)).tags);
      const others = now.filter(([tag, named]) => named === digest && !tags.includes(tag)).map(([tag]) => tag);
      if (others.length) return { outcome: "shared", tags: others };
      const error = await errorOf(ask("DELETE", digest));
      return error ? lookedFor({ digest, tags, error, isWhole: true }) : { outcome: "deleted" };
    })()),
  };
}

/**
 * Why nothing is deleted.
 * @param {any} error
 * @returns {string} disabled, readOnly or maintenance, otherwise the error's kind
 */
export function refusal({ status, code, kind }) {
  if (status === 405) return code ? "disabled" : "readOnly";
  return status === 503 ? "maintenance" : kind;
}

/** The digest that the tag's own placeholder names; a second one that named the first would lose it. */
function namedBy(original) {
  try {
    return originalOf(JSON.parse(new TextDecoder().decode(original.body)));
  } catch {
    return "";
  }
}

const digestIn = ({ headers }) => headers.get("Docker-Content-Digest") ?? "";
const errorOf = (promise) => promise.then(() => null, known);
/** A connection may also break in the middle of an answer, outside the client. */
const known = (error) => (error.kind ? error : new RegistryError("unreachable", { message: error.message }));
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function randomNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
