/** What manifests and configurations say in detail. Everything in them is a stranger's word: checked, then used. */
import { asString, list } from "../browser/checked.js";
import { attachedPurpose, attachedTo } from "./attached.js";
import { predicateOf, purposeOf } from "./kinds.js";
import { artifactName } from "./manifest.js";
import { children } from "./media-types.js";

const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}$/;
/** @type {[string, number][]} */
const DURATIONS = [["h", 3_600], ["m", 60], ["s", 1]];
const CHART = ["name", "version", "appVersion", "type", "description", "kubeVersion", "home", "deprecated"];

/** @param {unknown} value @returns {boolean} whether it is a digest, and no more: it goes into addresses */
export const isDigest = (value) => typeof value === "string" && DIGEST.test(value);

/**
 * @typedef {{digest: string, size: number | null, mediaType: string, type: string, foreign: boolean, title: string}} Layer
 * `size` in bytes; `foreign`: fetched from elsewhere, the registry need not have it.
 */

/**
 * @param {any} document a manifest
 * @returns {Layer[]} the lowest first; of an index, such as a build cache, what it names that is not a manifest
 */
export const readLayers = (document) =>
  [...list(document.layers), ...children(document).blobs].map((layer) => ({
    digest: isDigest(layer?.digest) ? layer.digest : "",
    size: Number.isSafeInteger(layer?.size) && layer.size >= 0 ? layer.size : null,
    mediaType: asString(layer?.mediaType),
    type: layerType(asString(layer?.mediaType)),
    foreign: /foreign|nondistributable/.test(asString(layer?.mediaType)),
    title: asString(layer?.annotations?.["org.opencontainers.image.title"]),
  }));

/** @param {string} mediaType @returns {string} what distinguishes layers: `tar+gzip` of most */
export const layerType = (mediaType) =>
  mediaType
    .replace(/^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar\.?/, "tar+")
    .replace(/^application\/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\./, "")
    .replace(/^application\/(vnd\.)?/, "")
    .replace(/\+$/, "");

/**
 * How a container of this image starts.
 * @param {any} config
 * @returns {[string, string[]][]} what is set, by its name in `text.image.settings`, as lines
 */
export function readSettings(config) {
  const run = object(config.config);
  /** @type {[string, any[]][]} */
  const settings = [
    ["entrypoint", [command(run.Entrypoint)]],
    ["command", [command(run.Cmd)]],
    ["directory", [run.WorkingDir]],
    ["user", [run.User]],
    ["environment", list(run.Env)],
    ["ports", Object.keys(object(run.ExposedPorts))],
    ["volumes", Object.keys(object(run.Volumes))],
    ["stopSignal", [run.StopSignal]],
    ["healthcheck", [healthcheck(object(run.Healthcheck))]],
    ["shell", [command(run.Shell)]],
    ["onBuild", list(run.OnBuild)],
  ];
  return settings
    .map(([key, lines]) => /** @type {[string, string[]]} */ ([key, lines.map(asString).filter(Boolean)]))
    .filter(([, lines]) => lines.length);
}

/** @param {unknown} value labels or annotations @returns {[string, string][]} in the order of their names */
export const readPairs = (value) =>
  Object.entries(object(value))
    .map(([key, content]) => /** @type {[string, string]} */ ([key, typeof content === "string" ? content : JSON.stringify(content)]))
    .sort(([one], [other]) => (one < other ? -1 : 1));

/**
 * A Helm chart's Chart.yaml, which is its configuration.
 * @param {any} config
 * @returns {[string, string][]} by the names in `text.image.chart`
 */
export const readChart = (config) =>
  CHART.map((key) => /** @type {[string, string]} */ ([key, key === "deprecated" ? (config[key] === true ? "true" : "") : asString(config[key])]))
    .filter(([, value]) => value);

/**
 * What a manifest beside images is for. BuildKit puts several statements into one.
 * @param {any} document
 * @returns {{kind: string, detail: string}[]} `kind` as in `text.image.purposes`; empty for images and what is unknown
 */
export function readPurposes(document) {
  const types = [document.artifactType, document.config?.mediaType, ...list(document.layers).map((layer) => layer?.mediaType)]
    .map(asString)
    .filter(Boolean);
  const predicates = [document, ...list(document.layers)].map(predicateOf).filter(Boolean);
  if (predicates.length) {
    return [...new Set(predicates)].map((predicate) => ({ kind: purposeOf(predicate) || "attestation", detail: predicateName(predicate) }));
  }
  const type = types.find(purposeOf);
  return type ? [{ kind: purposeOf(type), detail: artifactName(type) }] : [];
}

/**
 * What a tag says of itself that refers to content about another image.
 * @param {string} tag
 * @returns {{digest: string, kind: string} | null} of a sha512 digest its beginning
 */
export const readReferringTag = (tag) =>
  attachedTo(tag) ? { digest: attachedTo(tag), kind: attachedPurpose(tag) } : null;

/** @param {string} content JSON @returns {any} an object; null for what is none */
export function parse(content) {
  try {
    const document = JSON.parse(content);
    return document && typeof document === "object" && !Array.isArray(document) ? document : null;
  } catch {
    return null;
  }
}

const predicateName = (predicate) =>
  predicate
    .replace(/^https:\/\/slsa\.dev\/provenance\//, "SLSA ")
    .replace(/^https:\/\/spdx\.dev\/Document.*/, "SPDX")
    .replace(/^https:\/\/cyclonedx\.org\/bom.*/, "CycloneDX");

/** As a Dockerfile writes what runs without a shell. */
const command = (value) =>
  list(value).length ? `[${list(value).map((word) => JSON.stringify(word)).join(", ")}]` : asString(value);

/** As a Dockerfile writes it. */
function healthcheck({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries }) {
  const [way, ...rest] = list(Test);
  if (!way || way === "NONE") return asString(way);
  const times = { interval: Interval, timeout: Timeout, "start-period": StartPeriod, "start-interval": StartInterval };
  const options = Object.entries(times).filter(([, time]) => time > 0).map(([key, time]) => `--${key}=${duration(time)}`);
  const retries = Retries > 0 ? [`--retries=${Retries}`] : [];
  return [...options, ...retries, "CMD", way === "CMD-SHELL" ? rest.join(" ") : command(rest)].join(" ");
}

/** @param {number} time in nanoseconds @returns {string} as Go and Docker write it: 1m30s */
function duration(time) {
  let seconds = time / 1e9;
  if (seconds < 1) return `${time / 1e6}ms`;
  return DURATIONS.map(([unit, length]) => {
    const count = unit === "s" ? Math.round(seconds * 1000) / 1000 : Math.floor(seconds / length);
    seconds -= count * length;
    return count ? count + unit : "";
  }).join("");
}

const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
