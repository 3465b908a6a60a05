/** One manifest: how it is got, what it says, how it was built, and what it is made of. */
import { asString } from "../../browser/checked.js";
import { h } from "../../browser/dom.js";
import { bytes, shortDigest } from "../../browser/format.js";
import { text } from "../../browser/text.js";
import { isDigest, parse, readChart, readLayers, readPairs, readPurposes, readSettings } from "../../content/image.js";
import { kindOf } from "../../content/kinds.js";
import { describe } from "../../content/manifest.js";
import { errorNotice, notice } from "../parts.js";
import { readHistory, readLegacy } from "./history.js";
import { commandsSection } from "./image-commands.js";
import { digestButton, fill, folded, pairs, section, timeAgo } from "./image-parts.js";
import { rawBox } from "./image-raw.js";

// Not read into the page, in bytes: it would hold up the browser.
const TOO_LARGE = 4_194_304;
const READABLE = /\+json$|\/json$|^text\/|\+yaml$|\+xml$/;
const BOXES = 20;

/**
 * What a manifest is, with its configuration, where the page shows one.
 * @param {{client: any, name: string, signal: AbortSignal}} context @param {any} document
 * @returns {Promise<{document: any, kind: "image" | "legacy" | "chart" | "artifact", purposes: any[], layers: any[],
 *   config: any, fault: any}>} `fault`: why there is no configuration, an error or `"broken"`
 */
export async function readManifest(context, document) {
  const purposes = readPurposes(document);
  const { kind } = describe(document, document.mediaType);
  /** @type {{document: any, kind: "artifact", purposes: any[], layers: any[], config: any, fault: any}} */
  const told = { document, kind: "artifact", purposes, layers: readLayers(document), config: null, fault: null };
  if (kind === "legacy") return { ...told, kind, ...readLegacy(document) };
  const isChart = purposes[0]?.kind === "chart";
  if (!isChart && (kind !== "image" || purposes.length)) return told;
  return { ...told, kind: isChart ? "chart" : "image", ...(await readConfig(context, document.config)) };
}

async function readConfig({ client, name, signal }, descriptor) {
  if (!isDigest(descriptor?.digest)) return { fault: "broken" };
  try {
    const config = parse(await client.blob(name, descriptor.digest, signal, TOO_LARGE));
    return { config, fault: config ? null : "broken" };
  } catch (fault) {
    if (signal.aborted) throw fault;
    return { fault };
  }
}

/**
 * @param {any} shown the view's, with what is `got`: a tag, a digest, a platform, and `why` so; null if nothing can be
 * @param {any} part what readManifest gave, with its digest @returns {HTMLElement[]}
 */
export function manifestSections(shown, part) {
  const { kind, config, document, layers } = part;
  const history = kind === "image" || kind === "legacy" ? readHistory(config, layers) : null;
  return [
    shown.got && pullSection(shown, part),
    ...configSections(shown, part),
    annotationsSection(document),
    history && historySection(history),
    layersSection(shown, part, history),
    rawSection(shown, part),
  ].filter(Boolean);
}

/** @param {any} part @returns {[string, any][]} who built it, and with what */
export const builderFacts = ({ config }) => [
  [text.image.author, asString(config?.author)],
  [text.image.dockerVersion, asString(config?.docker_version)],
];

function pullSection({ name, got, wish, announce }, { document }) {
  const { client, purpose } = kindOf(document);
  const why = purpose === "encrypted" ? text.image.encrypted : "";
  return commandsSection({ client, why, name, ...got, wish, announce });
}

function configSections({ retry }, { kind, config, fault }) {
  if (fault) return [section(text.image.configuration, faultNotice(fault, retry))];
  if (!config) return [];
  if (kind === "chart") {
    const told = readChart(config).map(([key, value]) => [text.image.chart[key], [value]]);
    return [section(text.image.chartTitle, pairs(told))];
  }
  const settings = readSettings(config).map(([key, lines]) => [text.image.settings[key], lines]);
  const labels = readPairs(config.config?.Labels);
  return [
    section(text.image.configuration, settings.length ? pairs(settings) : h("p", { class: "unknown" }, text.image.noSettings)),
    labels.length ? section(text.image.labels, namedPairs(labels)) : null,
  ];
}

