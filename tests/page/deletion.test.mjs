import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";
import { digestOf, fakeRegistry, image, index } from "./support/registry.mjs";

const { createClient } = await load("registry/client.js");
const { createDeletion, refusal } = await load("registry/deletion.js");
const { createWeigher, planDeletion, createPlaceholder, leavesUntagged } = await load("registry/deletion-plan.js");
const { NOTHING } = await load("content/manifest.js");

const { outcomeHeading, outcomeSummary } = await load("views/deleting/deleting-outcome.js");
const { words } = await load("languages/deleting/en.js");

const ONE = image("one");
const OTHER = image("other");
const FRESH = image("fresh");
const HALF = "deployer.half-deleted.";

/** A deletion on a registry where the tag `go` shares its image with `stay`, and `other` has another. */
function arranged(options = {}) {
  const registry = fakeRegistry({ tags: { go: ONE, stay: ONE, other: OTHER }, ...options });
  const client = createClient({ origin: "http://registry.test", fetch: registry.fetch });
  let nonces = 0;
  const deletion = createDeletion({ client, name: "app", nonce: () => `nonce-${(nonces += 1)}`, wait: async () => {} });
  return { ...registry, client, deletion };
}

const target = (text = ONE, more = {}) => ({ tag: "go", digest: digestOf(text), ...more });
const writes = ({ held }, from = 0) => held.asked.slice(from).filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);

function othersStay({ held }) {
  assert.equal(held.tags.get("stay"), digestOf(ONE));
  assert.equal(held.tags.get("other"), digestOf(OTHER));
  for (const text of [ONE, OTHER]) assert.equal(held.manifests.get(digestOf(text)), text);
}

test("a tag whose file is another's too stays, with the other", async () => {
  const registry = arranged({ linked: ["go", "stay"] });
  const linked = await registry.deletion.tag(target(ONE, { staying: ["stay"] }));
  assert.deepEqual(linked, { outcome: "linked", tags: ["stay"] });
  assert.equal(registry.held.tags.get("go"), digestOf(ONE));
  othersStay(registry);
});

for (const version of ["2.8", "3"]) {
  test(`one tag goes, and no other, nor its image (${version})`, async () => {
    const registry = arranged({ version });
    assert.deepEqual(await registry.deletion.tag(target()), { outcome: "deleted" });
    assert.deepEqual([...registry.held.tags.keys()], ["stay", "other"]);
    othersStay(registry);
    assert.deepEqual([...registry.held.manifests.keys()], [digestOf(ONE), digestOf(OTHER)]);
  });

  test(`what is gone already was wanted, what was pushed again stays (${version})`, async () => {
    const registry = arranged({ version });
    registry.push("go", FRESH);
    assert.deepEqual(await registry.deletion.tag(target()), { outcome: "pushedAgain", digest: digestOf(FRESH) });
    assert.deepEqual(await registry.deletion.tag({ tag: "never", digest: digestOf(ONE) }), { outcome: "gone" });
    assert.deepEqual(writes(registry), []);
  });

  test(`an image goes with all its tags, unless others have come to it (${version})`, async () => {
    const registry = arranged({ version });
    const whole = { digest: digestOf(ONE), tags: ["go"] };
    assert.deepEqual(await registry.deletion.image(whole), { outcome: "shared", tags: ["stay"] });
    othersStay(registry);
    assert.deepEqual(await registry.deletion.image({ ...whole, tags: ["go", "stay"] }), { outcome: "deleted" });
    assert.deepEqual([...registry.held.tags.keys()], ["other"]);
    assert.deepEqual(await registry.deletion.image(whole), { outcome: "gone" });
  });
}

test("3 is asked for the tag by its name, and nothing is pushed", async () => {
  const registry = arranged({ version: "3" });
  await registry.deletion.tag(target());
  assert.deepEqual(writes(registry), ["DELETE /v2/app/manifests/deployer-probe-nonce-1", "DELETE /v2/app/manifests/go"]);
});

