/** Parts that several views are made of. */
import { copy } from "../browser/copy.js";
import { h, icon } from "../browser/dom.js";
import { filterPath } from "../browser/router.js";
import { signIn } from "../browser/sign-in.js";
import { text } from "../browser/text.js";

const COPY =
  "M5.5 5.5V3.5a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M3.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z";
const DONE = "m3 8.5 3.3 3.3L13 4.8";

/**
 * @param {{label: string, path?: string}[]} steps the last one is where we are, if it has no path
 * @returns {HTMLElement}
 */
export function breadcrumb(steps) {
  const entries = steps.map(({ label, path }) =>
    h("li", {}, path ? h("a", { href: path }, label) : h("span", { "aria-current": "page" }, label)));
  return h("nav", { class: "breadcrumb", "aria-label": text.breadcrumb }, h("ol", {}, ...entries));
}

/**
 * The steps to a repository. Each folder leads to the list of what is in it.
 * @param {string} name @param {string} [path] its own address, where it is not where we are
 * @returns {{label: string, path?: string}[]}
 */
export function stepsTo(name, path) {
  const parts = name.split("/");
  const folder = (label, depth) => ({ label, path: filterPath(`${parts.slice(0, depth + 1).join("/")}/`) });
  return [{ label: text.repositories, path: "/" }, ...parts.slice(0, -1).map(folder), { label: parts.at(-1), path }];
}

/** @param {string} label @param {() => void} onclick @returns {HTMLButtonElement} */
export const button = (label, onclick) => h("button", { type: "button", class: "button", onclick }, label);

/** @param {...(Node | string)} content @returns {HTMLElement} a word in place of a list */
export const notice = (...content) => h("div", { class: "notice" }, ...content);

/**
 * @param {{label: string, words: () => string, announce: (words: string) => void, content?: Node | string,
 *   onCopied?: () => void, title?: string}} options
 * @returns {HTMLButtonElement}
 */
export function copyButton({ label, words, announce, content, onCopied, title }) {
  const element = h("button", { type: "button", class: "copy", "aria-label": label, title: title ?? label });
  const sign = icon(COPY);
  const path = /** @type {SVGPathElement} */ (sign.firstChild);
  element.append(...(content ? [content] : []), sign);
  let timer = 0;
  element.addEventListener("click", async () => {
    const done = await copy(words());
    announce(done ? text.copied : text.copyFailed);
    element.classList.toggle("done", done);
    element.classList.toggle("failed", !done);
    path.setAttribute("d", done ? DONE : COPY);
    if (done) onCopied?.();
    clearTimeout(timer);
    timer = setTimeout(() => {
      element.classList.remove("done", "failed");
      path.setAttribute("d", COPY);
    }, 1600);
  });
  return element;
}

/**
 * Commands to run, with a button that copies them.
 * @param {{lines: string[], announce: (words: string) => void}} options
 * @returns {{element: HTMLElement, set: (lines: string[]) => void}}
 */
export function commandBox({ lines, announce }) {
  const code = h("code", {});
  const set = (commands) => code.replaceChildren(...commands.map((command) => h("span", {}, `${command}\n`)));
  const words = () => code.textContent.trim();
  const copier = copyButton({ label: text.copyCommand, words, announce });
  set(lines);
  return { element: commandLine(h("pre", { tabindex: "0" }, code), copier), set };
}

const edges = new ResizeObserver((entries) => entries.forEach(({ target }) => markEdge(target.closest("pre"))));

/** A sign shows where it continues beyond the edge. */
function markEdge(pre) {
  pre?.parentElement?.classList.toggle("beyond", pre.scrollWidth - pre.clientWidth - Math.abs(pre.scrollLeft) > 1);
}

/**
 * @param {HTMLElement} pre the command, in a `code` @param {HTMLElement} copier
 * @returns {HTMLElement} a command with what copies it
 */
export function commandLine(pre, copier) {
  pre.addEventListener("scroll", () => markEdge(pre), { passive: true });
  // Either may change: the room that there is, and what is to be shown in it.
  edges.observe(pre);
  edges.observe(pre.firstElementChild);
  return h("div", { class: "command" }, pre, copier);
}

/**
 * What went wrong, in words, and another try; for logged-out users, another login.
 * @param {any} error @param {() => void} retry
 * @returns {HTMLElement}
 */
export function errorNotice(error, retry) {
  const answer = text.answered(error.status, error.message);
  const sentence = h("p", {}, ...withCode(faultSentence(error)));
  const told = answer ? h("p", { class: "answer" }, answer) : null;
  const title = h("h2", {}, text.refusals[error.kind] ?? text.failed);
  const signedOut = error.kind === "unauthorized";
  const way = signedOut ? button(text.signInAgain, signIn) : button(text.retry, () => keepingFocus(retry));
  const content = [title, sentence, told, way];
  return h("div", { class: "notice error", role: "alert" }, ...content);
}

/**
 * Do what may remove the control that has the focus; then it goes to the next try, or to the view's beginning.
 * @param {() => unknown} action
 */
export async function keepingFocus(action) {
  await action();
  if (document.activeElement !== document.body) return;
  /** @type {HTMLElement} */
  const next = document.querySelector("main [role=alert] button") ?? document.querySelector("main h1");
  next?.focus({ preventScroll: true });
}

/** What is between backticks is for the command line. */
const withCode = (sentence) => sentence.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** @param {any} error @returns {string} */
export const faultSentence = (error) => text.faults[error.kind] ?? text.faults.failed;

/**
 * Up to the beginning of a list that has changed, if one was further down.
 * @param {HTMLElement} list @param {HTMLElement} toolbar which sticks above it
 */
export function toBeginning(list, toolbar) {
  scrollTo(0, Math.min(scrollY, list.offsetTop - toolbar.offsetHeight));
}

/** @param {number} rows @returns {HTMLElement} in the shape of what is being loaded */
export function skeleton(rows) {
  const bars = Array.from({ length: rows }, () => h("div", { class: "row" }, h("span", { class: "bone" })));
  return h("div", { class: "skeleton", "aria-hidden": "true" }, ...bars);
}

/** @param {string} filter @param {() => void} clear @returns {HTMLElement} */
export const noMatch = (filter, clear) =>
  notice(h("p", {}, text.noMatch(filter)), button(text.clearFilter, clear));

/** @param {string} host @param {string} name @returns {string[]} how an image comes to this name */
export const pushCommands = (host, name) => [`docker tag IMAGE ${host}/${name}`, `docker push ${host}/${name}`];

/** @param {any} context of an address that means nothing */
export function showUnknown({ root, setTitle }) {
  setTitle(text.unknownPage);
  root.append(
    breadcrumb([{ label: text.repositories, path: "/" }]),
    h("h1", { tabindex: "-1" }, text.unknownPage),
    notice(text.unknownPageAdvice),
  );
}

/** @param {any} context of a view whose own module could not be loaded, and the `error` that says why */
export function showFailure({ root, setTitle, error }) {
  setTitle(text.failed);
  // What once did not come, a browser asks for again only when the page is loaded again.
  root.append(h("h1", { tabindex: "-1" }, text.failed), errorNotice(error, () => location.reload()));
}

/** Where a part of the page did not come, at the second time either. */
export function showUnloaded() {
  const close = button(text.close, () => dialog.close());
  const dialog = h("dialog", { class: "dialog", "aria-label": text.failed, onclose: () => dialog.remove() },
    errorNotice({ kind: "unreachable" }, () => location.reload()), h("div", { class: "answers" }, close));
  document.body.append(dialog);
  dialog.showModal();
}
