/** Parts of the page that are loaded when they are wanted. */
import { h } from "./dom.js";

// Until an interrupted request is repeated, in milliseconds.
const PAUSE = 300;

/**
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>} what it gives, be it at the second time: connections break when networks change
 */
export async function retryOnce(load) {
  try {
    return await load();
  } catch {
    await new Promise((done) => setTimeout(done, PAUSE));
    return load();
  }
}

const styles = new Map();

/**
 * @param {string} name of a style sheet in styles/, of a view that not everyone looks at
 * @returns {Promise<void>} ends once it is applied, or cannot be loaded
 */
export async function addStyle(name) {
  if (!styles.has(name)) styles.set(name, retryOnce(() => linked(`/assets/styles/${name}.css`)));
  // What did not come is asked for again by the next who wants it.
  await styles.get(name).catch(() => styles.delete(name));
}

function linked(href) {
  return new Promise((done, fail) => {
    const link = h("link", { rel: "stylesheet", href, onload: done, onerror: () => (link.remove(), fail(new Error(href))) });
    document.head.append(link);
  });
}
