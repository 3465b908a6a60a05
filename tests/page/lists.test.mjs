import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { grouped, listed, matching, ordered } = await load("lists/catalog.js");
const { buildTree, foldersOf, parentIndex, visibleRows } = await load("lists/folders.js");
const { readUntagged } = await load("registry/untagged.js");
const { damageIn } = await load("content/damage.js");
const { readRepository } = await load("registry/overview.js");
const { stateSentence } = await load("content/states.js");
await (await load("browser/text.js")).addWords("tags");
const { matchingTags, nested, parseSorting, sortedTags, writeSorting } = await load("lists/tags.js");


test("repositories without a folder come first, then folder by folder", () => {
  assert.deepEqual(
    ordered(["team/b", "zoo", "team10/a", "team2/a", "team/a/deep", "team-x/a", "app"]),
    ["app", "zoo", "team/a/deep", "team/b", "team2/a", "team10/a", "team-x/a"],
  );
});

test("each folder has a heading with its count, whose key is not a repository's", () => {
  const rows = grouped(["app", "team", "team/a", "team/b/c"]);
  assert.deepEqual(rows.map(({ key, heading }) => [key, heading]), [
    ["app", false], ["team", false], ["team/", true], ["team/a", false], ["team/b/c", false],
  ]);
  assert.deepEqual([rows[2].folder, rows[2].count], ["team", 2]);
  assert.deepEqual(rows.filter((row) => !row.heading).map((row) => row.position), [1, 2, 3, 4]);
});

test("those without tags come last, under their title if there is one", () => {
  const rows = listed({ full: ["app", "team/a"], empty: ["gone", "old/gone"], title: "Empty" });
  assert.deepEqual(rows.map(({ key, position }) => [key, position]), [
    ["app", 1], ["team/", undefined], ["team/a", 2], ["-/", undefined], ["gone", 3], ["old/gone", 4],
  ]);
  assert.deepEqual([rows[3].folder, rows[3].count], ["Empty", 2]);
  assert.equal(listed({ full: ["app"], empty: [], title: "Empty" }).length, 1);
  assert.equal(listed({ full: [], empty: ["gone"], title: "" }).length, 1);
});

test("a filter's words must all occur, in any order and case", () => {
  const names = ["team/app", "team/web-app", "other/app"];
  assert.deepEqual(matching(names, " APP team "), ["team/app", "team/web-app"]);
  assert.deepEqual(matching(names, ""), names);
  assert.deepEqual(matching(names, ".*"), []);
});

const NAMES = ["app", "team", "team/a/deep", "team/b", "team10/x", "team2/x", "zoo"];
const shape = (rows) => rows.map(({ key, level, position, siblings }) => [key, level, position, siblings].join(" "));

test("folders come before repositories, in natural order, and only what is open shows what is in it", () => {
  const root = foldersOf(NAMES);
  assert.deepEqual(shape(visibleRows(root, () => false)), ["team 1 1 5", "team2/ 1 2 5", "team10/ 1 3 5", "app 1 4 5", "zoo 1 5 5"]);
  assert.deepEqual(shape(visibleRows(root, (path) => path === "team" || path === "team/b")), [
    "team 1 1 5", "team/a/ 2 1 2", "team/b 2 2 2", "team2/ 1 2 5", "team10/ 1 3 5", "app 1 4 5", "zoo 1 5 5",
  ]);
  assert.equal(visibleRows(root, () => true).length, 10);
});

test("a folder counts all repositories below it, and may be one itself", () => {
  const [team] = visibleRows(foldersOf(NAMES), () => false);
  assert.deepEqual([team.folder.name, team.folder.below, team.open], ["team", 2, false]);
  assert.equal(foldersOf(NAMES).below, NAMES.length);
});

test("folders that hold nothing but one folder are one with it", () => {
  const rows = visibleRows(foldersOf(["a/b/c/x", "a/b/c/y", "d/e", "d/e/f/g", "h/i"]), () => true);
  assert.deepEqual(shape(rows), ["a/b/c/ 1 1 3", "a/b/c/x 2 1 2", "a/b/c/y 2 2 2", "d/ 1 2 3", "d/e 2 1 1", "d/e/f/ 3 1 1",
    "d/e/f/g 4 1 1", "h/ 1 3 3", "h/i 2 1 1"]);
  assert.deepEqual([rows[0].folder.label, rows[0].folder.below], ["a/b/c", 2]);
});

