/** What the page's modules add to the browser's own types. */
interface Window {
  /** Loads the page again, once: start.js. */
  reloader?: { ask(): boolean; done(): void };
}

interface WindowEventMap {
  "repository-changed": CustomEvent<string>;
}
