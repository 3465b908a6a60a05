/** One repository: its tags, and what is known of each. */
import { h } from "../dom.js";
import { registryAddress } from "../format.js";
import { createReading } from "../reading.js";
import { isName } from "../registry.js";
import { filterPath } from "../router.js";
import { createStore } from "../store.js";
import { matchingTags, parseSorting, sortedTags, writeSorting } from "../tags.js";
import { text } from "../text.js";
import { createVirtualList } from "../virtual-list.js";
import {
  breadcrumb, button, commandBox, errorNotice, filterBox, noMatch, notice, pushCommands, skeleton, toBeginning,
} from "./parts.js";
import { createHeader, createTagRow } from "./tag-table.js";

const DRAWING_PAUSE = 120;
const BY_NAME = { by: "name", descending: false };
const COLUMN_NAMES = { name: text.tag, size: text.size, created: text.created };

/** @param {any} context the router's and the application's */
export function showRepository(context) {
  const { root, name, setTitle } = context;
  setTitle(name);
  const number = h("span", { class: "count" });
  root.append(breadcrumb(steps(name)), h("div", { class: "title" }, h("h1", { tabindex: "-1" }, name), number));
  if (isName(name)) showTags({ ...context, number });
  else root.append(notice(h("h2", {}, text.invalidName), h("p", {}, text.invalidNameAdvice)));
}

/** Each folder leads to the list of what is in it. */
function steps(name) {
  const parts = name.split("/");
  const folder = (label, depth) => ({ label, path: filterPath(`${parts.slice(0, depth + 1).join("/")}/`) });
  return [{ label: text.repositories, path: "/" }, ...parts.slice(0, -1).map(folder), { label: parts.at(-1) }];
}

function showTags({ root, name, number, client, details: cache, signal, announce, query, setQuery, restoreScroll }) {
  const state = createStore({
    tags: null, unknown: false, error: null, filter: query.get("filter") ?? "", sorting: parseSorting(query.get("sort")),
  });
  const host = registryAddress(location);
  const pullCommand = (tag) => `docker pull ${host}/${name}:${tag}`;

  const command = commandBox({ lines: [`docker pull ${host}/${name}`], announce });
  const header = createHeader(sortBy);
  const body = h("div", { class: "rows", role: "rowgroup" });
  const naming = { role: "table", "aria-label": text.tagsOf(name) };
  const table = h("div", { id: "tags", class: "table", ...naming }, header.element, body);
  const virtual = createVirtualList({ root: body, createRow, place, signal });
  const reading = createReading({ client, cache, name, signal, inSight: virtual.visible, onProgress });
  const progress = h("span", { class: "progress" });
  const aside = h("div", { class: "aside" });
  const box = filterBox({
    label: text.filterTags,
    value: state.get().filter,
    controls: table.id,
    onInput: setFilter,
    onDown: virtual.focusFirst,
  });
  const toolbar = h("div", { class: "toolbar" }, box.element, progress);

  function createRow({ key }) {
    const onCopied = (tag) => command.set([pullCommand(tag)]);
    return createTagRow(key, { pullCommand, read: reading.of, announce, onCopied });
  }

  function place(element, item, index) {
    element.setAttribute("aria-rowindex", index + 2);
  }

  const wanted = ({ tags, filter }) => matchingTags(tags ?? [], reading.details, filter);

  function setFilter(filter) {
    setQuery({ filter });
    state.set({ filter });
    toBeginning(table, toolbar);
    tellCount();
  }

  function tellCount() {
    const { tags, filter } = state.get();
    if (tags) announce(countWords(wanted(state.get()), tags, filter));
  }

  /** The first press on a column shows what is asked most: the newest, the largest. */
  function sortBy(by) {
    const now = state.get().sorting;
    const sorting = { by, descending: now.by === by ? !now.descending : by !== "name" };
    setQuery({ sort: writeSorting(sorting) });
    state.set({ sorting });
    announce(text.sortedBy(COLUMN_NAMES[by], sorting.descending));
  }

  async function load() {
    state.set({ error: null });
    announce(text.loadingTags);
    try {
      setTags(sortedTags([...Object.keys((await client.repository(name, signal)).tags)], reading.details, BY_NAME));
    } catch (error) {
      if (signal.aborted) return;
      if (error.kind === "missing") state.set({ tags: [], unknown: true });
      else state.set({ error });
    }
  }

  function setTags(tags) {
    if (tags.length) command.set([pullCommand(tags.includes("latest") ? "latest" : tags.at(-1))]);
    state.set({ tags });
    tellCount();
    reading.start(tags);
  }

  // Drawing takes the time in which answers could be read: a few times a second is enough.
  let drawing = 0;
  function onProgress() {
    drawing ||= setTimeout(() => {
      drawing = 0;
      if (!signal.aborted) showProgress();
    }, DRAWING_PAUSE);
  }

  function showProgress() {
    const all = state.get().tags.length;
    const pending = reading.pending();
    progress.textContent = pending ? text.readingDetails(all - pending, all) : "";
    virtual.refresh();
    if (!pending) draw(state.get());
  }

  function draw(now) {
    const { tags, filter, sorting, error } = now;
    // Until all details are here, each that arrives would make rows jump about: they keep the order of their names.
    const shown = sortedTags(wanted(now), reading.details, reading.pending() ? BY_NAME : sorting);
    header.show(sorting);
    table.hidden = !shown.length;
    table.setAttribute("aria-rowcount", shown.length + 1);
    toolbar.hidden = command.element.hidden = tags ? !tags.length : Boolean(error);
    number.textContent = tags?.length ? countWords(shown, tags, filter) : "";
    aside.replaceChildren(...besides(now, shown));
    virtual.setItems(shown.map((key) => ({ key })));
    if (tags) restoreScroll();
  }

  const countWords = (shown, tags, filter) =>
    filter ? text.tagsShown(shown.length, tags.length) : text.tagCount(tags.length);

  function besides({ tags, filter, error, unknown }, shown) {
    if (error) return [errorNotice(error, load)];
    if (!tags) return [skeleton(6)];
    if (!tags.length) return [emptyNotice({ name, unknown, host, announce })];
    if (!shown.length) return [noMatch(filter, box.clear)];
    if (reading.pending() || !reading.failures()) return [];
    const refusal = reading.refusal();
    return [refusal ? errorNotice(refusal, reading.retry) : failuresNotice(reading)];
  }

  root.append(command.element, toolbar, aside, table);
  state.subscribe(draw, signal);
  draw(state.get());
  load();
}

function emptyNotice({ name, unknown, host, announce }) {
  const title = unknown ? text.unknownRepository(name) : text.noTags(name);
  const advice = unknown ? text.unknownRepositoryAdvice : text.noTagsAdvice;
  return notice(h("h2", {}, title), h("p", {}, advice), commandBox({ lines: pushCommands(host, name), announce }).element);
}

function failuresNotice(reading) {
  const words = h("p", {}, text.detailsFailed(reading.failures()));
  return h("div", { class: "notice failures", role: "alert" }, words, button(text.retry, reading.retry));
}
