/** Which rows of a list are chosen, by their keys. */

/** @param {() => void} onChange */
export function createSelection(onChange) {
  const chosen = new Set();
  let anchor;

  function set(keys, on) {
    for (const key of keys) chosen[on ? "add" : "delete"](key);
    onChange();
  }

  return {
    /** @param {string} key @returns {boolean} */
    has: (key) => chosen.has(key),
    /** @returns {string[]} */
    keys: () => [...chosen],
    set,
    clear: () => set([...chosen], false),

    /**
     * Choose one, or leave it out; with `extending` all from the one before to this.
     * @param {{key: string, on: boolean, extending: boolean, shown: string[]}} options `shown` in their order
     */
    pick({ key, on, extending, shown }) {
      const [from, to] = [shown.indexOf(anchor), shown.indexOf(key)].sort((one, other) => one - other);
      set(extending && from >= 0 ? shown.slice(from, to + 1) : [key], on);
      anchor = key;
    },

    /** Leave out what is not there any more. @param {(key: string) => boolean} isThere */
    keep: (isThere) => set([...chosen].filter((key) => !isThere(key)), false),
  };
}