test("what is set apart comes last, by whole names, and is closed as other folders are", () => {
  const empty = ["old/gone", "team"];
  const root = buildTree({ full: NAMES, empty, title: "Empty" });
  assert.equal(visibleRows(root, () => false).at(-1).folder.label, "Empty");
  const rows = visibleRows(root, (path) => path === "-");
  assert.deepEqual(shape(rows.slice(-3)), ["-/ 1 6 6", "old/gone 2 1 2", "team 2 2 2"]);
  assert.equal(rows.at(-3).folder.below, 2);
  assert.deepEqual(shape(visibleRows(buildTree({ full: [], empty, title: "" }), () => false)), ["old/ 1 1 2", "team 1 2 2"]);
});

test("from each row one gets to the folder around it", () => {
  const rows = visibleRows(foldersOf(NAMES), () => true);
  const index = (key) => rows.findIndex((row) => row.key === key);
  assert.equal(parentIndex(rows, index("team/a/deep")), index("team/a/"));
  assert.equal(parentIndex(rows, index("team/b")), index("team"));
  assert.equal(parentIndex(rows, index("zoo")), -1);
});

test("ten thousand repositories are in folders", () => {
  const names = Array.from({ length: 10_000 }, (_, number) => `team${number % 100}/group${number % 7}/app${number}`);
  assert.equal(visibleRows(foldersOf(names), () => true).length, 10_000 + 100 + 700);
});

const details = new Map([
  ["old", { digest: "sha256:aaaa1111", size: 10, moment: { at: new Date("2020-01-01") } }],
  ["new", { digest: "sha256:bbbb2222", size: 10, moment: { at: new Date("2024-01-01") } }],
  ["no-date", { digest: "sha256:cccc3333", size: null, moment: null }],
]);
const tags = ["1.10", "1.9", "old", "no-date", "new"];

test("tags are sorted by name, size and age; what is unknown comes last, whichever way", () => {
  const sorted = (by, descending) => sortedTags(tags, details, { by, descending });
  assert.deepEqual(sorted("name", false), ["1.9", "1.10", "new", "no-date", "old"]);
  assert.deepEqual(sorted("name", true), ["old", "no-date", "new", "1.10", "1.9"]);
  assert.deepEqual(sorted("created", false), ["old", "new", "1.9", "1.10", "no-date"]);
  assert.deepEqual(sorted("created", true), ["new", "old", "no-date", "1.10", "1.9"]);
  assert.deepEqual(sorted("size", true), ["new", "old", "1.9", "1.10", "no-date"]);
});

test("tags are found by name and by digest", () => {
  assert.deepEqual(matchingTags(tags, details, "1."), ["1.10", "1.9"]);
  assert.deepEqual(matchingTags(tags, details, "bbbb2"), ["new"]);
  assert.deepEqual(matchingTags(tags, details, "sha256:cccc"), ["no-date"]);
  assert.deepEqual(matchingTags(tags, details, "aa"), []);
});

test("a sorting is written into an address and read from it", () => {
  for (const by of ["name", "size", "created", "pushed"]) {
    for (const descending of [true, false]) assert.deepEqual(parseSorting(writeSorting({ by, descending })), { by, descending });
  }
  assert.deepEqual(parseSorting("<b>"), { by: "created", descending: true });
  assert.deepEqual(parseSorting(null), { by: "created", descending: true });
});

test("what is attached to an image stands under its first tag, and what is attached to nothing here comes last", () => {
  const image = (digest) => ({ digest, attached: null });
  const to = (digest, orphan = false) => ({ digest: "own", attached: { to: digest, orphan } });
  const all = new Map([["2", image("b")], ["latest", image("b")], ["1", image("a")], ["a.sig", to("a")], ["b.att", to("b")],
    ["b.sig", to("b")], ["gone.sig", to("gone", true)]]);
  assert.deepEqual(nested(["gone.sig", "a.sig", "latest", "b.sig", "2", "1", "b.att"], all),
    ["latest", "b.sig", "b.att", "2", "1", "a.sig", "gone.sig"]);
  assert.deepEqual(nested(["a.sig", "2"], all), ["2", "a.sig"]);
});

test("an image is not whole where anything that it needs is missing or damaged", () => {
  const manifests = {
    whole: { document: { config: { digest: "c1" }, layers: [{ digest: "l1" }] } },
    config: { document: { config: { digest: "c2" }, layers: [{ digest: "l1" }] } },
    layer: { document: { config: { digest: "c1" }, layers: [{ digest: "l2" }, null] } },
    index: { document: { manifests: [{ digest: "whole" }, { digest: "layer" }] } },
    circle: { document: { manifests: [{ digest: "circle" }] } },
    unread: { unread: true },
  };
  const damaged = { c2: null, l2: 0, gone: null, large: 5_000_000 };
  const damageOf = damageIn({ manifests, damaged });
  const told = (name) => damageOf(name).map(({ digest, isManifest }) => (isManifest ? `manifest ${digest}` : digest)).join();
  assert.deepEqual(["whole", "config", "layer", "index", "circle", "unread", "gone", "large"].map(told),
    ["", "c2", "l2", "l2", "", "", "manifest gone", ""]);
  assert.deepEqual(damageIn({ manifests })("config"), []);
});

