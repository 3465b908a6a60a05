/** Puts the rooms together: one client, one session, a view for each address. */
import { createDetailsCache } from "./details.js";
import { $, h } from "./dom.js";
import { createClient } from "./registry.js";
import { startRouter } from "./router.js";
import { createStore } from "./store.js";
import { language, text } from "./text.js";
import { breadcrumb, notice } from "./views/parts.js";
import { showRepositories } from "./views/repositories.js";
import { showRepository } from "./views/repository.js";

const VIEWS = { repositories: showRepositories, repository: showRepository, unknown: showUnknown };

let announcing = 0;

const app = {
  client: createClient({ origin: location.origin, fetch: (...request) => fetch(...request) }),
  details: createDetailsCache(),
  // What outlives a view, so that going back shows it at once.
  session: createStore({ names: null }),
  announce,
};

/** A polite word to screen readers; the last one within a moment is the one they hear. */
function announce(words) {
  clearTimeout(announcing);
  announcing = setTimeout(() => ($("#announcer").textContent = words), 250);
}

function showUnknown({ root, setTitle }) {
  setTitle(text.unknownPage);
  root.append(
    breadcrumb([{ label: text.repositories, path: "/" }]),
    h("h1", { tabindex: "-1" }, text.unknownPage),
    notice(text.unknownPageAdvice),
  );
}

/** `/` goes to the view's field, unless someone is writing. */
function focusField(event) {
  const writing = event.target instanceof Element && event.target.closest("input, textarea, select");
  const field = [...document.querySelectorAll("[aria-keyshortcuts='/']")].find((one) => one.checkVisibility());
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing || !field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

document.documentElement.lang = language;
$("#host").textContent = location.host;
document.addEventListener("keydown", focusField);
startRouter({
  root: $("#view"),
  show: (route, context) => VIEWS[route.view]({ ...app, ...context, ...route }),
});
