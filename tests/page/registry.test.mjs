import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { isName } = await load("browser/names.js");
const { createClient } = await load("registry/client.js");
const { ACCEPT } = await load("content/media-types.js");
const ORIGIN = "http://registry.test:5000";
const { signal } = new AbortController();

/** A client whose server answers from a table of paths, and the requests that it was sent. */
function clientOf(answers) {
  const requests = [];
  const fetch = async (address, options) => {
    const path = new URL(address).pathname + new URL(address).search;
    requests.push({ path, ...options });
    const { status = 200, body = "", headers = {} } = answers[path] ?? { status: 404, body: "{}" };
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
  };
  return { client: createClient({ origin: ORIGIN, fetch }), requests };
}

const kindOf = (kind) => (error) => error.name === "RegistryError" && error.kind === kind;
const CATALOG = "/overview/catalog";

test("the whole catalogue is one request, with the number of each repository's tags", async () => {
  const { client, requests } = clientOf({ [CATALOG]: { body: { repositories: { "team/a": 3, "10": 0 }, all: true } } });
  const { names, all } = await client.catalog(signal);
  assert.deepEqual([...names].sort(), [["10", 0], ["team/a", 3]]);
  assert.equal(all, true);
  assert.equal(requests.length, 1);
});

test("all tags of a repository are one request", async () => {
  const body = { tags: { "1.0": "sha256:a" }, manifests: {}, may: { push: true, delete: false } };
  const { client, requests } = clientOf({ "/overview/tags/team/a": { body } });
  assert.deepEqual(await client.repository("team/a", signal), body);
  assert.equal(requests.length, 1);
  await assert.rejects(client.repository("team/b", signal), kindOf("missing"));
});

test("what refers to a manifest is asked for by its digest", async () => {
  const referrers = [{ digest: "sha256:b", document: {} }];
  const { client } = clientOf({ "/overview/referrers/team/a@sha256:a": { body: { referrers } } });
  assert.deepEqual(await client.referrers("team/a", "sha256:a", signal), referrers);
});

test("what only reads is asked once more where the connection broke or the server stumbled", async () => {
  const body = JSON.stringify({ repositories: {} });
  for (const first of [() => Promise.reject(new TypeError("network changed")), () => new Response("", { status: 500 })]) {
    const answers = [first, () => new Response(body)];
    const client = createClient({ origin: ORIGIN, fetch: async () => answers.shift()() });
    assert.equal((await client.catalog(signal)).names.size, 0);
    assert.equal(answers.length, 0);
  }
});

test("who is logged in, and whether everyone may see a part", async () => {
  const session = (body) => clientOf({ "/overview/session": { body } }).client.session(signal);
  assert.deepEqual(await session({ user: "ann", public: true, version: "1" }), { user: "ann", isPublic: true, version: "1", upkeep: false });
  assert.deepEqual(await session({ user: "", public: false, version: "1" }), { user: "", isPublic: false, version: "1", upkeep: false });
});

test("what a login would allow is refused as to someone who is logged out", async () => {
  const body = { errors: [{ code: "DENIED", message: "login required: docker login registry.example:5000" }] };
  const { client } = clientOf({ "/overview/tags/a": { status: 403, body } });
  await assert.rejects(client.repository("a", signal), kindOf("unauthorized"));
});

test("each refusal has its kind, and the registry's words", async () => {
  const kinds = { 401: "unauthorized", 403: "forbidden", 404: "missing", 429: "busy", 500: "failed", 503: "unavailable" };
  for (const [status, kind] of Object.entries(kinds)) {
    const body = { errors: [{ code: "X", message: "why" }] };
    const { client } = clientOf({ "/overview/tags/a": { status: Number(status), body } });
    await assert.rejects(client.repository("a", signal), (error) => kindOf(kind)(error) && error.message === "why" && error.status === Number(status));
  }
});

test("a file in place of a folder is told with its path", async () => {
  const body = { instead: "/var/lib/registry/a", errors: [{ code: "UNKNOWN" }] };
  const { client } = clientOf({ "/overview/tags/a": { body }, "/overview/untagged/a": { body } });
  const told = (error) => kindOf("misplaced")(error) && error.message === body.instead;
  await assert.rejects(client.repository("a", signal), told);
  await assert.rejects(client.untagged("a", signal), told);
});

test("answers that are no registry's are told apart from one that never came", async () => {
  for (const body of ["<html>", '{"repos', "null", "[]", "{}"]) {
    const { client } = clientOf({ [CATALOG]: { body } });
    await assert.rejects(client.catalog(signal), kindOf("notRegistry"), body);
  }
  const offline = createClient({ origin: ORIGIN, fetch: async () => Promise.reject(new TypeError("Failed to fetch")) });
  await assert.rejects(offline.catalog(signal), kindOf("unreachable"));
});

test("leaving is no fault of the registry", async () => {
  const leaving = createClient({ origin: ORIGIN, fetch: async () => Promise.reject(new DOMException("", "AbortError")) });
  await assert.rejects(leaving.catalog(signal), { name: "AbortError" });
});

test("a manifest is asked for by all four types, and its digest read from the headers", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const headers = { "Content-Type": "application/vnd.oci.image.index.v1+json; charset=utf-8", "Docker-Content-Digest": digest };
  const { client, requests } = clientOf({ "/v2/a/manifests/1.0": { body: " {} ", headers } });
  assert.deepEqual(await client.manifest("a", "1.0", signal), { digest, mediaType: "application/vnd.oci.image.index.v1+json", text: " {} ", document: {} });
  assert.equal(requests[0].headers.Accept, ACCEPT);
  assert.equal(ACCEPT.split(", ").length, 4);
});

test("content larger than wished for is not read", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const { client } = clientOf({ [`/v2/a/blobs/${digest}`]: { body: "12345", headers: { "Content-Length": "5" } } });
  assert.equal(await client.blob("a", digest, signal), "12345");
  assert.equal(await client.blob("a", digest, signal, 5), "12345");
  await assert.rejects(client.blob("a", digest, signal, 4), kindOf("large"));
});

test("names that no repository can have are known", () => {
  for (const name of ["a", "a/b/c", "a.b_c__d---e/1"]) assert.ok(isName(name), name);
  for (const name of ["", "A", "../x", "a//b", "a/", "a b", "a?b", "a..b", "a/".repeat(128) + "a"]) assert.ok(!isName(name), name);
});
