/** How things are written: sizes, times, digests, orders. */
import { language, text } from "./text.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
// Milliseconds by which the clocks of two machines may differ.
export const TOLERANCE = 300_000;
const HOUR = 3_600;
const DAY = 24 * HOUR;

const significant = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(language);
const relative = new Intl.RelativeTimeFormat(language);
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
/** @param {number} value @returns {string} */
export const count = (value) => whole.format(value);

/** @param {number} size in bytes @returns {string} in the decimal units and the three digits that Docker prints */
export function bytes(size) {
  // Rounded as a whole number: a half is a half, and what becomes 1000 belongs to the next unit.
  const step = 10 ** Math.max(0, String(size).length - 3);
  const rounded = Math.floor((size + step / 2) / step) * step;
  const unit = Math.min(UNITS.length - 1, Math.floor((String(rounded).length - 1) / 3));
  return `${significant.format(rounded / 1000 ** unit)} ${UNITS[unit]}`;
}

/** @param {{bytes: number, isAll: boolean}} sum @returns {string} in the same form; "at least" if not all is known, or nothing */
export const sumWords = ({ bytes: size, isAll }) => (isAll ? bytes(size) : size ? text.atLeast(bytes(size)) : "–");

/** @param {Date} date @param {Date} [now] @returns {string} such as "3 days ago"; units change where Docker's do */
export function ago(date, now = new Date()) {
  const seconds = Math.floor((now.getTime() - date.getTime()) / 1000);
  if (seconds * 1000 < -TOLERANCE) return text.future;
  if (seconds < 60) return text.justNow;
  const hours = Math.floor((seconds + HOUR / 2) / HOUR);
  if (seconds < HOUR) return relative.format(-Math.floor(seconds / 60), "minute");
  if (hours < 48) return relative.format(-hours, "hour");
  if (hours < 14 * 24) return relative.format(-Math.floor(hours / 24), "day");
  if (hours < 60 * 24) return relative.format(-Math.floor(hours / 24 / 7), "week");
  if (hours < 730 * 24) return relative.format(-Math.floor(hours / 24 / 30), "month");
  return relative.format(-Math.floor(seconds / DAY / 365), "year");
}

/** @param {Date} date @returns {string} to the second, in the reader's time zone */
export const moment = (date) => absolute.format(date);

/** @param {string} digest @returns {string} the 12 characters by which Docker calls it */
export const shortDigest = (digest) => digest.slice(digest.indexOf(":") + 1).slice(0, 12);

/**
 * Natural order: 1.9 before 1.10, numbers before words, capitals beside small letters. Never 0 for different names.
 * @param {string} one @param {string} other @returns {number}
 */
export const naturally = (one, other) => compare(one.toLowerCase(), other.toLowerCase()) || sign(one, other);

/** Names are of numbers and of words, in turn: what differs first decides, a number by its value. */
function compare(one, other) {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  let start = at;
  while (start > 0 && isNumeral(one[start - 1]) === isNumeral(one[at - 1])) start -= 1;
  if (partAt(one, start) === partAt(other, start)) start = at;
  const [first, second] = [partAt(one, start), partAt(other, start)];
  if (!first || !second) return first.length - second.length;
  if (isNumeral(first) !== isNumeral(second)) return isNumeral(first) ? -1 : 1;
  return (isNumeral(first) ? byValue(first, second) : 0) || sign(first, second);
}

function partAt(name, start) {
  let end = start;
  while (end < name.length && isNumeral(name[end]) === isNumeral(name[start])) end += 1;
  return name.slice(start, end);
}

/** Numbers of any length. */
function byValue(one, other) {
  const [first, second] = [one, other].map((digits) => digits.replace(/^0+/, ""));
  return first.length - second.length || sign(first, second);
}

const isNumeral = (part) => part >= "0" && part < ":";

const sign = (one, other) => (one < other ? -1 : Number(one > other));

/**
 * The registry's address as image names carry it.
 * @param {{host: string, hostname: string, protocol: string}} location
 * @returns {string} with a port where Docker would otherwise take it for a user of the hub
 */
export function registryAddress({ host, hostname, protocol }) {
  const isPlain = host === hostname && !/[.:]/.test(host) && host !== "localhost";
  return isPlain ? `${host}:${protocol === "https:" ? 443 : 80}` : host;
}

/**
 * The repository in what people paste: its name, or an image's name with the registry's address, a tag, a digest.
 * @param {string} words @param {string} address the registry's, as image names carry it
 * @returns {string}
 */
export function repositoryIn(words, address) {
  const image = words.trim();
  const local = image.startsWith(`${address}/`) ? image.slice(address.length + 1) : image;
  return local.replace(/@.*$/, "").replace(/:[^/]*$/, "").replace(/^\/+|\/+$/g, "");
}
