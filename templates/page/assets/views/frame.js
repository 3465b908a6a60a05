/** What stands around every view: who is signed in, the language, help. */
import { $, h } from "../dom.js";
import { LANGUAGES, addWords, choose, language, text } from "../text.js";
import { button } from "./parts.js";

/** @param {any} app */
export function drawFrame(app) {
  const help = () => showHelp(app.announce);
  $("#host").textContent = location.host;
  const account = h("span", { class: "account" });
  $(".bar").append(h("div", { class: "tools" }, account, languageChoice(), helpButton(help)));
  document.addEventListener("keydown", (event) => onKey(event, help));
  let shown = "";
  app.session.subscribe(({ user, version }) => {
    // Only for another user: whoever is at the button keeps the focus when the session learns of other things.
    if (user !== shown) account.replaceChildren(...(user ? [h("span", { class: "user" }, text.signedInAs(user)), leaveButton(app)] : []));
    shown = user;
    $(".foot span").textContent = `deployer ${version}`;
  });
  // Without an answer the view says what is wrong.
  app.client.session().then(({ user, version }) => app.session.set({ user, version }), () => {});
}

function languageChoice() {
  const options = Object.entries(LANGUAGES).map(([key, name]) =>
    h("option", { value: key, lang: key, selected: key === language }, name));
  const onchange = (event) => {
    choose(event.target.value);
    location.reload();
  };
  return h("select", { class: "language", "aria-label": text.language, onchange }, ...options);
}

const leaveButton = (app) => button(text.signOut, () => leave(app));

async function leave({ announce, session }) {
  const { signOut } = await import("../sign-out.js");
  try {
    await signOut();
  } catch {
    return announce(text.faults.unreachable);
  }
  session.set({ user: "", names: null, repositories: new Map(), sizes: new Map(), pushed: null, room: null });
  document.title = text.signedOut;
  const again = button(text.signInAgain, () => location.assign("/"));
  const title = h("h1", { tabindex: "-1" }, text.signedOut);
  $("#view").replaceChildren(title, h("div", { class: "notice" }, h("p", {}, text.signedOutAdvice), again));
  title.focus();
  announce(text.signedOut);
}

function helpButton(onclick) {
  return h("button", { type: "button", class: "button help", "aria-label": text.keys, title: text.keys, onclick }, "?");
}

async function showHelp(announce) {
  const [help] = await Promise.all([import("./help.js"), addWords("help")]).catch(() => [null]);
  if (help) help.showHelp();
  else announce(text.faults.unreachable);
}

/** `/` goes to the view's field, `?` tells the keys, unless someone is writing or answers a question. */
function onKey(event, help) {
  const busy = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || busy) return;
  if (event.key === "?") help();
  if (event.key === "/") focusField(event);
}

function focusField(event) {
  const field = [...document.querySelectorAll("[aria-keyshortcuts='/']")].find((one) => one.checkVisibility());
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}
