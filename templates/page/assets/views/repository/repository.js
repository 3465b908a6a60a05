/** One repository: all its tags, and what is known of each. */
import { h, say } from "../../browser/dom.js";
import { bytes, registryAddress, sumWords } from "../../browser/format.js";
import { retryOnce } from "../../browser/loading.js";
import { isName } from "../../browser/names.js";
import { untaggedPath } from "../../browser/router.js";
import { createStore, remembering } from "../../browser/store.js";
import { text } from "../../browser/text.js";
import { pullCommand } from "../../content/commands.js";
import { remember, remembered } from "../../lists/list-settings.js";
import { createSelection } from "../../lists/selection.js";
import { headline, matchingTags, nested, parseSorting, sortedTags, writeSorting } from "../../lists/tags.js";
import { createVirtualList } from "../../lists/virtual-list.js";
import { listedTags, readRepository } from "../../registry/overview.js";
import { askToDelete } from "../deleting/ask-to-delete.js";
import {
  breadcrumb, button, commandBox, errorNotice, keepingFocus, noMatch, notice, pushCommands, skeleton,
  stepsTo, toBeginning,
} from "../parts.js";
import { filterBox } from "../search.js";
import { createHeader, createTagRow, isLong } from "./tag-table.js";

// Where the browser keeps how tags are sorted, everywhere.
const SORTING = "tags-sort";
// Repositories kept, each with all its tags.
const KEPT = 100;

/** @param {any} context the router's and the application's */
export function showRepository(context) {
  const { root, name, setTitle } = context;
  setTitle(name);
  const number = h("span", { class: "count" });
  root.append(breadcrumb(stepsTo(name)), h("div", { class: "title" }, h("h1", { tabindex: "-1" }, name), number));
  if (isName(name)) showTags({ ...context, number });
  else root.append(notice(h("h2", {}, text.invalidName), h("p", {}, text.invalidNameAdvice)));
}