test("2.8 is found out once, and the blob uploaded once, for however many tags", async () => {
  const registry = arranged();
  for (const tag of ["go", "stay"]) assert.equal((await registry.deletion.tag({ ...target(), tag })).outcome, "deleted");
  const counted = (pattern) => writes(registry).filter((request) => pattern.test(request)).length;
  assert.deepEqual([counted(/probe/), counted(/^POST/), counted(/PUT .*blobs/), counted(/PUT .*manifests/), counted(/DELETE .*sha256/)], [1, 1, 1, 2, 2]);
  assert.deepEqual([...registry.held.manifests.keys()], [digestOf(ONE), digestOf(OTHER)]);
});

test("the throw-away is of the tag's own family, and says what it is", () => {
  assert.equal(digestOf(NOTHING.text), NOTHING.digest);
  const families = {
    "application/vnd.oci.image.index.v1+json": "oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json": "docker.distribution.manifest.v2+json",
    "": "docker.distribution.manifest.v2+json",
  };
  for (const [mediaType, family] of Object.entries(families)) {
    const made = createPlaceholder({ tag: "go", digest: digestOf(ONE), mediaType, nonce: "n" });
    const document = JSON.parse(made.text);
    assert.equal(made.mediaType, `application/vnd.${family}`);
    assert.equal(document.mediaType, made.mediaType);
    assert.deepEqual(document.annotations, { [`${HALF}digest`]: digestOf(ONE), [`${HALF}tag`]: "go", [`${HALF}nonce`]: "n" });
  }
});

test("where nothing is deleted nothing is touched, and why is known", async () => {
  for (const [deleting, why] of [["disabled", "disabled"], ["read-only", "readOnly"]]) {
    const registry = arranged({ deleting });
    const { outcome, error } = await registry.deletion.tag(target());
    assert.deepEqual([outcome, refusal(error)], ["failed", why]);
    await assert.rejects(registry.deletion.way(), { status: 405 });
    assert.ok(writes(registry).every((request) => request.startsWith("DELETE")));
    othersStay(registry);
    assert.equal(registry.held.tags.get("go"), digestOf(ONE));
  }
  assert.deepEqual([{ status: 503 }, { status: 403, kind: "forbidden" }].map(refusal), ["maintenance", "forbidden"]);
});

test("a registry that refuses tags may still delete digests", async () => {
  const registry = arranged({ version: "3", deleting: "digests" });
  assert.equal(await registry.deletion.way(), "digests");
  assert.equal((await registry.deletion.tag(target())).outcome, "deleted");
  othersStay(registry);
});

test("who may delete but not push loses nothing on 2.8, and needs no push on 3", async () => {
  const registry = arranged({ mayPush: false });
  assert.equal((await registry.deletion.tag(target())).outcome, "mayNotPush");
  assert.equal(registry.held.tags.get("go"), digestOf(ONE));
  othersStay(registry);
  assert.equal((await arranged({ mayPush: false, version: "3" }).deletion.tag(target())).outcome, "deleted");
});

/** What the tag is now, in the words of the results. */
function state({ held }) {
  const digest = held.tags.get("go");
  if (digest === undefined) return "deleted";
  if (digest === digestOf(ONE)) return "as it was";
  const document = JSON.parse(held.manifests.get(digest) ?? "null");
  if (!document) return "lost";
  return document.annotations?.[`${HALF}digest`] === digestOf(ONE) ? "half" : "foreign";
}

// Where nothing answers any more, it cannot be known how far it came: half is what may be.
const FITTING = { deleted: ["deleted"], gone: ["deleted"], failed: ["as it was"], partial: ["half", "lost", "as it was", "deleted"], mayNotPush: ["as it was"], unknown: ["as it was", "deleted"] };

/** Finish what was left, from what the overview tells, as the page does. */
async function finish(registry) {
  const stored = await registry.client.repository("app");
  for (const group of planDeletion(stored, stored.tags.go === undefined ? [] : ["go"])) {
    assert.deepEqual(await registry.deletion.tag({ ...group, tag: "go" }), { outcome: "deleted" });
  }
  assert.equal(state(registry), "deleted");
  othersStay(registry);
  // A placeholder that could not be deleted may be left without a tag.
  const own = [...registry.held.manifests.values()].filter((text) => !text.includes(HALF));
  assert.deepEqual(own.sort(), [ONE, OTHER].sort());
}

