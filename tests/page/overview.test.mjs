import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { NOTHING } = await load("content/manifest.js");
const { readRepository } = await load("registry/overview.js");
const { pullCommand } = await load("content/commands.js");

const OCI = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const blob = (digest, size) => ({ digest, size });
const image = (config, ...layers) => ({
  document: { schemaVersion: 2, mediaType: OCI, config: { mediaType: CONFIG, ...blob(config, 5) }, layers },
  config: { created: "2024-06-29T23:28:22Z", os: "linux", architecture: "amd64" },
});
const index = (...manifests) => ({ document: { schemaVersion: 2, mediaType: INDEX, manifests }, config: null });

/** What an index names has a digest as registries write it. */
const id = (name) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;

test("each tag has its digest, size, platform, age and siblings", () => {
  const { tags, may } = readRepository({
    tags: { "1.0": "sha256:a", latest: "sha256:a", other: "sha256:b" },
    manifests: { "sha256:a": image("c", blob("x", 10)), "sha256:b": image("d") },
    may: { push: false, delete: true },
  });
  const { digest, kind, size, platforms, created, sharing } = tags.get("1.0");
  assert.deepEqual([digest, kind, size, platforms], ["sha256:a", "image", 15, ["linux/amd64"]]);
  assert.equal(created.getUTCFullYear(), 2024);
  assert.deepEqual([sharing, tags.get("other").sharing], [["1.0", "latest"], ["other"]]);
  assert.deepEqual(may, { push: false, delete: true });
});

test("a repository weighs what is shared once", () => {
  const shared = blob("x", 100);
  const manifests = { "sha256:a": image("c", shared, blob("y", 1)), "sha256:b": image("d", shared) };
  assert.deepEqual(readRepository({ tags: {}, manifests }).size, { bytes: 100 + 1 + 5 + 5, isAll: true });
  for (const more of [{ unread: true }, image("e", blob("z", -1)), image("e", blob("z", "1")), { document: { schemaVersion: 1 } }]) {
    assert.equal(readRepository({ tags: {}, manifests: { ...manifests, more } }).size.isAll, false);
  }
  // Of a tag whose manifest could not be read, nothing is known.
  assert.deepEqual(readRepository({ tags: { "1": "sha256:unread" }, manifests: {} }).size, { bytes: 0, isAll: false });
});

test("an index has the platforms and weight of its images, however deep they lie", () => {
  const arm = { os: "linux", architecture: "arm64", variant: "v8" };
  const { tags } = readRepository({
    tags: { all: id("i"), lost: id("l") },
    manifests: {
      [id("i")]: index({ digest: id("a") }, { digest: id("j") }),
      [id("j")]: index({ digest: id("b"), platform: arm }, { digest: id("j") }),
      [id("l")]: index({ digest: id("never"), platform: arm }),
      [id("a")]: image("c"),
      [id("b")]: image("d", blob("x", 10)),
    },
  });
  const { kind, parts, size, platforms, created } = tags.get("all");
  assert.deepEqual([kind, platforms, created?.getUTCMonth()], ["index", ["linux/amd64", "linux/arm64"], 5]);
  assert.deepEqual([parts, size], [2, 20]);
  assert.deepEqual([tags.get("lost").size, tags.get("lost").platforms], [null, ["linux/arm64"]]);
});

test("a tag that names nothing, and one whose deletion was cut off, are known", () => {
  const half = image(NOTHING.digest);
  half.document.annotations = { "deployer.half-deleted.digest": `sha256:${"b".repeat(64)}` };
  const { tags } = readRepository({ tags: { gone: "", lost: "sha256:x", half: "sha256:a" }, manifests: { "sha256:a": half } });
  assert.deepEqual([...tags.values()].map(({ kind, halfDeleted }) => [kind, halfDeleted]), [
    ["missing", false], ["missing", false], ["image", true],
  ]);
});

test("a stranger's words break nothing", () => {
  const manifests = { "sha256:a": { document: { schemaVersion: 2, config: null, layers: [null, 7] }, config: [] } };
  const { tags, size, may } = readRepository({ tags: { one: "sha256:a" }, manifests, may: { delete: "yes" } });
  assert.deepEqual([tags.get("one").kind, size, may], ["artifact", { bytes: 0, isAll: true }, { push: false, delete: false }]);
});

test("many tags on one digest, and indexes of indexes of indexes, are read in no time to speak of", () => {
  const tags = Object.fromEntries(Array.from({ length: 20_000 }, (_, number) => [`build-${number}`, "sha256:a"]));
  assert.equal(readRepository({ tags, manifests: { "sha256:a": image("c") } }).tags.get("build-7").sharing.length, 20_000);
  const all = Array.from({ length: 150 }, (_, number) => ({ digest: `sha256:${number}` }));
  const manifests = Object.fromEntries(all.map(({ digest }) => [digest, index(...all)]));
  assert.equal(readRepository({ tags: { all: "sha256:0" }, manifests }).tags.get("all").kind, "index");
});

test("of an index that names nothing but indexes, the list's command pulls the one in it", () => {
  const entry = (name, architecture) => ({ digest: id(name), ...(architecture ? { platform: { os: "linux", architecture } } : {}) });
  const manifests = {
    [id("amd")]: image("c"), [id("arm")]: image("d"),
    [id("both")]: index(entry("amd", "amd64"), entry("arm", "arm64")),
    [id("one")]: index(entry("arm", "arm64")),
    [id("nest")]: index(entry("both")),
    [id("deep")]: index(entry("nest")),
    [id("part")]: index(entry("amd", "amd64"), entry("both")),
    [id("several")]: index(entry("both", "amd64"), entry("one", "arm64")),
  };
  const tags = { nest: id("nest"), deep: id("deep"), part: id("part"), several: id("several") };
  const command = (all, tag) => pullCommand(readRepository({ tags: all, manifests }).tags.get(tag), { address: "r:5000", name: "app", tag, isPlain: false });
  for (const tag of ["nest", "deep"]) assert.equal(command(tags, tag), `docker pull r:5000/app@${id("both")}`);
  for (const tag of ["part", "several"]) assert.equal(command(tags, tag), `docker pull r:5000/app:${tag}`);
  assert.equal(command({ ...tags, m: id("both") }, "nest"), "docker pull r:5000/app:m");
  const all = readRepository({ tags: { ...tags, m: id("both") }, manifests }).tags;
  assert.deepEqual([...all.values()].map(({ pulls }) => pulls), ["part", "part", "whole", "part", "whole"]);
});
