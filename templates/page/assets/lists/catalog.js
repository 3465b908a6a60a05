/** The list of repositories: which of them are wanted, in what order, under which headings. */
import { naturally } from "../browser/format.js";

/**
 * @param {string[]} names
 * @param {string} filter words that must all occur
 * @returns {string[]}
 */
export function matching(names, filter) {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.length ? names.filter((name) => wanted.every((word) => name.includes(word))) : names;
}

/** @param {string} name @returns {string} the folder in which it is grouped; empty at the top */
export const folderOf = (name) => (name.includes("/") ? name.slice(0, name.indexOf("/")) : "");

/** @param {string[]} names @returns {string[]} those without a folder first, then folder by folder */
export function ordered(names) {
  // With its folder taken once for each name, ten thousand names are in order within a few frames.
  return names
    .map((name) => ({ name, folder: folderOf(name) }))
    .sort((one, other) =>
      (one.folder === other.folder ? 0 : naturally(one.folder, other.folder)) || naturally(one.name, other.name))
    .map(({ name }) => name);
}

/**
 * @typedef {{heading: true, key: string, folder: string, count: number}} Heading
 * @typedef {{heading: false, key: string, name: string, position: number}} Entry position counts from 1, as ARIA does
 * @param {string[]} names in order
 * @returns {(Heading | Entry)[]} the names, each folder's under its heading
 */
export function grouped(names) {
  /** @type {(Heading | Entry)[]} */
  const rows = [];
  /** @type {Heading} */
  let heading = { heading: true, key: "", folder: "", count: 0 };
  for (const [position, name] of names.entries()) {
    const folder = folderOf(name);
    if (folder !== heading.folder) {
      heading = { heading: true, key: `${folder}/`, folder, count: 0 };
      rows.push(heading);
    }
    heading.count += 1;
    rows.push({ heading: false, key: name, name, position: position + 1 });
  }
  return rows;
}

/**
 * @param {string[]} names in order
 * @param {(name: string) => number | undefined} value undefined if it is not known: these come last, whichever way
 * @param {boolean} descending
 * @returns {string[]} a new list
 */
export function sortedBy(names, value, descending) {
  const direction = descending ? -1 : 1;
  return names
    .map((name) => ({ name, value: value(name) }))
    .sort((one, other) => {
      if (one.value === undefined || other.value === undefined) return Number(one.value === undefined) - Number(other.value === undefined);
      return direction * (one.value - other.value);
    })
    .map(({ name }) => name);
}

/**
 * What is shown, in order: `full` have tags, `empty` have none, and come last, under the `title` if there is one.
 * `flat`: not in the order of names, and so without their folders' headings.
 * @typedef {{full: string[], empty: string[], title: string, count: number, flat?: boolean}} Shown
 * @param {Shown} shown
 * @returns {(Heading | Entry)[]}
 */
export function listed({ full, empty, title, flat }) {
  /** @type {(Heading | Entry)[]} */
  const rows = flat ? full.map((name, index) => ({ heading: false, key: name, name, position: index + 1 })) : grouped(full);
  if (title && empty.length) rows.push({ heading: true, key: "-/", folder: title, count: empty.length });
  for (const [index, name] of empty.entries()) {
    rows.push({ heading: false, key: name, name, position: full.length + index + 1 });
  }
  return rows;
}
