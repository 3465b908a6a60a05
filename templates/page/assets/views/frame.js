/** What is around every view: the logged-in user, the language, help. */
import { $, h } from "../browser/dom.js";
import { retryOnce } from "../browser/loading.js";
import { SCHEDULE } from "../browser/router.js";
import { signIn } from "../browser/sign-in.js";
import { LANGUAGES, addWords, choose, language, text } from "../browser/text.js";
import { button, showUnloaded } from "./parts.js";

/** @param {any} app */
export function drawFrame(app) {
  $("#host").textContent = location.host;
  const account = h("span", { class: "account" });
  const schedule = h("span", {});
  $(".bar").append(h("div", { class: "tools" }, schedule, account, languageChoice(), helpButton()));
  document.addEventListener("keydown", onKey);
  app.session.subscribe(["user", "isPublic"], ({ user, isPublic }) => account.replaceChildren(...accountParts(app, user, isPublic)));
  app.session.subscribe(["version"], ({ version }) => ($(".foot span").textContent = `deployer ${version}`));
  app.session.subscribe(["upkeep"], ({ upkeep }) => drawSchedule(schedule, upkeep));
  // Without an answer the view says what is wrong.
  app.client.session().then(({ upkeep, ...known }) => {
    app.session.set(known);
    return upkeep ? app.client.upkeep().then((found) => app.session.set({ upkeep: found })) : null;
  }).catch(() => {});
}

/** The way to what runs by itself, for those who may see it: how many problems there are is seen from every view. */
async function drawSchedule(place, upkeep) {
  if (!upkeep) return place.replaceChildren();
  const { readUpkeep } = await retryOnce(() => import("../lists/runs.js"));
  const { problems } = readUpkeep(upkeep);
  place.replaceChildren(h("a", { href: SCHEDULE, class: problems ? "fault" : null }, text.schedulePath(problems)));
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

/** Where everyone may see a part, a login is offered to who has none. */
function accountParts(app, user, isPublic) {
  if (user) return [h("span", { class: "user" }, text.signedInAs(user)), button(text.signOut, () => leave(app))];
  return isPublic ? [button(text.signIn, signIn)] : [];
}

async function leave({ announce, session }) {
  try {
    await (await retryOnce(() => import("../browser/sign-out.js"))).signOut();
  } catch {
    return showUnloaded();
  }
  session.set({ user: "", names: null, repositories: new Map(), sizes: new Map(), pushed: null, room: null, upkeep: null });
  document.title = text.signedOut;
  const again = button(text.signInAgain, signIn);
  const title = h("h1", { tabindex: "-1" }, text.signedOut);
  $("#view").replaceChildren(title, h("div", { class: "notice" }, h("p", {}, text.signedOutAdvice), again));
  title.focus();
  announce(text.signedOut);
}

function helpButton() {
  return h("button", { type: "button", class: "button help", "aria-label": text.keys, title: text.keys, onclick: showHelp }, "?");
}

async function showHelp() {
  const [help] = await Promise.all([retryOnce(() => import("./help.js")), addWords("help")]).catch(() => [null]);
  (help ?? { showHelp: showUnloaded }).showHelp();
}

/** `/` goes to the view's field, `?` shows the keys, unless someone is writing or answers a question. */
function onKey(event) {
  const busy = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || busy) return;
  if (event.key === "?") showHelp();
  if (event.key === "/") focusField(event);
}

function focusField(event) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = document.querySelectorAll("[aria-keyshortcuts='/']");
  const field = [...fields].find((one) => one.checkVisibility());
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}
