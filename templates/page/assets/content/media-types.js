/** What the media types of manifests say, and those of an index's entries. */
import { asString } from "../browser/checked.js";

const DOCKER = "application/vnd.docker.";
const OCI = "application/vnd.oci.image.";

export const IMAGE_TYPES = [`${DOCKER}distribution.manifest.v2+json`, `${OCI}manifest.v1+json`];
export const INDEX_TYPES = [`${DOCKER}distribution.manifest.list.v2+json`, `${OCI}index.v1+json`];
const LEGACY_TYPES = [`${DOCKER}distribution.manifest.v1+json`, `${DOCKER}distribution.manifest.v1+prettyjws`];

/** All four, always: asked for less, the registry converts and answers with another digest. */
export const ACCEPT = [...IMAGE_TYPES, ...INDEX_TYPES].join(", ");

/** @param {any} document @param {string} [mediaType] @returns {boolean} */
export const isIndex = (document, mediaType = asString(document.mediaType)) =>
  INDEX_TYPES.includes(mediaType) || Array.isArray(document.manifests);

/** @param {string} type of an index's descriptor @returns {boolean} whether it is a manifest that is named, and no blob */
export const isManifestType = (type) => type === "" || [...IMAGE_TYPES, ...INDEX_TYPES, ...LEGACY_TYPES].includes(type);

/** @param {any} entry of an index @returns {boolean} */
export const namesManifest = (entry) => isManifestType(asString(entry?.mediaType));

/** @param {any} entry of an index @returns {boolean} whether it is not an image, but what is told of one */
export const isAttestation = ({ platform, annotations }) =>
  platform?.os === "unknown" || platform?.architecture === "unknown" || Boolean(annotations?.["vnd.docker.reference.type"]);
