/** What each repository in sight weighs: read once it stays there, and kept for all views. */
import { createPool } from "./pool.js";
import { weigh } from "../registry/weight.js";

// As many as browsers have connections to one server without HTTP/2.
const AT_ONCE = 6;
// Milliseconds that a row stays in sight before its repository is asked for.
const PAUSE = 150;
// What will be no different a moment later.
const FINAL = ["forbidden", "missing", "large"];

/**
 * @typedef {{tags: number | null, size?: number, fault?: any}} Facts size in bytes; `tags` null where the storage cannot
 * be read; `fault`: why the size is not known, once it was asked for
 * @param {{client: any, session: any, signal: AbortSignal, onRead: (name: string) => void, onFail: (error: any) => void}} options
 * `onFail`: the session is over
 * @returns {{want: (names: string[]) => void, of: (name: string) => Facts}}
 */
export function createFacts({ client, session, signal, onRead, onFail }) {
  const { sizes } = session.get();
  const read = new Set();
  const faults = new Map();

  async function run(name, leaving) {
    try {
      const { manifests } = await client.repository(name, leaving);
      sizes.set(name, weigh(Object.values(manifests).map((entry) => entry?.document)));
      faults.delete(name);
      read.add(name);
    } catch (error) {
      if (error.kind === "unauthorized") onFail(error);
      if (leaving.aborted || !error.kind) return;
      faults.set(name, error);
      if (FINAL.includes(error.kind)) {
        sizes.delete(name);
        read.add(name);
      }
    }
    onRead(name);
  }

  const want = createPool({ size: AT_ONCE, pause: PAUSE, run, signal });
  return {
    want: (names) => want(names.filter((name) => !read.has(name))),
    of: (name) => ({ tags: session.get().names?.get(name) ?? null, size: sizes.get(name), fault: faults.get(name) }),
  };
}
