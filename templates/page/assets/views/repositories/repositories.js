/** All repositories of the registry, however many: as a list, or in folders. */
import { h, say } from "../../browser/dom.js";
import { bytes, count, registryAddress } from "../../browser/format.js";
import { retryOnce } from "../../browser/loading.js";
import { CHANGED, createStore, remembering } from "../../browser/store.js";
import { addWords, text } from "../../browser/text.js";
import { matching, ordered, sortedBy } from "../../lists/catalog.js";
import { createKnown } from "../../lists/known.js";
import { keep, pressed, recall } from "../../lists/list-settings.js";
import { createVirtualList } from "../../lists/virtual-list.js";
import { RegistryError } from "../../registry/client.js";
import { button, commandBox, errorNotice, noMatch, notice, pushCommands, skeleton, toBeginning } from "../parts.js";
import { filterBox, referenceOf } from "../search.js";
import { listHeadings, listShape } from "./list.js";

const SHAPES = ["list", "folders"];
// Repositories named in one command.
const NAMED = 10;
// Bytes: with less room, pushes will soon fail if nothing is reserved.
const LEAST_FREE = 1_000_000_000;
// Milliseconds between sorting the list again while sizes are read.
const SORTED_EVERY = 1000;

// Modules that not everyone needs, once they are here.
const loaded = { folders: null, opening: null };

