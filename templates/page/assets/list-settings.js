/** How the list of repositories is shown: as the address says, or as it was before. */

const KEY = "repositories";
// A longer address would not be passed on whole.
const LONGEST = 1000;

/**
 * @typedef {{filter: string, only: boolean, shape: "list" | "folders", open: Set<string>}} Settings
 * `only` those without tags; `open` are the paths of folders.
 * @param {URLSearchParams} query @param {{open?: Set<string>}} session
 * @returns {Settings}
 */
export function recall(query, session) {
  const open = query.get("open")?.split(" ").filter(Boolean);
  return {
    filter: query.get("filter") ?? "",
    only: query.get("only") === "empty",
    shape: (query.get("as") ?? stored()) === "folders" ? "folders" : "list",
    open: open ? new Set(open) : session.open ?? new Set(),
  };
}

/**
 * @param {Settings} settings
 * @param {{session: any, setQuery: (changes: Record<string, string>) => void}} places
 */
export function keep({ filter, only, shape, open }, { session, setQuery }) {
  const inFolders = shape === "folders";
  const paths = inFolders ? [...open].join(" ") : "";
  session.set({ open });
  setQuery({
    filter,
    only: only ? "empty" : "",
    as: inFolders ? shape : "",
    open: paths.length > LONGEST ? "" : paths,
  });
  try {
    localStorage.setItem(KEY, shape);
  } catch {
    // Browsers may be told to keep nothing.
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
