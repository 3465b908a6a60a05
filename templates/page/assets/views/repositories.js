/** All repositories of the registry, however many. */
import { grouped, matching, ordered } from "../catalog.js";
import { h } from "../dom.js";
import { count, registryAddress } from "../format.js";
import { repositoryPath } from "../router.js";
import { createStore } from "../store.js";
import { text } from "../text.js";
import { createVirtualList } from "../virtual-list.js";
import { openingNotice } from "./opening.js";
import { commandBox, errorNotice, filterBox, noMatch, notice, pushCommands, skeleton, toBeginning } from "./parts.js";

/** @param {any} context the router's and the application's */
export function showRepositories({ root, client, signal, session, announce, query, setQuery, setTitle, go, restoreScroll }) {
  const state = createStore({ names: session.get().names, filter: query.get("filter") ?? "", error: null });
  let shownCount = 0;
  const list = h("div", { id: "repositories", class: "rows", role: "list", "aria-label": text.repositories });
  const virtual = createVirtualList({ root: list, createRow, place, signal });
  const number = h("span", { class: "count" });
  const aside = h("div", { class: "aside" });
  const box = filterBox({
    label: text.filterRepositories,
    value: state.get().filter,
    controls: list.id,
    onInput: setFilter,
    onDown: virtual.focusFirst,
    onEnter: () => state.get().filter && list.querySelector("a")?.click(),
  });
  const toolbar = h("div", { class: "toolbar" }, box.element);

  function place(element, item) {
    if (item.heading) return;
    element.setAttribute("aria-posinset", item.position + 1);
    element.setAttribute("aria-setsize", shownCount);
  }

  function setFilter(filter) {
    setQuery({ filter });
    state.set({ filter });
    toBeginning(list, toolbar);
    tellCount();
  }

  function tellCount() {
    const { names, filter } = state.get();
    if (names) announce(filter ? text.repositoriesShown(shownCount, names.length) : text.repositoryCount(names.length));
  }

  async function load() {
    state.set({ error: null });
    announce(text.loadingRepositories);
    try {
      const names = ordered([...(await client.catalog(signal)).keys()]);
      session.set({ names });
      state.set({ names });
      tellCount();
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  }

  function fail(error) {
    // What was listed before is no longer for who is signed out, or may not list.
    if (error.kind in text.refusals) session.set({ names: null });
    if (error.kind === "forbidden") announce(text.mayNotList);
    state.set({ error, names: session.get().names });
  }

  function draw({ names, filter, error }) {
    const shown = matching(names ?? [], filter);
    shownCount = shown.length;
    list.hidden = !shownCount;
    toolbar.hidden = Boolean(names && !names.length) || (error && !names);
    number.textContent = names ? (filter ? text.shown(shown.length, names.length) : count(names.length)) : "";
    aside.replaceChildren(...besides(names, shown, filter, error));
    virtual.setItems(grouped(shown));
    if (names) restoreScroll();
  }

  function besides(names, shown, filter, error) {
    if (error?.kind === "forbidden") return [openingNotice({ value: filter, address: registryAddress(location), go })];
    if (error) return [errorNotice(error, load)];
    if (!names) return [skeleton(12)];
    if (!names.length) return [emptyNotice(announce)];
    return shown.length ? [] : [noMatch(filter, box.clear)];
  }

  setTitle(text.repositories);
  root.append(h("div", { class: "title" }, h("h1", { tabindex: "-1" }, text.repositories), number), toolbar, aside, list);
  state.subscribe(draw, signal);
  draw(state.get());
  load();
}

/** A folder's heading, or a repository's link with its last part standing out. */
function createRow({ heading, name }) {
  if (heading) return headingRow();
  const cut = name.lastIndexOf("/") + 1;
  const folder = h("span", { class: "folder" }, name.slice(0, cut));
  const leaf = h("span", { class: "leaf" }, name.slice(cut));
  return { element: h("div", { class: "row", role: "listitem" }, h("a", { href: repositoryPath(name) }, folder, leaf)) };
}

function headingRow() {
  const title = h("h2");
  const number = h("span", { class: "count", "aria-hidden": "true" });
  return {
    element: h("div", { class: "row heading", role: "listitem" }, title, number),
    update(item) {
      title.textContent = item.folder;
      title.setAttribute("aria-label", text.inFolder(item.folder, item.count));
      number.textContent = count(item.count);
    },
  };
}

function emptyNotice(announce) {
  const { element } = commandBox({ lines: pushCommands(registryAddress(location), "NAME"), announce });
  return notice(h("h2", {}, text.noRepositories), h("p", {}, text.noRepositoriesAdvice), element);
}
