import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { createClient, isName, nextPage } = await load("registry.js");
const { ACCEPT } = await load("manifest.js");
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
const tooMany = { status: 400, body: { errors: [{ code: "PAGINATION_NUMBER_INVALID", message: "invalid number" }] } };

test("the address of the next page is found in every form of Link", () => {
  const base = `${ORIGIN}/v2/_catalog?n=2`;
  const next = `${ORIGIN}/v2/_catalog?last=b&n=2`;
  for (const link of [
    '</v2/_catalog?last=b&n=2>; rel="next"',
    "</v2/_catalog?last=b&n=2>; rel=next",
    '<http://internal:5001/v2/_catalog?last=b&n=2>; title="x"; rel="next"',
    '</v2/other>; rel="prev", </v2/_catalog?last=b&n=2>; rel="last next"',
  ]) assert.equal(nextPage(link, base), next, link);
  for (const link of [null, "", '</v2/other>; rel="prev"', "nonsense", '</v2/other>; rel="nextish"']) assert.equal(nextPage(link, base), null);
});

test("the whole catalogue is one request", async () => {
  const { client, requests } = clientOf({ "/v2/_catalog?n=1000000": { body: { repositories: ["a", "b"] } } });
  assert.deepEqual(await client.catalog(signal), ["a", "b"]);
  assert.equal(requests.length, 1);
});

test("where so much is refused, pages are followed to their end", async () => {
  const { client } = clientOf({
    "/v2/_catalog?n=1000000": tooMany,
    "/v2/_catalog?n=1000": tooMany,
    "/v2/_catalog": { body: { repositories: ["a"] }, headers: { Link: '</v2/_catalog?last=a>; rel="next"' } },
    "/v2/_catalog?last=a": { body: { repositories: ["a", "b"] }, headers: { Link: '</v2/_catalog?last=b>; rel="next"' } },
    "/v2/_catalog?last=b": { body: { repositories: null } },
  });
  assert.deepEqual(await client.catalog(signal), ["a", "b"]);
});

test("pages that lead back to themselves end", async () => {
  const { client, requests } = clientOf({
    "/v2/a/tags/list": { body: { tags: ["1"] }, headers: { Link: '</v2/a/tags/list?n=1>; rel="next"' } },
    "/v2/a/tags/list?n=1": { body: { tags: ["2"] }, headers: { Link: '</v2/a/tags/list?n=1>; rel="next"' } },
  });
  assert.deepEqual(await client.tags("a", signal), ["1", "2"]);
  assert.equal(requests.length, 2);
});

test("no tags are null, an empty list, or 404", async () => {
  const { client } = clientOf({
    "/v2/null/tags/list": { body: { name: "null", tags: null } },
    "/v2/empty/tags/list": { body: { name: "empty", tags: [] } },
  });
  assert.deepEqual(await client.tags("null", signal), []);
  assert.deepEqual(await client.tags("empty", signal), []);
  await assert.rejects(client.tags("none", signal), kindOf("missing"));
});

test("each refusal has its kind, and the registry's words", async () => {
  const kinds = { 401: "unauthorized", 403: "forbidden", 404: "missing", 429: "busy", 500: "failed", 503: "unavailable" };
  for (const [status, kind] of Object.entries(kinds)) {
    const body = { errors: [{ code: "X", message: "why" }] };
    const { client } = clientOf({ "/v2/a/tags/list": { status: Number(status), body } });
    await assert.rejects(client.tags("a", signal), (error) => kindOf(kind)(error) && error.message === "why" && error.status === Number(status));
  }
});

test("answers that are no registry's are told apart from one that never came", async () => {
  for (const body of ["<html>", '{"repos', "null", "[]", "{}"]) {
    const { client } = clientOf({ "/v2/_catalog?n=1000000": { body } });
    await assert.rejects(client.catalog(signal), kindOf("alien"), body);
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
  const headers = { "Content-Type": "application/vnd.oci.image.index.v1+json; charset=utf-8", ETag: `"${digest}"` };
  const { client, requests } = clientOf({ "/v2/a/manifests/1.0": { body: {}, headers } });
  assert.deepEqual(await client.manifest("a", "1.0", signal), { digest, mediaType: "application/vnd.oci.image.index.v1+json", document: {} });
  assert.equal(requests[0].headers.Accept, ACCEPT);
  assert.equal(ACCEPT.split(", ").length, 4);
});

test("names that no repository can have are known", () => {
  for (const name of ["a", "a/b/c", "a.b_c__d---e/1"]) assert.ok(isName(name), name);
  for (const name of ["", "A", "../x", "a//b", "a/", "a b", "a?b", "a..b", "a/".repeat(128) + "a"]) assert.ok(!isName(name), name);
});
