import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { runPool } = await load("pool.js");
const { createStore } = await load("store.js");

const tick = () => new Promise((resolve) => setImmediate(resolve));

test("never more than so many at a time, and all of them", async () => {
  const waiting = Array.from({ length: 50 }, (_, index) => index);
  const done = [];
  let running = 0;
  let most = 0;
  await runPool({
    size: 6,
    next: () => waiting.shift(),
    signal: new AbortController().signal,
    async run(item) {
      most = Math.max(most, (running += 1));
      await tick();
      running -= 1;
      done.push(item);
    },
  });
  assert.deepEqual([most, done.length], [6, 50]);
});

test("leaving ends it", async () => {
  const leaving = new AbortController();
  let count = 0;
  await runPool({ size: 2, next: () => count, signal: leaving.signal, run: async () => ((count += 1) === 3 ? leaving.abort() : tick()) });
  assert.ok(count <= 4);
});

test("a store tells of each change, until its listener leaves", () => {
  const store = createStore({ one: 1, two: 2 });
  const leaving = new AbortController();
  const heard = [];
  store.subscribe((state) => heard.push(state), leaving.signal);
  store.set({ two: 3 });
  leaving.abort();
  store.set({ one: 0 });
  assert.deepEqual(heard, [{ one: 1, two: 3 }]);
  assert.deepEqual(store.get(), { one: 0, two: 3 });
});
