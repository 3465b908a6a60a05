/** What the list of tags shows of each, and what a repository weighs. */
import { isObject } from "../browser/checked.js";
import { readAttached } from "../content/attached.js";
import { damageIn } from "../content/damage.js";
import { kindOfWhole } from "../content/kinds.js";
import { describe } from "../content/manifest.js";
import { DEPTH } from "../content/media-types.js";
import { momentOf, realTime } from "../content/moments.js";
import { completedPlatform, platformLabels } from "../content/platform.js";
import { repositorySize, total } from "../content/weight.js";

/**
 * @typedef {import("../content/kinds.js").Kind | "missing" | "unread"} Kind
 * @typedef {{digest: string, kind: Kind, purpose: string, client: import("../content/kinds.js").Client, artifactType: string,
 *   size: number | null, parts: number, named: string[] | null, platforms: string[], created: Date | null, halfDeleted: boolean,
 *   inner: {digest: string, tag: string}[], lost: string[], unread: string[], damaged: import("../content/damage.js").Damaged[], bytes: number,
 *   state: import("../content/states.js").State, pulls: "whole" | "part" | "none"}} Content
 * `size` in bytes, null if not all is there; `parts` are an index's images, `named` their digests, null for no index; `created`: a real time alone;
 * `lost`: manifests that it needs and that are not here, `unread`: what was not read, of which nothing is known;
 * `halfDeleted`: a deletion was interrupted; `bytes` of a manifest that is too large; `pulls`: what of it can be pulled,
 * a `part` of an index of which images are lost, or by some engines alone; `inner`: of an index that names nothing but
 * indexes, those that name images, which every engine pulls.
 * @typedef {Content & {sharing: string[], pushed: Date | null, moment: import("../content/moments.js").Moment | null,
 *   attached: {to: string, orphan: boolean} | null}} Details
 * Of a tag: `sharing` all tags on the digest, this one too; `moment` what its age and its place among others are by;
 * `attached` if it only attaches something to another manifest: such a tag is in no list and no count of tags.
 * @typedef {{tags: Map<string, Details>, size: import("../content/weight.js").Sum, may: {push: boolean, delete: boolean}}} Repository
 * `size` counts what several tags share once.
 */

/**
 * @param {{tags: Record<string, string>, manifests: Record<string, {document?: any, config?: any, unread?: boolean}>,
 *   pushed?: Record<string, number>, damaged?: any, unlinked?: any, obstacles?: any, foreign?: any, sizes?: any, may?: any}} answer
 * `pushed` in seconds since 1970; a manifest or a configuration that was not read is `{unread: true}`
 * @param {Date} [now]
 * @returns {Repository}
 */
export function readRepository({ tags, manifests, damaged, unlinked, obstacles, foreign, sizes, pushed = {}, may }, now = new Date()) {
  const damageOf = damageIn({ manifests, damaged, unlinked, obstacles, foreign, sizes });
  const known = new Map(Object.entries(manifests).map(([digest, entry]) => [digest, describeEntry(entry, now)]));
  const tagsOf = new Map(Object.values(tags).map((digest) => [digest, []]));
  for (const [tag, digest] of Object.entries(tags)) tagsOf.get(digest).push(tag);
  const contents = new Map([...tagsOf].map(([digest, sharing]) => {
    const content = judged(contentOf(digest, known, damaged), damageOf);
    const inner = content.inner.map((one) => ({ digest: one, tag: tagsOf.get(one)?.[0] ?? "" }));
    return [digest, { ...content, inner, sharing }];
  }));
  const attached = readAttached(tags, known.keys());
  /** @param {[string, string]} entry @returns {[string, Details]} */
  const detailsOf = ([tag, digest]) => {
    const content = contents.get(digest);
    const time = readPushed(pushed, tag);
    return [tag, { ...content, pushed: time, moment: momentOf(content.created, time), attached: attached.get(tag) ?? null }];
  };
  return {
    tags: new Map(Object.entries(tags).map(detailsOf)),
    size: repositorySize({ tags, manifests }),
    may: { push: may?.push === true, delete: may?.delete === true },
  };
}

/**
 * @param {Map<string, Details>} tags
 * @returns {string[]} those that are listed and counted: all but the attached ones, or these where there are no others
 */
export function listedTags(tags) {
  const listed = [...tags.keys()].filter((tag) => !tags.get(tag).attached);
  return listed.length ? listed : [...tags.keys()];
}

function readPushed(pushed, tag) {
  const seconds = Object.hasOwn(pushed, tag) ? pushed[tag] : null;
  return Number.isSafeInteger(seconds) && Math.abs(seconds) < 8.64e12 ? new Date(seconds * 1000) : null;
}

/** @param {any} entry @param {Date} now */
function describeEntry({ document, config, unread }, now) {
  if (unread || !isObject(document)) return null;
  const description = describe(document);
  const told = isObject(config) && description.kind === "image" ? config : {};
  return {
    ...description,
    created: realTime(told.created, now) ?? realTime(description.created, now),
    platform: told,
    unread: told.unread === true ? [description.config] : [],
  };
}