test("what the registry reads no more is not gone", () => {
  const { tags } = readRepository({ tags: { large: "sha256:l", gone: "sha256:g" }, manifests: {}, damaged: { "sha256:l": 5_000_000, "sha256:g": null } });
  assert.deepEqual([...tags.values()].map(({ state }) => state), ["unreadable", "gone"]);
  assert.match(stateSentence("app:large", tags.get("large")), /^Its manifest is 5 MB; the/);
  assert.match(stateSentence("app:gone", tags.get("gone")), /^app:gone is incomplete: the manifest g is missing\. Push/);
});

/** What an index names has a digest as registries write it. */
const id = (name) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;

test("an index of which some images are lost or damaged can be pulled in part", () => {
  const document = (config) => ({ document: { schemaVersion: 2, config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config }, layers: [] } });
  const index = (...digests) => ({ document: { schemaVersion: 2, manifests: digests.map((name) => ({ digest: id(name) })) } });
  const manifests = {
    a: document("ca"), b: document("cb"), both: index("a", "b"), lost: index("a", "x"), none: index("x"), hurt: index("b"), empty: index(),
  };
  const tags = Object.fromEntries(Object.keys(manifests).map((name) => [name, id(name)]));
  const stored = Object.fromEntries(Object.entries(manifests).map(([name, entry]) => [id(name), entry]));
  const found = readRepository({ tags, manifests: stored, damaged: { cb: null } }).tags;
  assert.deepEqual(Object.fromEntries([...found].map(([tag, { state, pulls }]) => [tag, `${state} ${pulls}`])), {
    a: " whole", b: "broken none", both: "broken part", lost: "broken part", none: "broken none", hurt: "broken none", empty: "empty none",
  });
});

/** A digest that ends like a name. */
const digestOf = (name) => `sha256:${Buffer.from(name).toString("hex").padStart(64, "0")}`;
const nameOf = (digest) => Buffer.from(digest.slice(7).replace(/^(00)+/, ""), "hex").toString();

/** What a repository has, by names in the place of digests. */
function untaggedOf(tags, documents) {
  const manifests = Object.entries(documents).map(([name, [document, pushed = 1]]) => [digestOf(name), { document, bytes: 2, pushed }]);
  const found = readUntagged({
    tags: Object.fromEntries(Object.entries(tags).map(([tag, name]) => [tag, name && digestOf(name)])),
    manifests: Object.fromEntries(manifests),
  });
  return [found.untagged.map(({ digest }) => nameOf(digest)), found.unread];
}

const naming = (name) => ({ digest: digestOf(name) });

test("without a tag is what no tag, no index and no subject leads to", () => {
  const found = untaggedOf({ a: "image", b: "index" }, {
    image: [{}], index: [{ manifests: [naming("part"), null, naming("never-pushed")] }], part: [{}],
    signature: [{ subject: naming("part") }], "of-signature": [{ subject: naming("signature") }],
    old: [{}, 5], "old-signature": [{ subject: naming("old") }, 9],
  });
  assert.deepEqual(found, [["old-signature", "old"], 0]);
});

test("whatever a manifest names anywhere is needed, as garbage collection has it", () => {
  const found = untaggedOf({ a: "one" }, {
    one: [{ layers: [naming("layer")], annotations: { from: `registry/app@${digestOf("noted")}` } }], layer: [{}], noted: [{}], old: [{}],
  });
  assert.deepEqual(found, [["old"], 0]);
});

test("what cannot be read may lead anywhere: while it has a tag, nothing counts as untagged", () => {
  const part = { part: [{}] };
  const cases = [
    [{ a: "index" }, { index: [null], ...part }, 1], [{ a: "gone", b: "gone" }, part, 1], [{ a: "" }, part, 1],
    [{ a: "image" }, { image: [naming("below")], below: [null], ...part }, 1],
    [{ a: "index", b: "gone" }, { index: [null], other: [null], ...part }, 3],
  ];
  for (const [tags, documents, unread] of cases) assert.deepEqual(untaggedOf(tags, documents), [[], unread]);
});

test("while a manifest without a tag cannot be read, it alone is told: it may be attached to an image, and need others", () => {
  assert.deepEqual(untaggedOf({ a: "image" }, { image: [{}], damaged: [null], old: [{}] }), [["damaged"], 1]);
});
