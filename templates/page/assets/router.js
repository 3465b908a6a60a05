/** Addresses: which view an address means, and how one gets from view to view. */

const REPOSITORY = "/repository/";

/**
 * @param {string} pathname
 * @returns {{view: "repositories"} | {view: "repository", name: string} | {view: "unknown"}}
 */
export function parsePath(pathname) {
  if (pathname === "/" || pathname === "/index.html") return { view: "repositories" };
  const name = pathname.startsWith(REPOSITORY) ? decode(pathname.slice(REPOSITORY.length)) : "";
  return name ? { view: "repository", name } : { view: "unknown" };
}

/** @param {string} name @returns {string} the address of a repository's view */
export const repositoryPath = (name) => REPOSITORY + name.split("/").map(encodeURIComponent).join("/");

/** @param {string} words @returns {string} the address of the list, filtered */
export const filterPath = (words) => `/?${new URLSearchParams({ filter: words })}`;

function decode(path) {
  try {
    return decodeURIComponent(path).replace(/\/+$/, "");
  } catch {
    return "";
  }
}

/**
 * Show the view of the present address, and of each address that a link, "back" or "forward" leads to.
 * What a view starts ends with the signal that it is given.
 * @param {{root: HTMLElement, show: (route: any, context: any) => void}} options
 */
export function startRouter({ root, show }) {
  let leaving = new AbortController();
  history.scrollRestoration = "manual";

  function open(scroll) {
    leaving.abort();
    leaving = new AbortController();
    root.replaceChildren();
    show(parsePath(location.pathname), {
      root,
      signal: leaving.signal,
      query: new URLSearchParams(location.search),
      setQuery,
      go: navigate,
      setTitle: (title) => (document.title = `${title} · ${location.host}`),
      restoreScroll: once(() => scrollTo(0, scroll)),
    });
    scrollTo(0, scroll);
  }

  function navigate(address) {
    rememberScroll();
    history.pushState({}, "", address);
    open(0);
    root.querySelector("h1")?.focus({ preventScroll: true });
  }

  addEventListener("popstate", (event) => open(event.state?.scroll ?? 0));
  addEventListener("scrollend", rememberScroll);
  addEventListener("pagehide", rememberScroll);
  document.addEventListener("click", (event) => {
    const link = followed(event);
    if (!link) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
  open(history.state?.scroll ?? 0);
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
