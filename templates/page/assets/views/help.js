/** The keys, in a dialog. */
import { h } from "../browser/dom.js";
import { text } from "../browser/text.js";
import { button } from "./parts.js";

export function showHelp() {
  const keys = Object.entries(text.help.keyList).flatMap(([key, meaning]) =>
    [h("dt", {}, ...key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, meaning)]);
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "help-title", onclose: () => dialog.remove() },
    h("h2", { id: "help-title" }, text.keys),
    h("dl", { class: "keys" }, ...keys),
    h("div", { class: "answers" }, button(text.close, () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
}
