import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { readUpkeep } = await load("lists/runs.js");

const NOW = new Date("2026-12-01T12:00:00Z");
const at = (hours) => NOW.getTime() / 1000 + hours * 3600;
const run = (job, hours, result, more = {}) => ({ id: `${job}${hours}`, job, started: at(hours), ended: at(hours) + 90, result, bytes: 5, ...more });
const read = (told) => readUpkeep({ jobs: [], runs: [], backup: null, drill: null, ...told }, NOW);

test("a command has its next time and its last run", () => {
  const { jobs: [backup, gc], problems } = read({
    jobs: [{ job: "backup", when: "daily 02:30", next: at(14), missed: null }, { job: "gc", when: "daily 03:30", next: at(15), missed: null }],
    runs: [run("backup", -9, "done"), run("backup", -33, "failed")],
  });
  assert.deepEqual([backup.next, backup.last.result, backup.last.seconds, backup.last.bytes], [new Date(at(14) * 1000), "done", 90, 5]);
  assert.deepEqual([backup.isBad, gc.last, gc.isBad, problems], [false, null, false, 0]);
});

test("what ended badly is a problem until it succeeds again", () => {
  const jobs = [{ job: "gc", when: "daily 03:30", next: at(15), missed: null }];
  for (const result of ["failed", "skipped", "interrupted"]) assert.equal(read({ jobs, runs: [run("gc", -8, result), run("gc", -32, "done")] }).problems, 1, result);
  for (const result of ["done", "running"]) assert.equal(read({ alive: at(0), jobs, runs: [run("gc", -8, result, { ended: null }), run("gc", -32, "failed")] }).problems, 0, result);
});

test("a run of which nothing was heard for long was interrupted", () => {
  const jobs = [{ job: "gc", when: "daily 03:30", next: at(15), missed: null }];
  const told = (alive, started = -8) => read({ jobs, runs: [run("gc", started, "running", { ended: null })], alive });
  for (const alive of [at(0), at(-0.15), at(1)]) assert.equal(told(alive).runs[0].result, "running", alive);
  for (const alive of [at(-0.2), at(-8), null, undefined]) {
    const { runs: [found], problems } = told(alive);
    assert.deepEqual([found.result, found.isBad, problems], ["interrupted", true, 1], alive);
  }
  // It has just begun.
  assert.equal(told(null, -0.1).runs[0].result, "running");
});

test("a run is missed where it was told, or where nothing was told at its time", () => {
  const missed = (job, runs = []) => read({ jobs: [{ job: "gc", when: "daily 03:30", missed: null, ...job }], runs }).jobs[0];
  assert.deepEqual(missed({ next: at(15), missed: at(-9) }).missed, new Date(at(-9) * 1000));
  assert.deepEqual([missed({ next: at(-2) }).missed, missed({ next: at(-2) }).next], [new Date(at(-2) * 1000), null]);
  assert.equal(missed({ next: at(-0.5) }).missed, null);
  // Others wait for one that runs.
  assert.equal(missed({ next: at(-2) }, [run("check", -0.1, "running", { ended: null })]).missed, null);
});

test("a drill that failed is a problem", () => {
  assert.deepEqual(read({ backup: at(-1), drill: { at: at(-1), passed: false } }).problems, 1);
  const { backup, drill, problems } = read({ backup: at(-1), drill: { at: at(-2), passed: true } });
  assert.deepEqual([backup, drill, problems], [new Date(at(-1) * 1000), { at: new Date(at(-2) * 1000), passed: true }, 0]);
});

test("what is damaged is told as nothing", () => {
  assert.deepEqual(readUpkeep({ jobs: 1, runs: [null, {}, { started: "x" }], backup: "no", drill: {} }, NOW), { jobs: [], runs: [], backup: null, drill: null, problems: 0 });
});
