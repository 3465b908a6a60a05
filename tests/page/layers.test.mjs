/** The page's modules are in folders, and import only from their own and from those below. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

const assets = new URL("../../templates/page/assets/", import.meta.url).pathname;
// From the top.
const LAYERS = [
  ["."],
  ["views/repositories", "views/repository", "views/image", "views/schedule"],
  ["views/deleting"],
  ["views"],
  ["lists"],
  ["registry"],
  ["content"],
  ["browser"],
  ["languages"],
];
const MOST = 12;
const IMPORT = /(?:from|import)\s*\(?\s*["'`](\.[^"'`$]*\.js)["'`]/g;
const COMMENT = /\/\*\*[\s\S]*?\*\//g;

const layerOf = (folder) => LAYERS.findIndex((parts) => parts.includes(folder));
const modules = readdirSync(assets, { recursive: true }).filter((file) => file.endsWith(".js") && !file.startsWith("languages/"));

for (const name of modules) {
  test(`${name} imports downward`, () => {
    const folder = dirname(name);
    assert.ok(layerOf(folder) >= 0, folder);
    const source = readFileSync(join(assets, name), "utf8").replace(COMMENT, "");
    for (const [, path] of source.matchAll(IMPORT)) {
      const other = dirname(normalize(join(folder, path)));
      assert.ok(other === folder || layerOf(other) > layerOf(folder), `${name} imports ${path}`);
    }
  });
}

test("no folder has more modules than a reader can hold", () => {
  for (const folder of LAYERS.flat()) {
    const inside = modules.filter((name) => dirname(name) === folder);
    assert.ok(inside.length <= MOST, `${folder}: ${inside.length}`);
  }
});
