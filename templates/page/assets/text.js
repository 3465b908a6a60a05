/**
 * Every word that people read, in their language. A language is one object of the same shape as all others; what
 * holds numbers or names is a function.
 */
import { english } from "./languages/en.js";
import { japanese } from "./languages/ja.js";

const LANGUAGES = { en: english, ja: japanese };

/**
 * @param {readonly string[]} wanted the reader's languages, the best first
 * @returns {string} the first of them that there is, as the page's `lang` and for numbers, times and plurals
 */
export const preferred = (wanted) =>
  wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? "en";

export const language = preferred(globalThis.navigator?.languages ?? []);

export const text = LANGUAGES[language];
