import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { listed, sortedBy } = await load("lists/catalog.js");
const { parseSort, pressed, writeSort } = await load("lists/list-settings.js");
const { createKnown } = await load("lists/known.js");
const { createStore } = await load("browser/store.js");

test("repositories are sorted by what is known of them; what is not comes last, whichever way", () => {
  const sizes = { a: 1, c: 3, d: 0 };
  const sorted = (descending) => sortedBy(["a", "b", "c", "d"], (name) => sizes[name], descending);
  assert.deepEqual(sorted(true), ["c", "a", "d", "b"]);
  assert.deepEqual(sorted(false), ["d", "a", "c", "b"]);
});

test("sorted otherwise than by name, repositories have no folders' headings, and the empty ones still come last", () => {
  const rows = listed({ full: ["b/x", "a/y"], empty: ["gone"], title: "Empty", count: 3, flat: true });
  assert.deepEqual(rows.map(({ key, position }) => [key, position]), [["b/x", 1], ["a/y", 2], ["-/", undefined], ["gone", 3]]);
});

test("a sorting is written into an address and read from it; a press turns it around", () => {
  for (const by of ["name", "pushed", "size"]) {
    for (const descending of [true, false]) assert.deepEqual(parseSort(writeSort({ by, descending })), { by, descending });
  }
  assert.deepEqual(parseSort("toString"), { by: "name", descending: false });
  assert.deepEqual(pressed({ by: "name", descending: false }, "pushed"), { by: "pushed", descending: true });
  assert.deepEqual(pressed({ by: "pushed", descending: true }, "pushed"), { by: "pushed", descending: false });
});

const known = (client) => {
  const session = createStore({ names: null, repositories: new Map(), sizes: new Map([["a", 7]]), pushed: null, room: null });
  const { signal } = new AbortController();
  return [createKnown({ client, session, signal, onRead() {}, onLoad() {} }), session];
};

test("last pushes are of all at once, in seconds; what fails is not known, and nothing else is lost", async () => {
  const fails = async () => { throw new Error("no"); };
  const pushed = async () => ({ pushed: { a: { at: 1_700_000_000, tag: "1" } }, all: false });
  const [told, session] = known({ pushed, stored: fails, disk: async () => ({ bytes: 10, free: 1 }) });
  await told.load();
  assert.equal(told.of("a").pushed.at.toISOString(), "2023-11-14T22:13:20.000Z");
  assert.equal(told.value("a", "pushed"), 1_700_000_000_000);
  assert.equal(told.value("b", "pushed"), undefined);
  assert.deepEqual(session.get().room, { stored: null, disk: { bytes: 10, free: 1 } });
  assert.equal(session.get().pushedAll, false);
  const [none, other] = known({ pushed: fails, stored: fails, disk: fails });
  await none.load();
  assert.equal(other.get().pushed, null);
});

test("of many, the sizes of so many are read at one wish, and it is told of how many they are known", () => {
  const [told] = known({ repository: () => new Promise(() => {}) });
  const names = ["a", ...Array.from({ length: 3000 }, (_, number) => `n${number}`)];
  told.measure(names);
  assert.deepEqual(told.progress(names), { all: 3001, read: 1, waiting: 2000 });
  told.measure([]);
  assert.equal(told.progress(names).waiting, 0);
});
