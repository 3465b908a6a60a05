import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { digestPath, filterPath, parsePath, repositoryPath, tagPath } = await load("browser/router.js");
const page = new URL("../../templates/page/", import.meta.url);

test("each address means one view", () => {
  assert.deepEqual(parsePath("/"), { view: "repositories" });
  assert.deepEqual(parsePath("/schedule"), { view: "schedule" });
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

test("an image's address has its tag or its digest, whatever its repository is called", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const parsed = (path) => parsePath(new URL(path, "http://registry.test").pathname);
  for (const name of ["app", "team/app", "tag", "a/tag/b", "digest/tag", "tag/tag/tag"]) {
    assert.deepEqual(parsed(repositoryPath(name)), { view: "repository", name });
    assert.deepEqual(parsed(tagPath(name, "1.2")), { view: "image", name, tag: "1.2", digest: "" });
    assert.deepEqual(parsed(digestPath(name, digest)), { view: "image", name, tag: "", digest });
  }
  assert.deepEqual(parsePath("/repository/app/tag/1.2/"), { view: "image", name: "app", tag: "1.2", digest: "" });
});

/** What a module needs before it runs. */
function importsOf(name) {
  const source = readFileSync(new URL(`assets/${name}`, page), "utf8");
  return [...source.matchAll(/^import [^;]*? from "([^"]+)"/gms)].map(([, from]) => new URL(from, `file:///${name}`).pathname.slice(1));
}

test("the page asks at once for every module that it needs to begin, and for no others", () => {
  const needed = new Set(["main.js"]);
  for (const name of needed) for (const other of importsOf(name)) needed.add(other);
  const html = readFileSync(new URL("index.html", page), "utf8");
  const preloaded = [...html.matchAll(/modulepreload" href="\/assets\/([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.sort(), [...needed].sort());
});