const FAULTS = {
  "500": ({ refused }) => refused(500, "UNKNOWN"),
  "403": ({ refused }) => refused(403, "DENIED"),
  "404": ({ refused }) => refused(404, "MANIFEST_UNKNOWN"),
  "503": ({ refused }) => refused(503, "UNAVAILABLE"),
  "unreached": () => "unreached",
  "lost": () => "lost",
};

for (const version of ["2.8", "3"]) {
  for (const [fault, answer] of Object.entries(FAULTS)) {
    test(`whatever step ends in ${fault}, the tag is as told, and can be finished (${version})`, async () => {
      for (const lasting of [false, true]) {
        for (let step = 0; step < 8; step += 1) {
          const registry = arranged({ version });
          registry.held.before = ({ number }) => ((lasting ? number >= step : number === step) ? answer(registry) : null);
          const { outcome } = await registry.deletion.tag(target());
          registry.held.before = null;
          // A registry that denies having what it has can't be seen through.
          const misled = fault === "404" && outcome === "gone" && ["as it was", "half"].includes(state(registry));
          assert.ok(misled || FITTING[outcome]?.includes(state(registry)), `${step} ${lasting}: ${outcome}, but ${state(registry)}`);
          othersStay(registry);
          await finish(registry);
        }
      }
    });
  }
}

/** An image that is deleted with both its tags; `before` is what happens to the requests. */
async function wholeDeleted(version, before) {
  const registry = arranged({ version });
  registry.held.before = before(registry);
  const { outcome } = await registry.deletion.image({ digest: digestOf(ONE), tags: ["go", "stay"] });
  return { ...registry, outcome };
}

const isDeletion = ({ method, path }) => method === "DELETE" && path.endsWith(digestOf(ONE));

for (const version of ["2.8", "3"]) {
  test(`an image whose deletion had no answer is looked for again (${version})`, async () => {
    const lost = await wholeDeleted(version, () => (asked) => (isDeletion(asked) ? "lost" : null));
    assert.equal(lost.outcome, "deleted");
    assert.deepEqual([...lost.held.tags.keys()], ["other"]);
    const unreached = await wholeDeleted(version, () => (asked) => (isDeletion(asked) ? "unreached" : null));
    assert.equal(unreached.outcome, "failed");
    othersStay(unreached);
  });

  test(`an image of which nothing is heard any more may have been deleted (${version})`, async () => {
    for (const answer of ["lost", "unreached"]) {
      let isOffline = false;
      const { outcome } = await wholeDeleted(version, () => (asked) => {
        isOffline ||= isDeletion(asked);
        return isOffline ? answer : null;
      });
      assert.equal(outcome, "unknown");
    }
  });
}

test("an image that is gone while its tags are still listed is partially deleted", async () => {
  const { outcome, held } = await wholeDeleted("2.8", (registry) => (asked) => {
    if (!isDeletion(asked)) return null;
    registry.held.manifests.delete(digestOf(ONE));
    return registry.refused(500, "UNKNOWN");
  });
  assert.equal(outcome, "partial");
  assert.ok(held.tags.has("stay"));
});

test("a tag whose deletion had no answer is looked for again", async () => {
  for (const more of [{}, { digest: "", lost: true }]) {
    for (const [answer, expected] of [["lost", "deleted"], ["unreached", "failed"]]) {
      const registry = arranged({ version: "3" });
      if (more.lost) registry.held.tags.set("go", "");
      registry.held.before = ({ method, path }) => (method === "DELETE" && path.endsWith("/go") ? answer : null);
      assert.equal((await registry.deletion.tag(target(ONE, more))).outcome, expected);
      assert.equal(registry.held.tags.has("go"), expected === "failed");
    }
  }
});

