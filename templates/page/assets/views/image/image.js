/** One image, or whatever else a tag or a digest refers to. */
import { h } from "../../browser/dom.js";
import { bytes, moment as absolute, naturally, shortDigest } from "../../browser/format.js";
import { retryOnce } from "../../browser/loading.js";
import { isName } from "../../browser/names.js";
import { digestPath, repositoryPath, tagPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { damageIn } from "../../content/damage.js";
import { isDigest, readPurposes, readReferringTag } from "../../content/image.js";
import { artifactName, describe } from "../../content/manifest.js";
import { isIndex } from "../../content/media-types.js";
import { realTime } from "../../content/moments.js";
import { platformLabel } from "../../content/platform.js";
import { cureOf, stateSentence } from "../../content/states.js";
import { RegistryError } from "../../registry/client.js";
import { readRepository } from "../../registry/overview.js";
import { askToDelete } from "../deleting/ask-to-delete.js";
import { breadcrumb, button, commandBox, errorNotice, keepingFocus, notice, skeleton, stepsTo } from "../parts.js";
import { builderFacts, manifestSections, readManifest } from "./image-manifest.js";
import { digestButton, facts, originFacts, timeAgo } from "./image-parts.js";
import { purposeWords, referrersSection } from "./image-referrers.js";
import { readOrigin } from "./origin.js";

const SIBLINGS = 12;
// Of an index that no tag leads to, the overview says nothing: this many of its images are asked for.
const UNTAGGED_CHILD_LIMIT = 24;

/** @param {any} context the router's and the application's */
export function showImage(context) {
  const { root, name, tag, digest, setTitle } = context;
  const title = tag ? `${name}:${tag}` : `${name}@${shortDigest(digest)}`;
  const body = h("div", { class: "image" });
  setTitle(title);
  const actions = h("div", { class: "actions" });
  root.append(
    breadcrumb([...stepsTo(name, repositoryPath(name)), { label: tag || shortDigest(digest) }]),
    h("div", { class: "title" }, h("h1", { tabindex: "-1" }, title), actions),
    body,
  );
  if (isName(name)) load({ ...context, body, actions, title });
  else body.append(notice(h("h2", {}, text.invalidName), h("p", {}, text.invalidNameAdvice)));
}

async function load(context) {
  const { body, title, announce, signal, restoreScroll } = context;
  announce(text.image.loading);
  body.replaceChildren(skeleton(8));
  try {
    const shown = { ...context, ...(await readImage(context)), wish: { byDigest: false, opened: new Set() }, retry: () => load(context) };
    await draw(shown);
    if (shown.details.state === "broken") body.prepend(brokenNotice(shown));
    context.actions.replaceChildren(...(shown.repository.may.delete === true ? [deleteButton(shown)] : []));
    restoreScroll();
    announce(text.image.shown(title));
  } catch (error) {
    if (signal.aborted) return;
    body.replaceChildren(error.kind === "missing" ? missingNotice(context, error) : errorNotice(error, () => load(context)));
    if (error.kind === "missing") announce(missingWords(context, error)[0]);
  }
}

/** A tag's image is deleted by the tag, and one that was opened by its digest with all its tags. */
function deleteButton({ client, name, tag, digest, signal, announce, go }) {
  const wanted = tag ? { tags: [tag] } : { digest };
  const onChange = () => go(repositoryPath(name));
  return button(text.tags.deleting.open, () => askToDelete({ client, name, ...wanted, signal, onChange }));
}

/** @returns {Promise<any>} the repository's overview, and what is known of the digest asked for */
async function readImage({ client, name, tag, digest: asked, signal }) {
  const repository = await client.repository(name, signal);
  const digest = tag ? known(repository.tags, tag) : asked;
  if (digest === undefined || (!tag && !isDigest(digest))) throw new RegistryError("missing", { code: "REFERENCE" });
  if (!known(repository.manifests, digest)) expectMissing(repository, name, tag, digest);
  const strays = known(repository.manifests, digest)?.document || !isDigest(digest) ? {} : await readStrays(client, name, digest, signal);
  const manifests = { ...repository.manifests, ...strays };
  const document = known(manifests, digest)?.document;
  if (!document) throw new RegistryError("missing", { code: "MANIFEST" });
  // As if a tag without a name led to it: the tags beside that one are all that do.
  const details = readRepository({
    ...repository, tags: { ...repository.tags, "": digest }, manifests, pushed: { "": known(repository.pushed ?? {}, tag) },
  }).tags.get("");
  const damageOf = damageIn({ ...repository, manifests });
  return { repository, digest, document, details, damageOf, entryOf: (one) => known(manifests, one) };
}

/** Of a manifest that is here and cannot be read, the registry gives a fault, and no reason: then raises a RegistryError with it. */
function expectMissing(repository, name, tag, digest) {
  const details = readRepository({ ...repository, tags: { "": digest } }).tags.get("");
  if (details.state !== "unreadable") return;
  const image = tag ? `${name}:${tag}` : `${name}@${shortDigest(digest)}`;
  throw new RegistryError("missing", { code: "UNREADABLE", message: stateSentence(image, details) });
}

/**
 * What no tag leads to: the manifest itself and, of an index, its images.
 * @returns {Promise<Record<string, {document: any, config: any}>>}
 */
async function readStrays(client, name, digest, signal) {
  /** @param {string} one @returns {Promise<[string, {document: any, config: any}]>} */
  const read = async (one) => [one, { document: (await client.manifest(name, one, signal)).document, config: null }];
  const missing = (error) => {
    if (error.kind !== "missing") throw error;
    return null;
  };
  const own = await read(digest).catch(missing);
  const listed = own?.[1].document.manifests;
  const children = new Set((Array.isArray(listed) ? listed : []).map((entry) => entry?.digest).filter(isDigest));
  const found = await Promise.all([...children].slice(0, UNTAGGED_CHILD_LIMIT).map((one) => read(one).catch(missing)));
  return Object.fromEntries([own, ...found].filter(Boolean));
}

const known = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

/** What is damaged or lost is first: the rest of the view shows what the manifest says. */
function brokenNotice({ title, details, announce }) {
  const { collect, look } = details.damaged.length ? cureOf(details.damaged) : {};
  const lines = [...(collect ? ["deployer gc --damaged"] : []), ...(look ? ["deployer status"] : [])];
  return h("div", { class: "notice error" }, h("h2", {}, look ? text.image.doubtful : text.image.broken), h("p", {}, stateSentence(title, details)),
    lines.length ? commandBox({ lines, announce }).element : null);
}

function missingWords({ name, tag, digest }, { code, message }) {
  if (code === "UNREADABLE") return [text.image.unreadable, message];
  if (code === "MANIFEST" && tag) return [text.image.gone(tag), text.image.goneAdvice];
  if (code === "REFERENCE" || code === "MANIFEST") return [text.image.unknown(name, tag || shortDigest(digest)), text.image.unknownAdvice];
  return [text.tags.unknownRepository(name), text.image.unknownAdvice];
}

function missingNotice(context, error) {
  const [title, advice] = missingWords(context, error);
  const way = h("p", {}, h("a", { href: repositoryPath(context.name) }, text.tags.tagsOf(context.name)));
  return notice(h("h2", {}, title), h("p", {}, advice), way, button(text.retry, () => keepingFocus(() => load(context))));
}

async function draw(shown) {
  const { body, document, digest, details, name, tag } = shown;
  if (describe(document, document.mediaType).kind === "index") {
    const { drawIndex } = await retryOnce(() => import("./image-index.js")).catch(() => Promise.reject(new RegistryError("unreachable")));
    return body.replaceChildren(facts(factsOf(shown, null)), ...(await drawIndex(shown)));
  }
  // A placeholder is not an image, and nothing that one would pull.
  if (details.halfDeleted) return body.replaceChildren(notice(h("p", {}, text.image.halfDeleted(`${name}:${tag}`))));
  const part = { digest, attestations: [], ...(await readManifest(shown, document)) };
  const got = details.pulls === "none" ? null : { tag, digest, platform: "" };
  const sections = manifestSections({ ...shown, got }, part);
  body.replaceChildren(facts([...factsOf(shown, part.config), [text.image.platform, platformLabel(part.config)], ...builderFacts(part)]), ...sections, referrersSection(shown, part));
}

function factsOf({ name, tag, digest, document, details, announce }, config) {
  const { size, sharing, kind, parts } = details;
  const created = details.created ?? realTime(config?.created, new Date());
  const when = (time) => time && [timeAgo(time), h("small", {}, absolute(time))];
  const sum = kind === "index" && parts > 1 && size !== null ? h("small", {}, text.tags.sizeOfAll(parts)) : null;
  const referring = readReferringTag(tag);
  const subject = document.subject?.digest ?? referring?.digest;
  return [
    [text.image.digest, digestButton(digest, announce)],
    [text.tags.created, when(created) ?? unknownTime(details)],
    [text.tags.pushed, when(details.pushed)],
    [text.tags.size, [size === null ? text.tags.noneKnown : bytes(size), sum]],
    [text.image.type, typeWords(document, details, referring)],
    [tag ? text.image.otherTags : text.image.tags, tagLinks(name, digest, sharing.filter((other) => other && other !== tag))],
    ...originFacts(readOrigin(config?.config?.Labels, document.annotations)),
    [text.image.about, isDigest(subject) && h("a", { href: digestPath(name, subject) }, shortDigest(subject))],
  ];
}

/** What was not read may well say when it was made. */
const unknownTime = ({ unread }) => unread.length
  ? h("span", { class: "unknown", title: text.tags.notReadAdvice }, text.tags.states.words.unread)
  : h("span", { class: "unknown", title: text.tags.createdUnknown }, text.tags.noneKnown);

/** All of them are on the repository's view, which finds tags by their digest. */
function tagLinks(name, digest, tags) {
  const links = tags.sort(naturally).slice(0, SIBLINGS).map((tag) => h("a", { href: tagPath(name, tag) }, tag));
  const more = tags.length - links.length;
  const rest = h("a", { href: `${repositoryPath(name)}?${new URLSearchParams({ filter: digest })}` }, text.tags.morePlatforms(more));
  return more ? [...links, rest] : links;
}

function typeWords(document, { kind, purpose, artifactType }, referring) {
  const type = String(document.mediaType ?? "");
  const isDocker = type.startsWith("application/vnd.docker.");
  if (kind === "legacy") return text.tags.legacy;
  if (referring?.kind === "referrers") return text.image.purposes.referrers;
  if (purpose === "encrypted") return text.image.purposes.encrypted;
  if (isIndex(document) && (kind !== "index" || purpose)) return text.image.purposes[purpose] ?? (artifactName(artifactType) || text.tags.artifact);
  if (kind === "index") return isDocker ? text.image.types.list : text.image.types.index;
  if (kind === "image" && !readPurposes(document).length) return isDocker ? text.image.types.docker : text.image.types.oci;
  return purposeWords(document).join(", ");
}
