import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { referenceIn, referencePath, referenceWords } = await load("lists/pasted.js");

const HOST = "localhost:5000";
const digest = `sha256:${"a".repeat(64)}`;
const own = (words, address = HOST) => {
  const found = referenceIn(words, address);
  return found && [found.registry, referenceWords(found)].join("|");
};

test("a reference with this registry's address is found, with or without a tag and a digest", () => {
  assert.equal(own(`localhost:5000/team/app:1@${digest}`), `|team/app:1@${digest}`);
  assert.equal(own("localhost:5000/team/app:1"), "|team/app:1");
  assert.equal(own(`localhost:5000/team/app@${digest}`), `|team/app@${digest}`);
  assert.equal(own("localhost:5000/team/app"), "|team/app");
  assert.equal(own(" registry.example.com/app:v1\n", "registry.example.com"), "|app:v1");
  assert.equal(own("[::1]:5000/app:v1", "[::1]:5000"), "|app:v1");
});

test("commands of any tool are taken as they are pasted", () => {
  for (const [words, found] of [
    ["docker pull localhost:5000/team/app:1", "|team/app:1"],
    ["docker pull --platform linux/arm64 localhost:5000/team/app:1", "|team/app:1"],
    ["docker run --rm -v /a:/b -p 80:80 localhost:5000/team/app:1 sh -c 'echo a:b'", "|team/app:1"],
    ["docker pull team/app:1", "|team/app:1"],
    ["FROM localhost:5000/team/app:1 AS build", "|team/app:1"],
    ['image: "localhost:5000/team/app:1"', "|team/app:1"],
    ["skopeo copy --src-tls-verify=false docker://localhost:5000/app:1 docker-archive:app-1.tar:app:1", "|app:1"],
    ["helm pull --plain-http oci://localhost:5000/charts/app --version 1.2.0+build.5", "|charts/app:1.2.0_build.5"],
    ["oci://localhost:5000/charts/app", "|charts/app"],
    ["docker push registry.example.com/app:1", "registry.example.com|app:1"],
  ]) assert.equal(own(words), found, words);
});

test("addresses of the page and of the registry's API are taken", () => {
  for (const [words, found] of [
    ["http://localhost:5000/repository/team/app/tag/1.0", "|team/app:1.0"],
    [`http://localhost:5000/repository/team/app/digest/${digest}`, `|team/app@${digest}`],
    ["http://localhost:5000/repository/team/app?sort=name", "|team/app"],
    ["http://localhost:5000/v2/team/app/manifests/1.0", "|team/app:1.0"],
    [`http://localhost:5000/v2/team/app/manifests/${digest}`, `|team/app@${digest}`],
    ["http://localhost:5000/v2/team/app/tags/list", "|team/app"],
    ["https://localhost:5000/team/app:1", "|team/app:1"],
    ["https://elsewhere.example/team/app:1", "elsewhere.example|team/app:1"],
  ]) assert.equal(own(words), found, words);
});

test("without an address, a tag or a digest makes it a reference; words alone are searched for", () => {
  assert.equal(own("team/app:1"), "|team/app:1");
  assert.equal(own(`app@${digest}`), `|app@${digest}`);
  for (const words of ["", "app", "team/app", "team app", "a:b c:d", "App:1", "app:", ":1", "app@sha256:12", "app:1:2",
    "http://", "http://localhost:5000/", "javascript:alert(1)//", "app:<b>"]) {
    assert.equal(own(words), words === "app:" ? null : null, words);
  }
});

test("an image of another registry says of which", () => {
  assert.equal(own("docker.io/library/nginx:1.27"), "docker.io|library/nginx:1.27");
  assert.equal(own("other:5000/team/app:1"), "other:5000|team/app:1");
});

test("a reference has the address of its view; a digest is more precise than a tag", () => {
  assert.equal(referencePath(referenceIn("localhost:5000/team/app:1", HOST)), "/repository/team/app/tag/1");
  assert.equal(referencePath(referenceIn(`localhost:5000/team/app:1@${digest}`, HOST)), `/repository/team/app/digest/${digest}`);
  assert.equal(referencePath(referenceIn("localhost:5000/team/app", HOST)), "/repository/team/app");
});
