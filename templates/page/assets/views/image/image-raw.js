/** Something as it is stored, or laid out. */
import { h } from "../../browser/dom.js";
import { text } from "../../browser/text.js";
import { copyButton, errorNotice, notice, skeleton } from "../parts.js";
import { choice } from "./image-parts.js";

// As much as is laid out without holding the page up, in characters; all of it can be copied.
const SHOWN = 200_000;

/**
 * Shut at first, and read when it is looked at.
 * @param {{title: string, read: () => Promise<string>, opened: Set<string>, announce: (words: string) => void,
 *   signal: AbortSignal}} options `opened` outlives this: the titles of those that are open
 * @returns {HTMLElement}
 */
export function rawBox({ title, read, opened, announce, signal }) {
  const body = h("div", {});
  let begun = false;
  const box = h("details", { class: "raw", open: opened.has(title), ontoggle }, h("summary", {}, title), body);

  function ontoggle() {
    opened[box.open ? "add" : "delete"](title);
    if (box.open && !begun) begin();
  }

  async function begin() {
    begun = true;
    body.replaceChildren(skeleton(3));
    try {
      body.replaceChildren(...rawContent({ title, stored: await read(), announce }));
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(error.kind === "large" ? notice(text.image.large) : errorNotice(error, begin));
    }
  }
  return box;
}

let boxes = 0;

function rawContent({ title, stored, announce }) {
  const pretty = laidOut(stored);
  const code = h("pre", { tabindex: "0", role: "group", "aria-label": title });
  const cut = h("p", { class: "unknown" });
  let words = "";

  function show(kind) {
    words = kind === "stored" ? stored : pretty;
    code.textContent = words.slice(0, SHOWN);
    cut.textContent = words.length > SHOWN ? text.image.cut : "";
  }

  /** @type {[string, string][]} */
  const options = [["pretty", text.image.laidOut], ["stored", text.image.asStored]];
  const how = pretty !== stored && choice({
    legend: text.image.layout, name: `raw-${(boxes += 1)}`, options, value: "pretty", onChange: show,
  });
  const copier = copyButton({ label: text.image.copy(title), content: text.image.copyWord, words: () => words, announce });
  show("pretty");
  return [h("div", { class: "raw-bar" }, how || h("span"), copier), code, cut];
}

/** What is not valid JSON stays as it is. */
function laidOut(stored) {
  try {
    return JSON.stringify(JSON.parse(stored), null, 2);
  } catch {
    return stored;
  }
}
