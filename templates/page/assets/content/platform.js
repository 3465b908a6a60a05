/** How platforms are called, in containerd's normal form (containerd/platforms, Normalize). */
import { asString } from "../browser/checked.js";

const SYSTEMS = { macos: "darwin" };
const ARCHITECTURES = { i386: "386", "x86_64": "amd64", "x86-64": "amd64", aarch64: "arm64", armhf: "arm", armel: "arm" };
const FIXED_VARIANTS = { i386: "", armhf: "v7", armel: "v6" };
const VARIANTS = {
  amd64: { v1: "" },
  arm64: { 8: "", v8: "" },
  arm: { "": "v7", 5: "v5", 6: "v6", 7: "v7", 8: "v8" },
};

/**
 * @param {any} platform of an index's entry, or a configuration
 * @returns {string} as `docker --platform` takes it; empty if there is none
 */
export function platformName(platform) {
  const [os, architecture, variant] = [platform?.os, platform?.architecture, platform?.variant].map((part) => asString(part).toLowerCase());
  if (!isKnown(os) || !isKnown(architecture)) return "";
  const normal = own(ARCHITECTURES, architecture) ?? architecture;
  const wanted = own(FIXED_VARIANTS, architecture) ?? own(own(VARIANTS, normal) ?? {}, variant) ?? variant;
  return [own(SYSTEMS, os) ?? os, normal, wanted].filter(Boolean).join("/");
}

// What is in a command runs where people paste it: a stranger's platform must be no more than a platform.
const PLATFORM = /^\w[\w.-]*(\/\w[\w.-]*){1,2}$/;

/** @param {string} name @returns {boolean} whether it is safe in a command */
export const isPlatform = (name) => PLATFORM.test(name);

/** @param {any} platform as above @returns {string} with the version of its system, which distinguishes those of Windows */
export function platformLabel(platform) {
  const name = platformName(platform);
  return name && [name, asString(platform["os.version"])].filter(Boolean).join(" ");
}

/**
 * @param {any[]} platforms as above
 * @returns {string[]} their names in a list, each once; those of several versions with these
 */
export function platformLabels(platforms) {
  const known = platforms.filter(platformName);
  const versions = new Map(known.map((platform) => [platformName(platform), new Set()]));
  for (const platform of known) versions.get(platformName(platform)).add(asString(platform["os.version"]));
  const told = known.map((platform) => (versions.get(platformName(platform)).size > 1 ? platformLabel : platformName)(platform));
  return [...new Set(told)];
}

/**
 * @param {any} platform of an index's entry @param {any} config of its image, if that is known
 * @returns {any} the platform, with what the index leaves open as the configuration says it
 */
export function completedPlatform(platform, config) {
  if (!platformName(config) || asString(platform?.["os.version"])) return platform;
  if (!platformName(platform)) return config;
  return platformName(platform) === platformName(config) ? { ...platform, "os.version": config["os.version"] } : platform;
}

const isKnown = (part) => part !== "" && part !== "unknown";

// A stranger's word may be that of something which every object has.
const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
