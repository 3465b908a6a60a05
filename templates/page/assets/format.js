/** How things are written: sizes, times, digests, orders. */
import { language } from "./text.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const STEPS = [
  ["year", 31_557_600], ["month", 2_629_800], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60],
];

const significant = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(language);
const relative = new Intl.RelativeTimeFormat(language);
const justNow = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
const collator = new Intl.Collator("en", { numeric: true });

/** @param {number} value @returns {string} */
export const count = (value) => whole.format(value);

/** @param {number} size in bytes @returns {string} in the decimal units that Docker prints */
export function bytes(size) {
  let unit = 0;
  // What would be rounded to 1000 belongs to the next unit.
  for (; size >= 999.5 && unit < UNITS.length - 1; unit += 1) size /= 1000;
  return `${significant.format(size)} ${UNITS[unit]}`;
}

/** @param {Date} date @param {Date} [now] @returns {string} such as "3 days ago" */
export function ago(date, now = new Date()) {
  const seconds = (date.getTime() - now.getTime()) / 1000;
  const [unit, length] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? [];
  return unit ? relative.format(Math.trunc(seconds / length), unit) : justNow;
}

/** @param {Date} date @returns {string} to the second, in the reader's time zone */
export const moment = (date) => absolute.format(date);

/** @param {string} digest @returns {string} the 12 characters by which Docker calls it */
export const shortDigest = (digest) => digest.slice(digest.indexOf(":") + 1).slice(0, 12);

/**
 * Natural order: 1.9 before 1.10, whatever else is in the names. Never 0 for different names.
 * @param {string} one @param {string} other @returns {number}
 */
export const naturally = (one, other) => collator.compare(one, other) || (one < other ? -1 : Number(one > other));

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
