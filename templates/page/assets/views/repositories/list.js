/** Repositories as a list: its rows, and what each row tells. */
import { h, say } from "../../browser/dom.js";
import { ago, count, moment, sumWords } from "../../browser/format.js";
import { repositoryPath } from "../../browser/router.js";
import { remembering } from "../../browser/store.js";
import { text } from "../../browser/text.js";
import { listed } from "../../lists/catalog.js";

/**
 * A way to show repositories: `rowsOf` what is shown, an element for each as the virtual list wants it, and what is to
 * be done when rows have come and gone.
 * @typedef {{role: string, rowsOf: (shown: import("../../lists/catalog.js").Shown) => any[], createRow: (item: any) => any,
 *   onDraw: () => void}} Shape
 * @param {{facts: (name: string) => import("../../lists/facts.js").Facts, shown: () => import("../../lists/catalog.js").Shown}} options
 * @returns {Shape}
 */
export const listShape = (options) => ({
  role: "list",
  rowsOf: listed,
  createRow: (item) => (item.heading ? headingRow() : repositoryRow(item, options)),
  onDraw() {},
});

/** A repository's link, with its last part standing out. */
function repositoryRow({ name }, { facts, shown }) {
  const cut = name.lastIndexOf("/") + 1;
  const folder = h("span", { class: "folder" }, name.slice(0, cut));
  const leaf = h("span", { class: "leaf" }, name.slice(cut));
  const told = cells();
  const element = h("div", { class: "row entry", role: "listitem" }, h("a", { href: repositoryPath(name) }, folder, leaf), told.element);
  return {
    element,
    update({ position }) {
      element.setAttribute("aria-posinset", position);
      element.setAttribute("aria-setsize", shown().count);
      told.show(facts(name));
    },
  };
}

function headingRow() {
  const title = h("h2");
  const number = h("span", { class: "count", "aria-hidden": "true" });
  return {
    element: h("div", { class: "row heading", role: "listitem" }, title, number),
    update(item) {
      say(title, item.folder);
      title.setAttribute("aria-label", text.list.inFolder(item.folder, item.count));
      say(number, count(item.count));
    },
  };
}

/**
 * What was pushed last, the size, the number of tags: each in its own place, so that nothing moves when it comes.
 * @returns {{element: HTMLElement, show: (facts: import("../../lists/facts.js").Facts) => void}}
 */
export function cells() {
  const newest = h("span", { class: "newest" });
  const size = h("span", { class: "weight" });
  const tags = h("span", { class: "tagged" });
  const drawPushed = remembering((last) => {
    newest.replaceChildren(...(last ? pushedWords(last) : []));
    newest.title = last ? text.list.pushedAt(last.tag, moment(last.at)) : "";
  });
  return {
    element: h("span", { class: "holds" }, newest, size, tags),
    show(facts) {
      say(tags, facts.tags === null ? text.list.unknownTags : facts.tags ? text.tagCount(facts.tags) : text.list.noTags);
      say(size, facts.tags && facts.size !== undefined ? sumWords(facts.size) : "");
      drawPushed(facts.pushed);
    },
  };
}

const pushedWords = ({ tag, at }) => [
  h("span", { class: "unseen" }, `${text.list.columns.pushed}: `),
  h("span", { class: "chip" }, tag),
  h("span", { class: "when" }, ago(at)),
];

/**
 * The headings of the list, by which it is sorted.
 * @param {{onSort: (by: "name" | "pushed" | "size") => void}} options
 * @returns {{element: HTMLElement, show: (now: {sorting: import("../../lists/list-settings.js").Sorting, mayPushed: boolean}) => void}}
 */
export function listHeadings({ onSort }) {
  /** @type {("name" | "pushed" | "size")[]} */
  const columns = ["name", "pushed", "size"];
  const buttons = columns.map((by) =>
    [by, h("button", { type: "button", class: `sort by-${by}`, onclick: () => onSort(by) }, text.list.columns[by])]);
  const [name, ...others] = buttons.map(([, button]) => button);
  const tags = h("span", { class: "by-tags" }, text.list.columns.tags);
  return {
    element: h("div", { class: "headings", role: "group", "aria-label": text.list.sortBy }, name, h("span", { class: "holds" }, ...others, tags)),
    show({ sorting, mayPushed }) {
      for (const [by, button] of buttons) {
        const isIt = by === sorting.by;
        button.setAttribute("aria-pressed", isIt);
        button.dataset.order = isIt ? (sorting.descending ? "descending" : "ascending") : "";
        if (by === "pushed") button.disabled = !mayPushed;
      }
    },
  };
}
