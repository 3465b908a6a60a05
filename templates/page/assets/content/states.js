/** What is wrong with a tag, in words: tests/contract/states.json. */
import { bytes, shortDigest } from "../browser/format.js";
import { text } from "../browser/text.js";

// So many parts are named in a sentence.
const MANY = 5;

/**
 * @typedef {"" | "half" | "gone" | "unreadable" | "unread" | "broken" | "empty"} State
 * @param {string} name of the image
 * @param {{state: State, damaged: import("./damage.js").Damaged[], lost: string[], bytes?: number}} details
 * @returns {string} why it cannot be pulled, or not in full, and how to repair it; empty if nothing is wrong
 */
export function stateSentence(name, { state, damaged, lost, bytes: size }) {
  const { states } = text.tags;
  if (damaged.length && cureOf(damaged).look) return states.doubtful(name, named(damaged.map(damageWords))) + states.look;
  if (damaged.length) return states.broken(name, named(damaged.map(damageWords))) + cureWords(damaged);
  if (lost.length) return states.broken(name, states.lost(named(lost.map(shortDigest)))) + states.push;
  if (state === "unreadable") return states.tooLarge(bytes(size));
  if (state === "unread") return text.tags.notReadAdvice;
  return state === "empty" ? states.empty(name) : states[state] ?? "";
}

/**
 * What repairs an image: moving `obstacles` away, then `deployer gc --damaged`, then a push, as far as each is needed. Of
 * sizes alone, `deployer status` tells which is wrong, the file or the manifest: it reads the file.
 * @param {import("./damage.js").Damaged[]} damaged
 */
export function cureOf(damaged) {
  const push = !damaged.every((one) => one.isRestorable);
  const obstacles = [...new Set(damaged.map((one) => one.obstacle).filter(Boolean))].sort();
  // A push restores missing links too, and no damaged file.
  const look = damaged.every((one) => one.stated !== null);
  return { obstacles, look, collect: !look && (!push || damaged.some((one) => one.size !== null)), push: push && !look };
}

function cureWords(damaged) {
  const { states } = text.tags;
  const { obstacles, collect, push } = cureOf(damaged);
  if (obstacles.length) return states.move(named(obstacles), collect, push);
  // A push stumbles over a damaged link, and restores a missing one.
  if (!push) return states.restore(damaged.length) + (damaged.every((one) => one.size === null) ? states.orPush : "");
  return collect ? states.repair : states.push;
}

function damageWords({ digest, size, isManifest, isUnlinked, obstacle, isForeign, stated }) {
  const { states } = text.tags;
  if (isForeign) return states.foreign(shortDigest(digest));
  const file = states.part(shortDigest(digest), isManifest);
  const part = isUnlinked ? states.link(file) : file;
  if (size === null) return obstacle ? states.obstructed(part) : states.missing(part);
  if (stated !== null) return states.otherSize(part, size, stated);
  return size === 0 ? states.void(part) : states.damaged(part, size);
}

function named(words) {
  const { states } = text.tags;
  const first = words.slice(0, MANY).join(states.between);
  return words.length > MANY ? states.more(first, words.length - MANY) : first;
}
