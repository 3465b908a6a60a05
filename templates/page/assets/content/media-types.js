/** What a manifest names, and what its media types say and those of an index's entries. */
import { asString, isObject, list } from "../browser/checked.js";

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
const isManifestType = (type) => type === "" || [...IMAGE_TYPES, ...INDEX_TYPES, ...LEGACY_TYPES].includes(type);

/** @param {any} entry of an index @returns {boolean} */
const namesManifest = (entry) => isManifestType(asString(entry?.mediaType));

/** @param {any} entry of an index @returns {boolean} whether it is not an image, but metadata of one */
export const isAttestation = ({ platform, annotations }) =>
  platform?.os === "unknown" || platform?.architecture === "unknown" || Boolean(annotations?.["vnd.docker.reference.type"]);

/** No index of honest use holds indexes so deep; deeper ones count as what is not here. */
export const DEPTH = 8;

/**
 * What a manifest names, see tests/contract/children.json.
 * @param {any} document of whatever form @returns {{config: any, layers: any[], manifests: any[], images: any[], blobs: any[], subject: any}}
 * descriptors, of which each may say no digest, null for none; of an index `manifests` are what it puts together, `images`
 * those that are not attestations, and `blobs` what it names that is not a manifest
 */
export function children({ config, layers, manifests, subject }) {
  const object = (value) => (isObject(value) && !Array.isArray(value) ? value : null);
  const entries = list(manifests).filter(object);
  const named = entries.filter(namesManifest);
  return {
    config: object(config),
    layers: list(layers).filter(object),
    manifests: named,
    images: named.filter((entry) => !isAttestation(entry)),
    blobs: entries.filter((entry) => !namesManifest(entry)),
    subject: object(subject),
  };
}
