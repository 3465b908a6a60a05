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
  if (damaged.length) {
    const isCut = damaged.some((one) => one.size !== null);
    return states.broken(name, named(damaged.map(damageWords))) + (isCut ? states.repair : states.push);
  }
  if (lost.length) return states.broken(name, states.lost(named(lost.map(shortDigest)))) + states.push;
  if (state === "unreadable") return states.tooLarge(bytes(size));
  if (state === "unread") return text.tags.notReadAdvice;
  return state === "empty" ? states.empty(name) : states[state] ?? "";
}

function damageWords({ digest, size, isManifest, isUnlinked, stated }) {
  const { states } = text.tags;
  const file = states.part(shortDigest(digest), isManifest);
  const part = isUnlinked ? states.link(file) : file;
  if (size === null) return states.missing(part);
  if (stated !== null) return states.otherSize(part, size, stated);
  return size === 0 ? states.void(part) : states.damaged(part, size);
}

function named(words) {
  const { states } = text.tags;
  const first = words.slice(0, MANY).join(states.between);
  return words.length > MANY ? states.more(first, words.length - MANY) : first;
}
