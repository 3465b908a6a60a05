/** Repositories as a tree of folders. */
import { h, icon, say } from "../../browser/dom.js";
import { count } from "../../browser/format.js";
import { repositoryPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { buildTree, parentIndex, visibleRows } from "../../lists/folders.js";
import { cells } from "./list.js";

const FOLD = "m6 4 4 4-4 4";
const TREE_ITEM = "[role=treeitem]";

/**
 * @param {{list: HTMLElement, virtual: any, facts: (name: string) => import("../../lists/facts.js").Facts,
 *   isOpen: (path: string) => boolean, toggle: (path: string) => void}} options
 * @returns {import("./list.js").Shape}
 */
export function folderShape(options) {
  let from = null;
  let root = null;
  let rows = [];
  const keys = createTreeKeys({ ...options, rows: () => rows });

  return {
    role: "tree",
    rowsOf(shown) {
      // To open a folder changes nothing of what is in it.
      if (shown !== from) root = buildTree(shown);
      from = shown;
      rows = visibleRows(root, options.isOpen);
      return rows;
    },
    createRow: (item) => folderRow(item, options),
    onDraw: keys.keepStop,
  };
}

/** What opens a repository is a link, what only unfolds a button; a folder that is one too unfolds by its sign. */
function folderRow({ folder: { path, label, name } }, { facts, toggle }) {
  const fold = h("span", { class: "fold" }, icon(FOLD));
  const number = h("span", { class: "count", "aria-hidden": "true" });
  const words = h("span", { class: "unseen" });
  const told = name ? cells() : null;
  const content = [fold, h("span", { class: "leaf" }, label), number, words, told?.element];
  const common = { role: "treeitem", tabindex: -1 };
  const control = name
    ? h("a", { ...common, href: repositoryPath(name) }, ...content)
    : h("button", { ...common, type: "button", onclick: () => toggle(path) }, ...content);
  if (name) fold.addEventListener("click", unfold);

  function unfold(event) {
    if (!control.hasAttribute("aria-expanded")) return;
    event.preventDefault();
    toggle(path);
  }

  return {
    element: h("div", { class: "row branch", role: "none" }, control),
    update({ folder: { below }, open, level, position, siblings }) {
      const places = { "aria-level": level, "aria-posinset": position, "aria-setsize": siblings };
      for (const [key, value] of Object.entries(places)) control.setAttribute(key, value);
      if (below) control.setAttribute("aria-expanded", open);
      else control.removeAttribute("aria-expanded");
      control.style.setProperty("--level", level - 1);
      say(number, below ? count(below) : "");
      say(words, below ? text.list.repositoryCount(below) : "");
      told?.show(facts(name));
    },
  };
}

/**
 * The keys of a tree: right opens a folder and goes into it, left closes it and goes out of it. The tree is one stop
 * of the Tab key, which has to be kept when rows have come and gone.
 */
function createTreeKeys({ list, virtual, rows, toggle }) {
  let stop = null;

  function stopAt(control) {
    if (stop) stop.tabIndex = -1;
    stop = control;
    if (stop) stop.tabIndex = 0;
  }

  function onKey(event) {
    const wanted = { ArrowRight: true, ArrowLeft: false }[event.key];
    const index = event.target.closest(TREE_ITEM) ? virtual.indexOf(event.target) : -1;
    if (wanted === undefined || index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { folder, open } = rows()[index];
    if (folder.below && open !== wanted) toggle(folder.path);
    else if (open) virtual.focus(index + 1);
    else if (!wanted && parentIndex(rows(), index) >= 0) virtual.focus(parentIndex(rows(), index));
  }

  list.addEventListener("keydown", onKey);
  list.addEventListener("focusin", (event) => event.target.matches(TREE_ITEM) && stopAt(event.target));
  return { keepStop: () => stop?.isConnected || stopAt(list.querySelector(TREE_ITEM)) };
}
