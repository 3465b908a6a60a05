/** The rules that the command line keeps too: the cases are in tests/contract, and `tests/unit/test_contract.py` runs them as well. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./support/load.mjs";
import { digestOf, fakeRegistry, image } from "./support/registry.mjs";

const { attachedTo, readAttached } = await load("content/attached.js");
const { pullCommands } = await load("content/commands.js");
const { ago, bytes, naturally } = await load("browser/format.js");
const { isDigest } = await load("content/image.js");
const { kindOf } = await load("content/kinds.js");
const { children } = await load("content/media-types.js");
const { momentOf, parseTime, realTime } = await load("content/moments.js");
const { listedTags, readRepository } = await load("registry/overview.js");
const { platformLabel, platformLabels, platformName } = await load("content/platform.js");
const { stateSentence } = await load("content/states.js");
const { createClient } = await load("registry/client.js");
const { createDeletion } = await load("registry/deletion.js");
const { createPlaceholder } = await load("registry/deletion-plan.js");
const { HALF_DELETED, describe } = await load("content/manifest.js");
const { headline, newestFirst } = await load("lists/tags.js");
const { isName } = await load("browser/names.js");
const { addWords, text } = await load("browser/text.js");
await addWords("tags");

/** `@a` in the cases is a digest, `@ahex` its digits, `@hex` some digits. */
function contract(name) {
  const text = readFileSync(new URL(`../contract/${name}.json`, import.meta.url), "utf8");
  const digits = text.replaceAll(/@([0-9a-f])hex/g, (_, digit) => digit.repeat(64)).replaceAll("@hex", "0123456789abcdef".repeat(4));
  return JSON.parse(digits.replaceAll(/@([0-9a-f])/g, (_, digit) => `sha256:${digit.repeat(64)}`));
}

const digestIn = (descriptor) => descriptor?.digest ?? null;
const date = (text) => text && new Date(text);
const second = (found) => found && `${found.toISOString().slice(0, 19)}Z`;
const all = (name, cases, run) => {
  for (const one of cases) test(`${name}: ${one.name}`, () => run(one));
};

const grammar = contract("grammar");
all("grammar, repositories", grammar.repositories, (one) => assert.equal(isName(one.text), one.is));
all("grammar, digests", grammar.digests, (one) => assert.equal(isDigest(one.text), one.is));

all("times", contract("times").cases, (one) => assert.equal(second(parseTime(one.text)), one.is));

const moments = contract("moments");
all("moments", moments.cases, ({ created, pushed, at, source }) => {
  const moment = momentOf(realTime(created, date(moments.now)), date(pushed));
  assert.deepEqual([second(moment?.at ?? null), moment?.source ?? null], [at, source]);
});

const ages = contract("ages").cases;
const now = new Date("2026-02-01T12:00:00Z");
all("ages", ages, ({ seconds, en }) => assert.equal(ago(new Date(now.getTime() - seconds * 1000), now), en));

test("ages: the same in Japanese", () => {
  const module = new URL("./support/load.mjs", import.meta.url).href;
  const script = `
    const { load } = await import(${JSON.stringify(module)});
    Object.defineProperty(globalThis, "navigator", { value: { languages: ["ja"] } });
    const { ago } = await load("browser/format.js");
    console.log(JSON.stringify(${JSON.stringify(ages.map(({ seconds }) => seconds))}.map((each) => ago(new Date(-each * 1000), new Date(0)))));`;
  const found = JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
  assert.deepEqual(found, ages.map(({ ja }) => ja));
});

all("sizes", contract("sizes").cases, (one) => assert.equal(bytes(one.bytes), one.text));

all("platforms", contract("platforms").cases, (one) => {
  assert.deepEqual([platformName(one.platform), platformLabel(one.platform)], [one.is, one.label]);
});

all("platforms in a list", contract("platforms").lists, ({ platforms, is }) => assert.deepEqual(platformLabels(platforms), is));

all("kinds", contract("kinds").cases, ({ document, is: { manifests, parts, ...is } }) => {
  assert.deepEqual(kindOf(document), is);
  const named = children(document);
  if (manifests) assert.deepEqual([named.manifests.map(digestIn), named.images.map(digestIn)], [manifests, parts]);
});

all("children", contract("children").cases, ({ document, is }) => {
  const { config, subject, ...lists } = children(document);
  const digests = Object.entries(lists).map(([key, those]) => [key, those.map(digestIn)]);
  assert.deepEqual({ config: digestIn(config), subject: digestIn(subject), ...Object.fromEntries(digests) }, is);
});

const real = { schemaVersion: 2, config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: "sha256:real" }, layers: [] };
all("indexes", contract("indexes").cases, ({ root, manifests, is: { image, ...is } }) => {
  const documents = Object.entries({ ...manifests, "sha256:image": real }).map(([digest, document]) => [digest, { document }]);
  const { tags } = readRepository({ tags: { it: root, old: "sha256:image" }, manifests: Object.fromEntries(documents), pushed: { it: 2, old: 1 } });
  const { kind, purpose, artifactType, client } = tags.get("it");
  assert.deepEqual({ kind, purpose, type: artifactType, client }, is);
  if (image !== null) assert.equal(headline(tags), image ? "it" : "old");
});

const attached = contract("attached");
all("attached", attached.tags, ({ tag, to }) => assert.equal(attachedTo(tag), to));
all("attached", attached.repositories, ({ tags, manifests, listed, attached: expected }) => {
  const found = readAttached(tags, manifests);
  assert.deepEqual(Object.fromEntries(found), expected);
  const told = Object.fromEntries(manifests.map((digest) => [digest, { document: {} }]));
  assert.deepEqual(listedTags(readRepository({ tags, manifests: told }).tags), listed);
});

