import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { artifactName, describe, moment, platformName, readConfig } = await load("manifest.js");
const { createDetailsCache, createDetailsReader } = await load("details.js");

const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const OCI = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const digest = (letter) => `sha256:${letter.repeat(64)}`;
const image = (config, ...sizes) => ({
  schemaVersion: 2, config: { mediaType: CONFIG, digest: config, size: 5 }, layers: sizes.map((size) => ({ size })),
});
const amd64 = { os: "linux", architecture: "amd64" };
const unknown = { os: "unknown", architecture: "unknown" };

test("an image weighs its configuration and layers", () => {
  for (const type of [DOCKER, OCI]) {
    const { kind, size, config } = describe(image(digest("c"), 10, 20), type);
    assert.deepEqual([kind, size, config], ["image", 35, digest("c")]);
  }
});

test("an index's images are each told once, without attestations", () => {
  const manifests = [
    { digest: digest("a"), platform: amd64 },
    { digest: digest("a"), platform: amd64 },
    { digest: digest("b"), platform: unknown },
    { digest: digest("d"), platform: amd64, annotations: { "vnd.docker.reference.type": "attestation-manifest" } },
    { digest: digest("e") },
    null, "x", {},
  ];
  assert.deepEqual(describe({ manifests }, INDEX).children, [
    { digest: digest("a"), platform: "linux/amd64" }, { digest: digest("e"), platform: "" },
  ]);
});

test("what is no image is an artifact, with a name", () => {
  const type = "application/vnd.cncf.helm.config.v1+json";
  const chart = describe({ config: { mediaType: type, size: 3 }, layers: null }, OCI);
  assert.deepEqual([chart.kind, chart.artifactType, chart.size, chart.config], ["artifact", type, 3, ""]);
  assert.equal(artifactName(type), "cncf.helm");
  assert.equal(artifactName("application/vnd.dev.cosign.artifact.sig.v1+json"), "dev.cosign.artifact.sig");
  assert.equal(describe({ schemaVersion: 1 }, "").kind, "legacy");
});

test("nonsense in a manifest counts as nothing", () => {
  const layers = [{ size: "9" }, { size: -1 }, { size: 1.5 }, null, { size: 2 }];
  assert.equal(describe({ config: { mediaType: CONFIG, digest: 7 }, layers }, OCI).size, 2);
  assert.equal(platformName({ os: ["linux"], architecture: "amd64" }), "");
  assert.equal(platformName(null), "");
  for (const value of [undefined, null, 5, "", "yesterday", "0001-01-01T00:00:00Z", "<img>"]) assert.equal(moment(value), null);
  assert.deepEqual(readConfig({}), { created: null, platform: "" });
});

/** A client of a table of content, which counts what it is asked. */
function stored(content) {
  const asked = [];
  const get = async (reference) => {
    asked.push(reference);
    if (!(reference in content)) throw Object.assign(new Error(reference), { kind: "missing" });
    return content[reference];
  };
  const client = {
    manifest: async (name, reference) => ({ digest: digest("0"), mediaType: OCI, ...(await get(reference)) }),
    config: async (name, reference) => get(reference),
  };
  const reader = (cache = createDetailsCache()) => createDetailsReader({ client, cache, name: "a", signal: null });
  return { reader, asked };
}

test("an index is as large as its platforms together, and as old as its first", async () => {
  const { reader, asked } = stored({
    latest: { digest: digest("1"), mediaType: INDEX, document: { manifests: [
      { digest: digest("a"), platform: amd64 }, { digest: digest("b"), platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      { digest: digest("f"), platform: unknown },
    ] } },
    [digest("a")]: { document: image(digest("c"), 10) },
    [digest("b")]: { document: image(digest("d"), 30) },
    [digest("c")]: { created: "2024-01-02T03:04:05Z" },
  });
  assert.deepEqual(await reader()("latest"), {
    digest: digest("1"), kind: "index", artifactType: "", parts: 2, size: 50,
    platforms: ["linux/amd64", "linux/arm64/v8"], created: new Date("2024-01-02T03:04:05Z"),
  });
  assert.deepEqual(asked, ["latest", digest("a"), digest("b"), digest("c")]);
});

test("an index without some of its images has no size, but its platforms", async () => {
  const { reader } = stored({ latest: { mediaType: INDEX, document: { manifests: [{ digest: digest("a"), platform: amd64 }] } } });
  const { size, platforms, created } = await reader()("latest");
  assert.deepEqual([size, platforms, created], [null, ["linux/amd64"], null]);
});

test("an index that holds itself ends", async () => {
  const document = { manifests: [{ digest: digest("1") }] };
  const { reader } = stored({ latest: { digest: digest("1"), mediaType: INDEX, document } });
  assert.equal((await reader()("latest")).kind, "index");
});

test("what has one digest is read once, now and later", async () => {
  const { reader, asked } = stored({
    1: { document: image(digest("c"), 1) }, 2: { document: image(digest("c"), 1) }, [digest("c")]: amd64,
  });
  const cache = createDetailsCache();
  await Promise.all([reader(cache)("1"), reader(cache)("1")]);
  const read = reader(cache);
  await Promise.all([read("1"), read("2")]);
  assert.ok(asked.filter((reference) => reference === digest("c")).length <= 2);
  const before = asked.length;
  await reader(cache)("2");
  assert.deepEqual(asked.slice(before), ["2"]);
});

test("a failure may be tried again", async () => {
  const content = { 1: { document: image(digest("c"), 1) } };
  const { reader } = stored(content);
  const read = reader();
  await assert.rejects(read("1"));
  content[digest("c")] = amd64;
  assert.deepEqual((await read("1")).platforms, ["linux/amd64"]);
});
