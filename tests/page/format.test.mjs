import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { count, naturally, registryAddress, repositoryIn, shortDigest } = await load("browser/format.js");

test("names are in natural order, the same whichever way they came", () => {
  const order = ["1.2", "1.9", "1.10", "1.10-rc1", "2", "02", "10", "build-9", "build-10", "latest"];
  const sorted = (names) => [...names].sort(naturally);
  assert.deepEqual(sorted(order), sorted([...order].reverse()));
  const at = (name) => sorted(order).indexOf(name);
  assert.ok(at("1.2") < at("1.9") && at("1.9") < at("1.10") && at("1.10") < at("2") && at("2") < at("10"));
  assert.ok(at("build-9") < at("build-10") && at("build-10") < at("latest"));
  assert.notEqual(naturally("2", "02"), 0);
});

test("a digest is short as Docker shortens it", () => {
  assert.equal(shortDigest(`sha256:${"0123456789abcdef".repeat(4)}`), "0123456789ab");
});

test("counts have separators", () => assert.equal(count(10_000), "10,000"));

test("image names carry a port where Docker would look for a user of the hub", () => {
  const address = (url) => registryAddress(new URL(url));
  assert.equal(address("http://localhost:5000"), "localhost:5000");
  assert.equal(address("http://localhost"), "localhost");
  assert.equal(address("https://registry.example.com"), "registry.example.com");
  assert.equal(address("http://registry"), "registry:80");
  assert.equal(address("https://registry"), "registry:443");
  assert.equal(address("http://[::1]:5000"), "[::1]:5000");
});

test("a repository is found in what people paste", () => {
  const address = "localhost:5000";
  for (const words of ["team/app", " team/app ", "/team/app/", "team/app:1.0", `${address}/team/app`, `${address}/team/app:1.0@sha256:${"a".repeat(64)}`])
    assert.equal(repositoryIn(words, address), "team/app", words);
  assert.equal(repositoryIn("", address), "");
  assert.equal(repositoryIn("localhost:5001/team/app", address), "localhost:5001/team/app");
});
