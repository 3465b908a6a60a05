/** Parts that the view of an image is made of. */
import { enclosed } from "../../browser/direction.js";
import { h } from "../../browser/dom.js";
import { ago, bytes, moment, shortDigest } from "../../browser/format.js";
import { text } from "../../browser/text.js";
import { button, copyButton } from "../parts.js";

// Longer values fold: this many characters and lines of them are shown at first.
const LONG = 600;
const LINES = 12;
// Longer lists too.
const MANY = 200;
// Characters of an address.
const ADDRESS = 60;
// By which Git calls a commit, of which it is the beginning.
const REVISION = 12;
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const graphemes = new Intl.Segmenter();

/** @param {string} title @param {...(Node | string | null)} content @returns {HTMLElement} */
export const section = (title, ...content) => h("section", {}, h("h2", {}, title), ...content);

/**
 * @param {any[][]} entries a name, and an element or words, or a list of them; what is empty is left out
 * @returns {HTMLElement} names and values, side by side
 */
export function facts(entries) {
  const told = entries.map(([label, content]) => /** @type {[string, any[]]} */ ([label, [content].flat().filter(Boolean)]));
  const shown = told.filter(([, content]) => content.length);
  const part = (one) => (typeof one === "string" ? folded(one, h("span", {})) : one);
  return h("dl", { class: "facts" }, ...shown.map(([label, content]) => h("div", {}, h("dt", {}, label), h("dd", {}, ...content.map(part)))));
}

/**
 * @param {any[][]} entries names, each with its lines @param {string} [kind] class
 * @returns {HTMLElement} one below the other
 */
export function pairs(entries, kind = "") {
  const lines = (words) => words.map((line) => h("dd", {}, folded(line)));
  const list = h("dl", { class: `pairs ${kind}` });
  /** @param {any[]} entry */
  const row = ([label, words]) => h("div", {}, h("dt", {}, kind ? folded(label) : label), ...lines(words));
  const rest = fill(list, entries, row);
  return h("div", {}, list, rest);
}

/**
 * Words of any length: of long ones the beginning, and the rest at a press, in a box that scrolls.
 * @param {string} words @param {HTMLElement} [code] which contains them
 * @returns {HTMLElement}
 */
export function folded(words, code = h("code", {})) {
  const beginning = beginningOf(words, LONG, LINES);
  code.append(enclosed(beginning));
  if (beginning === words) return code;
  const box = h("div", { class: "folded" }, code);
  const size = bytes(new TextEncoder().encode(words).length);
  const flip = button(text.image.showAll(size), () => {
    const opens = flip.getAttribute("aria-expanded") === "false";
    flip.setAttribute("aria-expanded", String(opens));
    flip.textContent = opens ? text.image.showLess : text.image.showAll(size);
    code.textContent = enclosed(opens ? words : beginning);
    box.classList.toggle("whole", opens);
    if (opens) code.tabIndex = 0;
    else code.removeAttribute("tabindex");
  });
  flip.setAttribute("aria-expanded", "false");
  box.append(flip);
  return box;
}

/**
 * @param {string} words @param {number} most characters @param {number} [lines]
 * @returns {string} all of it, or a beginning that parts no letter and no joined emoji
 */
export function beginningOf(words, most, lines = 1_000_000) {
  const start = words.split("\n", lines + 1).slice(0, lines).join("\n");
  if (start.length <= most) return start;
  // The last whole one that ends in time; what is one letter for longer than that is cut.
  const at = graphemes.segment(start.slice(0, most + LONG)).containing(most);
  return start.slice(0, at.index || most);
}

/**
 * Fill a list of any length: of a long one the first, and the rest at a press.
 * @template T
 * @param {HTMLElement} list @param {T[]} items @param {(item: T, index: number) => HTMLElement} row
 * @returns {HTMLElement | null} the button for the rest, to be placed below; null if there is none
 */
export function fill(list, items, row) {
  list.append(...items.slice(0, MANY).map(row));
  if (items.length <= MANY) return null;
  const rest = button(text.image.showRest(items.length), () => {
    const others = items.slice(MANY).map((item, index) => row(item, MANY + index));
    list.append(...others);
    // The button goes: what it has brought has the focus in its place.
    others[0].tabIndex = -1;
    others[0].focus({ preventScroll: true });
    rest.remove();
  });
  return rest;
}

/**
 * @param {import("./origin.js").Origin} origin
 * @returns {any[][]} what an image says of where it comes from, for `facts`
 */
export const originFacts = ({ version, revision, links }) => [
  [text.image.version, version],
  [text.image.revision, COMMIT.test(revision) ? h("code", { title: revision }, revision.slice(0, REVISION)) : revision],
  ...links.map(({ kind, href }) => [text.image.links[kind], outward(href)]),
];

/** @param {string} href a stranger's address, checked @returns {HTMLElement} which leads there, in another tab */
const outward = (href) =>
  h("a", { href, rel: "noopener noreferrer", target: "_blank", title: href }, beginningOf(href.replace(/^https:\/\//, ""), ADDRESS));

/** @param {string} digest @param {(words: string) => void} announce @returns {HTMLElement} which copies all of it */
export const digestButton = (digest, announce) =>
  copyButton({
    label: text.image.copyDigest(shortDigest(digest)),
    title: digest,
    content: h("code", {}, shortDigest(digest)),
    words: () => digest,
    announce,
  });

/** @param {Date | null} date @returns {HTMLElement | null} */
export const timeAgo = (date) => date && h("time", { datetime: date.toISOString(), title: moment(date) }, ago(date));

/**
 * One of a few.
 * @param {{legend: string, name: string, options: [string, string][], value: string,
 *   onChange: (value: string) => void}} options `options` are values with their labels
 * @returns {HTMLElement}
 */
export function choice({ legend, name, options, value, onChange }) {
  const radios = options.map(([key, label]) =>
    h("label", {}, h("input", { type: "radio", name, value: key, checked: key === value, onchange: () => onChange(key) }), label));
  return h("fieldset", { class: "choice" }, h("legend", { class: "unseen" }, legend), ...radios);
}
