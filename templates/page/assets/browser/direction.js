/** Directions of writing: what strangers wrote stays where it is, and leaves what is beside it as it is. */

// Overrides turn letters around, so that one name looks like another; no script is written with them. Terminals are
// shown the same sign in their place (deployer/printable.py).
const OVERRIDES = /[\u202d\u202e]/g;
const REPLACEMENT = "\ufffd";
const MARKS = /[\u202a-\u202e\u2066-\u2069]/;
// Letters, digits and signs that turn nothing around.
const ONE_WAY = /^[ -~]*$/;
const POP = "\u202c";
const END = "\u2069";
const ISOLATES = "\u2066\u2067\u2068";

/**
 * Direction marks that end with the words themselves: none is left open, and none closes what others opened, be it
 * the style sheet (Unicode Standard Annex #9, explicit levels and directions). Overrides are shown as what cannot be.
 * @param {string} words
 * @returns {string}
 */
export function enclosed(words) {
  if (!MARKS.test(words)) return words;
  const plain = words.replace(OVERRIDES, REPLACEMENT);
  const open = [];
  let told = "";
  for (const sign of plain) {
    if (sign === POP) {
      if (open.at(-1) !== POP) continue;
      open.pop();
    } else if (sign === END) {
      if (!open.includes(END)) continue;
      // What was opened within an isolate ends with it.
      while (open.pop() !== END);
    } else if (MARKS.test(sign)) {
      open.push(ISOLATES.includes(sign) ? END : POP);
    }
    told += sign;
  }
  return told + open.reverse().join("");
}

/**
 * A stranger's words within a sentence of ours.
 * @param {string} words
 * @returns {string} where they could turn it around, between U+2068, first strong isolate, and U+2069
 */
export const isolated = (words) => (ONE_WAY.test(words) ? words : `\u2068${enclosed(words)}${END}`);
