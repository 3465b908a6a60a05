/** What the list of tags shows of each: read once for each digest, as content never changes under its digest. */
import { describe, readConfig } from "./manifest.js";

// An index may hold indexes; one that holds itself must not keep us for ever.
const DEPTH = 3;

/**
 * @typedef {{digest: string, kind: string, size: number | null, parts: number, platforms: string[],
 *   created: Date | null, artifactType: string}} Details
 */

/** What was read, for all views. */
export const createDetailsCache = () => ({ manifests: new Map(), configs: new Map() });

/**
 * @param {{client: any, cache: ReturnType<typeof createDetailsCache>, name: string, signal: AbortSignal}} options
 * @returns {(tag: string) => Promise<Details>}
 */
export function createDetailsReader({ client, cache, name, signal }) {
  const manifestOf = remember(cache.manifests, async (digest) => {
    const { document, mediaType } = await client.manifest(name, digest, signal);
    return describe(document, mediaType);
  });
  const configOf = remember(cache.configs, async (digest) => readConfig(JSON.parse(await client.blob(name, digest, signal))));

  async function images({ children }, depth = 1) {
    const found = [];
    for (const child of children) {
      const description = await manifestOf(child.digest).catch(absent);
      if (description?.kind === "index" && depth < DEPTH) found.push(...(await images(description, depth + 1)));
      else found.push({ ...child, description });
    }
    return found;
  }

  /** Platforms stand in the index; the time stands only in a configuration, so one is read. */
  async function ofIndex(description) {
    const parts = await images(description);
    const configs = [];
    for (const [position, part] of parts.entries()) {
      const wanted = part.description?.config && (!part.platform || (position === 0 && !description.created));
      configs.push(wanted ? await configOf(part.description.config) : null);
    }
    return {
      parts: parts.length,
      size: parts.every((part) => part.description) ? sum(parts.map((part) => part.description.size)) : null,
      platforms: unique(parts.map((part, position) => part.platform || configs[position]?.platform)),
      created: description.created ?? configs[0]?.created ?? null,
    };
  }

  async function ofImage(description) {
    const config = description.config ? await configOf(description.config) : null;
    return {
      parts: 1,
      size: description.kind === "legacy" ? null : description.size,
      platforms: unique([config?.platform]),
      created: config?.created ?? description.created,
    };
  }

  return async (tag) => {
    const { digest, document, mediaType } = await client.manifest(name, tag, signal);
    const description = cache.manifests.get(digest) ?? describe(document, mediaType);
    if (digest) cache.manifests.set(digest, description);
    const { kind, artifactType } = description;
    return { digest, kind, artifactType, ...(await (kind === "index" ? ofIndex(description) : ofImage(description))) };
  };
}

/** Read each key once, also when it is asked for twice at the same time; a failure may be tried again. */
function remember(done, read) {
  const running = new Map();
  return async (key) => {
    if (done.has(key)) return done.get(key);
    if (!running.has(key)) running.set(key, read(key).finally(() => running.delete(key)));
    const value = await running.get(key);
    done.set(key, value);
    return value;
  };
}

/** An index may name images that were never pushed: they have no size here, which is no fault. */
function absent(error) {
  if (error.kind === "missing") return null;
  throw error;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const unique = (values) => [...new Set(values.filter(Boolean))];
