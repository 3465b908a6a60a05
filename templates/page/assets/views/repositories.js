/** All repositories of the registry, however many: as a list, or in folders. */
import { foldersOf, listed, matching, ordered, setApart, unfolded } from "../catalog.js";
import { h } from "../dom.js";
import { createFacts } from "../facts.js";
import { count, registryAddress } from "../format.js";
import { keep, recall } from "../list-settings.js";
import { createStore } from "../store.js";
import { text } from "../text.js";
import { createVirtualList } from "../virtual-list.js";
import { openingNotice } from "./opening.js";
import {
  commandBox, errorNotice, filterBox, noMatch, notice, pushCommands, skeleton, toBeginning,
} from "./parts.js";
import { createFolderRow, createListRow, createTreeKeys } from "./repository-rows.js";

const SHAPES = ["list", "folders"];
// The path of the folder of those without tags: no repository can have it.
const EMPTY = "-";
// Repositories named in one command.
const NAMED = 10;

/** @param {any} context the router's and the application's */
export function showRepositories(context) {
  const { root, client, signal, session, announce, query, setTitle, go, restoreScroll } = context;
  const now = session.get();
  const state = createStore({ ...recall(query, now), ...arranged(now.names), error: null });
  const choose = remembering(chosen);
  const plant = remembering(planted);
  let shown = choose([], [], "", false);
  let items = [];
  // While one filters, all folders are open but these.
  let closed = new Set();

  const list = h("div", { id: "repositories", class: "rows repositories", "aria-label": text.repositories });
  const facts = createFacts({ client, session, signal, onRead: () => virtual.refresh() });
  const virtual = createVirtualList({ root: list, createRow, place, onDraw, signal });
  const treeKeys = createTreeKeys({ list, virtual, rows: () => items, toggle });
  const number = h("span", { class: "count" });
  const emptyOnes = h("button", { type: "button", class: "toggle", onclick: () => set({ only: !state.get().only }) });
  const aside = h("div", { class: "aside" });
  const box = filterBox({
    label: text.filterRepositories,
    value: state.get().filter,
    controls: list.id,
    onInput: (filter) => set({ filter }),
    onDown: virtual.focusFirst,
    onEnter: () => state.get().filter && list.querySelector("a")?.click(),
  });
  const shapes = shapeSwitch(set);
  const toolbar = h("div", { class: "toolbar" }, box.element, shapes.element);

  function createRow(item) {
    return (item.level ? createFolderRow : createListRow)(item, { facts: facts.of, toggle });
  }

  function place(element, { name, position }) {
    if (!name) return;
    element.setAttribute("aria-posinset", position + 1);
    element.setAttribute("aria-setsize", shown.count);
  }

  function onDraw(inSight) {
    facts.want(inSight.map((item) => item.name ?? item.folder.name).filter(Boolean));
    treeKeys.keepStop();
  }

  /** What the reader chose. It is kept, and shown from its beginning. */
  function set(change) {
    closed = new Set();
    state.set(change);
    keep(state.get(), context);
    toBeginning(list, toolbar);
    tellCount();
  }

  function toggle(path) {
    const { filter, open } = state.get();
    const flipped = flip(filter ? closed : open, path);
    if (filter) closed = flipped;
    state.set(filter ? {} : { open: flipped });
    keep(state.get(), context);
  }

  function tellCount() {
    const { names, filter, only } = state.get();
    if (!names) return;
    announce(filter || only ? text.repositoriesShown(shown.count, names.size) : text.repositoryCount(names.size));
  }

  async function load() {
    state.set({ error: null });
    announce(text.loadingRepositories);
    try {
      const names = await client.catalog(signal);
      session.set({ names });
      state.set(arranged(names));
      tellCount();
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  }

  function fail(error) {
    // What was listed before is no longer for who is signed out, or may not list.
    if (error.kind in text.refusals) session.set({ names: null });
    if (error.kind === "forbidden") announce(text.mayNotList);
    state.set({ error, ...arranged(session.get().names) });
  }

  /** Rows of one shape are not for the other, though their keys may be the same. */
  function takeShape(role) {
    if (list.getAttribute("role") === role) return;
    virtual.setItems([]);
    list.setAttribute("role", role);
  }

  function draw({ names, full, empty, filter, only, shape, open, error }) {
    shown = choose(full, empty, filter, only);
    const inFolders = shape === "folders";
    const isOpen = (path) => (filter ? !closed.has(path) : open.has(path));
    items = inFolders ? unfolded(plant(shown), isOpen) : listed(shown);
    takeShape(inFolders ? "tree" : "list");
    list.hidden = !shown.count;
    shapes.show(shape);
    toolbar.hidden = Boolean(names && !names.size) || (error && !names);
    number.textContent = names ? (filter || only ? text.shown(shown.count, names.size) : count(names.size)) : "";
    emptyOnes.textContent = text.list.empty(empty.length);
    emptyOnes.hidden = !empty.length;
    emptyOnes.setAttribute("aria-pressed", only);
    aside.replaceChildren(...besides(names, filter, only, error));
    virtual.setItems(items);
    if (names) restoreScroll();
  }

  function besides(names, filter, only, error) {
    if (error?.kind === "forbidden") return [openingNotice({ value: filter, address: registryAddress(location), go })];
    if (error) return [errorNotice(error, load)];
    if (!names) return [skeleton(12)];
    if (!names.size) return [nothingNotice(announce)];
    if (!shown.count) return [noMatch(filter, box.clear)];
    return only ? [emptyNotice(shown.empty, announce)] : [];
  }

  setTitle(text.repositories);
  const title = h("div", { class: "title" }, h("h1", { tabindex: "-1" }, text.repositories), number, emptyOnes);
  root.append(title, toolbar, aside, list);
  if (state.get().shape === "folders") keep(state.get(), context);
  state.subscribe(draw, signal);
  draw(state.get());
  load();
}

/** @param {Map<string, number> | null} names with their numbers of tags */
function arranged(names) {
  const all = ordered([...(names ?? new Map()).keys()]);
  return { names, full: all.filter((name) => names.get(name)), empty: all.filter((name) => !names.get(name)) };
}

/** What is asked for, and under which title those without tags come, if they come after others. */
function chosen(full, empty, filter, only) {
  const alone = only && empty.length > 0;
  const shown = { full: alone ? [] : matching(full, filter), empty: matching(empty, filter) };
  return { ...shown, title: alone ? "" : text.list.emptyOnes, count: shown.full.length + shown.empty.length };
}

function planted({ full, empty, title }) {
  const root = foldersOf(title ? full : empty);
  if (title && empty.length) setApart(root, EMPTY, title, empty);
  return root;
}

/** Most changes leave most as it is: the last result stays while it is asked with the same. */
function remembering(make) {
  let last = [];
  let result;
  return (...given) => {
    if (!last.length || given.some((one, index) => one !== last[index])) result = make(...given);
    last = given;
    return result;
  };
}

function flip(paths, path) {
  const flipped = new Set(paths);
  if (!flipped.delete(path)) flipped.add(path);
  return flipped;
}

function shapeSwitch(onChoose) {
  const buttons = SHAPES.map((shape) =>
    h("button", { type: "button", onclick: () => onChoose({ shape }) }, text.list.shapes[shape]));
  return {
    element: h("div", { class: "switch", role: "group", "aria-label": text.list.shownAs }, ...buttons),
    show(shape) {
      for (const [index, button] of buttons.entries()) button.setAttribute("aria-pressed", SHAPES[index] === shape);
    },
  };
}

function nothingNotice(announce) {
  const { element } = commandBox({ lines: pushCommands(registryAddress(location), "NAME"), announce });
  return notice(h("h2", {}, text.noRepositories), h("p", {}, text.noRepositoriesAdvice), element);
}

function emptyNotice(names, announce) {
  const { element } = commandBox({ lines: [`deployer delete --repository ${names.slice(0, NAMED).join(" ")}`], announce });
  return notice(h("p", {}, text.list.emptyAdvice), element);
}
