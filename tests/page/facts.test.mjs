import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { load } from "./support/load.mjs";

const { createFacts, newest } = await load("facts.js");
const { createStore } = await load("store.js");

// Time passes where a test lets it pass, and nowhere else.
mock.timers.enable({ apis: ["setTimeout"] });

/** Long enough in sight to be asked for, and answered. */
function rest() {
  mock.timers.tick(1000);
  return new Promise((resolve) => setImmediate(resolve));
}

const EMPTY = { tags: {}, manifests: {}, may: {} };

/** What the list tells, with a registry that answers as `repository` does. */
function reading(repository, names = {}) {
  const asked = [];
  const session = createStore({ names: new Map(Object.entries(names)), repositories: new Map() });
  const client = { repository: async (name) => (asked.push(name), repository(name)) };
  const leaving = new AbortController();
  const facts = createFacts({ client, session, signal: leaving.signal, onRead: () => {} });
  return { asked, facts, leaving, session };
}

test("the newest tag is the one of the last moment; those without one, and what is attached, are none", () => {
  const made = (year, source = "created") => ({ attached: null, moment: { at: new Date(`${year}-01-01`), source } });
  const silent = { attached: null, moment: null };
  const signature = { ...made(2025), attached: { to: "", orphan: true } };
  const tags = new Map([["a", made(2019)], ["b", made(2023, "pushed")], ["c", silent], ["d", made(2021)], ["e", signature]]);
  assert.deepEqual(newest(tags), { tag: "b", at: new Date("2023-01-01"), source: "pushed" });
  assert.equal(newest(new Map([["c", silent]])), undefined);
  assert.equal(newest(new Map()), undefined);
  assert.equal(newest(new Map([["e", signature]])).tag, "e");
});

test("each is read once in a view, and known to all views", async () => {
  const { asked, facts, session } = reading(() => ({ ...EMPTY, tags: { "1.0": "" } }), { app: 3 });
  assert.deepEqual(facts.of("app"), { tags: 3 });
  assert.deepEqual(facts.of("unknown"), { tags: 0 });
  for (let time = 0; time < 2; time += 1) {
    facts.want(["app"]);
    await rest();
  }
  assert.deepEqual(asked, ["app"]);
  assert.deepEqual(facts.of("app"), { tags: 1, size: 0, newest: undefined });
  assert.ok(session.get().repositories.has("app"));
});

test("what was denied is not asked again, and what was known of it goes; what failed is asked again", async () => {
  const { asked, facts, session } = reading((name) => {
    throw Object.assign(new Error(), { kind: name === "closed" ? "forbidden" : "unavailable" });
  });
  for (const name of ["closed", "failing"]) session.get().repositories.set(name, { tags: new Map(), size: 1 });
  for (let time = 0; time < 2; time += 1) {
    facts.want(["closed", "failing"]);
    await rest();
  }
  assert.deepEqual(asked, ["closed", "failing", "failing"]);
  assert.deepEqual([...session.get().repositories.keys()], ["failing"]);
});

test("those looked at long ago are forgotten", async () => {
  const { facts, session } = reading(() => EMPTY);
  const { repositories } = session.get();
  for (let number = 0; number < 2000; number += 1) repositories.set(`app${number}`, { tags: new Map(), size: 0 });
  facts.want(["app0", "new"]);
  await rest();
  assert.equal(repositories.size, 2000);
  assert.deepEqual(["app0", "new", "app1"].map((name) => repositories.has(name)), [true, true, false]);
});
