/** How platforms are called, in containerd's normal form (containerd/platforms, Normalize). */
import { words } from "./checked.js";

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
 * @returns {string} as `docker --platform` takes it; empty where there is none
 */
export function platformName(platform) {
  const [os, architecture, variant] = [platform?.os, platform?.architecture, platform?.variant].map((part) => words(part).toLowerCase());
  if (!isKnown(os) || !isKnown(architecture)) return "";
  const normal = own(ARCHITECTURES, architecture) ?? architecture;
  const wanted = own(FIXED_VARIANTS, architecture) ?? own(own(VARIANTS, normal) ?? {}, variant) ?? variant;
  return [own(SYSTEMS, os) ?? os, normal, wanted].filter(Boolean).join("/");
}

/** @param {any} platform as above @returns {string} with the version of its system, which tells those of Windows apart */
export function platformLabel(platform) {
  const name = platformName(platform);
  return name && [name, words(platform["os.version"])].filter(Boolean).join(" ");
}

const isKnown = (part) => part !== "" && part !== "unknown";

// A stranger's word may be that of something which every object has.
const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
