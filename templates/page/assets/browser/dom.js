/** Building the document. Data comes in as text and attributes only, never as markup. */
import { enclosed } from "./direction.js";

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} selector @returns {any} */
export const $ = (selector) => document.querySelector(selector);

/**
 * An element: `onclick` and its like are listeners, `true` an empty attribute, absent values are left out.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined)
    .map((child) => (typeof child === "string" ? enclosed(child) : child)));
  return element;
}

/**
 * Set an element's words where they are others than before: anyone who has selected them keeps the selection.
 * @param {HTMLElement} element @param {string} words
 */
export function say(element, words) {
  const told = enclosed(words);
  if (element.textContent !== told) element.textContent = told;
}

/**
 * A line drawing that says nothing to screen readers.
 * @param {string} path in a field of 16 by 16
 * @returns {SVGElement}
 */
export function icon(path) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}
