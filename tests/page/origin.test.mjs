import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { readOrigin, safeLink } = await load("views/image/origin.js");
const { enclosed, isolated } = await load("browser/direction.js");

test("an image's version, revision and links come from its labels, the newer names first", () => {
  const labels = {
    "org.label-schema.version": "0.9", "org.opencontainers.image.version": "1.0",
    "org.label-schema.vcs-ref": "abc123", "org.opencontainers.image.source": "https://example.com/app.git",
    "org.label-schema.usage": "https://example.com/docs",
  };
  assert.deepEqual(readOrigin(labels), {
    version: "1.0", revision: "abc123",
    links: [{ kind: "source", href: "https://example.com/app.git" }, { kind: "documentation", href: "https://example.com/docs" }],
  });
});

test("what labels do not say, annotations may; of one address there is one link", () => {
  const origin = readOrigin({ "org.opencontainers.image.version": "" }, {
    "org.opencontainers.image.version": "2", "org.opencontainers.image.url": "https://example.com/x",
    "org.opencontainers.image.source": "https://example.com/x",
  });
  assert.deepEqual(origin, { version: "2", revision: "", links: [{ kind: "source", href: "https://example.com/x" }] });
});

test("labels of any shape are no trouble", () => {
  for (const odd of [null, undefined, [], "words", 7, { "org.opencontainers.image.source": ["https://a.example"] }, { __proto__: null }]) {
    assert.deepEqual(readOrigin(odd), { version: "", revision: "", links: [] });
  }
});

test("only plain HTTPS addresses are followed", () => {
  for (const value of ["http://example.com", "javascript:alert(1)", "data:text/html,x", "https:", "https://", "//example.com",
    "https://good.example@evil.example/", "git@example.com:a/b", "ftp://example.com", "HTTPS:evil", "example.com"]) {
    assert.equal(safeLink(value), "", value);
  }
  assert.equal(safeLink("HTTPS://Example.com/a b"), "https://example.com/a%20b");
  assert.equal(safeLink("https://ex\u0430mple.com/"), "https://xn--exmple-4nf.com/");
});

test("direction marks end with the words that hold them, and close nothing around them", () => {
  assert.equal(enclosed("plain"), "plain");
  assert.equal(enclosed("a\u202egpj.exe\u202c\u202d"), "a\ufffdgpj.exe\ufffd");
  assert.equal(enclosed("a\u202bb"), "a\u202bb\u202c");
  assert.equal(enclosed("\u2067a\u202bb"), "\u2067a\u202bb\u202c\u2069");
  assert.equal(enclosed("a\u2069\u202cb"), "ab");
  assert.equal(enclosed("\u2066a\u202bb\u2069c"), "\u2066a\u202bb\u2069c");
  assert.equal(enclosed("\u202ba\u2069b\u202c"), "\u202bab\u202c");
});

test("within a sentence, a stranger's words are isolated", () => {
  assert.equal(isolated("a\u2069\u202bb"), "\u2068a\u202bb\u202c\u2069");
  assert.equal(isolated("plain, 1"), "plain, 1");
  assert.equal(isolated("سلام"), "\u2068سلام\u2069");
  assert.equal(isolated(""), "");
});