function showTags(context) {
  const { root, name, number, client, signal, session, announce, query, setQuery, restoreScroll, go } = context;
  const state = createStore({
    repository: session.get().repositories.get(name), unknown: false, error: null,
    filter: query.get("filter") ?? "", sorting: parseSorting(query.get("sort") ?? remembered(SORTING)),
    withAttached: query.get("attached") === "shown",
  });
  const host = registryAddress(location);
  const commandOf = (tag) => {
    const wanted = { address: host, name, tag, isPlain: location.protocol === "http:" };
    return pullCommand(state.get().repository?.tags.get(tag), wanted);
  };
  const mayDelete = () => Boolean(state.get().repository?.may.delete);
  let shown = [];

  const command = commandBox({ lines: [commandOf("latest")], announce });
  const selection = createSelection(() => showSelection());
  const header = createHeader({ onSort: sortBy, onSelectAll: (on) => selection.set(shown, on) });
  const body = h("div", { class: "rows", role: "rowgroup", onkeydown: onKey });
  const naming = { role: "table", "aria-label": text.tags.tagsOf(name) };
  const table = h("div", { id: "tags", class: "table", ...naming }, header.element, body);
  const virtual = createVirtualList({ root: body, createRow, place, signal });
  const nothing = h("p", { class: "fault", hidden: true }, text.tags.nothingToPull);
  const aside = h("div", { class: "aside" });
  // Anyone who is at a control there, or has selected words, keeps them while the text is the same.
  const drawAside = remembering((...telling) => aside.replaceChildren(...besides(...telling)));
  const drawNumber = remembering((words, size) =>
    number.replaceChildren(...(words ? [`${words} · `, h("span", { title: text.tags.deleting.sharedOnce }, sumWords(size))] : [])));
  const box = filterBox({
    label: text.tags.filterTags,
    value: state.get().filter,
    controls: table.id,
    onInput: setFilter,
    onDown: virtual.focusFirst,
    go,
  });
  const bar = createSelectionBar({ selection, remove: () => remove(selection.keys()), onClear: () => header.focus() });
  const removeShown = button("", () => remove(state.get().filter ? shown : [...state.get().repository.tags.keys()]));
  const attachedSwitch = h("button", { type: "button", class: "toggle", hidden: true, onclick: showAttached });
  const toolbar = h("div", { class: "toolbar" }, box.element, attachedSwitch, bar.element);
  // At the end, where it is out of the way.
  const foot = h("div", { class: "end" }, h("a", { href: untaggedPath(name) }, text.tags.untaggedLink), removeShown);

  /** @param {{key: string, details: any}} item */
  function createRow({ key }) {
    return createTagRow(key, {
      name, pullCommand: commandOf, announce, mayDelete,
      onCopied: (tag) => command.set([commandOf(tag)]),
      isSelected: selection.has,
      onSelect: (tag, on, extending) => selection.pick({ key: tag, on, extending, shown }),
      onDelete: (tag) => remove([tag]),
    });
  }

  function place(element, item, index) {
    element.setAttribute("aria-rowindex", index + 2);
  }

  function setFilter(filter) {
    setQuery({ filter });
    state.set({ filter });
    toBeginning(table, toolbar);
    tellCount();
  }

  function tellCount() {
    const { repository, filter } = state.get();
    if (repository) announce(countWords(repository, filter));
  }

  function countWords({ tags }, filter) {
    const all = listedTags(tags).length;
    return filter ? text.tags.tagsShown(shown.filter((tag) => !tags.get(tag).attached).length, all) : text.tagCount(all);
  }

  function showAttached() {
    const withAttached = !state.get().withAttached;
    setQuery({ attached: withAttached ? "shown" : "" });
    state.set({ withAttached });
    tellCount();
  }

  /** The first press on a column shows what is asked most: the newest, the largest. */
  function sortBy(by) {
    const now = state.get().sorting;
    const sorting = { by, descending: now.by === by ? !now.descending : by !== "name" };
    setQuery({ sort: writeSorting(sorting) });
    remember(SORTING, writeSorting(sorting));
    state.set({ sorting });
    announce(text.sortedBy(text.tags[by === "name" ? "tag" : by], sorting.descending));
  }

  async function load() {
    state.set({ error: null });
    announce(text.tags.loadingTags);
    try {
      const stored = await client.repository(name, signal);
      bar.setStored(stored);
      setRepository(readRepository(stored));
    } catch (error) {
      if (signal.aborted) return;
      session.get().repositories.delete(name);
      announce(error.kind === "missing" ? text.tags.unknownRepository(name) : text.refusals[error.kind] ?? text.failed);
      state.set({ repository: null, unknown: error.kind === "missing", error: error.kind === "missing" ? null : error });
    }
  }

  // After a deletion, what had the focus may have gone with its row.
  const reload = () => keepingFocus(load);

  function setRepository(repository) {
    const { names, repositories } = session.get();
    // As the last, so that those looked at long ago go first.
    repositories.delete(name);
    repositories.set(name, repository);
    if (repositories.size > KEPT) repositories.delete(repositories.keys().next().value);
    names?.set(name, listedTags(repository.tags).length);
    state.set({ repository, unknown: false });
    const first = headline(repository.tags);
    command.set(first ? [commandOf(first)] : []);
    selection.keep((tag) => repository.tags.has(tag));
    tellCount();
  }

  /** The Delete key is for the row that has the focus, or for all that are selected if that is one of them. */
  function onKey(event) {
    const tag = event.key === "Delete" && event.target.closest(".row")?.dataset.tag;
    if (tag && mayDelete()) remove(selection.has(tag) ? selection.keys() : [tag]);
  }

  function remove(tags) {
    askToDelete({ client, name, tags, signal, onChange: reload });
  }

  function showSelection() {
    header.showSelection({
      selectable: mayDelete(), some: shown.some(selection.has), every: shown.length > 0 && shown.every(selection.has),
    });
    bar.show(shown);
    foot.hidden = !state.get().repository;
    removeShown.hidden = !mayDelete() || !shown.length || selection.keys().length > 0;
    say(removeShown, state.get().filter ? text.tags.deleting.shown(shown.length) : text.tags.deleting.all);
    virtual.refresh();
  }

  function draw({ repository, filter, sorting, error, unknown, withAttached }) {
    const tags = repository?.tags ?? new Map();
    const listed = listedTags(tags);
    const attached = tags.size - listed.length;
    // Where there is nothing else, what is attached to what is gone is all that there is to see.
    const all = withAttached || !listed.length ? [...tags.keys()] : listed;
    shown = nested(sortedTags(matchingTags(all, tags, filter), tags, sorting), tags);
    attachedSwitch.hidden = !attached || !listed.length;
    say(attachedSwitch, text.tags.attachedTags(attached));
    attachedSwitch.setAttribute("aria-pressed", withAttached);
    header.show(sorting);
    table.hidden = !shown.length;
    table.classList.toggle("selectable", mayDelete());
    table.classList.toggle("long", shown.some(isLong));
    table.setAttribute("aria-rowcount", shown.length + 1);
    command.element.classList.toggle("waiting", !repository);
    toolbar.hidden = repository ? !tags.size : Boolean(error || unknown);
    command.element.hidden = repository ? !headline(tags) : toolbar.hidden;
    const images = [...tags.values()].filter((details) => !details.attached);
    nothing.hidden = !images.length || images.some(({ pulls, state }) => pulls !== "none" || state === "unread");
    drawNumber(tags.size ? countWords(repository, filter) : "", repository?.size);
    drawAside(repository, shown.length ? "" : filter, error, unknown);
    virtual.setItems(shown.map((key) => ({ key, details: tags.get(key) })));
    showSelection();
    if (repository) restoreScroll();
  }

  function besides(repository, filter, error, unknown) {
    if (error) return [errorNotice(error, load)];
    if (unknown || repository?.tags.size === 0) return [emptyNotice({ name, unknown, host, announce })];
    if (!repository) return [skeleton(6)];
    return filter ? [noMatch(filter, box.clear)] : [];
  }

  root.append(command.element, nothing, toolbar, aside, table, foot);
  state.subscribe(/** @type {any} */ (Object.keys(state.get())), draw, signal);
  draw(state.get());
  load();
}

