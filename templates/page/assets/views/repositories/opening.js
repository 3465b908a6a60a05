/** For those who may not list the repositories: one is opened by its name. */
import { h } from "../../browser/dom.js";
import { repositoryIn } from "../../browser/format.js";
import { isName } from "../../browser/names.js";
import { repositoryPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { notice } from "../parts.js";

/**
 * @param {{value: string, address: string, go: (address: string) => void}} options
 * `value` is what is in the field at first, `address` the registry's, as image names carry it.
 * @returns {HTMLElement}
 */
export function openingNotice({ value, address, go }) {
  const fault = h("p", { id: "opening-fault", class: "fault", role: "alert" });
  const input = h("input", {
    id: "opening", type: "text", "aria-describedby": "opening-advice opening-fault", "aria-keyshortcuts": "/",
    autocomplete: "off", autocapitalize: "none", spellcheck: "false", oninput: () => tell(),
  });
  input.value = value;

  function tell(...sentences) {
    fault.replaceChildren(...sentences.map((words) => h("span", {}, words)));
    input.setAttribute("aria-invalid", sentences.length > 0);
  }

  function open(event) {
    event.preventDefault();
    const name = repositoryIn(input.value, address);
    if (isName(name)) return go(repositoryPath(name));
    tell(text.invalidName, text.invalidNameAdvice);
    input.focus();
  }

  return notice(
    h("h2", {}, text.mayNotList),
    h("p", { id: "opening-advice" }, text.opening.mayNotListAdvice),
    h("form", { class: "opening", novalidate: true, onsubmit: open },
      h("label", { for: "opening" }, text.opening.repositoryName),
      h("div", {}, input, h("button", { class: "button" }, text.opening.open)),
      fault),
  );
}
