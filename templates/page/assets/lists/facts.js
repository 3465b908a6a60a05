/** What each repository in sight weighs: read once it stays there, and kept for all views. */
import { repositorySize } from "../content/weight.js";
import { createPool } from "./pool.js";

// As many as browsers have connections to one server without HTTP/2.
const AT_ONCE = 6;
// Milliseconds that a row stays in sight before its repository is asked for.
const PAUSE = 150;
// What will be no different a moment later.
const FINAL = ["forbidden", "missing", "large"];

/**
 * @typedef {{tags: number | null, size?: import("../content/weight.js").Sum, pushed?: {tag: string, at: Date}}} Facts
 * `tags` is null if their number is not known
 * @param {{client: any, session: any, signal: AbortSignal, onRead: (name: string) => void}} options
 * @returns {{want: (names: string[]) => void, of: (name: string) => Facts}}
 */
export function createFacts({ client, session, signal, onRead }) {
  const { sizes } = session.get();
  const read = new Set();

  async function run(name, leaving) {
    try {
      sizes.set(name, repositorySize(await client.repository(name, leaving)));
    } catch (error) {
      if (!FINAL.includes(error.kind)) return;
      sizes.delete(name);
    }
    read.add(name);
    onRead(name);
  }

  /** What the storage does not say is null, not zero. */
  function numberOf(name) {
    const found = session.get().names?.get(name);
    return found === undefined ? 0 : found;
  }

  const want = createPool({ size: AT_ONCE, pause: PAUSE, run, signal });
  return {
    want: (names) => want(names.filter((name) => !read.has(name))),
    of: (name) => ({ tags: numberOf(name), size: sizes.get(name) }),
  };
}
