import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { preferred } = await load("browser/text.js");

/** Every file of words, in both languages. */
const files = await Promise.all(["", "deleting/", "help/", "image/", "list/", "opening/", "schedule/", "tags/", "untagged/"].map(async (folder) => {
  const [english, japanese] = await Promise.all(["en", "ja"].map((language) => load(`languages/${folder}${language}.js`)));
  return [english.text ?? english.words, japanese.text ?? japanese.words];
}));

test("the reader's first language that there is counts; without one it is English", () => {
  assert.equal(preferred(["ja"]), "ja");
  assert.equal(preferred(["fr-FR", "JA-jp", "en-US"]), "ja");
  assert.equal(preferred(["en-GB", "ja"]), "en");
  assert.equal(preferred(["fr", "toString"]), "en");
  assert.equal(preferred([]), "en");
});

/** What a language is made of: its keys, and what kind of thing each is; for functions, how much they take. */
const kind = (value) => (typeof value === "object" ? shape(value) : typeof value === "function" ? value.length : typeof value);
const shape = (words) => Object.entries(words).map(([key, value]) => [key, kind(value)]);

test("every language has all words", () => {
  for (const [english, japanese] of files) assert.deepEqual(shape(japanese), shape(english));
});

test("no word is left in English, but for what has no other", () => {
  const same = files.flatMap(([english, japanese]) =>
    Object.keys(english).filter((key) => typeof english[key] === "string" && english[key] === japanese[key]));
  assert.deepEqual(same, ["noneKnown"]);
});

test("no template stands in another: what leaves the comments out would take spaces along", () => {
  const assets = new URL("../../templates/page/assets/", import.meta.url);
  for (const name of readdirSync(assets, { recursive: true }).filter((file) => file.endsWith(".js"))) {
    assert.doesNotMatch(readFileSync(new URL(name, assets), "utf8"), /\$\{[^}]*`/, name);
  }
});

test("every word that a view asks for is there", async () => {
  const { addWords, text } = await load("browser/text.js");
  for (const group of ["help", "image", "list", "opening", "schedule", "tags", "untagged"]) await addWords(group);
  const assets = new URL("../../templates/page/assets/", import.meta.url);
  for (const name of readdirSync(assets, { recursive: true }).filter((file) => file.endsWith(".js") && !file.startsWith("languages/"))) {
    const source = readFileSync(new URL(name, assets), "utf8").replace(/\/\*\*[^]*?\*\//g, "");
    if (!/import \{[^}]*\btext\b[^}]*\} from "(\.\.?\/)+text\.js"/.test(source)) continue;
    for (const [path, ...rest] of source.matchAll(/(?<![/.\w])text((?:\.[a-zA-Z]+)+)/g)) {
      const keys = rest[0].slice(1).split(".");
      const found = keys.reduce((words, key) => (words === undefined ? undefined : words[key]), text);
      assert.notEqual(found, undefined, `${name}: ${path}`);
    }
    // What is chosen by a key is chosen within a group.
    assert.doesNotMatch(source, /\btext\[(?!group)/, name);
  }
});
