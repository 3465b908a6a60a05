/** The list of tags: which of them are wanted, and in what order. */
import { naturally } from "../browser/format.js";

/**
 * @typedef {import("../registry/overview.js").Details} Details
 * @typedef {"name" | "size" | "created" | "pushed"} SortKey `created`: by moment, which is the push where no creation is real
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
  if (by === "created" && descending) return newestFirst(tags, details);
  /** @param {string} tag @returns {any} */
  const value = (tag) => (by === "created" ? details.get(tag)?.moment?.at : details.get(tag)?.[by]) ?? null;
  return [...tags].sort((one, other) => {
    const [first, second] = [value(one), value(other)];
    if (first === null || second === null) return Number(first === null) - Number(second === null) || naturally(one, other);
    return direction * (first - second) || naturally(one, other);
  });
}

/**
 * @param {string[]} tags @param {Map<string, Details>} details
 * @returns {string[]} a new list: by moment, of equal ones the last pushed first, then the last in natural order; what
 *   has no moment comes last
 */
export function newestFirst(tags, details) {
  const times = (tag) => [details.get(tag)?.moment?.at, details.get(tag)?.pushed].map((time) => time?.getTime() ?? -Infinity);
  const keyed = tags.map((tag) => ({ tag, times: times(tag) }));
  keyed.sort((one, other) =>
    later(one.times[0], other.times[0]) || later(one.times[1], other.times[1]) || naturally(other.tag, one.tag));
  return keyed.map(({ tag }) => tag);
}

const later = (one, other) => Number(other > one) - Number(one > other);

const IMAGES = ["image", "index", "legacy"];

/**
 * The tag that represents a repository: `latest` if it names an image that can be pulled whole, otherwise the newest
 * such image, or the newest of which a part can be pulled, or the newest of what else there is.
 * @param {Map<string, Details>} tags
 * @returns {string} empty if nothing can be pulled
 */
export function headline(tags) {
  const order = newestFirst([...tags.keys()].filter((tag) => !tags.get(tag).attached), tags);
  const isPulled = ({ kind, purpose }) => IMAGES.includes(kind) && !purpose;
  const can = (isImage, pulls) => order.filter((tag) => isPulled(tags.get(tag)) === isImage && tags.get(tag).pulls === pulls);
  const images = [can(true, "whole"), can(true, "part")].find((found) => found.length) ?? [];
  return images.includes("latest") ? "latest" : images[0] ?? can(false, "whole")[0] ?? "";
}

/**
 * @param {string | null} words as an address says it: `created`, descending `-created`
 * @returns {Sorting} the newest first, if it says nothing
 */
export function parseSorting(words) {
  const [, minus, by] = /^(-?)(name|size|created|pushed)$/.exec(words ?? "") ?? [null, "-", "created"];
  return /** @type {Sorting} */ ({ by, descending: minus === "-" });
}

/** @param {Sorting} sorting @returns {string} as an address says it */
export const writeSorting = ({ by, descending }) => (descending ? "-" : "") + by;

/**
 * What is attached to an image comes under it.
 * @param {string[]} order the tags that are shown @param {Map<string, Details>} details
 * @returns {string[]} what is attached to an image that is shown right after its first tag, other attached tags last
 */
export function nested(order, details) {
  const attached = order.filter((tag) => details.get(tag)?.attached);
  const shown = new Set(order.filter((tag) => !details.get(tag)?.attached).map((tag) => details.get(tag)?.digest));
  const under = new Map();
  for (const tag of attached.filter((each) => shown.has(details.get(each).attached.to))) {
    const { to } = details.get(tag).attached;
    under.set(to, [...(under.get(to) ?? []), tag]);
  }
  const rows = [];
  for (const tag of order.filter((each) => !details.get(each)?.attached)) {
    const { digest } = details.get(tag);
    rows.push(tag, ...(under.get(digest) ?? []));
    under.delete(digest);
  }
  return [...rows, ...attached.filter((tag) => !shown.has(details.get(tag).attached.to))];
}
