/** The field by which a list is searched. */
import { h, icon } from "../browser/dom.js";
import { registryAddress } from "../browser/format.js";
import { retryOnce } from "../browser/loading.js";
import { text } from "../browser/text.js";

/**
 * @param {{label: string, value: string, onInput: (value: string) => void, onDown: () => void,
 *   onEnter?: (value: string) => void, controls: string, go: (address: string) => void}} options
 * @returns {{element: HTMLElement, clear: () => void}}
 */
export function filterBox({ label, value, onInput, onDown, onEnter, controls, go }) {
  const keys = { Escape: () => input.value && set(""), ArrowDown: onDown, Enter: () => onEnter?.(input.value) };
  const input = h("input", {
    id: "filter", type: "search", placeholder: text.filter, "aria-label": label, "aria-controls": controls,
    "aria-keyshortcuts": "/", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    oninput: () => onInput(input.value),
    onpaste: (event) => open(event.clipboardData?.getData("text") ?? ""),
    onkeydown(event) {
      if (!keys[event.key] || event.isComposing) return;
      event.preventDefault();
      keys[event.key]();
    },
  });
  const set = (words) => {
    input.value = words;
    onInput(words);
  };
  /** A reference to an image here, pasted as the whole of a search, is opened. */
  const open = async (pasted) => {
    const reference = await referenceOf(pasted);
    if (!input.isConnected || !reference || reference.registry || input.value.trim() !== pasted.trim().replace(/[\r\n]/g, "")) return;
    set("");
    go(reference.path);
  };
  const clear = () => {
    set("");
    input.focus();
  };
  input.value = value;
  const sign = icon("M11 11l3 3M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0z");
  return { element: h("div", { class: "filter" }, sign, input, h("kbd", { "aria-hidden": "true" }, "/")), clear };
}

/**
 * @param {string} words of a search
 * @returns {Promise<(import("../lists/pasted.js").Reference & {path: string, words: string}) | null>}
 * what they mean, if that is more than words: with the address of its view, and as it is written
 */
export async function referenceOf(words) {
  const address = registryAddress(location);
  if (!/[:@]/.test(words) && !words.includes(`${address}/`)) return null;
  const pasted = await retryOnce(() => import("../lists/pasted.js")).catch(() => null);
  const found = pasted?.referenceIn(words, address);
  return found ? { ...found, path: pasted.referencePath(found), words: pasted.referenceWords(found) } : null;
}
