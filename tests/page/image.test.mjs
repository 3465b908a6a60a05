import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { isDigest, layerType, parse, readChart, readLayers, readPairs, readPurposes, readReferringTag, readSettings } = await load("content/image.js");
const { readHistory, readInstruction, readLegacy } = await load("views/image/history.js");
const { askedPlatform, readPlatforms } = await load("content/platforms.js");

const hex = "a".repeat(64);
const digest = (letter) => `sha256:${letter.repeat(64)}`;
const layer = (digest, size = 1) => ({ digest, size, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" });
const nonsense = [null, 5, "x", [], {}, { config: 5 }, { config: { Env: {}, Cmd: 7, Labels: [], Healthcheck: "no", ExposedPorts: null } }];

test("settings are told as a Dockerfile writes them", () => {
  const settings = readSettings({
    config: {
      Entrypoint: ["/bin/sh", "-c", 'echo "hi"'], Cmd: ["-g", "daemon off;"], WorkingDir: "/app", User: "1000:1000",
      Env: ["PATH=/bin", "EMPTY="], ExposedPorts: { "80/tcp": {}, "53/udp": {} }, Volumes: { "/data": {} },
      StopSignal: "SIGQUIT", Shell: ["/bin/bash", "-c"], OnBuild: ["RUN true"],
      Healthcheck: { Test: ["CMD-SHELL", "curl -f localhost || exit 1"], Interval: 90e9, Timeout: 2.5e9, StartPeriod: 5e8, Retries: 3 },
    },
  });
  assert.deepEqual(settings, [
    ["entrypoint", ['["/bin/sh", "-c", "echo \\"hi\\""]']],
    ["command", ['["-g", "daemon off;"]']],
    ["directory", ["/app"]],
    ["user", ["1000:1000"]],
    ["environment", ["PATH=/bin", "EMPTY="]],
    ["ports", ["80/tcp", "53/udp"]],
    ["volumes", ["/data"]],
    ["stopSignal", ["SIGQUIT"]],
    ["healthcheck", ["--interval=1m30s --timeout=2.5s --start-period=500ms --retries=3 CMD curl -f localhost || exit 1"]],
    ["shell", ['["/bin/bash", "-c"]']],
    ["onBuild", ["RUN true"]],
  ]);
});

test("a healthcheck without a shell, and none", () => {
  const healthcheck = (Healthcheck) => readSettings({ config: { Healthcheck } });
  assert.deepEqual(healthcheck({ Test: ["CMD", "true", "x"], Interval: 36e11 }), [["healthcheck", ['--interval=1h CMD ["true", "x"]']]]);
  assert.deepEqual(healthcheck({ Test: ["NONE"] }), [["healthcheck", ["NONE"]]]);
  assert.deepEqual(healthcheck({ Test: [] }), []);
});

test("nonsense in a configuration or a manifest counts as nothing", () => {
  for (const value of nonsense.filter((each) => each && typeof each === "object")) {
    assert.deepEqual(readSettings(value), []);
    assert.deepEqual(readChart(value), []);
    assert.equal(readHistory(value, []), null);
    assert.deepEqual(readLayers(value), []);
    assert.deepEqual(readPurposes(value), []);
    assert.deepEqual(readLegacy(value).layers, []);
  }
  for (const value of nonsense) readPairs(value);
  const wrong = { layers: [null, 7, { digest: 5, size: "9", mediaType: [], annotations: "x" }], annotations: 5, artifactType: {} };
  assert.deepEqual(readLayers(wrong).map(({ digest, size, type }) => [digest, size, type]), Array(3).fill(["", null, ""]));
  assert.deepEqual(readPurposes(wrong), []);
  assert.deepEqual(readHistory({ history: [null, { created_by: 7, created: 7 }] }, []), null);
  for (const content of ["", "[]", "null", "5", '"x"', "{", "<html>"]) assert.equal(parse(content), null);
});

test("labels and annotations are told in order, whatever they hold", () => {
  assert.deepEqual(readPairs({ b: "<b>", a: { x: 1 }, c: "" }), [["a", '{"x":1}'], ["b", "<b>"], ["c", ""]]);
});

test("layers are named by what tells them apart", () => {
  const types = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "tar+gzip",
    "application/vnd.oci.image.layer.v1.tar": "tar",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip": "cncf.helm.chart.content.v1.tar+gzip",
    "application/vnd.in-toto+json": "in-toto+json",
    "text/plain": "text/plain",
  };
  for (const [mediaType, type] of Object.entries(types)) assert.equal(layerType(mediaType), type);
  const foreign = (mediaType) => readLayers({ layers: [{ mediaType }] })[0].foreign;
  assert.deepEqual(Object.keys(types).map(foreign), [false, false, true, false, true, false, false, false, false]);
});

test("what builders note is told as the Dockerfile's instruction", () => {
  const told = (line) => Object.values(readInstruction(line)).join("|");
  assert.equal(told('/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]'), 'CMD|["nginx" "-g" "daemon off;"]|');
  assert.equal(told("/bin/sh -c #(nop) ADD file:1 in / "), "ADD|file:1 in /|");
  assert.equal(told("/bin/sh -c apt-get update && make"), "RUN|apt-get update && make|");
  assert.equal(told("|2 A=1 B=2 3 /bin/sh -c make -j"), "RUN|make -j|A=1 B=2 3");
  assert.equal(told("|0 /bin/sh -c make"), "RUN|make|");
  assert.equal(told("RUN /bin/sh -c make # buildkit"), "RUN|make|");
  assert.equal(told("RUN |1 VERSION=1.2 /bin/sh -c make # buildkit"), "RUN|make|VERSION=1.2");
  assert.equal(told("RUN |1 P=/x y /bin/bash -o pipefail -c a | b # buildkit"), "RUN|/bin/bash -o pipefail -c a | b|P=/x y");
  assert.equal(told("COPY . /app # buildkit"), "COPY|. /app|");
  assert.equal(told("ENV A=b c"), "ENV|A=b c|");
  assert.equal(told("cmd /S /C #(nop) USER x"), "USER|x|");
  assert.equal(told("cmd /S /C dir"), "RUN|dir|");
  assert.equal(told("# debian.sh --arch 'amd64' out/ 'bookworm'"), "|# debian.sh --arch 'amd64' out/ 'bookworm'|");
  assert.equal(told("bazel build //x"), "|bazel build //x|");
  assert.equal(told("RUNNER x"), "|RUNNER x|");
});

test("an instruction meant to take for ever ends", () => {
  for (const part of ["/", " ", "/ ", " /bin", "|1 ", "RUN ", "/sh "]) {
    readInstruction(`|1 ${part.repeat(300_000)}`);
    readInstruction(`RUN |1 ${part.repeat(300_000)}x # buildkit`);
    readInstruction(part.repeat(300_000));
  }
});

test("each step of the history has the layer that it made", () => {
  const layers = readLayers({ layers: [layer(digest("a")), layer(digest("b"))] });
  const config = { history: [
    { created: "2024-01-02T03:04:05Z", created_by: "/bin/sh -c #(nop) ADD file:1 in / " },
    { created_by: "ENV A=1", empty_layer: true },
    { comment: "made by hand" },
  ] };
  const steps = readHistory(config, layers);
  assert.deepEqual(steps.map(({ instruction, layer: made }) => [instruction, made?.digest]), [["ADD", digest("a")], ["ENV", undefined], ["", digest("b")]]);
  assert.deepEqual([steps[0].created, steps[1].created, steps[2].words], [new Date("2024-01-02T03:04:05Z"), null, "made by hand"]);
});

test("a history of other layers than there are is none", () => {
  const layers = readLayers({ layers: [layer(digest("a")), layer(digest("b"))] });
  for (const history of [[], undefined, "x", [{}], [{}, {}, {}], [{ empty_layer: true }, {}]]) assert.equal(readHistory({ history }, layers), null);
});

test("a manifest of schema 1 tells its history itself", () => {
  const told = (id, Cmd, more) => ({ v1Compatibility: JSON.stringify({ id, container_config: { Cmd }, ...more }) });
  const { config, layers } = readLegacy({
    schemaVersion: 1,
    fsLayers: [{ blobSum: digest("e") }, { blobSum: digest("a") }],
    history: [
      told("b", ["/bin/sh", "-c", '#(nop) CMD ["sh"]'], { throwaway: true, os: "linux", config: { Cmd: ["sh"] }, docker_version: "1.9" }),
      told("a", ["/bin/sh", "-c", "#(nop) ADD file:1 in /"]),
    ],
  });
  assert.deepEqual(layers.map(({ digest, size }) => [digest, size]), [[digest("a"), null]]);
  assert.deepEqual([config.os, config.docker_version], ["linux", "1.9"]);
  assert.deepEqual(readHistory(config, layers).map(({ instruction, layer: made }) => [instruction, made?.digest]), [["ADD", digest("a")], ["CMD", undefined]]);
  assert.deepEqual(readLegacy({ history: [{ v1Compatibility: "{" }], fsLayers: "x" }).layers, []);
});

test("what is no digest does not come into an address", () => {
  for (const value of [digest("a"), `sha512:${"0".repeat(128)}`]) assert.equal(isDigest(value), true);
  for (const value of [null, 5, "", "latest", "../../x", `sha256:${hex}/..`, `sha256:${hex}?x`, `sha256:${hex}\n`, "sha256:abc"]) {
    assert.equal(isDigest(value), false);
    assert.equal(readLayers({ layers: [{ digest: value }] })[0].digest, "");
    assert.deepEqual(readPlatforms({ manifests: [{ digest: value }] }, () => undefined).platforms, []);
  }
});

test("a chart tells what it is", () => {
  const chart = { name: "app", version: "1.2.0", appVersion: "7", description: "An app", deprecated: true, keywords: ["x"] };
  assert.deepEqual(readChart(chart), [["name", "app"], ["version", "1.2.0"], ["appVersion", "7"], ["description", "An app"], ["deprecated", "true"]]);
});

test("what is not an image is named by its purpose", () => {
  const purposes = (document) => readPurposes(document).map(({ kind, detail }) => `${kind}: ${detail}`);
  const statement = (predicate, key = "in-toto.io/predicate-type") => ({ mediaType: "application/vnd.in-toto+json", annotations: { [key]: predicate } });
  const config = { mediaType: "application/vnd.oci.image.config.v1+json" };
  assert.deepEqual(purposes({ config, layers: [layer("x")] }), []);
  assert.deepEqual(purposes({ config, layers: [statement("https://spdx.dev/Document"), statement("https://slsa.dev/provenance/v0.2")] }),
    ["sbom: SPDX", "provenance: SLSA v0.2"]);
  assert.deepEqual(purposes({ config, layers: [statement("https://example.test/<b>", "predicateType")] }), ["attestation: https://example.test/<b>"]);
  assert.deepEqual(purposes({ config, layers: [{ mediaType: "application/vnd.dev.cosign.simplesigning.v1+json" }] }), ["signature: dev.cosign.simplesigning"]);
  assert.deepEqual(purposes({ artifactType: "application/vnd.cncf.notary.signature", config }), ["signature: cncf.notary.signature"]);
  assert.deepEqual(purposes({ artifactType: "application/vnd.cyclonedx+json" }), ["sbom: cyclonedx"]);
  assert.deepEqual(purposes({ config: { mediaType: "application/vnd.cncf.helm.config.v1+json" } }), ["chart: cncf.helm"]);
  assert.deepEqual(purposes({
    artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    annotations: { "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1" },
  }), ["signature: https://sigstore.dev/cosign/sign/v1"]);
  assert.deepEqual(purposes({ artifactType: "application/vnd.example.thing" }), []);
});

test("tags that stand for content about an image are known", () => {
  for (const [ending, kind] of [["", "referrers"], [".sig", "signature"], [".att", "attestation"], [".sbom", "sbom"], [".src", "source"], [".x", "other"], [".constructor", "other"]]) {
    assert.deepEqual(readReferringTag(`sha256-${hex}${ending}`), { digest: digest("a"), kind });
  }
  for (const tag of ["latest", `sha256-${hex}-x`, `sha256-${hex.slice(1)}.sig`, `x-sha256-${hex}`]) assert.equal(readReferringTag(tag), null);
});

const entry = (letter, platform, more) => ({ digest: digest(letter), platform, ...more });
const linux = (architecture, variant) => ({ os: "linux", architecture, variant });
const manifest = { document: { layers: [] }, config: null };

test("an index's platforms have names, keys and what the registry has of them", () => {
  const index = { manifests: [
    entry("a", linux("amd64")),
    entry("b", linux("arm64", "v8")),
    entry("c", { os: "windows", architecture: "amd64", "os.version": "10.0.1" }),
    entry("d", undefined, { artifactType: "application/vnd.example.thing" }),
    entry("e"),
    null, {}, "x",
  ] };
  const there = new Map([[digest("a"), manifest], [digest("e"), { ...manifest, config: linux("s390x") }]]);
  const { platforms } = readPlatforms(index, (one) => there.get(one));
  assert.deepEqual(platforms.map(({ key, platform, document }) => [key, platform, document !== null]), [
    ["linux/amd64", "linux/amd64", true],
    ["linux/arm64", "linux/arm64", false],
    ["windows/amd64 10.0.1", "windows/amd64", false],
    ["example.thing", "", false],
    ["linux/s390x", "linux/s390x", true],
  ]);
});

test("what an index names that is not a manifest is no platform, but one of its parts", () => {
  const named = { ...layer(digest("b"), 7), platform: linux("amd64") };
  const index = { manifests: [named, entry("a", linux("amd64"))] };
  assert.deepEqual(readPlatforms(index, () => undefined).platforms.map((one) => one.digest), [digest("a")]);
  assert.deepEqual(readLayers(index).map(({ digest: of, size }) => [of, size]), [[digest("b"), 7]]);
});

test("an address may call a platform as its maker did", () => {
  const platforms = [{ key: "linux/amd64" }, { key: "linux/arm64" }, { key: digest("a") }];
  for (const [asked, key] of [["linux/arm64", "linux/arm64"], ["linux/arm64/v8", "linux/arm64"], [digest("a"), digest("a")], ["linux/x86_64", "linux/amd64"]]) {
    assert.equal(askedPlatform(platforms, asked).key, key);
  }
  for (const asked of [null, "", "linux", "linux/s390x", "unknown/unknown"]) assert.equal(askedPlatform(platforms, asked), undefined);
});

test("platforms of one name are told apart by their digests, and what is told twice is told once", () => {
  const index = { manifests: [entry("a", linux("amd64")), entry("b", linux("amd64")), entry("a", linux("amd64"))] };
  const { platforms } = readPlatforms(index, () => undefined);
  assert.deepEqual(platforms.map(({ key, label }) => [key, label]), [
    [digest("a"), "linux/amd64 aaaaaaaaaaaa"], [digest("b"), "linux/amd64 bbbbbbbbbbbb"],
  ]);
});

test("versions of Windows stand in the configurations where the index names none", () => {
  const windows = (version) => ({ os: "windows", architecture: "amd64", "os.version": version });
  const index = { manifests: ["a", "b", "c", "d"].map((letter) => entry(letter, { os: "windows", architecture: "amd64" })) };
  const there = new Map([
    [digest("a"), { ...manifest, config: windows("10.0.17763.1") }], [digest("b"), { ...manifest, config: windows("10.0.20348.1") }],
    [digest("c"), manifest], [digest("d"), { ...manifest, config: { ...linux("amd64"), "os.version": "5" } }],
  ]);
  const { platforms } = readPlatforms(index, (one) => there.get(one));
  assert.deepEqual(platforms.map(({ key, label }) => [key, label]), [
    ["windows/amd64 10.0.17763.1", "windows/amd64 10.0.17763.1"], ["windows/amd64 10.0.20348.1", "windows/amd64 10.0.20348.1"],
    [digest("c"), "windows/amd64 cccccccccccc"], [digest("d"), "windows/amd64 dddddddddddd"],
  ]);
});

test("a platform's name in a command means one image alone", () => {
  const index = { manifests: [
    entry("a", linux("amd64")), entry("b", { os: "windows", architecture: "amd64", "os.version": "1" }),
    entry("c", { os: "windows", architecture: "amd64", "os.version": "2" }), entry("d"), entry("e", linux("a b")),
  ] };
  const { platforms } = readPlatforms(index, () => undefined);
  assert.deepEqual(platforms.map(({ platform }) => platform), ["linux/amd64", "", "", "", ""]);
});

test("indexes lie in indexes as deep as anywhere in the page", () => {
  const deep = (letter) => ({ document: { manifests: [entry(letter)] }, config: null });
  const there = new Map([["b", deep("c")], ["c", deep("d")], ["d", deep("e")], ["e", deep("a")], ["a", { ...manifest, config: linux("amd64") }]]
    .map(([letter, one]) => [digest(letter), one]));
  const { platforms } = readPlatforms({ manifests: [entry("b")] }, (one) => there.get(one));
  assert.deepEqual(platforms.map(({ key, within }) => [key, within]), [["linux/amd64", digest("e")]]);
});

test("indexes in an index are gone through once, and one that holds itself ends", () => {
  const inner = { manifests: [entry("a", linux("arm64")), entry("f")] };
  const there = new Map([[digest("f"), { document: inner, config: null }], [digest("a"), manifest]]);
  const { platforms } = readPlatforms({ manifests: [entry("f"), entry("f")] }, (one) => there.get(one));
  assert.deepEqual(platforms.map(({ key, within }) => [key, within]), [["linux/arm64", digest("f")]]);
});

test("attestations are no platforms, and tell what they are of", () => {
  const about = { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest("a") };
  const index = { manifests: [entry("a", linux("amd64")), entry("b", { os: "unknown", architecture: "unknown" }, { annotations: about })] };
  const { platforms, attestations } = readPlatforms(index, () => undefined);
  assert.deepEqual([platforms.length, attestations], [1, [{ digest: digest("b"), document: null, of: digest("a") }]]);
});
