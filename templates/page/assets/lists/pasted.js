/** What people paste into a search: a reference, a command with one in it, an address. */
import { isName } from "../browser/names.js";
import { digestPath, parsePath, repositoryPath, tagPath } from "../browser/router.js";
import { isDigest } from "../content/image.js";

// Only what holds one of these can be more than a name.
const TELLING = /[:@]/;
const TAG = /^\w[\w.-]{0,127}$/;
const URL_SCHEME = /^https?:\/\//i;
// As skopeo, Helm, Flux and ORAS write what is in a registry.
const REGISTRY_SCHEME = /^(?:docker|oci):\/\//i;
const QUOTES = /^["'`<(]+|["'`>),;]+$/g;
const API = /^\/v2\/(.+)\/(?:manifests\/([^/]+)|tags\/list|referrers\/([^/]+))$/;
const VERSION = /\s--version[ =](\S+)/;

/**
 * @typedef {{name: string, tag: string, digest: string, registry: string}} Reference
 * `registry`: the address of another one; empty for this one. Of tag and digest, each may be empty.
 * @param {string} words
 * @param {string} address this registry's, as image names carry it
 * @returns {Reference | null} null for what is only words to search for
 */
export function referenceIn(words, address) {
  if (!TELLING.test(words) && !words.includes(`${address}/`)) return null;
  const parts = words.trim().split(/\s+/).map((part) => part.replace(QUOTES, ""));
  const found = parts.map((part) => readPart(part, address)).filter(Boolean);
  // In a command, other words look like references too: `-p 80:80`. What has this registry's address is meant first.
  const meant = found.find(({ isOwn }) => isOwn) ?? found.find(({ hasScheme }) => hasScheme) ??
    (parts.length === 1 || isCommand(parts[0]) ? found.at(-1) : undefined);
  if (!meant) return null;
  const { name, tag, digest, registry } = meant;
  return { name, tag: tag || chartVersion(words), digest, registry };
}

/** @param {Reference} reference @returns {string} the address of its view; a digest is more precise than a tag */
export function referencePath({ name, tag, digest }) {
  if (digest) return digestPath(name, digest);
  return tag ? tagPath(name, tag) : repositoryPath(name);
}

/** @param {Reference} reference @returns {string} as it is written */
export const referenceWords = ({ name, tag, digest }) => name + (tag && `:${tag}`) + (digest && `@${digest}`);

/** @returns {(Reference & {isOwn: boolean, hasScheme: boolean}) | null} */
function readPart(part, address) {
  if (URL_SCHEME.test(part)) return readUrl(part, address);
  const hasScheme = REGISTRY_SCHEME.test(part);
  const image = readImage(part.replace(REGISTRY_SCHEME, ""), address);
  return image && (image.tag || image.digest || image.isOwn || image.registry || hasScheme) ? { ...image, hasScheme } : null;
}

/**
 * The page's own addresses, those of the registry's API, and an image's name with the scheme in front.
 * @returns {any}
 */
function readUrl(part, address) {
  if (!URL.canParse(part)) return null;
  const { host, pathname } = new URL(part);
  const isOwn = host === address || host === address.replace(/:(80|443)$/, "");
  const whole = { isOwn, hasScheme: true, registry: isOwn ? "" : host, tag: "", digest: "" };
  const { view, ...told } = parsePath(pathname);
  if (view === "repository" || view === "image") return { ...whole, ...told };
  const [, name, reference = "", subject = ""] = API.exec(pathname) ?? [];
  if (name) return isName(name) ? { ...whole, name, ...tagOrDigest(subject || reference) } : null;
  const image = readImage(decodeURI(pathname.replace(/^\/+|\/+$/g, "")), "");
  return image && { ...image, ...whole, tag: image.tag, digest: image.digest };
}

const tagOrDigest = (reference) => (isDigest(reference) ? { tag: "", digest: reference } : { tag: reference, digest: "" });

/** An image's name as Docker writes it: `[registry/]name[:tag][@digest]`. */
function readImage(image, address) {
  const [before, digest = "", ...rest] = image.split("@");
  const [, path, tag = ""] = /^(.+?)(?::([^/:]*))?$/.exec(before) ?? [];
  if (!path || rest.length || (digest && !isDigest(digest)) || (tag && !TAG.test(tag))) return null;
  const isOwn = address !== "" && path.startsWith(`${address}/`);
  const host = isOwn ? address : hostOf(path);
  const name = host ? path.slice(host.length + 1) : path;
  return isName(name) ? { name, tag, digest, registry: isOwn ? "" : host, isOwn } : null;
}

/** Docker's rule: the first part is a host where it has a dot or a colon, or is localhost. */
function hostOf(path) {
  const [first, ...rest] = path.split("/");
  return rest.length && (/[.:]/.test(first) || first === "localhost") ? first : "";
}

const isCommand = (word) => /^(docker|podman|nerdctl|skopeo|crane|helm|oras|flux|ctr|FROM|image:)$/.test(word);

/** Helm names a chart's version beside it, and writes the plus sign of one as an underscore in tags. */
function chartVersion(words) {
  const version = (VERSION.exec(words)?.[1] ?? "").replaceAll("+", "_");
  return TAG.test(version) ? version : "";
}