/** @param {any} context the router's and the application's */
export function showRepositories(context) {
  const { root, client, signal, session, announce, query, setTitle, go, restoreScroll } = context;
  const settings = recall(query, session.get());
  const names = settings.shape === "list" || loaded.folders ? session.get().names : null;
  // `known` changes when what the list is sorted by does; while one filters, all folders are open but the `closed`.
  const state = createStore({ ...settings, ...arranged(names), error: null, mayOpen: false, reference: null, known: 0, closed: new Set() });
  const choose = remembering((...given) => chosen(known, ...given));
  let shown = { full: [], empty: [], title: "", count: 0 };
  let sortingAgain = 0;

  const list = h("div", { id: "repositories", class: "rows repositories", "aria-label": text.repositories });
  const known = createKnown({ client, session, signal, onRead, onLoad: sortAgain });
  const virtual = createVirtualList({ root: list, createRow: (item) => shape().createRow(item), onDraw, signal });
  const shapes = { list: listShape({ facts: known.of, shown: () => shown }) };
  const top = createTop({ list, virtual, filter: settings.filter, set, toShape, go, onEnter, sortBy });
  const aside = h("div", { class: "aside" });
  // Anyone who is at a control in it keeps the focus while it shows the same.
  const drawAside = remembering((...telling) => aside.replaceChildren(...besides(...telling)));

  function shape() {
    if (state.get().shape === "list" || !loaded.folders) return shapes.list;
    shapes.folders ??= loaded.folders.folderShape({ list, virtual, facts: known.of, isOpen, toggle });
    return shapes.folders;
  }

  function isOpen(path) {
    const { filter, open, closed } = state.get();
    return filter ? !closed.has(path) : open.has(path);
  }

  function toggle(path) {
    const { filter, open, closed } = state.get();
    state.set(filter ? { closed: flip(closed, path) } : { open: flip(open, path) });
    keep(state.get(), context);
  }

  function onDraw(inSight) {
    known.see(inSight.map((item) => item.name ?? item.folder.name).filter(Boolean));
    shape().onDraw();
  }

  /** What the reader chose. It is kept, and shown from its beginning. */
  function set(change) {
    state.set({ ...change, closed: new Set() });
    keep(state.get(), context);
    toBeginning(list, top.toolbar);
    tellCount();
    if ("filter" in change) understand();
  }

  /** What was searched for may be a whole reference, then its repository is what is wanted. */
  async function understand() {
    const { filter, reference: before } = state.get();
    const reference = await referenceOf(filter);
    if (signal.aborted || state.get().filter !== filter || (!reference && !before)) return;
    state.set({ reference });
    tellCount();
  }

  /** What was pasted a moment ago is not understood yet: the key waits for that. */
  async function onEnter(words) {
    const reference = await referenceOf(words);
    if (signal.aborted || state.get().filter !== words) return;
    if (reference && !reference.registry) go(reference.path);
    else if (words) list.querySelector("a")?.click();
  }

  /** More is known of one: its row shows it at once; it finds its place with the others of a second. */
  function onRead() {
    virtual.refresh();
    if (state.get().sorting.by === "size") sortingAgain ||= setTimeout(sortAgain, SORTED_EVERY);
  }

  function sortAgain() {
    clearTimeout(sortingAgain);
    sortingAgain = 0;
    if (!signal.aborted) state.set({ known: state.get().known + 1 });
  }

  function sortBy(by) {
    const sorting = pressed(state.get().sorting, by);
    set({ sorting });
    announce(text.sortedBy(text.list.columns[by], sorting.descending));
  }

  async function toShape(wanted) {
    await need(wanted).then(() => signal.aborted || set({ shape: wanted }), fail);
  }

  function tellCount() {
    const { names: all, filter, only } = state.get();
    if (!all) return;
    announce(filter || only ? text.list.repositoriesShown(shown.count, all.size) : text.list.repositoryCount(all.size));
  }

  async function load() {
    state.set({ error: null });
    announce(text.list.loadingRepositories);
    try {
      const [{ names, all }] = await Promise.all([client.catalog(signal), need(state.get().shape)]);
      // A reader who is shown none may have access to one by its name.
      if (!all && !names.size) await need("opening");
      session.set({ names });
      state.set({ mayOpen: !all, ...arranged(names) });
      tellCount();
      known.load();
    } catch (error) {
      fail(error);
    }
  }

  async function fail(error) {
    if (signal.aborted) return;
    // What was listed before is no longer for logged-out users, or those who may not list.
    if (error.kind in text.refusals) session.set({ names: null });
    state.set({ error, ...arranged(session.get().names) });
  }

  function draw(now) {
    shown = choose(now.full, now.empty, now.reference?.name ?? now.filter, now.only, now.sorting, now.known);
    const { role, rowsOf } = shape();
    // Rows of one shape are not for the other, though their keys may be the same.
    if (list.getAttribute("role") !== role) virtual.setItems([]);
    list.setAttribute("role", role);
    list.hidden = !shown.count;
    const isSized = now.sorting.by === "size" && shape() === shapes.list;
    known.measure(isSized ? shown.full : []);
    top.show(now, shown);
    top.tell({ session: session.get(), sizes: isSized && known.progress(shown.full), ...now });
    drawAside(now.names, now.filter, now.only, now.error, now.reference, shown.count);
    virtual.setItems(rowsOf(shown));
    if (now.names) restoreScroll();
  }

  function besides(all, filter, only, error, reference) {
    if (error) return [errorNotice(error, load)];
    if (!all) return [skeleton(12)];
    if (!all.size && state.get().mayOpen) {
      return [loaded.opening.openingNotice({ value: filter, address: registryAddress(location), go })];
    }
    if (!all.size) return [nothingNotice(announce)];
    if (reference) return [referenceNotice(reference, shown.count, top.clear)];
    if (!shown.count) return [noMatch(filter, top.clear)];
    return only ? [emptyNotice(shown.empty, announce)] : [];
  }

  setTitle(text.repositories);
  root.append(top.title, top.toolbar, top.headings, aside, list);
  signal.addEventListener("abort", () => clearTimeout(sortingAgain));
  if (settings.shape === "folders") keep(settings, context);
  state.subscribe(/** @type {any} */ (Object.keys(state.get())), draw, signal);
  draw(state.get());
  // A deletion may end when one has left its view already.
  addEventListener(CHANGED, load, { signal });
  understand();
  load();
}

