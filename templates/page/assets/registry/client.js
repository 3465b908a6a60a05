/** The registry's HTTP API and the overview beside it, as far as the page uses them. Knows nothing of the document. */
import { asString, isObject } from "../browser/checked.js";
import { ACCEPT } from "../content/media-types.js";

// Until an interrupted request is repeated, in milliseconds.
const PAUSE = 300;
// How a refusal begins that would be none after a login, see deployer/layout.py.
const LOGIN_REQUIRED = "login required";

/**
 * The disk with the images, in bytes and inodes. Below a limit new uploads are refused; 0 is none.
 * @typedef {{bytes: number, free: number, limit: number, inodes: number, free_inodes: number, inodes_limit: number,
 *   refused: boolean}} Disk
 */

const KINDS = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "missing"],
  [429, "busy"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "unavailable"],
  [507, "large"],
]);

/**
 * The registry did not give what was asked.
 * `kind`: unauthorized, forbidden, missing, busy, unavailable, unreachable, large (more than was wished for), misplaced
 * (in the storage a file is in place of a folder: the message is its path), notRegistry (no registry answers) or failed.
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

/**
 * @param {{origin: string, fetch: typeof globalThis.fetch}} options
 */
export function createClient({ origin, fetch }) {
  async function send(address, signal, options) {
    try {
      return await fetch(new URL(address, origin), { signal, ...options });
    } catch (error) {
      throw error.name === "AbortError" ? error : new RegistryError("unreachable", { message: error.message });
    }
  }

  /** What only reads is asked twice where the first answer did not come: connections break when networks change. */
  async function request(address, signal, options = {}) {
    let response = await send(address, signal, options).catch((error) => {
      if (options.method || error.kind !== "unreachable") throw error;
    });
    if (!response || (!options.method && response.status === 500)) {
      await new Promise((done) => setTimeout(done, PAUSE));
      response = await send(address, signal, options);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  /** What Caddy returns at once, see templates/frontend/overview. */
  async function overview(path, key, signal) {
    const document = await json(await request(`/overview/${path}`, signal));
    if (typeof document.instead === "string") throw new RegistryError("misplaced", { message: document.instead });
    if (!isObject(document[key])) throw new RegistryError("notRegistry");
    return document;
  }

  return {
    /**
     * A request that may change something, for deletion.js; fails if it is refused.
     * @param {string} method @param {string} address @param {any} [options] those of fetch
     * @returns {Promise<Response>}
     */
    send: (method, address, options) => request(address, undefined, { ...options, method }),

    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<{user: string, isPublic: boolean, version: string, upkeep: boolean}>} the logged-in user, if any,
     * whether everyone may see a part of the registry, and whether there is an `upkeep` that the reader may see
     */
    async session(signal) {
      const { user, public: isPublic, version, upkeep } = await json(await request("/overview/session", signal));
      return { user: asString(user), isPublic: isPublic === true, version: asString(version), upkeep: upkeep === true };
    },

    /**
     * @param {AbortSignal} signal
     * @returns {Promise<{names: Map<string, number | null>, all: boolean}>} the number of tags of each repository that the
     * reader may know of, null where it is not known; whether these are all that there are
     */
    async catalog(signal) {
      const { repositories, all } = await overview("catalog", "repositories", signal);
      return { names: new Map(Object.entries(repositories)), all: all === true };
    },

    /**
     * @param {AbortSignal} signal
     * @returns {Promise<{pushed: Record<string, {at: number, tag: string}>, all: boolean}>} by repository, when and
     * onto which tag something was pushed last, in seconds since 1970
     */
    pushed: (signal) => overview("pushed", "pushed", signal),

    /** @param {AbortSignal} signal @returns {Promise<{bytes: number, all: boolean}>} what all repositories have together */
    stored: async (signal) => (await overview("stored", "stored", signal)).stored,

    /** @param {AbortSignal} signal @returns {Promise<Disk>} the disk with the images */
    disk: async (signal) => (await overview("disk", "disk", signal)).disk,

    /** @param {AbortSignal} [signal] @returns {Promise<any>} what ran by itself and was backed up; null where nothing is known */
    upkeep: async (signal) => (await json(await request("/overview/upkeep", signal))).upkeep ?? null,

    /**
     * @param {string} name @param {AbortSignal} signal
     * @returns {Promise<{tags: Record<string, string>, manifests: Record<string, {document: any, bytes: number, pushed: number}>,
     *   may: {push: boolean, delete: boolean}}>} all its manifests, with or without a tag
     */
    untagged: (name, signal) => overview(`untagged/${name}`, "manifests", signal),

    /**
     * @param {string} name @param {AbortSignal} signal
     * @returns {Promise<{tags: Record<string, string>, manifests: Record<string, {document: any, config: any}>,
     *   may: {push: boolean, delete: boolean}}>} digests by tag; manifests by digest, those that an index names too
     */
    repository: (name, signal) => overview(`tags/${name}`, "tags", signal),

    /**
     * @param {string} name @param {string} digest @param {AbortSignal} signal
     * @returns {Promise<{digest: string, document: any}[]>} the manifests whose subject it is
     */
    referrers: async (name, digest, signal) =>
      (await overview(`referrers/${name}@${digest}`, "referrers", signal)).referrers,

    /**
     * @param {string} name @param {string} reference a tag or a digest @param {AbortSignal} signal
     * @returns {Promise<{digest: string, mediaType: string, text: string, document: any}>} `text` as it is stored
     */
    async manifest(name, reference, signal) {
      const known = reference.includes(":");
      const options = { headers: { Accept: ACCEPT }, cache: known ? "default" : "no-store" };
      const response = await request(`/v2/${name}/manifests/${reference}`, signal, options);
      const text = await body(response);
      return {
        digest: known ? reference : response.headers.get("Docker-Content-Digest") ?? "",
        mediaType: (response.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase(),
        text,
        document: parsed(text, response),
      };
    },

    /**
     * @param {string} name @param {string} digest @param {AbortSignal} signal
     * @param {number} [limit] in bytes: more is not read, whatever a manifest says of its size
     * @returns {Promise<string>}
     */
    async blob(name, digest, signal, limit = Infinity) {
      const response = await request(`/v2/${name}/blobs/${digest}`, signal);
      if (Number(response.headers.get("Content-Length")) <= limit) return body(response);
      await response.body?.cancel();
      throw new RegistryError("large");
    },
  };
}

const json = async (response) => parsed(await body(response), response);

async function body(response) {
  try {
    return await response.text();
  } catch (error) {
    throw error.name === "AbortError" ? error : new RegistryError("unreachable", { status: response.status });
  }
}

function parsed(text, { status }) {
  try {
    const document = JSON.parse(text);
    if (isObject(document)) return document;
  } catch {
    // Told below, as any other answer that no registry gives.
  }
  throw new RegistryError("notRegistry", { status });
}


async function refusal(response) {
  const { status } = response;
  const document = await response.json().catch(() => null);
  const { code, message } = document?.errors?.[0] ?? {};
  const kind = asString(message).startsWith(LOGIN_REQUIRED) ? "unauthorized" : KINDS.get(status) ?? "failed";
  return new RegistryError(kind, { status, code: asString(code), message: asString(message) });
}
