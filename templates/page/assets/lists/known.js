/** What is known of all repositories: last pushes at once, sizes one by one, and the room that all have together. */
import { naturally } from "../browser/format.js";
import { createFacts } from "./facts.js";

// Repositories whose sizes are read at one wish, beside those in sight.
const MOST = 2000;

/**
 * @typedef {{tag: string, at: Date}} Pushed
 * @typedef {{part: boolean, unreadable: Set<string>, error: any}} Missed why last pushes are not known: there are more
 * tags than are looked at, the storage of these repositories and folders cannot be read, or nothing was told at all
 * @typedef {import("./facts.js").Facts & {pushed?: Pushed, missed?: "part" | "unreadable" | any}} Known
 * @typedef {{stored: {bytes: number, all: boolean, unreadable?: number} | null, disk: {bytes: number, free: number} | null,
 *   faults: {stored: any, disk: any}}} Room
 * @param {{client: any, session: any, signal: AbortSignal, onRead: () => void, onLoad: () => void, onFail: (error: any) => void}} options
 * `onRead`: more is known of one repository; `onLoad`: of all of them; `onFail`: the session is over.
 */
export function createKnown({ client, session, signal, onRead, onLoad, onFail }) {
  const { sizes } = session.get();
  const facts = createFacts({ client, session, signal, onRead: noteSize, onFail });
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
    const [pushed, stored, disk] = await Promise.all(["pushed", "stored", "disk"].map((what) => asked(client[what](signal))));
    if (signal.aborted) return;
    const over = [pushed, stored, disk].find(({ error }) => error?.kind === "unauthorized");
    if (over) return onFail(over.error);
    const { all, unreadable } = pushed.answer ?? {};
    const missed = { part: all !== true, unreadable: new Set(unreadable), error: pushed.error };
    const room = { stored: stored.answer, disk: disk.answer, faults: { stored: stored.error, disk: disk.error } };
    session.set({ pushed: pushed.answer && lastPushes(pushed.answer.pushed), pushedAll: !missed.part, missed, room });
    onLoad();
  }

  /** Why the last push of one is not known, though it has tags. */
  function missedOf(name) {
    const { pushed, missed } = session.get();
    if (!missed || pushed?.has(name)) return undefined;
    if (missed.error) return missed.error;
    if (missed.unreadable.has(name)) return "unreadable";
    return missed.part ? "part" : undefined;
  }

  return {
    load,
    /** @param {string} name @returns {Known} */
    of: (name) => ({ ...facts.of(name), pushed: session.get().pushed?.get(name), missed: missedOf(name) }),
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
    value: (name, by) => (by === "size" ? sizes.get(name) : session.get().pushed?.get(name)?.at.getTime()),
    /** @param {string[]} names @returns {{all: number, read: number, waiting: number}} of how many the size is known, and is being read */
    progress(names) {
      return { all: names.length, read: names.filter((name) => sizes.has(name)).length, waiting: wished.filter((name) => !tried.has(name)).length };
    },
  };
}

const asked = (answer) => answer.then((found) => ({ answer: found, error: null }), (error) => ({ answer: null, error }));

/** Of several tags that were pushed in one moment the last in natural order, as the list of tags has it. */
const lastPushes = (pushed) => new Map(Object.entries(pushed).map(([name, { at, tags }]) =>
  [name, { tag: [...tags].sort(naturally).at(-1), at: new Date(at * 1000) }]));
