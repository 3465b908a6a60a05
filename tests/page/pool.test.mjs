import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { load } from "./support/load.mjs";

const { createPool } = await load("lists/pool.js");
const { createStore, remembering } = await load("browser/store.js");

const PAUSE = 20;

// Time passes where a test lets it pass, and nowhere else.
mock.timers.enable({ apis: ["setTimeout"] });

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A pool whose work ends when it is told to. */
function heldPool(signal = new AbortController().signal) {
  const begun = [];
  const held = new Map();
  const broken = [];
  const want = createPool({
    size: 6,
    pause: PAUSE,
    signal,
    run: (item, leaving) => new Promise((done) => {
      begun.push(item);
      held.set(item, done);
      leaving.addEventListener("abort", () => (broken.push(item), done()));
    }),
  });
  return { begun, broken, held, want };
}

const rest = () => mock.timers.tick(PAUSE);
const numbers = (first, last) => Array.from({ length: last - first }, (_, step) => first + step);

test("what passes by is not worked on; what rests is, six at a time, in its order", async () => {
  const { begun, held, want } = heldPool();
  for (let first = 0; first < 1000; first += 10) want(numbers(first, first + 20));
  rest();
  assert.deepEqual(begun, numbers(990, 996));
  held.get(992)();
  await tick();
  assert.deepEqual(begun, numbers(990, 997));
});

test("what is wanted twice is worked on once", () => {
  const { begun, want } = heldPool();
  want([...numbers(0, 3), ...numbers(0, 3)]);
  rest();
  assert.deepEqual(begun, numbers(0, 3));
});

test("what is in sight for less than the pause, however often, is not worked on", () => {
  const { begun, want } = heldPool();
  for (let first = 0; first < 1000; first += 10) {
    want(numbers(first, first + 20));
    mock.timers.tick(PAUSE - 1);
  }
  assert.deepEqual(begun, []);
  mock.timers.tick(1);
  assert.deepEqual(begun, numbers(990, 996));
});

test("what has gone out of sight is broken off at once, and what is still in sight goes on", async () => {
  const { begun, broken, held, want } = heldPool();
  want(numbers(0, 10));
  rest();
  want(numbers(4, 14));
  assert.deepEqual(broken, [0, 1, 2, 3]);
  rest();
  assert.deepEqual(begun, [...numbers(0, 6), ...numbers(6, 10)]);
  held.get(4)();
  await tick();
  assert.equal(begun.at(-1), 10);
});

test("leaving breaks off what runs and begins nothing more", () => {
  const leaving = new AbortController();
  const { begun, broken, want } = heldPool(leaving.signal);
  want(numbers(0, 10));
  rest();
  want(numbers(2, 12));
  leaving.abort();
  want(numbers(20, 30));
  rest();
  assert.deepEqual([begun, broken], [numbers(0, 6), numbers(0, 6)]);
});

test("a store tells who wants to know of what has changed, until they leave", () => {
  const store = createStore({ one: 1, two: 2 });
  const leaving = new AbortController();
  const heard = [];
  store.subscribe(["two"], (state) => heard.push({ ...state }), leaving.signal);
  store.set({ one: 5 });
  store.set({ two: 2 });
  store.set({ two: 3 });
  leaving.abort();
  store.set({ one: 0, two: 4 });
  assert.deepEqual(heard, [{ one: 5, two: 3 }]);
  assert.deepEqual(store.get(), { one: 0, two: 4 });
});

test("what is made of the same is not made again", () => {
  const made = [];
  const make = remembering((...given) => made.push(given));
  for (const given of [[], [], ["a", 1], ["a", 1], ["a", 2]]) make(...given);
  assert.deepEqual(made, [[], ["a", 1], ["a", 2]]);
});
