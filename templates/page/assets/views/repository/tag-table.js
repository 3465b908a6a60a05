/** The table of a repository's tags: its header, which sorts, and its rows. */
import { isolated } from "../../browser/direction.js";
import { h, icon } from "../../browser/dom.js";
import { ago, bytes, moment, shortDigest } from "../../browser/format.js";
import { tagPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { artifactName } from "../../content/manifest.js";
import { stateSentence } from "../../content/states.js";
import { copyButton } from "../parts.js";

const COLUMNS = ["name", "platforms", "size", "created", "pushed", "pull"];
const SORTABLE = ["name", "size", "created", "pushed"];
// Characters of a platform that leave room for another beside it, in two lines.
const SHORT = 14;
const PLACES = 4;
const SIBLINGS = 20;
// Characters.
const LONG = 46;
const BIN = "M3 4.5h10M6.5 4.5v-1a1 1 0 0 1 1-1h1a1 1 0 0 1 1 1v1M4.5 4.5l.6 8a1 1 0 0 0 1 1h3.8a1 1 0 0 0 1-1l.6-8M6.8 7v4M9.2 7v4";

/**
 * @param {{onSort: (by: string) => void, onSelectAll: (on: boolean) => void}} options
 * @returns {{element: HTMLElement, focus: () => void, show: (sorting: import("../../lists/tags.js").Sorting) => void,
 *   showSelection: (all: {selectable: boolean, some: boolean, every: boolean}) => void}}
 */
export function createHeader({ onSort, onSelectAll }) {
  const all = h("input", {
    type: "checkbox", "aria-label": text.tags.deleting.selectAll, title: text.tags.deleting.selectAll,
    onchange: () => onSelectAll(all.checked),
  });
  const selectCell = h("div", { class: "cell select", role: "columnheader" }, all);
  const labels = { ...text.tags, name: text.tags.tag };
  const cells = COLUMNS.map((key) => {
    const label = labels[key];
    const content = SORTABLE.includes(key)
      ? h("button", { type: "button", class: "sort", onclick: () => onSort(key) }, label)
      : h("span", {}, label);
    return h("div", { class: `cell ${key}`, role: "columnheader" }, content);
  });
  const row = h("div", { class: "columns", role: "row", "aria-rowindex": 1 }, selectCell, ...cells);
  return {
    element: h("div", { class: "header", role: "rowgroup" }, row),
    focus: () => all.focus(),
    show({ by, descending }) {
      for (const [index, key] of COLUMNS.entries()) {
        if (key === by) cells[index].setAttribute("aria-sort", descending ? "descending" : "ascending");
        else cells[index].removeAttribute("aria-sort");
      }
    },
    showSelection({ selectable, some, every }) {
      selectCell.hidden = !selectable;
      all.checked = every;
      all.indeterminate = some && !every;
    },
  };
}

/**
 * @param {string} tag
 * @param {{name: string, pullCommand: (tag: string) => string, announce: (words: string) => void,
 *   onCopied: (tag: string) => void, mayDelete: () => boolean, isSelected: (tag: string) => boolean,
 *   onSelect: (tag: string, on: boolean, extending: boolean) => void, onDelete: (tag: string) => void}} options
 * @returns {{element: HTMLElement, update: (item: {details: import("../../registry/overview.js").Details}) => void}}
 */
export function createTagRow(tag, { name, pullCommand, announce, onCopied, mayDelete, isSelected, onSelect, onDelete }) {
  const cell = (key, ...content) => h("div", { class: `cell ${key}`, role: "cell" }, ...content);
  const below = h("div", { class: "below" });
  const cells = { platforms: cell("platforms"), size: cell("size"), created: cell("created"), pushed: cell("pushed") };
  for (const key of ["created", "pushed"]) cells[key].dataset.label = text.tags[key];
  let command = "";
  const pull = copyButton({
    label: text.tags.copyPull(tag),
    content: h("span", {}, text.tags.pull),
    words: () => command,
    onCopied: () => onCopied(tag),
    announce,
  });
  // A click by the space bar carries the Shift key as one by the mouse does.
  const box = h("input", {
    type: "checkbox", "aria-label": text.tags.deleting.select(tag), onclick: (event) => onSelect(tag, box.checked, event.shiftKey),
  });
  const label = text.tags.deleting.openTag(tag);
  const bin = h("button", { type: "button", class: "copy bin", "aria-label": label, title: label, onclick: () => onDelete(tag) }, icon(BIN));
  const select = cell("select", box);
  const element = h("div", { class: "row columns", role: "row", "data-tag": tag },
    select,
    cell("name", h("div", { class: "tag" }, h("a", { href: tagPath(name, tag), title: tag }, shortTag(tag))), below),
    cells.platforms, cells.size, cells.created, cells.pushed, cell("pull", pull, bin));
  let shown;

  function update({ details }) {
    select.hidden = bin.hidden = !mayDelete();
    box.checked = isSelected(tag);
    element.classList.toggle("selected", box.checked);
    if (details === shown) return;
    showBelow(below, tag, details, shown, announce);
    shown = details;
    command = pullCommand(tag);
    pull.title = command;
    // What is gone is got by nothing.
    pull.hidden = !command;
    cells.platforms.replaceChildren(...chips(`${name}:${tag}`, details));
    cells.size.replaceChildren(...sizeWords(details));
    cells.created.replaceChildren(createdWords(details));
    cells.pushed.replaceChildren(timeWords(details.pushed));
    element.classList.toggle("attached", Boolean(details.attached));
  }
  return { element, update };
}

/** @param {string} tag @returns {boolean} whether it takes more than two lines on a phone */
export const isLong = (tag) => shortTag(tag).length > LONG;

/** Of a tag that begins with a digest, its distinguishing part is at its end. */
const shortTag = (tag) => tag.replace(/^(sha\d+-[0-9a-f]{12})[0-9a-f]{52}/, "$1…");

/** The digest and the other tags on it. What has not changed stays, as it may have the focus. */
function showBelow(below, tag, { digest, sharing, attached }, before, announce) {
  if (before?.digest !== digest) {
    const button = copyButton({
      label: text.tags.copyDigest(tag),
      title: digest,
      content: h("code", {}, shortDigest(digest)),
      words: () => digest,
      announce,
    });
    below.replaceChildren(...(digest ? [button] : []));
  }
  below.querySelector(".same")?.remove();
  if (attached) {
    const words = attached.orphan ? text.tags.attachedOrphan(shortDigest(attached.to)) : text.tags.attachedTo(shortDigest(attached.to));
    return below.append(h("span", { class: attached.orphan ? "same fault" : "same", title: attached.to }, words));
  }
  if (!digest || sharing.length < 2) return;
  const first = sharing.slice(0, SIBLINGS + 1).filter((other) => other !== tag).slice(0, SIBLINGS);
  const more = sharing.length - 1 - first.length;
  const words = text.tags.sameImage([...first, ...(more > 0 ? [text.tags.morePlatforms(more)] : [])].join(", "));
  below.append(h("span", { class: "same", title: words }, words));
}

/** What is wrong with it, and what it runs on. */
function chips(image, details) {
  const { state, kind, platforms, artifactType, unread } = details;
  const wrong = state ? [h("span", { class: state === "unread" ? "unknown" : "fault", title: stateSentence(image, details) }, text.tags.states.words[state])] : [];
  if (kind === "legacy") return [...wrong, chip(text.tags.legacy, true)];
  if (kind === "artifact" || kind === "cache" || (artifactType && !platforms.length)) return [...wrong, chip(artifactName(artifactType) || text.tags.artifact, true, artifactType)];
  if (state && state !== "broken") return wrong;
  // Nothing is said of the platform of an image whose configuration was not read.
  const open = unread.length ? [h("span", { class: "unknown", title: text.tags.notReadAdvice }, text.tags.states.words.unread)] : [];
  if (!platforms.length && !open.length && !wrong.length) return [h("span", { class: "unknown" }, text.tags.noneKnown)];
  return [...wrong, ...inPlaces(platforms, PLACES - (wrong.length || open.length ? 1 : 0)), ...open];
}

/** As many as there is room for: the last one and the number of the others are in one line. */
function inPlaces(platforms, places) {
  const widths = platforms.map((platform) => (platform.length > SHORT ? 2 : 1));
  const first = (count) => widths.slice(0, count).reduce((sum, width) => sum + width, 0);
  if (first(platforms.length) <= places) return platforms.map((platform) => chip(platform));
  let count = 1;
  while (first(count) + 2 <= places) count += 1;
  const shown = platforms.slice(0, count).map((platform) => chip(platform));
  return [...shown.slice(0, -1), h("span", { class: "last" }, shown.at(-1), moreChip(platforms.slice(count), platforms.map(isolated).join(", ")))];
}

function moreChip(platforms, title) {
  const names = { role: "img", "aria-label": platforms.map(isolated).join(", ") };
  return h("span", { class: "chip more", title, ...names }, text.tags.morePlatforms(platforms.length));
}

const chip = (words, other = false, title = words) => h("span", { class: other ? "chip other" : "chip", title }, words);

function sizeWords({ size, parts, halfDeleted }) {
  if (size === null || halfDeleted) return [h("span", { class: "unknown" }, text.tags.noneKnown)];
  const sum = parts > 1 ? [h("small", {}, text.tags.sizeOfAll(parts))] : [];
  return [h("span", {}, bytes(size)), ...sum];
}

/** Of what was not read, not even that is known whether it says when it was made. */
function createdWords({ created, unread, kind, halfDeleted }) {
  if (!created && unread.length) return h("span", { class: "unknown", title: text.tags.notReadAdvice }, text.tags.states.words.unread);
  return timeWords(created, kind === "missing" || halfDeleted ? null : text.tags.createdUnknown);
}

const timeWords = (time, why) => time
  ? h("time", { datetime: time.toISOString(), title: moment(time) }, ago(time))
  : h("span", { class: "unknown", title: why }, text.tags.noneKnown);
