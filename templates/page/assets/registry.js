/** The registry's HTTP API, as far as the page reads it. Knows nothing of the document. */
import { ACCEPT } from "./manifest.js";

// Ours gives the whole catalogue as one page, which is faster and loses nothing (paging does, where a name has a
// child that begins with a digit). Others may refuse so much: then smaller pages, at last those of their choice.
const PAGE_SIZES = ["?n=1000000", "?n=1000", ""];

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

const KINDS = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "missing"],
  [429, "busy"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "unavailable"],
]);

/**
 * The registry did not give what was asked.
 * `kind`: unauthorized, forbidden, missing, busy, unavailable, unreachable, alien (no registry answers) or failed.
 */
export class RegistryError extends Error {
  /** @param {string} kind @param {{status?: number, code?: string, message?: string}} [answer] */
  constructor(kind, { status = 0, code = "", message = "" } = {}) {
    super(message);
    this.name = "RegistryError";
    this.kind = kind;
    this.status = status;
    this.code = code;
  }
}

/** @param {string} name @returns {boolean} whether a repository can have this name */
export const isName = (name) => name.length < 256 && NAME.test(name);

/**
 * The address of the next page, as RFC 8288 writes it.
 * @param {string | null} header Link
 * @param {string} base the address that answered
 * @returns {string | null}
 */
export function nextPage(header, base) {
  for (const [, target, parameters] of (header ?? "").matchAll(/<([^>]*)>([^<]*)/g)) {
    if (!/;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:[\s";,]|$)/i.test(parameters)) continue;
    // The host in it may be the registry's own, behind the proxy: only the path counts.
    const { pathname, search } = new URL(target, base);
    return new URL(pathname + search, base).href;
  }
  return null;
}

/**
 * @param {{origin: string, fetch: typeof fetch}} options
 */
export function createClient({ origin, fetch }) {
  async function request(address, signal, options = {}) {
    let response;
    try {
      response = await fetch(new URL(address, origin), { signal, ...options });
    } catch (error) {
      throw error.name === "AbortError" ? error : new RegistryError("unreachable", { message: error.message });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async function pages(address, key, signal) {
    const entries = [];
    const seen = new Set();
    for (let next = address; next && !seen.has(next); ) {
      seen.add(next);
      const response = await request(next, signal, { cache: "no-cache" });
      const document = await json(response);
      if (!(key in document)) throw new RegistryError("alien");
      // An emptied repository answers null.
      for (const entry of document[key] ?? []) entries.push(entry);
      next = nextPage(response.headers.get("Link"), new URL(next, origin).href);
    }
    return [...new Set(entries)];
  }

  return {
    /** @param {AbortSignal} signal @returns {Promise<string[]>} every repository's name */
    async catalog(signal) {
      for (const size of PAGE_SIZES) {
        try {
          return await pages(`/v2/_catalog${size}`, "repositories", signal);
        } catch (error) {
          if (error.code !== "PAGINATION_NUMBER_INVALID" || !size) throw error;
        }
      }
      return [];
    },

    /** @param {string} name @param {AbortSignal} signal @returns {Promise<string[]>} */
    tags: (name, signal) => pages(`/v2/${name}/tags/list`, "tags", signal),

    /**
     * @param {string} name @param {string} reference a tag or a digest @param {AbortSignal} signal
     * @returns {Promise<{digest: string, mediaType: string, document: any}>}
     */
    async manifest(name, reference, signal) {
      const known = reference.includes(":");
      const address = `/v2/${name}/manifests/${known ? reference : encodeURIComponent(reference)}`;
      const options = { headers: { Accept: ACCEPT }, cache: known ? "default" : "no-store" };
      const response = await request(address, signal, options);
      return {
        digest: known ? reference : digestIn(response.headers),
        mediaType: (response.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase(),
        document: await json(response),
      };
    },

    /** @param {string} name @param {string} digest @param {AbortSignal} signal @returns {Promise<any>} */
    config: async (name, digest, signal) => json(await request(`/v2/${name}/blobs/${digest}`, signal)),
  };
}

function digestIn(headers) {
  return headers.get("Docker-Content-Digest") ?? (headers.get("ETag") ?? "").replace(/^W\/|"/g, "");
}

async function json(response) {
  let document;
  try {
    document = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RegistryError(error instanceof SyntaxError ? "alien" : "unreachable", { status: response.status });
  }
  if (document === null || typeof document !== "object") throw new RegistryError("alien", { status: response.status });
  return document;
}

async function refusal(response) {
  const { status } = response;
  const document = await response.json().catch(() => null);
  const { code, message } = document?.errors?.[0] ?? {};
  return new RegistryError(KINDS.get(status) ?? "failed", { status, code: words(code), message: words(message) });
}

const words = (value) => (typeof value === "string" ? value : "");