test("what may have been deleted is not under a heading that says otherwise", () => {
  const result = (outcome) => ({ outcome, going: ["a"] });
  const said = (...outcomes) => {
    const results = outcomes.map(result);
    return [outcomeHeading(words, results, []), outcomeSummary(words, results, [])];
  };
  for (const outcome of ["partial", "unknown"]) {
    assert.deepEqual(said(outcome), [words.unfinished, words.unsure(1)]);
    assert.deepEqual(said("deleted", outcome), [words.unfinished, `${words.deleted(1)} ${words.unsure(1)}`]);
  }
  assert.deepEqual(said("failed"), [words.noneDeleted, words.failed(1)]);
  assert.deepEqual(said("deleted", "failed"), [words.notAllDeleted, `${words.deleted(1)} ${words.failed(1)}`]);
  assert.deepEqual(said("deleted", "gone"), [words.done, words.deleted(2)]);
  assert.deepEqual(said("gone"), [words.goneAlready, words.deleted(1)]);
});

test("a tab that is killed at any step leaves what is recognised and can be finished", async () => {
  for (let step = 0; step < 8; step += 1) {
    const registry = arranged();
    const killed = new Promise((resolve) => {
      const { fetch } = registry;
      const client = createClient({
        origin: "http://registry.test",
        fetch: (...request) => (registry.held.asked.length === step ? (resolve(), new Promise(() => {})) : fetch(...request)),
      });
      createDeletion({ client, name: "app", wait: async () => {} }).tag(target()).then(resolve);
    });
    await killed;
    assert.ok(["as it was", "half", "deleted"].includes(state(registry)), state(registry));
    if (state(registry) === "half") assert.ok(planDeletion(await registry.client.repository("app"), ["go"])[0].halfDeleted);
    await finish(registry);
  }
});

test("a push between any two steps is not lost, and said", async () => {
  for (const fails of [false, true]) {
    for (let step = 0; step < 9; step += 1) {
      const registry = arranged();
      registry.held.before = ({ method, path, number }) => {
        if (number === step) registry.push("go", FRESH);
        return fails && method === "DELETE" && path.includes("sha256") ? registry.refused(500, "UNKNOWN") : null;
      };
      const { outcome } = await registry.deletion.tag(target());
      const pushed = registry.held.asked.length > step;
      const overwritten = registry.held.asked[step]?.method === "PUT" && registry.held.asked[step].path.endsWith("/go");
      othersStay(registry);
      // Between the last look and the placeholder there is no condition that a registry knows.
      if (pushed && !overwritten) assert.equal(registry.held.tags.get("go"), digestOf(FRESH), `${fails} ${step} ${outcome}`);
      assert.ok(registry.held.manifests.has(digestOf(FRESH)) || !pushed);
    }
  }
});

test("a push while the last step fails for good is not lost", async () => {
  const registry = arranged();
  registry.held.before = ({ method, path }) => {
    if (method !== "DELETE" || !path.includes("sha256")) return null;
    registry.push("go", FRESH);
    return registry.refused(403, "DENIED");
  };
  assert.deepEqual(await registry.deletion.tag(target()), { outcome: "pushedAgain", digest: digestOf(FRESH) });
  assert.equal(registry.held.tags.get("go"), digestOf(FRESH));
});

test("a registry that stumbles is asked again", async () => {
  for (const method of ["PUT", "DELETE"]) {
    const registry = arranged();
    let times = 2;
    registry.held.before = (asked) => {
      const stumbles = asked.method === method && /go$|sha256/.test(asked.path) && (times -= 1) >= 0;
      return stumbles ? registry.refused(500, "UNKNOWN") : null;
    };
    assert.deepEqual(await registry.deletion.tag(target()), { outcome: "deleted" });
    othersStay(registry);
  }
});

