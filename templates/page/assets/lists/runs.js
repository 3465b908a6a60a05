/** What ran by itself and what was backed up, in the form in which it is shown. */
import { asString, isObject, list } from "../browser/checked.js";

// Milliseconds by which a run may begin late before it counts as missed, as for `deployer status`.
const GRACE = 3_600_000;
// Milliseconds after which a run that was not heard of was killed, or the machine went off; it is heard of every minute.
const ALIVE = 600_000;
// A run that ended in one of these needs no one.
const GOOD = ["running", "done"];

/**
 * @typedef {{id: string, job: string, started: Date, seconds: number | null, result: string, bytes: number | null, isBad: boolean}} Run
 * @typedef {{job: string, when: string, next: Date | null, last: Run | null, missed: Date | null, isBad: boolean}} Job
 * @typedef {{at: Date, passed: boolean}} Drill
 * @typedef {{jobs: Job[], runs: Run[], backup: Date | null, drill: Drill | null, problems: number}} Upkeep
 */

/**
 * @param {any} upkeep what the registry tells, see `deployer/workflows/page/upkeep_state.py` @param {Date} [now]
 * @returns {Upkeep} the newest runs first
 */
export function readUpkeep({ jobs, runs, alive, backup, drill }, now = new Date()) {
  const heard = (time(alive)?.getTime() ?? 0) > now.getTime() - ALIVE;
  const ran = list(runs).filter(isObject).map((run) => readRun(run, heard, now)).filter(({ started }) => started);
  const busy = ran.some(({ result }) => result === "running");
  const planned = list(jobs).filter(isObject).map((job) => readJob(job, ran, busy, now));
  const tested = isObject(drill) && time(drill.at) ? { at: time(drill.at), passed: drill.passed === true } : null;
  const problems = planned.filter(({ isBad }) => isBad).length + (tested && !tested.passed ? 1 : 0);
  return { jobs: planned, runs: ran, backup: time(backup), drill: tested, problems };
}

function readRun({ id, job, started, ended, result: told, bytes }, heard, now) {
  const [from, to] = [time(started), time(ended)];
  const hasJustBegun = from && from.getTime() > now.getTime() - ALIVE;
  const result = told === "running" && !heard && !hasJustBegun ? "interrupted" : told;
  return {
    id: asString(id),
    job: asString(job),
    started: from,
    seconds: from && to ? Math.max(0, (to.getTime() - from.getTime()) / 1000) : null,
    result: asString(result),
    bytes: Number.isSafeInteger(bytes) ? bytes : null,
    isBad: !GOOD.includes(result),
  };
}

/** The file is written when something happens: where nothing did at its next time, that was missed. */
function readJob({ job, when, next, missed }, runs, busy, now) {
  const following = time(next);
  const isLate = following && now.getTime() - following.getTime() > GRACE;
  const late = busy ? null : time(missed) ?? (isLate ? following : null);
  const last = runs.find((run) => run.job === job) ?? null;
  return { job: asString(job), when: asString(when), next: isLate ? null : following, last, missed: late, isBad: Boolean(late || last?.isBad) };
}

const time = (seconds) => (Number.isSafeInteger(seconds) && Math.abs(seconds) < 8.64e12 ? new Date(seconds * 1000) : null);
