/** A state, and who wants to know when it changes. */

/** Told by the window when something was deleted; its `detail` is the repository's name. */
export const CHANGED = "repository-changed";

/**
 * @template {object} T
 * @param {T} initial
 * @returns {{get: () => T, set: (change: Partial<T>) => void,
 *   subscribe: (listener: (state: T) => void, signal?: AbortSignal) => void}}
 */
export function createStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener(state);
    },
    subscribe(listener, signal) {
      listeners.add(listener);
      signal?.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}
