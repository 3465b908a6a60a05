/** The list of tags: which of them are wanted, and in what order. */
import { naturally } from "./format.js";

/**
 * @typedef {import("./overview.js").Details} Details
 * @typedef {"name" | "size" | "created"} SortKey
 * @typedef {{by: SortKey, descending: boolean}} Sorting
 */

/**
 * @param {string[]} tags @param {Map<string, Details>} details @param {string} filter part of a tag or of its digest
 * @returns {string[]}
 */
export function matchingTags(tags, details, filter) {
  const wanted = filter.trim().toLowerCase();
  const digestHas = (tag) => /^[0-9a-f]{4,}|^sha256:/.test(wanted) && details.get(tag)?.digest?.includes(wanted);
  return tags.filter((tag) => tag.toLowerCase().includes(wanted) || digestHas(tag));
}

/**
 * @param {string[]} tags @param {Map<string, Details>} details @param {Sorting} sorting
 * @returns {string[]} a new list; what is not known comes last, whichever way
 */
export function sortedTags(tags, details, { by, descending }) {
  const direction = descending ? -1 : 1;
  if (by === "name") return [...tags].sort((one, other) => direction * naturally(one, other));
  const value = (tag) => details.get(tag)?.[by] ?? null;
  return [...tags].sort((one, other) => {
    const [first, second] = [value(one), value(other)];
    if (first === null || second === null) return (first === null) - (second === null) || naturally(one, other);
    return direction * (first - second) || naturally(one, other);
  });
}

/**
 * @param {string | null} words as an address says it: `created`, descending `-created`
 * @returns {Sorting}
 */
export function parseSorting(words) {
  const [, minus, by] = /^(-?)(name|size|created)$/.exec(words ?? "") ?? [null, "", "name"];
  return { by, descending: minus === "-" };
}

/** @param {Sorting} sorting @returns {string} empty for the usual one */
export function writeSorting({ by, descending }) {
  return by === "name" && !descending ? "" : (descending ? "-" : "") + by;
}
