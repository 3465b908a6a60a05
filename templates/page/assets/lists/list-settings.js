/** How the list of repositories is shown: as the address says, or as it was before. */

const SHAPE = "repositories";
const SORTS = { name: false, pushed: true, size: true };
// A longer address would not be passed on whole.
const LONGEST = 1000;

/**
 * @typedef {{by: "name" | "pushed" | "size", descending: boolean}} Sorting
 * @typedef {{filter: string, only: boolean, shape: "list" | "folders", open: Set<string>, sorting: Sorting}} Settings
 * `only` those without tags; `open` are the paths of folders.
 * @param {URLSearchParams} query @param {{open?: Set<string>}} session
 * @returns {Settings}
 */
export function recall(query, session) {
  const open = query.get("open")?.split(" ").filter(Boolean);
  return {
    filter: query.get("filter") ?? "",
    only: query.get("only") === "empty",
    shape: (query.get("as") ?? remembered(SHAPE)) === "folders" ? "folders" : "list",
    open: open ? new Set(open) : session.open ?? new Set(),
    sorting: parseSort(query.get("sort") ?? remembered("repositories-sort")),
  };
}

/**
 * @param {Settings} settings
 * @param {{session: any, setQuery: (changes: Record<string, string>) => void}} places
 */
export function keep({ filter, only, shape, open, sorting }, { session, setQuery }) {
  const inFolders = shape === "folders";
  const paths = inFolders ? [...open].join(" ") : "";
  session.set({ open });
  setQuery({
    filter,
    only: only ? "empty" : "",
    as: inFolders ? shape : "",
    open: paths.length > LONGEST ? "" : paths,
    sort: writeSort(sorting),
  });
  remember(SHAPE, shape);
  remember("repositories-sort", writeSort(sorting) || "name");
}

/** @param {string | null} words as an address says it: `pushed`, descending `-pushed` @returns {Sorting} */
export function parseSort(words) {
  const [, minus, by] = /^(-?)(name|pushed|size)$/.exec(words ?? "") ?? [null, "", "name"];
  return /** @type {Sorting} */ ({ by, descending: minus === "-" });
}

/** @param {Sorting} sorting @returns {string} empty for the usual one */
export const writeSort = ({ by, descending }) => (by === "name" && !descending ? "" : (descending ? "-" : "") + by);

/**
 * What a press on a column's heading does: the newest and the largest first, then the other way round.
 * @param {Sorting} now @param {Sorting["by"]} by @returns {Sorting}
 */
export const pressed = (now, by) => ({ by, descending: now.by === by ? !now.descending : SORTS[by] });

/** @param {string} key @param {string} value a choice, from now on in this browser */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Browsers may be set to keep nothing.
  }
}

/** @param {string} key @returns {string | null} the choice that was made before */
export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
