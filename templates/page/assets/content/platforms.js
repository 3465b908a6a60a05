/** What an index holds: its platforms, with those of the indexes in it, and what is attested of them. */
import { namesContent, asString } from "../browser/checked.js";
import { shortDigest } from "../browser/format.js";
import { artifactName } from "./manifest.js";
import { DEPTH, children, isAttestation } from "./media-types.js";
import { completedPlatform, isPlatform, platformLabel, platformName } from "./platform.js";

/**
 * @typedef {{digest: string, document: any}} Part `document` is its manifest; null if the registry has it not
 * @typedef {Part & {key: string, label: string, named: any, platform: string, within: string}} Platform
 * `key` is its name in addresses, `named` is what is known of its platform, `platform` is its name in commands: empty if that name means others too, or none;
 * `within`: the nested index that names it, if one does
 * @param {any} index its document
 * @param {(digest: string) => {document: any, config: any} | undefined} entryOf
 * @returns {{platforms: Platform[], attestations: (Part & {of: string})[]}}
 */
export function readPlatforms(index, entryOf) {
  const platforms = [];
  const attestations = [];
  const seen = new Set();

  function read(document, within, depth) {
    for (const entry of children(document).manifests.filter((each) => namesContent(each.digest))) {
      const { digest } = entry;
      const known = entryOf(digest);
      const part = { digest, document: known?.document ?? null };
      if (isAttestation(entry)) {
        attestations.push({ ...part, of: asString(entry.annotations?.["vnd.docker.reference.digest"]) });
      } else if (Array.isArray(part.document?.manifests) && depth < DEPTH) {
        if (!seen.has(digest)) seen.add(digest) && read(part.document, digest, depth + 1);
      } else {
        platforms.push({ ...part, within, ...naming(entry, known) });
      }
    }
  }

  read(index, "", 1);
  return { platforms: distinct(platforms), attestations };
}

/**
 * @param {Platform[]} platforms @param {string | null} asked a key, as an address says it
 * @returns {Platform | undefined} a platform also by a name of it that is not the usual one
 */
export function askedPlatform(platforms, asked) {
  const [os, architecture, variant] = (asked ?? "").split("/");
  const usual = platformName({ os, architecture, variant });
  return platforms.find(({ key }) => key === asked) ?? platforms.find(({ key }) => usual && key === usual);
}

/** Its platform is in the index; where it does not, in its configuration; what is not an image has none. */
function naming({ digest, platform, artifactType }, known) {
  const named = completedPlatform(platform, known?.config);
  return { named, platform: platformName(named), label: platformLabel(named) || artifactName(asString(artifactType)) || shortDigest(digest) };
}

/** Duplicates are listed once; what has a name in common with others has its digest as its key. */
function distinct(platforms) {
  const different = [...new Map(platforms.map((part) => [`${part.label} ${part.digest}`, part])).values()];
  const labels = counted(different.map(({ label }) => label));
  const names = counted(different.map(({ platform }) => platform));
  return different.map((part) => {
    const isSeveral = labels.get(part.label) > 1;
    return {
      ...part,
      key: isSeveral ? part.digest : part.label,
      label: isSeveral ? `${part.label} ${shortDigest(part.digest)}` : part.label,
      platform: names.get(part.platform) === 1 && isPlatform(part.platform) ? part.platform : "",
    };
  });
}

function counted(names) {
  const times = new Map();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return times;
}
