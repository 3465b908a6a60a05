import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { artifactName, describe } = await load("content/manifest.js");

const { platformName } = await load("content/platform.js");

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
    { digest: digest("a"), platform: amd64 }, { digest: digest("e"), platform: undefined },
  ]);
});

test("what is not an image is an artifact, with a name", () => {
  const type = "application/vnd.cncf.helm.config.v1+json";
  const chart = describe({ config: { mediaType: type, size: 3 }, layers: null }, OCI);
  assert.deepEqual([chart.kind, chart.artifactType, chart.size, chart.config], ["artifact", type, 3, ""]);
  assert.equal(artifactName(type), "cncf.helm");
  assert.equal(artifactName("application/vnd.dev.cosign.artifact.sig.v1+json"), "dev.cosign.artifact.sig");
  assert.equal(describe({ schemaVersion: 1 }, "").kind, "legacy");
});

test("nonsense in a manifest counts as nothing, and of a size as unknown", () => {
  const sum = (...layers) => describe({ config: { mediaType: CONFIG, digest: 7, size: 1 }, layers }, OCI).size;
  assert.equal(sum(null, "x", { size: 2 }), 3);
  for (const size of ["9", -1, 1.5, null, 2 ** 53]) assert.equal(sum({ size }, { size: 2 }), null);
  for (const platform of [{ os: ["linux"], architecture: "amd64" }, { os: "constructor", architecture: "valueOf", variant: 5 }, "x"]) platformName(platform);
  assert.equal(platformName({ os: ["linux"], architecture: "amd64" }), "");
});
