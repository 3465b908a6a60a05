/** What strangers wrote, as what it is meant to be: of another kind, it counts as nothing. */

/** @param {unknown} value @returns {boolean} */
export const isObject = (value) => typeof value === "object" && value !== null;

/** @param {unknown} value @returns {any[]} */
export const list = (value) => (Array.isArray(value) ? value : []);

/** @param {unknown} value @returns {string} */
export const asString = (value) => (typeof value === "string" ? value : "");

/** @param {unknown} value @returns {boolean} whether it is a digest as registries write it: what has another names nothing */
export const namesContent = (value) => typeof value === "string" && /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(value);
