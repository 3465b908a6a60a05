import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { load } from "./support/load.mjs";

const { createFacts } = await load("lists/facts.js");
const { createStore } = await load("browser/store.js");

// Time passes where a test lets it pass, and nowhere else.
mock.timers.enable({ apis: ["setTimeout"] });

/** Long enough in sight to be asked for, and answered. */
function rest() {
  mock.timers.tick(1000);
  return new Promise((resolve) => setImmediate(resolve));
}

/** What the list tells, with a registry that answers as `repository` does. */
function reading(repository, names = {}) {
  const asked = [];
  const session = createStore({ names: new Map(Object.entries(names)), sizes: new Map() });
  const client = { repository: async (name) => (asked.push(name), repository(name)) };
  const leaving = new AbortController();
  const facts = createFacts({ client, session, signal: leaving.signal, onRead: () => {} });
  return { asked, facts, leaving, session };
}

test("each is read once in a view, and known to all views", async () => {
  const document = { config: { digest: "c", size: 5 }, layers: [{ digest: "x", size: 10 }, { digest: "x", size: 10 }] };
  const { asked, facts, session } = reading(() => ({ tags: {}, manifests: { a: { document }, b: { document }, c: { unread: true }, d: null } }), { app: 3 });
  assert.deepEqual(facts.of("app"), { tags: 3, size: undefined });
  assert.deepEqual(facts.of("unknown"), { tags: 0, size: undefined });
  session.get().names.set("unreadable", null);
  assert.equal(facts.of("unreadable").tags, null);
  for (let time = 0; time < 2; time += 1) {
    facts.want(["app"]);
    await rest();
  }
  assert.deepEqual(asked, ["app"]);
  const size = { bytes: 15, isAll: false };
  assert.deepEqual(facts.of("app"), { tags: 3, size });
  assert.deepEqual([...session.get().sizes], [["app", size]]);
});

test("what was denied is not asked again, and what was known of it goes; what failed is asked again", async () => {
  const { asked, facts, session } = reading((name) => {
    throw Object.assign(new Error(), { kind: name === "closed" ? "forbidden" : "unavailable" });
  });
  for (const name of ["closed", "failing"]) session.get().sizes.set(name, 1);
  for (let time = 0; time < 2; time += 1) {
    facts.want(["closed", "failing"]);
    await rest();
  }
  assert.deepEqual(asked, ["closed", "failing", "failing"]);
  assert.deepEqual([...session.get().sizes.keys()], ["failing"]);
});
