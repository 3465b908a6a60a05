/**
 * Every word that people read, in their language. A language is one object of the same shape as all others; what
 * holds numbers or names is a function.
 */

import { retryOnce } from "./loading.js";

/** The languages that there are, each by its own name. */
export const LANGUAGES = { en: "English", ja: "日本語" };

const CHOICE = "language";

/**
 * @param {readonly string[]} wanted the reader's languages, the best first
 * @returns {string} the first of them that there is, as the page's `lang` and for numbers, times and plurals
 */
export const preferred = (wanted) =>
  wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? "en";

/** The language that the reader chose here, if any. */
function chosen() {
  try {
    return localStorage.getItem(CHOICE) ?? "";
  } catch {
    // A browser may be set to keep nothing.
    return "";
  }
}

/** @param {string} language from now on, in this browser; the page has to be loaded again */
export function choose(language) {
  try {
    localStorage.setItem(CHOICE, language);
  } catch {
    // As above: then the browser's own languages count.
  }
}

export const language = preferred([chosen(), ...(globalThis.navigator?.languages ?? [])]);

export const { text } = await retryOnce(() => import(`../languages/${language}.js`));

/**
 * Load the words of a view that not everyone looks at.
 * @param {string} group they are in `text[group]` from then on
 */
export async function addWords(group) {
  text[group] ??= (await retryOnce(() => import(`../languages/${group}/${language}.js`))).words;
}
