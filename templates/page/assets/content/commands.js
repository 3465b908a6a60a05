/** How tools get what the registry has. */
import { isPlatform } from "./platform.js";

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;
const VERSION = /^v?\d+(\.\d+){0,2}([-_][\w.-]+)?$/;

// What gets a thing, by its kind; see kinds.js. ORAS takes what has a file's name; what has none only skopeo copies.
const TOOLS = {
  docker: ["docker", "podman", "skopeo", "kubernetes"],
  "docker-plugin": ["plugin"],
  "docker-model": ["model", "skopeo"],
  buildkit: ["buildx"],
  helm: ["helm", "skopeo"],
  flux: ["flux", "skopeo"],
  compose: ["compose", "skopeo"],
  oras: ["oras", "skopeo"],
  // It asks for no name and password, so that it fails where a registry does.
  ollama: ["skopeo"],
  skopeo: ["skopeo"],
};

/**
 * @param {{client: import("./kinds.js").Client, address: string, name: string, tag?: string, digest?: string,
 *   platform?: string, parts?: string[] | null, isPlain: boolean}} wanted
 * `client` gets it; `address` is the registry's, as image names carry it; by its digest if one is given; `parts`
 * are the digests of the manifests that an index puts together; `isPlain`: without TLS.
 * @returns {{tool: string, line: string}[]} `tool` as in `TOOLS` of views/image-commands.js
 */
export function pullCommands({ client, address, name, tag, digest, platform = "", parts = null, isPlain }) {
  const image = `${address}/${name}` + (digest ? `@${digest}` : `:${tag}`);
  const file = name.slice(name.lastIndexOf("/") + 1);
  const wanted = isPlatform(platform) ? platform : "";
  // On localhost, ORAS takes what has TLS for plain HTTP otherwise.
  const orasTls = isPlain ? "--plain-http" : LOCAL.test(address) && "--plain-http=false";
  // What is an index of artifacts is copied with all of them.
  const whole = client !== "docker" && !wanted && "--all";
  const lines = {
    docker: ["docker pull", option("--platform", wanted), image],
    // Both ask for TLS on localhost too, where Docker does not.
    podman: ["podman pull", isPlain && "--tls-verify=false", option("--platform", wanted), image],
    skopeo: ["skopeo", ...overrides(wanted), "copy", whole, isPlain && "--src-tls-verify=false", `docker://${image}`, copied()],
    kubernetes: ["image:", image],
    plugin: ["docker plugin install", image],
    model: ["docker model pull", image],
    buildx: ["docker buildx build --cache-from", `type=registry,ref=${image}`, "."],
    helm: ["helm pull", isPlain && "--plain-http", ...chart()],
    flux: ["flux pull artifact", isPlain && "--insecure-registry", `oci://${image} --output .`],
    compose: [`docker compose -f oci://${image} up`],
    oras: ["oras pull", orasTls, image],
  };

  /** Something to carry to a machine that does not reach the registry: `docker load` takes the archive. */
  function copied() {
    const label = digest ? "" : `:${tag}`;
    if (client === "docker") return `docker-archive:${file}${digest ? "" : "-" + tag}.tar` + (label && `:${name}${label}`);
    return `oci:${file}${label}`;
  }

  /** Helm writes the plus sign of a version as an underscore in tags. It refuses an index, and takes what that names. */
  function chart() {
    if (parts?.length) return [`oci://${address}/${name}@${parts[0]}`];
    if (digest || !VERSION.test(tag)) return [`oci://${image}`];
    return [`oci://${address}/${name}`, `--version ${tag.replaceAll("_", "+")}`];
  }

  // Compose and what runs models ask for TLS, and take no word that there is none; what runs models is in a container,
  // where localhost is another. Flux takes what has TLS on localhost for plain HTTP.
  const isLocal = LOCAL.test(address);
  const fails = { compose: isPlain, model: isPlain || isLocal, flux: isLocal && !isPlain, helm: parts && parts.length !== 1 };
  return TOOLS[client].filter((tool) => !fails[tool]).map((tool) => ({ tool, line: lines[tool].filter(Boolean).join(" ") }));
}

/**
 * The one command that a list shows for a tag.
 * @param {import("../registry/overview.js").Details | undefined} details of the tag
 * @param {{address: string, name: string, tag: string, isPlain: boolean}} wanted as above
 * @returns {string} empty for what nothing gets
 */
export function pullCommand(details, wanted) {
  if (details && details.pulls === "none" && details.kind !== "unread") return "";
  // Of what was not read, nothing but the name is known: most are images.
  const client = !details || details.kind === "unread" ? "docker" : details.client;
  // Many engines take an index of indexes for nothing, and every one takes what it names.
  const [only, ...others] = details?.inner ?? [];
  const named = only && !others.length ? { tag: only.tag, digest: only.tag ? "" : only.digest } : {};
  return pullCommands({ client, parts: details?.named, ...wanted, ...named })[0].line;
}

const option = (name, value) => value && `${name} ${value}`;

function overrides(platform) {
  const [os, architecture, variant] = platform.split("/");
  return [
    option("--override-os", os), option("--override-arch", architecture), option("--override-variant", variant),
  ];
}
