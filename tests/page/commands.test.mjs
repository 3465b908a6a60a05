import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { readRepository } = await load("registry/overview.js");
const { pullCommand, pullCommands } = await load("content/commands.js");

const digest = `sha256:${"a".repeat(64)}`;
const app = { client: "docker", address: "localhost:5000", name: "team/app", tag: "1.0", isPlain: true };
const lines = (wanted) => Object.fromEntries(pullCommands(wanted).map(({ tool, line }) => [tool, line]));

test("an image is pulled by its tag, without TLS where the page has none", () => {
  assert.deepEqual(lines(app), {
    docker: "docker pull localhost:5000/team/app:1.0",
    podman: "podman pull --tls-verify=false localhost:5000/team/app:1.0",
    skopeo: "skopeo copy --src-tls-verify=false docker://localhost:5000/team/app:1.0 docker-archive:app-1.0.tar:team/app:1.0",
    kubernetes: "image: localhost:5000/team/app:1.0",
  });
  assert.doesNotMatch(JSON.stringify(lines({ ...app, isPlain: false })), /tls-verify/);
});

test("by its digest it is pulled without its tag", () => {
  const { docker, skopeo, kubernetes } = lines({ ...app, digest, isPlain: false });
  assert.equal(docker, `docker pull localhost:5000/team/app@${digest}`);
  assert.equal(skopeo, `skopeo copy docker://localhost:5000/team/app@${digest} docker-archive:app.tar`);
  assert.equal(kubernetes, `image: localhost:5000/team/app@${digest}`);
});

test("a chosen platform is asked for", () => {
  const { docker, podman, skopeo } = lines({ ...app, platform: "linux/arm64/v8" });
  assert.match(docker, /^docker pull --platform linux\/arm64\/v8 localhost/);
  assert.match(podman, /--tls-verify=false --platform linux\/arm64\/v8 localhost/);
  assert.match(skopeo, /^skopeo --override-os linux --override-arch arm64 --override-variant v8 copy /);
  assert.match(lines({ ...app, platform: "linux/s390x" }).skopeo, /^skopeo --override-os linux --override-arch s390x copy /);
});

test("a platform that is more than one does not come into a command", () => {
  for (const platform of ["linux/amd64;reboot", "linux/$(id)", "linux/a b", "linux\n/amd64", "-x/amd64", "linux/a/b/c", "linux"]) {
    assert.deepEqual(lines({ ...app, platform }), lines(app));
  }
});

test("a chart is pulled by Helm in its version", () => {
  const chart = { ...app, client: "helm", name: "charts/app" };
  assert.deepEqual(Object.keys(lines(chart)), ["helm", "skopeo"]);
  const helm = (tag) => lines({ ...chart, tag, isPlain: false }).helm;
  assert.equal(helm("1.2.0"), "helm pull oci://localhost:5000/charts/app --version 1.2.0");
  assert.equal(helm("1.2.0-rc.1_build.5"), "helm pull oci://localhost:5000/charts/app --version 1.2.0-rc.1+build.5");
  assert.equal(helm("latest"), "helm pull oci://localhost:5000/charts/app:latest");
  assert.equal(lines(chart).helm, "helm pull --plain-http oci://localhost:5000/charts/app --version 1.0");
  assert.equal(lines({ ...chart, digest }).helm, `helm pull --plain-http oci://localhost:5000/charts/app@${digest}`);
});

test("what Docker cannot pull has no Docker command", () => {
  assert.deepEqual(lines({ ...app, client: "oras", name: "files" }), {
    oras: "oras pull --plain-http localhost:5000/files:1.0",
    skopeo: "skopeo copy --all --src-tls-verify=false docker://localhost:5000/files:1.0 oci:files:1.0",
  });
  assert.deepEqual(Object.keys(lines({ ...app, client: "skopeo" })), ["skopeo"]);
});

test("what a client of its own gets is got by that", () => {
  const line = (client, more = {}) => pullCommands({ ...app, client, name: "team/app", isPlain: false, ...more })[0].line;
  assert.match(line("flux"), /^skopeo copy --all docker:/);
  assert.match(line("flux", { isPlain: true }), / --insecure-registry oci:/);
  assert.equal(line("compose"), "docker compose -f oci://localhost:5000/team/app:1.0 up");
  assert.match(line("compose", { isPlain: true }), /^skopeo copy --all --src-tls-verify=false docker:/);
  assert.match(line("docker-model"), /^skopeo copy --all docker:/);
  assert.equal(line("docker-plugin"), "docker plugin install localhost:5000/team/app:1.0");
  assert.equal(line("buildkit"), "docker buildx build --cache-from type=registry,ref=localhost:5000/team/app:1.0 .");
  assert.match(line("ollama"), /^skopeo copy --all docker:/);
});

test("ORAS is told of TLS where it would guess wrongly", () => {
  const line = (address, isPlain) => pullCommands({ ...app, client: "oras", address, isPlain })[0].line;
  assert.equal(line("localhost:5000", false), "oras pull --plain-http=false localhost:5000/team/app:1.0");
  assert.equal(line("127.0.0.1:5000", true), "oras pull --plain-http 127.0.0.1:5000/team/app:1.0");
  assert.equal(line("registry.example.com", false), "oras pull registry.example.com/team/app:1.0");
});

test("a list shows for each tag a command that can get it", () => {
  const wanted = { address: "localhost:5000", name: "charts/app", tag: "1.0.0", isPlain: false };
  const command = (kind, client) => pullCommand({ kind, client, pulls: kind === "unread" ? "none" : "whole" }, wanted);
  assert.equal(pullCommand(undefined, wanted), "docker pull localhost:5000/charts/app:1.0.0");
  for (const kind of ["image", "index", "legacy"]) assert.equal(command(kind, "docker"), "docker pull localhost:5000/charts/app:1.0.0");
  assert.equal(command("unread", "skopeo"), "docker pull localhost:5000/charts/app:1.0.0");
  assert.equal(command("artifact", "helm"), "helm pull oci://localhost:5000/charts/app --version 1.0.0");
  assert.match(command("artifact", "skopeo"), /^skopeo copy --all docker:/);
  assert.match(command("cache", "buildkit"), /^docker buildx build --cache-from/);
});

test("a list names the one chart of an index, which Helm does not take itself", () => {
  const chart = { schemaVersion: 2, config: { mediaType: "application/vnd.cncf.helm.config.v1+json" }, layers: [] };
  const entry = (character) => ({ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${character.repeat(64)}` });
  const line = (...named) => {
    const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: named };
    const manifests = Object.fromEntries([["sha256:index", { document: index }], ...named.map(({ digest }) => [digest, { document: chart }])]);
    const details = readRepository({ tags: { "1.0.0": "sha256:index" }, manifests }).tags.get("1.0.0");
    return pullCommand(details, { address: "localhost:5000", name: "charts/app", tag: "1.0.0", isPlain: false });
  };
  assert.equal(line(entry("a")), `helm pull oci://localhost:5000/charts/app@${entry("a").digest}`);
  assert.match(line(entry("a"), entry("b")), /^skopeo copy --all docker:/);
});

test("what cannot be pulled is got by nothing", () => {
  const wanted = { address: "localhost:5000", name: "app", tag: "1", isPlain: false };
  for (const kind of ["missing", "image", "index", "artifact"]) assert.equal(pullCommand({ kind, client: "docker", pulls: "none" }, wanted), "");
  for (const pulls of ["whole", "part"]) assert.equal(pullCommand({ kind: "index", client: "docker", pulls }, wanted), "docker pull localhost:5000/app:1");
});
