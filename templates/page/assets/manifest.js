/** Kinds of manifests, and what they say by themselves. Everything in them is a stranger's word: checked, then used. */
import { isObject, list, words } from "./checked.js";

const DOCKER = "application/vnd.docker.";
const OCI = "application/vnd.oci.image.";

const IMAGE_TYPES = [`${DOCKER}distribution.manifest.v2+json`, `${OCI}manifest.v1+json`];
const INDEX_TYPES = [`${DOCKER}distribution.manifest.list.v2+json`, `${OCI}index.v1+json`];
const CONFIG_TYPES = [`${DOCKER}container.image.v1+json`, `${OCI}config.v1+json`];

/** The annotation of a throw-away image, with the digest that its tag had. */
export const HALF_DELETED = "deployer.half-deleted.digest";

/** The blob `{}`, whose digest needs no computing: browsers compute none on plain HTTP. */
export const NOTHING = { text: "{}", digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" };

/** All four, always: asked for less, the registry converts and answers with another digest. */
export const ACCEPT = [...IMAGE_TYPES, ...INDEX_TYPES].join(", ");

/**
 * @typedef {{digest: string, platform: string}} Child
 * @typedef {{kind: "image" | "index" | "artifact" | "legacy", size: number, config: string, children: Child[],
 *   artifactType: string, created: Date | null, halfDeleted: boolean,
 *   blobs: {digest: string, size: number}[]}} Description
 * `size` in bytes, of the configuration and all layers, which are its `blobs`
 */

/**
 * @param {any} document the manifest
 * @param {string} mediaType as the registry calls it
 * @returns {Description}
 */
export function describe(document, mediaType) {
  const description = {
    kind: "legacy",
    size: 0,
    config: "",
    children: [],
    artifactType: "",
    blobs: [],
    halfDeleted: isThrowAway(document),
    created: moment(document.annotations?.["org.opencontainers.image.created"]),
  };
  if (document.schemaVersion === 1) return description;
  if (INDEX_TYPES.includes(mediaType) || Array.isArray(document.manifests)) {
    return { ...description, kind: "index", children: platformChildren(list(document.manifests)) };
  }
  const config = document.config ?? {};
  const isImage = CONFIG_TYPES.includes(config.mediaType);
  const blobs = [config, ...list(document.layers)]
    .filter(isObject)
    .map((part) => ({ digest: words(part.digest), size: size(part.size) }));
  return {
    ...description,
    kind: isImage ? "image" : "artifact",
    blobs,
    size: blobs.reduce((sum, blob) => sum + blob.size, 0),
    config: isImage ? words(config.digest) : "",
    artifactType: isImage ? "" : words(document.artifactType) || words(config.mediaType),
  };
}

/** What stands in for a tag's own image while that is deleted, see `deletion.js`; left there, the deletion was cut off. */
const isThrowAway = ({ config, layers, annotations }) =>
  config?.digest === NOTHING.digest && !list(layers).length && /^sha256:[0-9a-f]{64}$/.test(words(annotations?.[HALF_DELETED]));

/**
 * What an image's configuration says.
 * @param {any} config
 * @returns {{created: Date | null, platform: string}}
 */
export const readConfig = (config) => ({ created: moment(config.created), platform: platformName(config) });

/**
 * @param {any} platform
 * @returns {string} as `docker --platform` takes it; empty where there is none
 */
export function platformName(platform) {
  const parts = [platform?.os, platform?.architecture, platform?.variant].map(words).filter(Boolean);
  return parts.length < 2 || parts.includes("unknown") ? "" : parts.join("/");
}

/**
 * @param {string} type a media type
 * @returns {string} the part of it that tells artifacts apart: `cncf.helm` of a chart's configuration
 */
export const artifactName = (type) =>
  type.replace(/^application\/(vnd\.)?/, "").replace(/\+\w+$/, "").replace(/(\.config)?(\.v\d+(\.\d+)*)?$/, "");

/**
 * @param {unknown} value as RFC 3339 writes it
 * @returns {Date | null} null also for the year 1, which Go writes where no time was set
 */
export function moment(value) {
  const date = new Date(words(value));
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() <= 1 ? null : date;
}

/** An index's images, each once. BuildKit puts attestations beside them, for the platform unknown/unknown. */
function platformChildren(entries) {
  const children = entries.filter((entry) => words(entry?.digest) && !isAttestation(entry));
  return [...new Map(children.map((child) => [child.digest, child])).values()].map((child) => ({
    digest: child.digest,
    platform: platformName(child.platform),
  }));
}

/** @param {any} entry of an index @returns {boolean} whether it is no image, but what is told of one */
export function isAttestation({ platform, annotations }) {
  return platform?.os === "unknown" || platform?.architecture === "unknown" ||
    Boolean(annotations?.["vnd.docker.reference.type"]);
}

const size = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : 0);
