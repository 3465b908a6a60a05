/** What the list tells of each repository in sight: read once it stays there, and kept for all views. */
import { listedTags, readRepository } from "./overview.js";
import { createPool } from "./pool.js";
import { newestFirst } from "./tags.js";

// As many as browsers have connections to one server without HTTP/2.
const AT_ONCE = 6;
// Milliseconds that a row stays in sight before its repository is asked for.
const PAUSE = 150;
// Repositories kept, each with all its tags.
const KEPT = 2000;
// What will be no different a moment later.
const FINAL = ["forbidden", "missing", "large"];

/**
 * @typedef {{tag: string, at: Date, source: "created" | "pushed"}} Newest
 * @typedef {{tags: number, size?: number, newest?: Newest}} Facts size in bytes
 * @param {{client: any, session: any, signal: AbortSignal, onRead: (name: string) => void}} options
 * @returns {{want: (names: string[]) => void, of: (name: string) => Facts}}
 */
export function createFacts({ client, session, signal, onRead }) {
  const { repositories } = session.get();
  const read = new Set();

  async function run(name, leaving) {
    try {
      const found = readRepository(await client.repository(name, leaving));
      // As the last, so that those looked at long ago go first.
      repositories.delete(name);
      repositories.set(name, found);
      if (repositories.size > KEPT) repositories.delete(repositories.keys().next().value);
    } catch (error) {
      if (!FINAL.includes(error.kind)) return;
      repositories.delete(name);
    }
    read.add(name);
    onRead(name);
  }

  const want = createPool({ size: AT_ONCE, pause: PAUSE, run, signal });
  return {
    want: (names) => want(names.filter((name) => !read.has(name))),
    of(name) {
      const found = repositories.get(name);
      return found
        ? { tags: listedTags(found.tags).length, size: found.size, newest: newest(found.tags) }
        : { tags: session.get().names?.get(name) ?? 0 };
    },
  };
}

/** @param {Map<string, import("./overview.js").Details>} tags @returns {Newest | undefined} of all that have a moment */
export function newest(tags) {
  const [tag] = newestFirst(listedTags(tags), tags);
  const moment = tags.get(tag)?.moment;
  return moment ? { tag, ...moment } : undefined;
}
