/** The table of a repository's tags: its header, which sorts, and its rows. */
import { isolated } from "../direction.js";
import { h, icon } from "../dom.js";
import { ago, bytes, moment, shortDigest } from "../format.js";
import { artifactName } from "../manifest.js";
import { tagPath } from "../router.js";
import { text } from "../text.js";
import { copyButton } from "./parts.js";

const COLUMNS = [
  { key: "name", label: text.tag },
  { key: "platforms", label: text.platforms },
  { key: "size", label: text.size },
  { key: "created", label: text.created },
  { key: "pushed", label: text.pushed },
  { key: "pull", label: text.pull },
];
const SORTABLE = ["name", "size", "created", "pushed"];
const CHIPS = 4;
const SIBLINGS = 20;
const BIN = "M3 4.5h10M6.5 4.5v-1a1 1 0 0 1 1-1h1a1 1 0 0 1 1 1v1M4.5 4.5l.6 8a1 1 0 0 0 1 1h3.8a1 1 0 0 0 1-1l.6-8M6.8 7v4M9.2 7v4";

/**
 * @param {{onSort: (by: string) => void, onSelectAll: (on: boolean) => void}} options
 * @returns {{element: HTMLElement, show: (sorting: import("../tags.js").Sorting) => void,
 *   showSelection: (all: {selectable: boolean, some: boolean, every: boolean}) => void}}
 */
export function createHeader({ onSort, onSelectAll }) {
  const all = h("input", {
    type: "checkbox", "aria-label": text.deleting.selectAll, title: text.deleting.selectAll,
    onchange: () => onSelectAll(all.checked),
  });
  const selectCell = h("div", { class: "cell select", role: "columnheader" }, all);
  const cells = COLUMNS.map(({ key, label }) => {
    const content = SORTABLE.includes(key)
      ? h("button", { type: "button", class: "sort", onclick: () => onSort(key) }, label)
      : h("span", {}, label);
    return h("div", { class: `cell ${key}`, role: "columnheader" }, content);
  });
  const row = h("div", { class: "columns", role: "row", "aria-rowindex": 1 }, selectCell, ...cells);
  return {
    element: h("div", { class: "header", role: "rowgroup" }, row),
    show({ by, descending }) {
      for (const [index, { key }] of COLUMNS.entries()) {
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
 * @returns {{element: HTMLElement, update: (item: {details: import("../overview.js").Details}) => void}}
 */
export function createTagRow(tag, { name, pullCommand, announce, onCopied, mayDelete, isSelected, onSelect, onDelete }) {
  const cell = (key, ...content) => h("div", { class: `cell ${key}`, role: "cell" }, ...content);
  const below = h("div", { class: "below" });
  const cells = { platforms: cell("platforms"), size: cell("size"), created: cell("created"), pushed: cell("pushed") };
  for (const key of ["created", "pushed"]) cells[key].dataset.label = text[key];
  let command = "";
  const pull = copyButton({
    label: text.copyPull(tag),
    content: h("span", {}, text.pull),
    words: () => command,
    onCopied: () => onCopied(tag),
    announce,
  });
  // A click by the space bar carries the Shift key as one by the mouse does.
  const box = h("input", {
    type: "checkbox", "aria-label": text.deleting.select(tag), onclick: (event) => onSelect(tag, box.checked, event.shiftKey),
  });
  const label = text.deleting.openTag(tag);
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
    cells.platforms.replaceChildren(...chips(details));
    cells.size.replaceChildren(...sizeWords(details));
    cells.created.replaceChildren(createdWords(details));
    cells.pushed.replaceChildren(timeWords(details.pushed));
    element.classList.toggle("attached", Boolean(details.attached));
  }
  return { element, update };
}

/** Of a tag that begins with a digest, what tells it from its like is at its end. */
const shortTag = (tag) => tag.replace(/^(sha\d+-[0-9a-f]{12})[0-9a-f]{52}/, "$1…");

/** The digest and the other tags on it. What has not changed stays, as it may have the focus. */
function showBelow(below, tag, { digest, sharing, attached }, before, announce) {
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
  if (attached) {
    const words = attached.orphan ? text.attachedOrphan(shortDigest(attached.to)) : text.attachedTo(shortDigest(attached.to));
    return below.append(h("span", { class: attached.orphan ? "same fault" : "same", title: attached.to }, words));
  }
  if (!digest || sharing.length < 2) return;
  const first = sharing.slice(0, SIBLINGS + 1).filter((other) => other !== tag).slice(0, SIBLINGS);
  const more = sharing.length - 1 - first.length;
  const words = text.sameImage([...first, ...(more > 0 ? [text.morePlatforms(more)] : [])].join(", "));
  below.append(h("span", { class: "same", title: words }, words));
}

function chips({ kind, platforms, artifactType, halfDeleted, unread, isHurt }) {
  if (halfDeleted) return [h("span", { class: "fault", title: text.deleting.halfAdvice }, text.deleting.half)];
  if (kind === "missing") return [h("span", { class: "fault", title: text.deleting.lostAdvice }, text.deleting.lost)];
  if (isHurt) return [h("span", { class: "fault", title: text.deleting.hurtAdvice }, text.deleting.hurt)];
  if (kind === "unread") return [h("span", { class: "unknown", title: text.notReadAdvice }, text.notRead)];
  if (kind === "legacy") return [chip(text.legacy, true)];
  if (kind === "artifact" || kind === "cache") return [chip(artifactName(artifactType) || text.artifact, true, artifactType)];
  // Nothing is said of the platform of an image whose configuration was not read.
  const open = unread.length ? [h("span", { class: "unknown", title: text.notReadAdvice }, text.notRead)] : [];
  if (!platforms.length) return open.length ? open : [h("span", { class: "unknown" }, text.noneKnown)];
  const all = platforms.map(isolated).join(", ");
  // One more chip takes no more room than the word that there is one more.
  const shown = platforms.length > CHIPS ? platforms.slice(0, CHIPS - 1) : platforms;
  const more = platforms.slice(shown.length);
  return [...shown.map((platform) => chip(platform)), ...(more.length ? [moreChip(more, all)] : []), ...open];
}

function moreChip(platforms, title) {
  const names = { role: "img", "aria-label": platforms.map(isolated).join(", ") };
  return h("span", { class: "chip more", title, ...names }, text.morePlatforms(platforms.length));
}

const chip = (words, other = false, title = words) => h("span", { class: other ? "chip other" : "chip", title }, words);

function sizeWords({ kind, size, parts, halfDeleted }) {
  const why = kind === "index" ? text.sizeUnknown : null;
  if (size === null || halfDeleted) return [h("span", { class: "unknown", title: why }, kind === "index" ? text.unknown : text.noneKnown)];
  const sum = parts > 1 ? [h("small", {}, text.sizeOfAll(parts))] : [];
  return [h("span", {}, bytes(size)), ...sum];
}

/** Of what was not read, not even that is known whether it says when it was made. */
function createdWords({ created, unread, kind, halfDeleted }) {
  if (!created && unread.length) return h("span", { class: "unknown", title: text.notReadAdvice }, text.notRead);
  return timeWords(created, kind === "missing" || halfDeleted ? null : text.createdUnknown);
}

const timeWords = (time, why) => time
  ? h("time", { datetime: time.toISOString(), title: moment(time) }, ago(time))
  : h("span", { class: "unknown", title: why }, text.noneKnown);