/** Of what is not here there is no description, of what was not read it is null. */
function contentOf(digest, known, damaged) {
  const description = known.get(digest);
  const nothing = {
    digest, kind: "missing", purpose: "", client: "skopeo", artifactType: "", size: null, parts: 0, named: null, platforms: [], created: null,
    halfDeleted: false, inner: [], lost: [], unread: [], images: [], namesNothing: false, bytes: 0,
  };
  if (description === null) return { ...nothing, kind: "unread", unread: [digest] };
  if (!description) return { ...nothing, bytes: (isObject(damaged) && damaged[digest]) || 0 };
  const { kind, purpose, client, artifactType, created, platform, size, halfDeleted, unread } = description;
  const own = { ...nothing, kind, purpose, client, artifactType, created, halfDeleted, unread };
  if (kind !== "index") return { ...own, parts: 1, size: kind === "legacy" ? null : size, platforms: platformLabels([platform]) };
  const named = below(description, known, new Set([digest]));
  // One image may be named for several platforms.
  const parts = [...new Map(named.map((part) => [part.digest, part])).values()].filter((part) => part.digest !== digest);
  const isImage = (part) => part.description?.kind !== "index";
  const images = parts.filter(isImage);
  const times = images.map((part) => part.description?.created).filter(Boolean);
  const { type, ...whole } = kindOfWhole(content(description), images.flatMap((part) => (part.description ? [content(part.description)] : [])));
  return {
    ...own,
    ...whole,
    artifactType: type,
    inner: whole.kind === "index" ? innerIndexes(description, parts, known) : [],
    images,
    namesNothing: images.length === 0,
    parts: images.length,
    named: images.map(({ digest }) => digest),
    size: parts.every((part) => part.description) ? total([size, ...parts.map((part) => part.description.size)]) : null,
    platforms: platformLabels(named.filter(isImage).map((part) => completedPlatform(part.platform, part.description?.platform))),
    created: times.length ? new Date(Math.max(...times)) : created,
    lost: parts.filter((part) => part.description === undefined).map((part) => part.digest),
    unread: parts.flatMap((part) => (part.description === null ? [part.digest] : part.description?.unread ?? [])),
  };
}

/**
 * With what is wrong with it, and what of it can be pulled all the same.
 * @param {any} content @param {(digest: string) => import("../content/damage.js").Damaged[]} damageOf
 * @returns {any} its content, with the digests alone of what is `inner`
 */
function judged({ images, namesNothing, ...content }, damageOf) {
  const damaged = damageOf(content.digest);
  const told = new Set(damaged.map(({ digest }) => digest));
  const lost = content.lost.filter((digest) => !told.has(digest));
  const state = stateOf({ ...content, namesNothing }, damaged, lost);
  return { ...content, damaged, lost, state, pulls: pulls(content, state, images.filter((image) => image.description !== undefined && !damageOf(image.digest).length)) };
}

function stateOf({ kind, halfDeleted, namesNothing, bytes }, damaged, lost) {
  if (kind === "missing") return bytes || damaged.some(isHere) ? "unreadable" : "gone";
  if (kind === "unread") return "unread";
  if (halfDeleted) return "half";
  if (damaged.length || lost.length) return "broken";
  return namesNothing ? "empty" : "";
}

/** Whether there is more of it than its name: it is not just missing. */
const isHere = ({ size, isUnlinked, isForeign, obstacle }) => size !== null || isUnlinked || isForeign || Boolean(obstacle);

function pulls({ kind, inner }, state, images) {
  if (kind === "index" && state === "broken") return images.length ? "part" : "none";
  if (state !== "") return "none";
  return kind === "legacy" || inner.length ? "part" : "whole";
}

const content = ({ kind, purpose, client, artifactType }) => ({ kind, purpose, client, type: artifactType });

/** Of an index that names nothing but indexes, those in it that name images themselves: one without containerd's image store reads no further. */
function innerIndexes({ children }, parts, known) {
  const isIndex = ({ digest }) => known.get(digest)?.kind === "index";
  const namesImages = ({ description }) => description?.kind === "index" && description.children.some((child) => known.get(child.digest) && !isIndex(child));
  return children.every(isIndex) ? parts.filter(namesImages).map(({ digest }) => digest) : [];
}

/** The images of an index and of the indexes in it, as often as they are named; each index is read once. */
function below(index, known, seen, depth = 1) {
  return index.children.flatMap((child) => {
    const description = known.get(child.digest);
    // Of an index that is too deep nothing is said.
    const part = { ...child, description: description?.kind === "index" && depth >= DEPTH ? null : description };
    const goesOn = part.description?.kind === "index" && !seen.has(child.digest);
    seen.add(child.digest);
    return goesOn ? [part, ...below(part.description, known, seen, depth + 1)] : [part];
  });
}
