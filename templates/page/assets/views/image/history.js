/** How an image was built, as far as it tells: its configuration's history beside its layers. */
import { list } from "../../browser/checked.js";
import { isDigest, layerType, parse } from "../../content/image.js";
import { realTime } from "../../content/moments.js";

const INSTRUCTION =
  /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s+([^]*)$/;
const SHELL = /^(?:\/bin\/sh -c|cmd \/S \/C) /;
const NOT_RUN = /^#\(nop\)\s*/;
// `|2 A=1 B=2 /bin/sh -c make`: the arguments of the build that were set, then the shell.
const ARGUMENTS = /^\|\d+(?: ([^]*?))? ((?:\/[\w./-]*sh|cmd|powershell|pwsh)(?:\.exe)? [-/][^]*)$/;

/**
 * @typedef {{instruction: string, words: string, arguments: string, created: Date | null,
 *   layer: import("../../content/image.js").Layer | null}} Step
 * `instruction` is empty if what built the image is no Dockerfile.
 */

/**
 * @param {any} config @param {import("../../content/image.js").Layer[]} layers @param {Date} [now]
 * @returns {Step[] | null} the first step first; null if there is no history, or it is of other layers
 */
export function readHistory(config, layers, now = new Date()) {
  const entries = Array.isArray(config?.history) ? config.history.map((entry) => entry ?? {}) : [];
  if (!entries.length || entries.filter(makesLayer).length !== layers.length) return null;
  let used = 0;
  return entries.map((entry) => ({
    ...readInstruction(text(entry.created_by) || text(entry.comment)),
    created: realTime(entry.created, now),
    layer: makesLayer(entry) ? layers[used++] : null,
  }));
}

/**
 * @param {string} line as Docker's builders, BuildKit and Buildah note what they did
 * @returns {{instruction: string, words: string, arguments: string}} as a Dockerfile has it
 */
export function readInstruction(line) {
  let rest = line.trim().replace(/ # buildkit$/, "");
  const run = rest.startsWith("RUN ");
  if (run) rest = rest.slice(4);
  const [, set = "", shell = rest] = ARGUMENTS.exec(rest) ?? [];
  const told = shell.replace(SHELL, "");
  if (NOT_RUN.test(told)) return split(told.replace(NOT_RUN, ""), set);
  if (run || shell !== rest || told !== shell) return { instruction: "RUN", words: told, arguments: set };
  return split(rest, set);
}

/**
 * A manifest of schema 1 holds configurations and history in itself, the newest first, and no sizes.
 * @param {any} document
 * @returns {{config: any, layers: import("../../content/image.js").Layer[]}} as a manifest of schema 2 would say it
 */
export function readLegacy(document) {
  const told = list(document.history).map((entry) => parse(text(entry?.v1Compatibility)) ?? {}).reverse();
  const blobs = list(document.fsLayers).map((layer) => (isDigest(layer?.blobSum) ? layer.blobSum : "")).reverse();
  const history = told.map((entry) => ({
    created: entry.created,
    created_by: list(entry.container_config?.Cmd).map(text).join(" "),
    comment: entry.comment,
    empty_layer: entry.throwaway === true,
  }));
  const isHere = (_, index) => !history[index]?.empty_layer;
  const layer = (digest) => ({ digest, size: null, mediaType: "", type: layerType(""), foreign: false, title: "" });
  return { config: { ...told.at(-1), history }, layers: blobs.filter(isHere).map(layer) };
}

function split(line, set) {
  const [, instruction = "", words = line] = INSTRUCTION.exec(line) ?? [];
  return { instruction, words, arguments: set };
}

const makesLayer = (entry) => entry.empty_layer !== true;
const text = (value) => (typeof value === "string" ? value : "");
