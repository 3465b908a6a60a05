/** A state, and who wants to know of which of its changes. */

/** Told by the window when something was deleted; its `detail` is the repository's name. */
export const CHANGED = "repository-changed";

/**
 * @template {object} T
 * @param {T} initial
 * @returns {{get: () => T, set: (change: Partial<T>) => void,
 *   subscribe: (keys: (keyof T)[], listener: (state: T) => void, signal?: AbortSignal) => void}}
 * Who subscribes hears of these keys alone, and only when one of them has another value: what is shown of others stays,
 * and anyone who is at it keeps the focus.
 */
export function createStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(change) {
      const before = state;
      state = { ...state, ...change };
      for (const { keys, listener } of [...listeners]) if (keys.some((key) => state[key] !== before[key])) listener(state);
    },
    subscribe(keys, listener, signal) {
      const one = { keys, listener };
      listeners.add(one);
      signal?.addEventListener("abort", () => listeners.delete(one), { once: true });
    },
  };
}

/**
 * @template {any[]} G @template R
 * @param {(...given: G) => R} make
 * @returns {(...given: G) => R} gives the last result while it is asked with the same, and does nothing then
 */
export function remembering(make) {
  let last = null;
  let result;
  return (...given) => {
    if (!last || given.some((one, index) => one !== last[index])) result = make(...given);
    last = given;
    return result;
  };
}
