/** Repositories in folders of any depth. */
import { naturally } from "../browser/format.js";

/**
 * What a path leads to: a folder, a repository, or both. `below` is how many repositories lie in it, at any depth;
 * `order` its children as they are shown, once that was asked.
 * @typedef {{path: string, label: string, name: string, below: number, children: Map<string, Folder>,
 *   order?: Folder[]}} Folder
 * @param {string} path @param {string} label @param {string} [name] the repository's, if it is one
 * @returns {Folder}
 */
const folder = (path, label, name = "") => ({ path, label, name, below: 0, children: new Map() });

// The path of the folder of those without tags: no repository can have it.
const EMPTY = "-";

/**
 * @param {import("./catalog.js").Shown} shown
 * @returns {Folder} the one that holds all; those without tags are in one of their own, where they come after others
 */
export function buildTree({ full, empty, title }) {
  const root = foldersOf(title ? full : empty);
  if (title && empty.length) setApart(root, EMPTY, title, empty);
  return root;
}

/** @param {string[]} names @returns {Folder} the one that holds all */
export function foldersOf(names) {
  const root = folder("", "");
  for (const name of names) {
    let here = root;
    for (const label of name.split("/")) {
      here.below += 1;
      if (!here.children.has(label)) here.children.set(label, folder(here.path + (here.path && "/") + label, label));
      here = here.children.get(label);
    }
    here.name = name;
  }
  return root;
}

/** Put repositories into a folder of their own, after all others. */
function setApart(root, path, label, names) {
  const order = names.map((name) => folder(name, name, name));
  root.order = [...inOrder(root), { ...folder(path, label), below: names.length, order }];
}

/** Folders before what is only a repository. Sorted when it is seen first, as most folders stay closed. */
function inOrder(parent) {
  parent.order ??= [...parent.children.values()].map(joined).sort((one, other) =>
    Number(other.below > 0) - Number(one.below > 0) || naturally(one.label, other.label));
  return parent.order;
}

/** Folders that hold nothing but one folder are one with it, so that they need not be opened one by one. */
function joined(outer) {
  const [inner] = outer.children.values();
  if (outer.name || outer.children.size !== 1 || inner.name || !inner.below) return outer;
  return joined({ ...inner, label: `${outer.label}/${inner.label}` });
}

/**
 * @typedef {{key: string, folder: Folder, open: boolean, level: number, position: number, siblings: number}} Branch
 * `level` and `position` count from 1, as ARIA does; `siblings` is how many there are with it.
 * @param {Folder} root @param {(path: string) => boolean} isOpen
 * @returns {Branch[]} what is in sight while these folders are open
 */
export function visibleRows(root, isOpen) {
  const rows = [];
  function add(parent, level) {
    const children = inOrder(parent);
    for (const [index, child] of children.entries()) {
      const open = child.below > 0 && isOpen(child.path);
      // What opens a view and what only unfolds are different elements, so they have different keys.
      const key = child.name || `${child.path}/`;
      rows.push({ key, folder: child, open, level, position: index + 1, siblings: children.length });
      if (open) add(child, level + 1);
    }
  }
  add(root, 1);
  return rows;
}

/** @param {Branch[]} rows @param {number} index @returns {number} the folder around a row; -1 at the top */
export function parentIndex(rows, index) {
  const { level } = rows[index];
  do index -= 1;
  while (index >= 0 && rows[index].level >= level);
  return index;
}
