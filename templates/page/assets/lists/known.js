/** What is known of all repositories: last pushes at once, sizes one by one, and the room that all have together. */
import { createFacts } from "./facts.js";

// Repositories whose sizes are read at one wish, beside those in sight.
const MOST = 2000;

/**
 * @typedef {{tag: string, at: Date}} Pushed
 * @typedef {import("./facts.js").Facts & {pushed?: Pushed}} Known
 * @typedef {{stored: {bytes: number, all: boolean} | null, disk: import("../registry/client.js").Disk | null}} Room
 * @param {{client: any, session: any, signal: AbortSignal, onRead: () => void, onLoad: () => void}} options
 * `onRead`: more is known of one repository; `onLoad`: of all of them.
 */
export function createKnown({ client, session, signal, onRead, onLoad }) {
  const { sizes } = session.get();
  const facts = createFacts({ client, session, signal, onRead: noteSize });
  const tried = new Set();
  let inSight = [];
  let wished = [];

  function noteSize(name) {
    tried.add(name);
    onRead();
  }

  const want = () => facts.want([...inSight, ...wished.filter((name) => !tried.has(name))]);

  async function load() {
    // None of these is missed so much that the list should fail with it.
    const none = () => null;
    const [pushed, stored, disk] = await Promise.all([
      client.pushed(signal).catch(none), client.stored(signal).catch(none), client.disk(signal).catch(none),
    ]);
    if (signal.aborted) return;
    const table = pushed && new Map(Object.entries(pushed.pushed).map(([name, { at, tag }]) => [name, { tag, at: new Date(at * 1000) }]));
    session.set({ pushed: table, pushedAll: pushed?.all === true, room: { stored, disk } });
    onLoad();
  }

  return {
    load,
    /** @param {string} name @returns {Known} */
    of: (name) => ({ ...facts.of(name), pushed: session.get().pushed?.get(name) }),
    /** @param {string[]} names in the window: read first */
    see(names) {
      inSight = names;
      want();
    },
    /** @param {string[]} names whose sizes are wanted, too; none ends it */
    measure(names) {
      wished = names.filter((name) => !sizes.has(name) && !tried.has(name)).slice(0, MOST);
      want();
    },
    /** @param {string} name @param {"pushed" | "size"} by @returns {number | undefined} what it is sorted by */
    value: (name, by) => (by === "size" ? sizes.get(name)?.bytes : session.get().pushed?.get(name)?.at.getTime()),
    /** @param {string[]} names @returns {{all: number, read: number, waiting: number}} of how many the size is known, and is being read */
    progress(names) {
      return { all: names.length, read: names.filter((name) => sizes.has(name)).length, waiting: wished.filter((name) => !tried.has(name)).length };
    },
  };
}
