/** Parts that the view of an image is made of. */
import { h } from "../dom.js";
import { ago, moment, shortDigest } from "../format.js";
import { text } from "../text.js";
import { copyButton } from "./parts.js";

/** @param {string} title @param {...(Node | string | null)} content @returns {HTMLElement} */
export const section = (title, ...content) => h("section", {}, h("h2", {}, title), ...content);

/**
 * @param {[string, any][]} entries a name, and an element or words, or a list of them; what is empty is left out
 * @returns {HTMLElement} names and what they stand for, side by side
 */
export function facts(entries) {
  const told = entries.map(([label, content]) => [label, [content].flat().filter(Boolean)]);
  const shown = told.filter(([, content]) => content.length);
  return h("dl", { class: "facts" }, ...shown.map(([label, content]) => h("div", {}, h("dt", {}, label), h("dd", {}, ...content))));
}

/**
 * @param {[string, string[]][]} entries names, each with its lines @param {string} [kind] class
 * @returns {HTMLElement} one below the other
 */
export function pairs(entries, kind = "") {
  const lines = (words) => words.map((line) => h("dd", {}, h("code", {}, line)));
  return h("dl", { class: `pairs ${kind}` }, ...entries.map(([label, words]) => h("div", {}, h("dt", {}, label), ...lines(words))));
}

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