test("3 is asked again for a tag that a push has kept it from removing", async () => {
  for (const [left, expected] of [
    [ONE, { outcome: "deleted" }], [null, { outcome: "deleted" }], [FRESH, { outcome: "pushedAgain", digest: digestOf(FRESH) }],
  ]) {
    const registry = arranged({ version: "3" });
    let times = 1;
    registry.held.before = ({ method, path }) => {
      if (method !== "DELETE" || !path.endsWith("/go") || (times -= 1) < 0) return null;
      if (left) registry.push("go", left);
      else registry.held.tags.delete("go");
      return registry.refused(500, "UNKNOWN", "unknown error");
    };
    assert.deepEqual(await registry.deletion.tag(target()), expected);
    assert.equal(registry.held.tags.get("go"), expected.digest);
    othersStay(registry);
  }
});

test("without the throw-away's own digest nothing is deleted by one", async () => {
  for (const headers of [{}, { "Docker-Content-Digest": digestOf(ONE) }, { "Docker-Content-Digest": "stay" }]) {
    const registry = arranged();
    registry.held.before = ({ method, path }) => (method === "PUT" && path.endsWith("/go") ? new Response(null, { status: 201, headers }) : null);
    const { outcome, error } = await registry.deletion.tag(target());
    assert.deepEqual([outcome, error.kind], ["failed", "notRegistry"]);
    assert.deepEqual(writes(registry).filter((request) => request.startsWith("DELETE")), ["DELETE /v2/app/manifests/deployer-probe-nonce-1"]);
    othersStay(registry);
  }
});

test("damaged tags and tags of nothing go, the damaged first", async () => {
  for (const version of ["2.8", "3"]) {
    const registry = arranged({ version });
    registry.held.tags.set("go", "");
    registry.held.tags.set("dangling", digestOf("nothing"));
    const stored = await registry.client.repository("app");
    const groups = planDeletion(stored, ["other", "dangling", "go"]);
    assert.deepEqual(groups.map(({ lost }) => lost), [true, true, false]);
    for (const { digest, lost, going: [tag] } of groups) {
      assert.deepEqual(await registry.deletion.tag({ tag, digest, lost }), { outcome: "deleted" }, tag);
    }
    assert.deepEqual([...registry.held.tags.keys()], ["stay"]);
  }
});

test("a damaged tag that names an image again is left alone", async () => {
  const registry = arranged();
  assert.deepEqual(await registry.deletion.tag(target(ONE, { digest: "", lost: true })), { outcome: "pushedAgain", digest: digestOf(ONE) });
});

// --- what is told before

test("the plan names what shares a digest, what holds it, and what is attached to it", () => {
  const parts = index(ONE, OTHER);
  const signature = `${digestOf(ONE).replace(":", "-")}.sig`;
  const manifests = Object.fromEntries([ONE, OTHER, parts, FRESH].map((text) => [digestOf(text), { document: JSON.parse(text) }]));
  const tags = { a: digestOf(ONE), b: digestOf(ONE), all: digestOf(parts), [signature]: digestOf(FRESH) };
  const [group, ...rest] = planDeletion({ tags, manifests }, ["a"]);
  assert.deepEqual(group, {
    digest: digestOf(ONE), going: ["a"], staying: ["b"], partOf: ["all"], attached: [signature], lost: false, halfDeleted: false, isIndex: false,
  });
  assert.deepEqual(rest, []);
  assert.deepEqual(planDeletion({ tags, manifests }, ["a", "b", "all"]).map(({ staying, partOf }) => [staying, partOf]), [[[], []], [[], []]]);
});

test("only what no staying tag needs is freed", () => {
  const parts = index(ONE, OTHER);
  const manifests = Object.fromEntries([ONE, OTHER, parts].map((text) => [digestOf(text), { document: JSON.parse(text) }]));
  const weigh = createWeigher({ tags: { a: digestOf(ONE), b: digestOf(ONE), all: digestOf(parts), lost: "" }, manifests });
  const freed = (...tags) => weigh(new Set(tags));
  assert.deepEqual([freed("a"), freed("a", "b"), freed("all"), freed("a", "b", "all"), freed("lost"), freed()],
    [0, 0, 1009, 2018, 0, 0].map((bytes) => ({ bytes, isAll: true })));
});

