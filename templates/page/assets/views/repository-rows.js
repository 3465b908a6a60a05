/** The rows of the list of repositories, and of its folders. */
import { around } from "../catalog.js";
import { h, icon } from "../dom.js";
import { ago, bytes, count, moment } from "../format.js";
import { repositoryPath } from "../router.js";
import { text } from "../text.js";

const FOLD = "m6 4 4 4-4 4";
const TREE_ITEM = "[role=treeitem]";

/**
 * A folder's heading, or a repository's link with its last part standing out.
 * @param {import("../catalog.js").Heading | import("../catalog.js").Entry} item
 * @param {{facts: (name: string) => import("../facts.js").Facts}} options
 */
export function createListRow({ heading, name }, { facts }) {
  if (heading) return headingRow();
  const cut = name.lastIndexOf("/") + 1;
  const folder = h("span", { class: "folder" }, name.slice(0, cut));
  const leaf = h("span", { class: "leaf" }, name.slice(cut));
  const told = cells();
  const link = h("a", { href: repositoryPath(name) }, folder, leaf);
  return {
    element: h("div", { class: "row entry", role: "listitem" }, link, told.element),
    update: () => told.show(facts(name)),
  };
}

function headingRow() {
  const title = h("h2");
  const number = h("span", { class: "count", "aria-hidden": "true" });
  return {
    element: h("div", { class: "row heading", role: "listitem" }, title, number),
    update(item) {
      title.textContent = item.folder;
      title.setAttribute("aria-label", text.inFolder(item.folder, item.count));
      number.textContent = count(item.count);
    },
  };
}

/**
 * What opens a repository is a link, what only unfolds a button; a folder that is a repository too unfolds by its sign.
 * @param {import("../catalog.js").Branch} item
 * @param {{facts: (name: string) => import("../facts.js").Facts, toggle: (path: string) => void}} options
 */
export function createFolderRow({ folder: { path, label, name } }, { facts, toggle }) {
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
      number.textContent = below ? count(below) : "";
      words.textContent = below ? text.repositoryCount(below) : "";
      told?.show(facts(name));
    },
  };
}

/** The newest tag, the size, the number of tags: each in a place of its own, so that nothing moves when it comes. */
function cells() {
  const newest = h("span", { class: "newest" });
  const size = h("span", { class: "weight" });
  const tags = h("span", { class: "tagged" });
  return {
    element: h("span", { class: "holds" }, newest, size, tags),
    show(facts) {
      tags.textContent = facts.tags ? text.tagCount(facts.tags) : text.list.noTags;
      size.textContent = facts.tags && facts.size !== undefined ? bytes(facts.size) : "";
      newest.replaceChildren(...(facts.newest ? newestWords(facts.newest) : []));
      newest.title = facts.newest ? text.list.newest(facts.newest.tag, moment(facts.newest.created)) : "";
    },
  };
}

const newestWords = ({ tag, created }) => [
  h("span", { class: "unseen" }, text.list.newestTag),
  h("span", { class: "chip" }, tag),
  h("span", { class: "when" }, ago(created)),
];

/**
 * The keys of a tree: right opens a folder and goes into it, left closes it and goes out of it. The tree is one stop
 * of the Tab key.
 * @param {{list: HTMLElement, virtual: any, rows: () => any[], toggle: (path: string) => void}} options
 * @returns {{keepStop: () => void}} to be called when rows have come and gone
 */
export function createTreeKeys({ list, virtual, rows, toggle }) {
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
    else if (!wanted && around(rows(), index) >= 0) virtual.focus(around(rows(), index));
  }

  list.addEventListener("keydown", onKey);
  list.addEventListener("focusin", (event) => event.target.matches(TREE_ITEM) && stopAt(event.target));
  return { keepStop: () => stop?.isConnected || stopAt(list.querySelector(TREE_ITEM)) };
}
