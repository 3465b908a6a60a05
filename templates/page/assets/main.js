/** Puts the modules together: one client, one session, a view for each address. */
import { $ } from "./browser/dom.js";
import { addStyle, retryOnce } from "./browser/loading.js";
import { startRouter } from "./browser/router.js";
import { comeBack } from "./browser/sign-in.js";
import { CHANGED, createStore } from "./browser/store.js";
import { addWords, language } from "./browser/text.js";
import { createClient, RegistryError } from "./registry/client.js";
import { drawFrame } from "./views/frame.js";
import { showFailure, showUnknown } from "./views/parts.js";

// Each is loaded when it is first looked at, with its words and its style.
const VIEWS = {
  repositories: () => view(() => import("./views/repositories/repositories.js"), ["list"], "repositories", "showRepositories"),
  repository: () => view(() => import("./views/repository/repository.js"), ["tags"], "repository", "showRepository"),
  untagged: () => view(() => import("./views/image/untagged.js"), ["tags", "image", "untagged"], "image", "showUntagged"),
  image: () => view(() => import("./views/image/image.js"), ["tags", "image"], "image", "showImage"),
  schedule: () => view(() => import("./views/schedule/schedule.js"), ["schedule"], "schedule", "showSchedule"),
  unknown: async () => showUnknown,
};

async function view(load, words, style, show) {
  const [module] = await Promise.all([retryOnce(load), ...words.map(addWords), addStyle(style)]);
  return module[show];
}

let announcing = 0;

const app = {
  client: createClient({ origin: location.origin, fetch: (address, options) => fetch(address, options) }),
  // What outlives a view, so that going back shows it at once. `names` of all repositories with their numbers of
  // tags, `repositories` as they were last looked at, the `sizes` of more of them, what was `pushed` last, the `room`;
  // `upkeep` is what ran by itself, for those who may see it.
  session: createStore({
    user: "", isPublic: false, version: "", names: null, repositories: new Map(), sizes: new Map(), pushed: null, pushedAll: true, room: null,
    upkeep: null,
  }),
  announce,
};

/** A polite word to screen readers; the last one within a moment is the one they hear. */
function announce(words) {
  clearTimeout(announcing);
  announcing = setTimeout(() => ($("#announcer").textContent = words), 250);
}

async function load({ view: wanted }) {
  try {
    const show = await VIEWS[wanted]();
    self.reloader?.done();
    return (context) => show({ ...app, ...context });
  } catch {
    // A module does not say why it failed to load: logged-out users get none either.
    const why = await app.client.session().then(() => null, (error) => error);
    const error = why ?? new RegistryError("unreachable");
    // What once did not come, some browsers ask for again only when the page is loaded again: where the server answers,
    // in a moment.
    const loadsAgain = error.kind === "unreachable" && self.reloader?.ask();
    return loadsAgain && !why ? () => {} : (context) => showFailure({ ...context, error });
  }
}

addEventListener(CHANGED, ({ detail: name }) => {
  const { repositories, sizes } = app.session.get();
  repositories.delete(name);
  sizes.delete(name);
});
document.documentElement.lang = language;
comeBack();
drawFrame(app);
startRouter({ root: $("#view"), load });
