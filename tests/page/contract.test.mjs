/** The rules that the command line keeps too: the cases are in tests/contract, and `tests/unit/test_contract.py` runs them as well. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { attachedTo, readAttached } = await load("content/attached.js");
const { pullCommands } = await load("content/commands.js");
const { ago, bytes, naturally } = await load("browser/format.js");
const { isDigest } = await load("content/image.js");
const { kindOf } = await load("content/kinds.js");
const { isAttestation, namesManifest } = await load("content/media-types.js");
const { momentOf, parseTime, realTime } = await load("content/moments.js");
const { listedTags, readRepository } = await load("registry/overview.js");
const { platformLabel, platformLabels, platformName } = await load("content/platform.js");
const { stateSentence } = await load("content/states.js");
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
  const named = (document.manifests ?? []).filter(namesManifest);
  const digests = (entries) => entries.map(({ digest }) => digest);
  if (manifests) assert.deepEqual([digests(named), digests(named.filter((entry) => !isAttestation(entry)))], [manifests, parts]);
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

all("commands", contract("commands").cases, ({ client, address, plain, image, line }) => {
  const [name, tag] = image.split(":");
  assert.equal(pullCommands({ client, address, name, tag, isPlain: plain })[0].line, line);
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
all("states", states.cases, ({ root, manifests, configs, damaged, unlinked, sizes, is }) => {
  const entries = Object.entries(manifests).map(([digest, document]) => [digest, { document, config: configs[document.config?.digest] ?? null }]);
  const details = readRepository({ tags: { it: root }, manifests: Object.fromEntries(entries), damaged, unlinked, sizes }).tags.get("it");
  assert.deepEqual({ state: details.state, sentence: stateSentence("app:it", details) }, is);
});
