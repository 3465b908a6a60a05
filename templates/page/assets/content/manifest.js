/** Manifests, and what they say by themselves. Everything in them is a stranger's word: checked, then used. */
import { list, namesContent, asString } from "../browser/checked.js";
import { kindOf } from "./kinds.js";
import { children } from "./media-types.js";
import { partsOf, total } from "./weight.js";

/** The annotation of a placeholder image, with the digest that its tag had. */
export const HALF_DELETED = "deployer.half-deleted.digest";

/** The blob `{}`, whose digest needs no computing: browsers compute none on plain HTTP. */
export const NOTHING = { text: "{}", digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" };

/**
 * @typedef {{digest: string, platform: any}} Child `platform` is the entry's own
 * @typedef {{kind: import("./kinds.js").Kind, purpose: string, client: import("./kinds.js").Client, size: number | null,
 *   config: string, children: Child[], artifactType: string, created: unknown, halfDeleted: boolean,
 *   blobs: {digest: string, size: number | null}[]}} Description
 * `size` in bytes, of its `blobs`: the configuration and all layers, or what an index names that is no manifest; null
 * where one says none that can be;
 * `config`: the digest of an image's; `created`: the annotation, not checked yet
 */

/**
 * @param {any} document the manifest
 * @param {string} [mediaType] as the registry calls it
 * @returns {Description}
 */
export function describe(document, mediaType = asString(document.mediaType)) {
  const { kind, purpose, client, type } = kindOf(document, mediaType);
  const blobs = partsOf(document, mediaType);
  return {
    kind,
    purpose,
    client,
    artifactType: type,
    children: kind === "index" ? platformChildren(document) : [],
    blobs,
    size: total(blobs.map((blob) => blob.size)),
    config: kind === "image" ? asString(document.config?.digest) : "",
    halfDeleted: Boolean(originalOf(document)),
    created: document.annotations?.["org.opencontainers.image.created"],
  };
}

/**
 * The digest that a placeholder names, "" of any other manifest. A placeholder is in for a tag's own image while that is
 * deleted, see `deletion.js` and tests/contract/placeholder.json; left there, the deletion was interrupted.
 * @param {any} document @returns {string}
 */
export function originalOf({ config, layers, annotations }) {
  const isPlaceholder = config?.digest === NOTHING.digest && !list(layers).length;
  const digest = asString(annotations?.[HALF_DELETED]);
  return isPlaceholder && /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest) ? digest : "";
}

/**
 * @param {string} type a media type
 * @returns {string} the part of it that distinguishes artifacts: `cncf.helm` of a chart's configuration
 */
export const artifactName = (type) =>
  type.replace(/^application\/(vnd\.)?/, "").replace(/\+\w+$/, "").replace(/(\.config)?(\.v\d+(\.\d+)*)?$/, "");

/** An index's images, each once for a platform. BuildKit puts attestations beside them, for the platform unknown/unknown. */
function platformChildren(document) {
  const images = children(document).images.filter(({ digest }) => namesContent(digest));
  return [...new Map(images.map((child) => [`${child.digest} ${JSON.stringify(child.platform)}`, child])).values()].map((child) => ({
    digest: child.digest,
    platform: child.platform,
  }));
}