/** What is selected: how many, what they would free, and what can be done with them. */
function createSelectionBar({ selection, remove, onClear }) {
  let weigher = null;
  let stored = null;
  const words = h("span", { role: "status" });
  const element = h("div", { class: "selection", hidden: true },
    words, button(text.tags.deleting.open, remove), button(text.tags.deleting.clear, clear));
  element.querySelector("button").classList.add("danger");

  /** The bar goes, and the focus with it to where all are selected. */
  function clear() {
    selection.clear();
    onClear();
  }

  async function show(shown) {
    const keys = selection.keys();
    element.hidden = !keys.length;
    if (!keys.length || !stored) return words.replaceChildren();
    const visible = new Set(shown);
    const hidden = keys.filter((key) => !visible.has(key)).length;
    weigher ??= retryOnce(() => import("../../registry/deletion-plan.js")).then(({ createWeigher }) => createWeigher(stored)).catch(() => null);
    const weigh = await weigher;
    const freed = weigh?.(new Set(selection.keys()));
    words.textContent = [text.tags.deleting.selected(keys.length, hidden), freed ? freedWords(freed) : ""].filter(Boolean).join(" · ");
  }

  return {
    element,
    show,
    setStored(fresh) {
      stored = fresh;
      weigher = null;
    },
  };
}

function freedWords({ bytes: size, isAll }) {
  const { frees, freesUnknown } = text.tags.deleting;
  return isAll ? size && frees(bytes(size)) : freesUnknown;
}

function emptyNotice({ name, unknown, host, announce }) {
  const title = unknown ? text.tags.unknownRepository(name) : text.tags.noTags(name);
  const advice = unknown ? text.tags.unknownRepositoryAdvice : text.tags.noTagsAdvice;
  const removing = unknown ? [] : [
    h("p", {}, text.tags.deleting.nameStays), commandBox({ lines: [`deployer delete --repository ${name}`], announce }).element,
  ];
  return notice(h("h2", {}, title), h("p", {}, advice), commandBox({ lines: pushCommands(host, name), announce }).element, ...removing);
}
