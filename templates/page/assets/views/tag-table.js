/** The table of a repository's tags: its header, which sorts, and its rows, whose details arrive later. */
import { h } from "../dom.js";
import { ago, bytes, moment, shortDigest } from "../format.js";
import { artifactName } from "../manifest.js";
import { text } from "../text.js";
import { copyButton, faultSentence } from "./parts.js";

const COLUMNS = [
  { key: "name", label: text.tag },
  { key: "platforms", label: text.platforms },
  { key: "size", label: text.size },
  { key: "created", label: text.created },
  { key: "pull", label: text.pull },
];
const SORTABLE = ["name", "size", "created"];
const CHIPS = 4;

/**
 * @param {(by: string) => void} onSort
 * @returns {{element: HTMLElement, show: (sorting: import("../tags.js").Sorting) => void}}
 */
export function createHeader(onSort) {
  const cells = COLUMNS.map(({ key, label }) => {
    const content = SORTABLE.includes(key)
      ? h("button", { type: "button", class: "sort", onclick: () => onSort(key) }, label)
      : h("span", {}, label);
    return h("div", { class: `cell ${key}`, role: "columnheader" }, content);
  });
  const row = h("div", { class: "columns", role: "row", "aria-rowindex": 1 }, ...cells);
  const element = h("div", { class: "header", role: "rowgroup" }, row);
  return {
    element,
    show({ by, descending }) {
      for (const [index, { key }] of COLUMNS.entries()) {
        if (key === by) cells[index].setAttribute("aria-sort", descending ? "descending" : "ascending");
        else cells[index].removeAttribute("aria-sort");
      }
    },
  };
}

/**
 * @param {string} tag
 * @param {{pullCommand: (tag: string) => string, read: (tag: string) => any, announce: (words: string) => void,
 *   onCopied: (tag: string) => void}} options
 * `read` gives the tag's details, with `siblings`; `{fault}` where they could not be read; undefined while unknown.
 */
export function createTagRow(tag, { pullCommand, read, announce, onCopied }) {
  const cell = (key, ...content) => h("div", { class: `cell ${key}`, role: "cell" }, ...content);
  const below = h("div", { class: "below" }, bone());
  const cells = { platforms: cell("platforms", bone()), size: cell("size", bone()), created: cell("created", bone()) };
  const command = pullCommand(tag);
  const pull = copyButton({
    label: text.copyPull(tag),
    title: command,
    content: h("span", {}, text.pull),
    words: () => command,
    onCopied: () => onCopied(tag),
    announce,
  });
  const element = h("div", { class: "row columns", role: "row" },
    cell("name", h("div", { class: "tag", title: tag }, tag), below),
    cells.platforms, cells.size, cells.created, cell("pull", pull));
  let shown;

  function update() {
    const details = read(tag);
    if (!details || details === shown) return;
    const before = shown;
    shown = details;
    if (details.fault) return showFault(below, cells, details.fault);
    showBelow(below, tag, details, before, announce);
    cells.platforms.replaceChildren(...chips(details));
    cells.size.replaceChildren(...sizeWords(details));
    cells.created.replaceChildren(...createdWords(details));
  }
  return { element, update };
}

function showFault(below, cells, fault) {
  const words = fault.kind === "missing" ? text.gone : text.unread;
  below.replaceChildren(h("span", { class: "fault", title: faultSentence(fault).replaceAll("`", "") }, words));
  for (const cell of Object.values(cells)) cell.replaceChildren(text.noneKnown);
}

/** The digest and the other tags on it. What has not changed stays, as it may have the focus. */
function showBelow(below, tag, { digest, siblings }, before, announce) {
  if (before?.digest !== digest) {
    const button = copyButton({
      label: text.copyDigest(tag),
      title: digest,
      content: h("code", {}, shortDigest(digest)),
      words: () => digest,
      announce,
    });
    below.replaceChildren(...(digest ? [button] : []));
  }
  below.querySelector(".same")?.remove();
  if (!siblings.length) return;
  const words = text.sameImage(siblings.join(", "));
  below.append(h("span", { class: "same", title: words }, words));
}

function chips({ kind, platforms, artifactType }) {
  if (kind === "legacy") return [chip(text.legacy, true)];
  if (kind === "artifact") return [chip(artifactName(artifactType) || text.artifact, true, artifactType)];
  if (!platforms.length) return [h("span", { class: "unknown" }, text.noneKnown)];
  const all = platforms.join(", ");
  // One more chip takes no more room than the word that there is one more.
  const shown = platforms.length > CHIPS ? platforms.slice(0, CHIPS - 1) : platforms;
  const more = platforms.slice(shown.length);
  return [...shown.map((platform) => chip(platform)), ...(more.length ? [moreChip(more, all)] : [])];
}

function moreChip(platforms, title) {
  const names = { role: "img", "aria-label": platforms.join(", ") };
  return h("span", { class: "chip more", title, ...names }, text.morePlatforms(platforms.length));
}

const chip = (words, other = false, title = words) => h("span", { class: other ? "chip other" : "chip", title }, words);

function sizeWords({ kind, size, parts }) {
  const why = kind === "index" ? text.sizeUnknown : null;
  if (size === null) return [h("span", { class: "unknown", title: why }, text.unknown)];
  const sum = parts > 1 ? [h("small", {}, text.sizeOfAll(parts))] : [];
  return [h("span", {}, bytes(size)), ...sum];
}

function createdWords({ created }) {
  if (!created) return [h("span", { class: "unknown" }, text.unknown)];
  return [h("time", { datetime: created.toISOString(), title: moment(created) }, ago(created))];
}

const bone = () => h("span", { class: "bone" });
