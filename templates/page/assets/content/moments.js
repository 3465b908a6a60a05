/** When something was made: as its creator says if that can be true, otherwise when it was pushed. */
import { asString } from "../browser/checked.js";
import { TOLERANCE } from "../browser/format.js";

// RFC 3339 as Go writes it; without a zone it is UTC, and a day alone is its first moment.
const WRITTEN =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?)?$/;
// Longer ones no program writes.
const MOST_CHARACTERS = 64;
// Tools that build reproducibly write a moment of about then into every image, which says nothing.
const NO_REAL_TIME = Date.UTC(1980, 0, 2);

/**
 * @param {unknown} value as RFC 3339 writes it
 * @returns {Date | null} null also for the year 1, which Go writes if no time was set
 */
export function parseTime(value) {
  const found = WRITTEN.exec(asString(value));
  if (!found || found[0].length > MOST_CHARACTERS) return null;
  const [year, month, day, hours, minutes, seconds] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const offset = (found[8] === "-" ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0));
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hours, minutes, seconds, Number((found[7] ?? "0").slice(0, 3).padEnd(3, "0")));
  // What is no day or no time of day becomes another one.
  const written = [local.getUTCMonth() + 1, local.getUTCDate(), local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
  if (written.join() !== [month, day, hours, minutes, seconds].join()) return null;
  if (Number(found[9] ?? 0) > 23 || Number(found[10] ?? 0) > 59) return null;
  const date = new Date(local.getTime() - offset * 60_000);
  return date.getUTCFullYear() > 1 && date.getUTCFullYear() < 10_000 ? date : null;
}

/**
 * @param {unknown} value a creation time as RFC 3339 writes it @param {Date} now
 * @returns {Date | null} null if nothing can have been made then
 */
export function realTime(value, now) {
  const date = parseTime(value);
  return date && date.getTime() > NO_REAL_TIME && date.getTime() <= now.getTime() + TOLERANCE ? date : null;
}

/**
 * @typedef {{at: Date, source: "created" | "pushed"}} Moment
 * @param {Date | null} created a real time, or none @param {Date | null} pushed
 * @returns {Moment | null}
 */
export function momentOf(created, pushed) {
  if (created) return { at: created, source: "created" };
  return pushed ? { at: pushed, source: "pushed" } : null;
}
