/** What is attached to an image: signatures, attestations, lists of contents and whatever else refers to it. */
import { isolated } from "../../browser/direction.js";
import { h } from "../../browser/dom.js";
import { bytes, naturally, shortDigest } from "../../browser/format.js";
import { digestPath, tagPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { attachedPurpose, isAttachedTo } from "../../content/attached.js";
import { readPurposes } from "../../content/image.js";
import { artifactName, describe } from "../../content/manifest.js";
import { realTime } from "../../content/moments.js";
import { errorNotice, skeleton } from "../parts.js";
import { section, timeAgo } from "./image-parts.js";

/**
 * @param {any} shown the view's
 * @param {{digest: string, document: any, attestations: {digest: string, document: any}[]}} part
 * @returns {HTMLElement} which fills itself; hidden if nothing is attached
 */
export function referrersSection(shown, part) {
  const { client, name, digest, signal } = shown;
  const list = h("div", { class: "referrers" }, skeleton(1));
  const element = section(text.image.attached, list);

  async function load() {
    try {
      const about = [...new Set([digest, part.digest])];
      const answers = await Promise.all(about.map((one) => client.referrers(name, one, signal)));
      const found = [...part.attestations, ...answers.flat(), ...referringTags(shown, about)];
      const distinct = [...new Map(found.map((each) => [each.digest, each])).values()];
      element.hidden = !distinct.length;
      list.replaceChildren(h("ul", {}, ...distinct.map((each) => row(name, each))));
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(errorNotice(error, load));
    }
  }
  load();
  return element;
}

/** What cosign, and clients of registries without referrers, say by a tag's name. */
function referringTags({ repository }, about) {
  return Object.keys(repository.tags)
    .sort(naturally)
    .filter((tag) => about.some((subject) => isAttachedTo(tag, subject)))
    .map((tag) => {
      const digest = repository.tags[tag];
      return { tag, kind: attachedPurpose(tag), digest, document: repository.manifests[digest]?.document ?? null };
    });
}

function row(name, { tag, digest, document, kind }) {
  const description = document && describe(document, document.mediaType);
  const size = description && description.kind !== "index" && description.size !== null ? bytes(description.size) : null;
  const words = document ? purposeWords(document, kind) : [text.image.purposes[kind] ?? text.image.purposes.attestation];
  return h("li", {},
    h("a", { href: tag ? tagPath(name, tag) : digestPath(name, digest) }, words.join(", ")),
    h("span", {}, h("code", { title: digest }, tag ?? shortDigest(digest))),
    document ? h("span", {}, size, timeAgo(realTime(description.created, new Date()))) : h("span", {}, text.image.notHere));
}

/**
 * @param {any} document @param {string} [otherwise] a purpose that is known from elsewhere
 * @returns {string[]} what it is for, in words
 */
export function purposeWords(document, otherwise) {
  const purposes = readPurposes(document).map(({ kind, detail }) => `${text.image.purposes[kind]} (${isolated(detail)})`);
  if (purposes.length) return purposes;
  const { kind, artifactType } = describe(document, document.mediaType);
  return [text.image.purposes[otherwise] ?? (kind === "artifact" ? artifactName(artifactType) || text.tags.artifact : text.image.image)];
}