function faultNotice(fault, retry) {
  if (fault === "broken") return notice(text.image.brokenConfig);
  if (fault.kind === "large") return notice(text.image.large);
  return fault.kind === "missing" ? notice(text.image.noConfig) : errorNotice(fault, retry);
}

function annotationsSection({ annotations }) {
  const told = readPairs(annotations);
  return told.length ? section(text.image.annotations, namedPairs(told)) : null;
}

/** Names that strangers chose are no words of ours. */
const namedPairs = (entries) => pairs(entries.map(([key, value]) => [key, [value]]), "named");

function historySection(steps) {
  const list = h("ol", { class: "history" });
  const rest = fill(list, steps, ({ instruction, words, arguments: set, created, layer }) =>
    h("li", {},
      h("div", { class: "step" }, instruction ? h("b", {}, instruction) : null, " ", folded(words)),
      set ? h("div", { class: "set" }, folded(text.image.with(set))) : null,
      h("span", { class: "made" }, layer ? layerWords(layer) : text.image.noLayer, timeAgo(created))));
  return section(text.image.history, list, rest);
}

const layerWords = ({ digest, size }) =>
  h("span", {}, size === null ? "" : `${bytes(size)} `, h("code", { title: digest }, shortDigest(digest)));

function layersSection({ announce }, { kind, config, layers }, history) {
  if (!layers.length) return null;
  const isImage = kind === "image" || kind === "legacy";
  const titled = layers.some(({ title }) => title);
  const head = ["#", titled && text.image.file, text.image.digest, text.tags.size, text.image.type].filter(Boolean);
  const cell = (kind, ...content) => h("td", { role: "cell", class: kind }, ...content);
  const row = ({ digest, size, mediaType, type, foreign, title }, index) =>
    h("tr", { role: "row" },
      cell("position", String(index + 1)),
      titled ? cell("file", title ? folded(title) : text.tags.noneKnown) : null,
      cell("blob", digest ? digestButton(digest, announce) : text.tags.noneKnown),
      cell("number", size === null ? text.tags.unknown : bytes(size)),
      h("td", { role: "cell", class: "type", title: mediaType }, type ? folded(type, h("span", {})) : text.tags.unknown, foreign ? h("small", {}, text.image.foreign) : null));
  // On a phone its parts are no table's for the browser, whatever they are called.
  const body = h("tbody", { role: "rowgroup" });
  const names = h("tr", { role: "row" }, ...head.map((label) => h("th", { scope: "col", role: "columnheader" }, label)));
  const table = h("table", { role: "table", "aria-label": text.image.layers }, h("thead", { role: "rowgroup" }, names), body);
  const rest = fill(body, layers, row);
  const unmatched = isImage && config && !history;
  return section(isImage ? text.image.layers : titled ? text.image.files : text.image.contents,
    unmatched ? h("p", { class: "unknown" }, text.image.noHistory) : null,
    table, rest);
}

/** What statements, lists and the like say can be read here too; of files only those that people read. */
function rawSection(shown, { digest, document, kind, layers }) {
  const { client, name, signal, announce, wish } = shown;
  const box = (title, read) => rawBox({ title, read, opened: wish.opened, announce, signal });
  const blob = ({ digest: of }) => () => client.blob(name, of, signal, TOO_LARGE);
  const config = describe(document, document.mediaType).kind !== "legacy" && document.config;
  const texts = layers.filter((layer) => READABLE.test(layer.mediaType) && layer.digest);
  return section(text.image.raw,
    shown.digest === digest ? null : box(text.image.index, async () => (await client.manifest(name, shown.digest, signal)).text),
    box(text.image.manifest, async () => (await client.manifest(name, digest, signal)).text),
    isDigest(config?.digest) ? box(text.image.configuration, blob(config)) : null,
    ...(kind === "artifact" ? texts : []).slice(0, BOXES).map((layer) => box(layer.title || layer.type, blob(layer))));
}
