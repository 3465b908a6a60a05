/** A registry in memory that answers as distribution 2.8 or 3 does, as `fetch` for the page's client. */
import { createHash } from "node:crypto";

const LIST = "application/vnd.docker.distribution.manifest.list.v2+json";

export const digestOf = (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** A manifest's text, whose digest is its own by these words. */
export const image = (words, mediaType = "application/vnd.docker.distribution.manifest.v2+json") => JSON.stringify({
  schemaVersion: 2, mediaType, config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: digestOf(words), size: 9 },
  layers: [{ digest: digestOf(`${words} layer`), size: 1000 }],
}, null, 3);

export const index = (...children) => JSON.stringify({
  schemaVersion: 2, mediaType: LIST, manifests: children.map((text) => ({ digest: digestOf(text), size: text.length })),
});

/**
 * @param {{version?: string, tags?: Record<string, string>, mayPush?: boolean, deleting?: string, linked?: string[]}} options
 * `tags` are manifests' texts by tag; `deleting` enabled, disabled or read-only; `linked` tags are one file.
 */
export function fakeRegistry({ version = "2.8", tags = {}, mayPush = true, deleting = "enabled", linked = [] } = {}) {
  const held = { manifests: new Map(), tags: new Map(), blobs: new Map(), asked: [], before: null };

  function push(tag, text) {
    held.manifests.set(digestOf(text), text);
    for (const each of linked.includes(tag) ? linked : [tag].filter(Boolean)) held.tags.set(each, digestOf(text));
    return digestOf(text);
  }
  for (const [tag, text] of Object.entries(tags)) push(tag, text);

  const refused = (status, code, message = "no") =>
    new Response(JSON.stringify({ errors: [{ code, message }] }), { status, headers: { "Content-Type": "application/json" } });

  function get(reference) {
    const digest = held.tags.has(reference) ? held.tags.get(reference) : reference;
    if (digest === "") return refused(500, "UNKNOWN");
    const text = held.manifests.get(digest);
    if (text === undefined) return refused(404, "MANIFEST_UNKNOWN");
    return new Response(text, { headers: { "Docker-Content-Digest": digest, "Content-Type": JSON.parse(text).mediaType } });
  }

  function remove(reference) {
    if (deleting === "read-only") return new Response("Method not allowed", { status: 405 });
    if (deleting === "disabled") return refused(405, "UNSUPPORTED");
    if (!reference.startsWith("sha256:")) {
      if (version === "2.8") return refused(400, "DIGEST_INVALID");
      if (deleting === "digests") return refused(405, "UNSUPPORTED");
      return held.tags.delete(reference) ? new Response(null, { status: 202 }) : refused(404, "MANIFEST_UNKNOWN");
    }
    if (!held.manifests.delete(reference)) return refused(404, "MANIFEST_UNKNOWN");
    // The manifest is gone by now, and its tags stay.
    if ([...held.tags.values()].includes("")) return refused(500, "UNKNOWN");
    for (const [tag, digest] of held.tags) if (digest === reference) held.tags.delete(tag);
    return new Response(null, { status: 202 });
  }

  function put(reference, text) {
    if (!mayPush) return refused(403, "DENIED");
    if (!held.blobs.has(JSON.parse(text).config?.digest) && text.includes("half-deleted")) return refused(400, "MANIFEST_BLOB_UNKNOWN");
    return new Response(null, { status: 201, headers: { "Docker-Content-Digest": push(reference, text) } });
  }

  function upload(method, search, text) {
    if (!mayPush) return refused(403, "DENIED");
    if (method === "POST") return new Response(null, { status: 202, headers: { Location: "/v2/app/blobs/uploads/1?_state=x" } });
    const digest = new URLSearchParams(search).get("digest");
    if (digestOf(text) !== digest) return refused(400, "DIGEST_INVALID");
    held.blobs.set(digest, text);
    return new Response(null, { status: 201 });
  }

  function overview() {
    const manifests = [...held.manifests].map(([digest, text]) => [digest, { document: JSON.parse(text), config: null }]);
    const answer = { tags: Object.fromEntries(held.tags), manifests: Object.fromEntries(manifests), may: { push: mayPush, delete: true } };
    return new Response(JSON.stringify(answer));
  }

  async function answer(method, pathname, search, body) {
    const text = body === undefined ? "" : typeof body === "string" ? body : new TextDecoder().decode(body);
    if (pathname.startsWith("/overview/")) return overview();
    if (pathname.includes("/blobs/uploads/")) return upload(method, search, text);
    const reference = pathname.split("/manifests/")[1];
    return { GET: get, DELETE: remove, PUT: put }[method](reference, text);
  }

  /** `before` may answer in the registry's place, act first, or let the answer be lost by giving "lost". */
  async function fetch(address, { method = "GET", body } = {}) {
    const { pathname, search } = new URL(address);
    held.asked.push({ method, path: pathname, body });
    const instead = held.before?.({ method, path: pathname, number: held.asked.length - 1 });
    if (instead === "unreached") throw new TypeError("Failed to fetch");
    if (instead && instead !== "lost") return instead;
    const response = await answer(method, pathname, search, body);
    if (instead === "lost") throw new TypeError("Failed to fetch");
    return response;
  }

  return { held, push, fetch, refused };
}
