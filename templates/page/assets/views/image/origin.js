/** Where an image comes from, as it says itself: its version, its revision, and where its source and its words are. */
import { asString, isObject } from "../../browser/checked.js";

// OCI image specification, annotations; those of label-schema.org are older. The first that there is counts.
const KEYS = {
  version: ["org.opencontainers.image.version", "org.label-schema.version"],
  revision: ["org.opencontainers.image.revision", "org.label-schema.vcs-ref"],
};
const LINKS = {
  source: ["org.opencontainers.image.source", "org.label-schema.vcs-url"],
  home: ["org.opencontainers.image.url", "org.label-schema.url"],
  documentation: ["org.opencontainers.image.documentation", "org.label-schema.usage"],
};

/**
 * @typedef {{version: string, revision: string, links: {kind: "source" | "home" | "documentation", href: string}[]}} Origin
 * @param {...any} sources labels and annotations, the most telling first
 * @returns {Origin}
 */
export function readOrigin(...sources) {
  const first = (keys, read) => {
    for (const source of sources.filter(isObject)) {
      for (const key of keys) {
        const value = Object.hasOwn(source, key) && read(asString(source[key]).trim());
        if (value) return value;
      }
    }
    return "";
  };
  /** @type {any[]} */
  const links = Object.entries(LINKS).map(([kind, keys]) => ({ kind, href: first(keys, safeLink) }));
  return {
    version: first(KEYS.version, String),
    revision: first(KEYS.revision, String),
    // A project often has one address for all.
    links: links.filter(({ href }, index) => href && links.findIndex((one) => one.href === href) === index),
  };
}

/**
 * A stranger's address that may be followed: HTTPS only, and none that carries a name before its host, which looks
 * like another host.
 * @param {string} value
 * @returns {string} as a browser writes it, so that a host in foreign letters shows itself; empty for any other
 */
export function safeLink(value) {
  if (!/^https:\/\//i.test(value) || !URL.canParse(value)) return "";
  const { href, protocol, username, password, hostname } = new URL(value);
  return protocol === "https:" && !username && !password && hostname ? href : "";
}