const order = contract("order");
all("natural order", order.natural, ({ sorted }) => {
  for (const names of [sorted, [...sorted].reverse()]) assert.deepEqual([...names].sort(naturally), sorted);
});
all("newest first", order.newest, ({ tags, order: expected }) => {
  const made = ([created, pushed]) => ({ pushed: date(pushed), moment: momentOf(realTime(created, now), date(pushed)) });
  const details = new Map(Object.entries(tags).map(([tag, times]) => [tag, made(times)]));
  for (const names of [expected, [...expected].reverse()]) assert.deepEqual(newestFirst(names, details), expected);
});
all("headline", order.headlines, ({ tags, is }) => {
  const attachedTags = readAttached(Object.fromEntries(Object.keys(tags).map((tag) => [tag, ""])), []);
  const made = ([tag, [kind, created, pulls]]) =>
    [tag, { kind, pulls, moment: momentOf(date(created), null), pushed: null, attached: attachedTags.get(tag) ?? null }];
  assert.equal(headline(new Map(Object.entries(tags).map(made))), is);
});

all("commands", contract("commands").cases, ({ client, address, plain, image, parts, line }) => {
  const [name, tag] = image.split(":");
  assert.equal(pullCommands({ client, address, name, tag, parts, isPlain: plain })[0].line, line);
});

const contents = contract("contents");
all("contents", contents.cases, ({ root, manifests, configs, failing = [], is }) => {
  const unread = (digest) => failing.includes(digest) ? { unread: true } : null;
  const entries = Object.entries(manifests).map(([digest, document]) =>
    [digest, { document, config: configs[document.config?.digest] ?? unread(document.config?.digest) }]);
  const missing = failing.map((digest) => [digest, { unread: true }]);
  const repository = readRepository({ tags: { it: root }, manifests: Object.fromEntries([...missing, ...entries]) }, date(contents.now));
  const { created, size, platforms, lost, unread: found } = repository.tags.get("it");
  assert.deepEqual({ created: second(created), size, platforms, lost, unread: found }, is);
  assert.deepEqual(listedTags(repository.tags), ["it"]);
});

const states = contract("states");
test("states: their words", () => assert.deepEqual(text.tags.states.words, states.words));
all("states", states.cases, ({ root, manifests, configs, damaged, unlinked, obstacles, foreign, sizes, is }) => {
  const entries = Object.entries(manifests).map(([digest, document]) => [digest, { document, config: configs[document.config?.digest] ?? null }]);
  const details = readRepository({ tags: { it: root }, manifests: Object.fromEntries(entries), damaged, unlinked, obstacles, foreign, sizes }).tags.get("it");
  assert.deepEqual({ state: details.state, sentence: stateSentence("app:it", details) }, is);
});

const placeholder = contract("placeholder");
all("placeholder, its form", placeholder.forms, ({ mediaType, is }) => {
  const made = createPlaceholder({ tag: "1.0", digest: `sha256:${"a".repeat(64)}`, mediaType, nonce: "n" });
  assert.deepEqual([JSON.parse(made.text), made.mediaType], [is, is.mediaType]);
});
all("placeholder, how it is recognized", placeholder.recognized, ({ document, is }) => {
  assert.equal(describe(document).halfDeleted ? document.annotations[HALF_DELETED] : null, is);
});
all("placeholder, what it names", placeholder.carried, async ({ document, names }) => {
  const original = JSON.stringify(document);
  const { held, fetch } = fakeRegistry({ version: "2.8", tags: { go: original } });
  const client = createClient({ origin: "http://registry.test", fetch });
  const deletion = createDeletion({ client, name: "app", nonce: () => "second", wait: async () => {} });
  assert.deepEqual(await deletion.tag({ tag: "go", digest: digestOf(original) }), { outcome: "deleted" });
  const put = held.asked.filter(({ method, path }) => method === "PUT" && path.endsWith("/manifests/go"));
  assert.deepEqual(put.map(({ body }) => JSON.parse(body).annotations[HALF_DELETED]), [names ?? digestOf(original)]);
});
for (const { name, refuse, writes, tag } of placeholder.steps) {
  test(`placeholder, its steps: ${name}`, async () => {
    const [original, later] = [image("x"), image("later")];
    const { held, push, refused, fetch } = fakeRegistry({ version: "2.8", tags: { go: original, stay: original } });
    let left = refuse?.times ?? 0;
    held.before = ({ method, path }) => {
      const isMeant = method === refuse?.method && (method !== "DELETE" || path.includes("/sha256:"));
      if (!isMeant || !left) return null;
      left -= 1;
      if (refuse.push) push("go", later);
      return refused(refuse.status, refuse.status === 403 ? "DENIED" : "UNKNOWN");
    };
    const client = createClient({ origin: "http://registry.test", fetch });
    const deletion = createDeletion({ client, name: "app", nonce: () => "nonce", wait: async () => {} });
    await deletion.tag({ tag: "go", digest: digestOf(original), staying: ["stay"] });
    const names = new Map([[undefined, null], [digestOf(original), "original"], [digestOf(later), "pushed"]]);
    assert.equal(names.get(held.tags.get("go")), tag);
    assert.equal(held.tags.get("stay"), digestOf(original));
    const isOfTag = ({ method, path }) => (method === "PUT" && path.endsWith("/manifests/go")) || (method === "DELETE" && path.includes("/manifests/sha256:"));
    const written = ({ method, body }) => method === "DELETE" ? "DELETE placeholder" : `PUT ${new TextDecoder().decode(asBytes(body)).includes("half-deleted") ? "placeholder" : "original"}`;
    assert.deepEqual(held.asked.filter(isOfTag).map(written), writes);
  });
}
const asBytes = (body) => (typeof body === "string" ? new TextEncoder().encode(body) : body);
