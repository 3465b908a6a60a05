/** Addresses: which view an address means, and how one gets from view to view. */

import { isName } from "./names.js";

const REPOSITORY = "/repository/";
// The address of what runs by itself.
export const SCHEDULE = "/schedule";
const ADDRESS = /^\/repository\/(.+?)(?:\/(tag|digest)\/([^/]+))?\/?$/;

/**
 * @param {string} pathname as the browser has it, still encoded
 * @returns {{view: "repositories"} | {view: "schedule"} | {view: "repository", name: string} | {view: "unknown"}
 *   | {view: "image", name: string, tag: string, digest: string}} of tag and digest, one is empty
 */
export function parsePath(pathname) {
  if (pathname === "/" || pathname === "/index.html") return { view: "repositories" };
  if (pathname === SCHEDULE) return { view: "schedule" };
  const [, path, kind, reference] = ADDRESS.exec(pathname) ?? [];
  const name = decode(path);
  if (!name) return { view: "unknown" };
  if (!kind) return { view: "repository", name };
  const one = decode(reference);
  return one ? { view: "image", name, tag: "", digest: "", [kind]: one } : { view: "unknown" };
}

/** A repository has a second view, of what has no tag there; any path below it would be another repository's. */
function ofRepository(route, query) {
  const isIt = route.view === "repository" && query.get("show") === "untagged" && isName(route.name);
  return isIt ? { ...route, view: "untagged" } : route;
}

/** @param {string} name @returns {string} the address of the view of what has no tag in a repository */
export const untaggedPath = (name) => `${repositoryPath(name)}?show=untagged`;

/** @param {string} name @returns {string} the address of a repository's view */
export const repositoryPath = (name) => REPOSITORY + name.split("/").map(component).join("/");

/** @param {string} name @param {string} tag @returns {string} the address of the view of what the tag points to */
export const tagPath = (name, tag) => `${repositoryPath(name)}/tag/${encodeURIComponent(tag)}`;

/** @param {string} name @param {string} digest @returns {string} the address of the view of a manifest */
export const digestPath = (name, digest) => `${repositoryPath(name)}/digest/${digest}`;

/** @param {string} words @returns {string} the address of the list, filtered */
export const filterPath = (words) => `/?${new URLSearchParams({ filter: words })}`;

const PARTING = { tag: "%74ag", digest: "%64igest" };

/** A part of a name; one that would be taken for what follows a name is written in another way. */
const component = (part) => (Object.hasOwn(PARTING, part) ? PARTING[part] : encodeURIComponent(part));

function decode(path = "") {
  try {
    return decodeURIComponent(path).replace(/\/+$/, "");
  } catch {
    return "";
  }
}

/**
 * Show the view of the present address, and of each address that a link, "back" or "forward" leads to.
 * What a view starts ends with the signal that it is given.
 * @param {{root: HTMLElement, load: (route: any) => Promise<(context: any) => void>}} options
 * `load` gets a route's view, which must not fail.
 */
export function startRouter({ root, load }) {
  let leaving = new AbortController();
  history.scrollRestoration = "manual";

  /** Scrolled so far; `focus`: the address of the link that had the focus here, null when it was never left. */
  async function open(scroll, focus) {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const route = ofRepository(parsePath(location.pathname), new URLSearchParams(location.search));
    const show = await load(route);
    if (signal.aborted) return;
    root.replaceChildren();
    show({
      ...route,
      root,
      signal,
      query: new URLSearchParams(location.search),
      setQuery,
      // One way leads on from a view: what was begun before it is left goes nowhere else.
      go: (address) => signal.aborted || navigate(address),
      setTitle: (title) => (document.title = `${title} · ${location.host}`),
      restoreScroll: once(() => {
        scrollTo(0, scroll);
        if (focus !== null) returnFocus(root, focus, signal);
      }),
    });
    scrollTo(0, scroll);
  }

  async function navigate(address) {
    const focus = document.activeElement?.closest("a[href]")?.getAttribute("href") ?? "";
    history.replaceState({ ...history.state, scroll: scrollY, focus }, "");
    history.pushState({}, "", address);
    await open(0, null);
    root.querySelector("h1")?.focus({ preventScroll: true });
  }

  addEventListener("popstate", (event) => open(event.state?.scroll ?? 0, event.state?.focus ?? ""));
  addEventListener("scrollend", rememberScroll);
  addEventListener("pagehide", rememberScroll);
  document.addEventListener("click", (event) => {
    const link = followed(event);
    if (!link) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
  open(history.state?.scroll ?? 0, null);
}

/** Back to the link that led away, or to the view's beginning, where nothing else has the focus by now. */
function returnFocus(root, address, signal) {
  // A list shows what is in the window a moment after that was scrolled.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (signal.aborted || document.activeElement !== document.body) return;
    const link = address && [...root.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === address);
    (link || root.querySelector("h1"))?.focus({ preventScroll: true });
  }));
}

function rememberScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, "");
}

/** Keep a view's settings in its address, without a step in the history for each letter typed. */
function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  history.replaceState(history.state, "", location.pathname + (query.size ? `?${query}` : ""));
}

/** The link of this page that a plain click follows; any other click is the browser's. */
function followed(event) {
  const link = event.target instanceof Element && event.target.closest("a[href]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  return link && plain && !event.defaultPrevented && link.origin === location.origin && !link.target ? link : null;
}

function once(action) {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