/** The title with its counts, and what one chooses by: words, a shape, those without tags. */
function createTop({ list, virtual, filter, set, toShape, go, onEnter, sortBy }) {
  const number = h("span", { class: "count" });
  const only = h("button", {
    type: "button", class: "toggle", onclick: () => set({ only: only.getAttribute("aria-pressed") === "false" }),
  });
  const box = filterBox({
    label: text.list.filterRepositories,
    value: filter,
    controls: list.id,
    onInput: (words) => set({ filter: words }),
    onDown: virtual.focusFirst,
    onEnter,
    go,
  });
  const buttons = SHAPES.map((shape) =>
    h("button", { type: "button", onclick: () => toShape(shape) }, text.list.shapes[shape]));
  const shapes = h("div", { class: "switch", role: "group", "aria-label": text.list.shownAs }, ...buttons);
  const toolbar = h("div", { class: "toolbar" }, box.element, shapes);
  const headings = listHeadings({ onSort: sortBy });
  const progress = h("p", { class: "progress" });
  const room = h("p", { class: "room" });
  const drawRoom = remembering((known) => room.replaceChildren(...(known ? roomWords(known) : [])));

  return {
    title: h("div", { class: "title" }, h("h1", { tabindex: "-1" }, text.repositories), number, only, room),
    toolbar,
    headings: h("div", { class: "above" }, headings.element, progress),
    clear: box.clear,
    show(now, shown) {
      const all = now.names?.size ?? 0;
      const few = now.filter || now.only ? text.list.shown(shown.count, all) : count(all);
      say(number, now.names ? few : "");
      say(only, text.list.empty(now.empty.length));
      only.hidden = !now.empty.length;
      only.setAttribute("aria-pressed", now.only);
      toolbar.hidden = now.names ? !all : Boolean(now.error);
      headings.element.hidden = !shown.count || now.shape !== "list";
      for (const [index, button] of buttons.entries()) button.setAttribute("aria-pressed", SHAPES[index] === now.shape);
    },
    /** What is known of all of them by now. */
    tell({ session, sizes, sorting, names }) {
      headings.show({ sorting, mayPushed: session.pushed !== null });
      drawRoom(names ? session.room : null);
      const part = !session.pushedAll && sorting.by === "pushed";
      const words = sizes && sizes.read < sizes.all ? text.list.sizesRead(sizes.read, sizes.all, sizes.waiting) : part ? text.list.pushedPart : "";
      say(progress, words);
    },
  };
}

/** What all have together, and what is left of the disk; where less was read, so much at least. */
function roomWords({ stored, disk }) {
  const state = disk && (disk.refused ? "refused" : isLow(disk) ? "low" : "");
  return [
    stored && h("span", { title: text.list.storedTitle }, text.list.stored(bytes(stored.bytes), stored.all)),
    disk && h("span", { class: state ? "fault" : null }, text.list.free(bytes(disk.free), bytes(disk.bytes), state)),
  ].filter(Boolean);
}

/** Whether pushes will soon be refused: where nothing is reserved, they fail when nothing is free. */
function isLow({ free, limit, free_inodes, inodes_limit }) {
  return free < (limit ? 2 * limit : LEAST_FREE) || free_inodes < 2 * inodes_limit;
}

/** Load what a shape, or who may not list, needs beside this module. */
async function need(name) {
  if (loaded[name] !== null) return;
  const parts = name === "folders" ? [retryOnce(() => import("./folders.js"))] : [retryOnce(() => import("./opening.js")), addWords("opening")];
  [loaded[name]] = await Promise.all(parts).catch(() => {
    throw new RegistryError("unreachable");
  });
}

/** @param {Map<string, number | null> | null} names with their numbers of tags, null if that is not known */
function arranged(names) {
  const all = ordered([...(names ?? new Map()).keys()]);
  return { names, full: all.filter((name) => names.get(name) !== 0), empty: all.filter((name) => names.get(name) === 0) };
}

/**
 * What is asked for, and under which title those without tags come, if they come after others.
 * @returns {import("../../lists/catalog.js").Shown}
 */
function chosen(known, full, empty, filter, only, { by, descending }) {
  const alone = only && empty.length > 0;
  const found = { full: alone ? [] : matching(full, filter), empty: matching(empty, filter) };
  if (by === "name" && descending) found.full = [...found.full].reverse();
  if (by !== "name") found.full = sortedBy(found.full, (name) => known.value(name, by), descending);
  return { ...found, flat: by !== "name", title: alone ? "" : text.list.emptyOnes, count: found.full.length + found.empty.length };
}

function flip(paths, path) {
  const flipped = new Set(paths);
  if (!flipped.delete(path)) flipped.add(path);
  return flipped;
}

function nothingNotice(announce) {
  const { element } = commandBox({ lines: pushCommands(registryAddress(location), "NAME"), announce });
  return notice(h("h2", {}, text.list.noRepositories), h("p", {}, text.list.noRepositoriesAdvice), element);
}

/** Of an image of another registry, what has its name here is shown; whether any does. */
function referenceNotice({ registry, name, words, path }, found, clear) {
  const way = registry
    ? h("p", {}, found ? text.list.elsewhere(registry) : text.list.onlyElsewhere(registry, name))
    : h("p", {}, h("a", { class: "opens", href: path }, text.list.openReference(words)));
  return notice(way, button(text.clearFilter, clear));
}

function emptyNotice(names, announce) {
  const { element } = commandBox({ lines: [`deployer delete --repository ${names.slice(0, NAMED).join(" ")}`], announce });
  return notice(h("p", {}, text.list.emptyAdvice), element);
}