test("finishing a deletion frees the image that the placeholder names, as far as it is known", () => {
  const left = createPlaceholder({ tag: "go", digest: digestOf(ONE), mediaType: "", nonce: "n" }).text;
  const manifests = Object.fromEntries([ONE, left].map((text) => [digestOf(text), { document: JSON.parse(text) }]));
  const freed = (tags, known) => createWeigher({ tags: { go: digestOf(left), ...tags }, manifests: known })(new Set(["go"]));
  assert.deepEqual(freed({}, manifests), { bytes: 1009 + 2, isAll: true });
  assert.deepEqual(freed({ stay: digestOf(ONE) }, manifests), { bytes: 2, isAll: true });
  assert.deepEqual(freed({}, { [digestOf(left)]: manifests[digestOf(left)] }), { bytes: 2, isAll: false });
});

test("where an image is left without a tag, untagged ones are to be removed", () => {
  const left = createPlaceholder({ tag: "half", digest: digestOf(ONE), mediaType: "", nonce: "n" }).text;
  const parts = index(OTHER);
  const manifests = Object.fromEntries([ONE, OTHER, left, parts].map((text) => [digestOf(text), { document: JSON.parse(text) }]));
  const tags = { a: digestOf(ONE), b: digestOf(ONE), half: digestOf(left), broken: "", all: digestOf(parts) };
  const groups = (...wanted) => planDeletion({ tags, manifests }, wanted);
  assert.deepEqual([["a"], ["a", "b"], ["half"], ["broken"], ["a", "half"]].map((wanted) => leavesUntagged(groups(...wanted), false)),
    [false, true, true, true, true]);
  assert.deepEqual([["a", "b"], ["all"]].map((wanted) => leavesUntagged(groups(...wanted), true)), [false, true]);
});

test("what says no size, or a manifest of schema 1, makes a sum that is not all", () => {
  const [layer, other] = [{ digest: "sha256:l", size: 10 }, { digest: "sha256:o", size: "many" }];
  const manifests = {
    "sha256:a": { document: { schemaVersion: 2, layers: [layer, other] } },
    "sha256:b": { document: { schemaVersion: 2, layers: [layer] } },
    "sha256:c": { document: { schemaVersion: 1, fsLayers: [{ blobSum: "sha256:f" }] } },
  };
  const weigh = createWeigher({ tags: { a: "sha256:a", b: "sha256:b", c: "sha256:c" }, manifests });
  assert.deepEqual(weigh(new Set(["a"])), { bytes: 0, isAll: false });
  assert.deepEqual(weigh(new Set(["a", "b"])), { bytes: 10, isAll: false });
  assert.deepEqual(weigh(new Set(["c"])), { bytes: 0, isAll: false });
  assert.deepEqual(weigh(new Set(["b"])), { bytes: 0, isAll: true });
});

test("only a throw-away that one tag has is taken for one", () => {
  const made = createPlaceholder({ tag: "go", digest: digestOf(ONE), mediaType: "", nonce: "n" }).text;
  const document = JSON.parse(made);
  const found = (stored, tags = { go: "sha256:x" }) => planDeletion({ tags, manifests: { "sha256:x": { document: stored } } }, ["go"])[0].halfDeleted;
  assert.equal(found(document), true);
  assert.equal(found(document, { go: "sha256:x", two: "sha256:x" }), false);
  for (const change of [{ layers: [{}] }, { annotations: {} }, { annotations: null }, { config: { digest: digestOf(ONE) } }, { config: null }]) {
    assert.equal(found({ ...document, ...change }), false);
  }
});

test("an index that holds itself, and nonsense in one, end", () => {
  const manifests = { "sha256:x": { document: { manifests: [{ digest: "sha256:x" }, null, { digest: "constructor" }, {}] } } };
  assert.equal(planDeletion({ tags: { a: "sha256:x", b: "sha256:y" }, manifests }, ["b"]).length, 1);
  assert.deepEqual(createWeigher({ tags: { a: "sha256:x" }, manifests })(new Set(["a"])), { bytes: 0, isAll: true });
});
