import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { filterPath, parsePath, repositoryPath } = await load("router.js");
const page = new URL("../../templates/page/", import.meta.url);

test("each address means one view", () => {
  assert.deepEqual(parsePath("/"), { view: "repositories" });
  assert.deepEqual(parsePath("/repository/a/b/c"), { view: "repository", name: "a/b/c" });
  assert.deepEqual(parsePath("/repository/a/b/"), { view: "repository", name: "a/b" });
  for (const path of ["/repository/", "/repository/%E0%A4%A", "/elsewhere"]) assert.deepEqual(parsePath(path), { view: "unknown" });
});

test("a repository's address leads back to its name", () => {
  for (const name of ["app", "team/deep/er/app", "a..b/?#%<c>"]) {
    const { pathname, search } = new URL(repositoryPath(name), "http://registry.test");
    assert.deepEqual([parsePath(pathname), search], [{ view: "repository", name }, ""]);
  }
  assert.equal(filterPath("team/"), "/?filter=team%2F");
});

test("the page loads every module at once, and no module that is not there", () => {
  const modules = readdirSync(new URL("assets/", page), { recursive: true }).filter((name) => name.endsWith(".js") && name !== "main.js");
  const html = readFileSync(new URL("index.html", page), "utf8");
  const preloaded = [...html.matchAll(/modulepreload" href="\/assets\/([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.sort(), modules.sort());
});
