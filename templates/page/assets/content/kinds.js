/** What a manifest is, by the media types in it and in its descriptors: an image, an index, a build cache, an artifact. */
import { asString, isObject, list } from "../browser/checked.js";
import { children, isIndex } from "./media-types.js";

const DOCKER = "application/vnd.docker.";
const OCI = "application/vnd.oci.image.";
const CONFIG_TYPES = [`${DOCKER}container.image.v1+json`, `${OCI}config.v1+json`];
// What images of 2016 have as the type of their configuration. Docker pulls them (moby, distribution/registry.go).
const OLD_CONFIG_TYPES = ["application/octet-stream", "application/json", "text/html", ""];
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";
const LAYER_TYPE = /^application\/vnd\.(docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.\w+)?|oci\.image\.layer\.[\w.]*tar)(\+\w+)*$/;
// What OCIcrypt puts behind the type of a layer.
const ENCRYPTED = "+encrypted";
const CACHE_TYPE = /^application\/vnd\.buildkit\.cacheconfig\./;

const PACKAGE_TYPE = "com.github.package.type";
const BOTTLE = "homebrew_bottle";
const TITLE = "org.opencontainers.image.title";

// The first that fits a type, or the predicate of a statement, names what it is for.
/** @type {[string, RegExp][]} */
const PURPOSES = [
  ["cache", CACHE_TYPE],
  ["chart", /cncf\.helm/],
  ["flux", /cncf\.flux/],
  ["compose", /docker\.compose/],
  ["model", /docker\.ai\.|ollama\.image|cncf\.model|cnai\.model|kitops\.modelkit/],
  ["plugin", /docker\.plugin/],
  ["homebrew", /^homebrew_bottle$/],
  ["provenance", /slsa\.dev\/provenance|slsaprovenance/],
  ["sbom", /spdx|cyclonedx|syft|sbom/],
  ["vex", /openvex|\bvex\b/],
  ["signature", /signature|simplesigning|cosign\/sign|artifact\.sig/],
  ["attestation", /in-toto|dsse|attestation|predicate|sigstore\.bundle/],
  ["wasm", /\bwasm\b/],
];

/** @type {Record<string, Client>} */
const CLIENTS = { cache: "buildkit", chart: "helm", flux: "flux", compose: "compose", plugin: "docker-plugin" };

/**
 * @typedef {"image" | "index" | "cache" | "artifact" | "legacy"} Kind
 * @typedef {"docker" | "docker-plugin" | "docker-model" | "buildkit" | "helm" | "flux" | "compose" | "ollama" | "oras" | "skopeo"} Client
 * @typedef {{kind: Kind, purpose: string, type: string, client: Client}} Content
 * `purpose` as in `text.image.purposes`, empty for images that Docker pulls and what is unknown; `type` is an artifact's; `client` gets it.
 * @param {any} document a manifest @param {string} [mediaType] as the registry calls it
 * @returns {Content}
 */
export function kindOf(document, mediaType = asString(document.mediaType)) {
  if (document.schemaVersion === 1) return { kind: "legacy", purpose: "", type: "", client: "docker" };
  if (isIndex(document, mediaType)) return kindOfIndex(document);
  const { config, layers } = children(document);
  const configType = asString(config?.mediaType);
  const types = layers.map((layer) => asString(layer.mediaType));
  const isCache = CACHE_TYPE.test(configType);
  const bottle = bottleType(document);
  const isImage = isImageType(configType) || isOldImage(document, configType, layers);
  if (isImage && types.every(isLayerType) && !bottle) {
    const isEncrypted = types.some((each) => each.endsWith(ENCRYPTED));
    return { kind: "image", purpose: isEncrypted ? "encrypted" : "", type: "", client: isEncrypted ? "skopeo" : "docker" };
  }
  const ownType = isImageType(configType) || configType === EMPTY_TYPE ? "" : configType;
  const type = isCache ? configType : asString(document.artifactType) || ownType || bottle || (types.find((each) => each && !isLayerType(each)) ?? "");
  const purpose = bottle ? "homebrew" : statedPurpose(document) || firstPurpose([type, configType, ...types]);
  return { kind: isCache ? "cache" : "artifact", purpose, type, client: clientOf(purpose, type, layers.some(hasTitle)) };
}

