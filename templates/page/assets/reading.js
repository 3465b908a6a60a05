/** Reading the details of all tags of a repository: those in sight first, a few at a time. */
import { createDetailsReader } from "./details.js";
import { naturally } from "./format.js";
import { runPool } from "./pool.js";

// As many as browsers have connections to one server without HTTP/2.
const AT_ONCE = 6;
const REFUSALS = ["unauthorized", "forbidden"];

/**
 * @typedef {import("./details.js").Details & {siblings: string[]}} Known siblings: the other tags on its digest
 * @param {{client: any, cache: any, name: string, signal: AbortSignal, inSight: () => {key: string}[],
 *   onProgress: () => void}} options
 */
export function createReading({ client, cache, name, signal, inSight, onProgress }) {
  const read = createDetailsReader({ client, cache, name, signal });
  const details = new Map();
  const faults = new Map();
  const tagsOf = new Map();
  const known = new Map();
  let waiting = new Set();
  let pending = 0;

  function next() {
    const tag = inSight().find(({ key }) => waiting.has(key))?.key ?? waiting.values().next().value;
    waiting.delete(tag);
    return tag;
  }

  async function run(tag) {
    try {
      const found = await read(tag);
      details.set(tag, found);
      if (!tagsOf.has(found.digest)) tagsOf.set(found.digest, []);
      tagsOf.get(found.digest).push(tag);
    } catch (fault) {
      if (signal.aborted) return;
      faults.set(tag, { fault });
    }
    pending -= 1;
    onProgress();
  }

  function start(tags) {
    for (const tag of tags) faults.delete(tag);
    waiting = new Set(tags);
    pending = waiting.size;
    onProgress();
    runPool({ size: AT_ONCE, next, run, signal });
  }

  return {
    /** @param {string[]} tags read in this order, but for those in sight */
    start,
    retry: () => start([...faults.keys()]),
    /** @returns {Map<string, import("./details.js").Details>} what is known so far, by tag */
    details,
    pending: () => pending,
    failures: () => faults.size,
    /** @returns {any} the fault of one that was not read for want of a sign-in or a right, if there is one */
    refusal: () => [...faults.values()].map(({ fault }) => fault).find(({ kind }) => REFUSALS.includes(kind)),

    /**
     * @param {string} tag
     * @returns {Known | {fault: any} | undefined} the same object until more is known
     */
    of(tag) {
      const found = details.get(tag);
      if (!found) return faults.get(tag);
      const tags = found.digest ? tagsOf.get(found.digest) : [tag];
      const last = known.get(tag);
      if (last?.siblings.length === tags.length - 1) return last;
      const siblings = tags.filter((other) => other !== tag).sort(naturally);
      known.set(tag, { ...found, siblings });
      return known.get(tag);
    },
  };
}