/**
 * @param {Content} own what an index is by itself
 * @param {Content[]} parts what is known of the manifests that it puts together
 * @returns {Content} an image's only if one of them is an image, otherwise an artifact as they are
 */
export function kindOfWhole(own, parts) {
  const images = parts.filter(({ kind }) => kind === "image" || kind === "legacy");
  if (images.length) return { ...(images.find(({ purpose }) => !purpose) ?? images[0]), kind: "index" };
  const [first] = parts;
  if (first) return { kind: first.kind, purpose: own.purpose || first.purpose, type: own.type || first.type, client: first.client };
  return own.type ? { ...own, kind: "artifact" } : own;
}

/** @param {string} type a media type, or a predicate's @returns {string} what it is for, empty if that is not known */
export const purposeOf = (type) => PURPOSES.find(([, pattern]) => pattern.test(type.toLowerCase()))?.[0] ?? "";

/** @param {any} part a manifest or a layer @returns {string} BuildKit, cosign and sigstore's bundles each have a key of their own */
export function predicateOf(part) {
  const annotations = isObject(part?.annotations) ? part.annotations : {};
  return asString(annotations["in-toto.io/predicate-type"] ?? annotations.predicateType ?? annotations["dev.sigstore.bundle.predicateType"]);
}

/** @param {any} document @returns {Content} */
function kindOfIndex(document) {
  const { manifests, images, blobs } = children(document);
  const types = blobs.map((blob) => asString(blob.mediaType));
  const cacheType = types.find((type) => CACHE_TYPE.test(type));
  if (cacheType) return { kind: "cache", purpose: "cache", type: cacheType, client: CLIENTS.cache };
  const ownType = asString(document.artifactType) || bottleType(document);
  if (types.length && !manifests.length) {
    const type = ownType || types[0];
    return { kind: "artifact", purpose: purposeOf(type), type, client: clientOf(purposeOf(type), type, false) };
  }
  const artifactTypes = images.map((entry) => asString(entry.artifactType));
  const type = ownType || (artifactTypes.every(Boolean) ? artifactTypes[0] ?? "" : "");
  const client = type ? clientOf(purposeOf(type), type, type === BOTTLE) : "docker";
  return { kind: "index", purpose: purposeOf(type), type, client };
}

const isImageType = (type) => CONFIG_TYPES.includes(type);

/** What says no type says nothing against being an image's layer. */
const isLayerType = (type) => type === "" || LAYER_TYPE.test(type);

/** @returns {boolean} whether all layers say that they are an image's, and nothing else says what it is */
function isOldImage(document, configType, layers) {
  const saysOther = Boolean(asString(document.artifactType)) || layers.some(hasTitle);
  const hasConfig = OLD_CONFIG_TYPES.includes(configType) && Boolean(asString(document.config?.digest));
  return hasConfig && layers.length > 0 && layers.every((layer) => LAYER_TYPE.test(asString(layer.mediaType))) && !saysOther;
}

const hasTitle = (layer) => Boolean(asString(layer.annotations?.[TITLE]));

const bottleType = (document) => (asString(document.annotations?.[PACKAGE_TYPE]) === BOTTLE ? BOTTLE : "");

const firstPurpose = (types) => types.map(purposeOf).find(Boolean) ?? "";

const statedPurpose = (document) =>
  [document, ...list(document.layers)].map(predicateOf).filter(Boolean).map((predicate) => purposeOf(predicate) || "attestation")[0] ?? "";

function clientOf(purpose, type, titled) {
  if (purpose === "model" && /docker\.ai\./.test(type)) return "docker-model";
  if (purpose === "model" && /ollama/.test(type)) return "ollama";
  return CLIENTS[purpose] ?? (titled ? "oras" : "skopeo");
}
