/** How tools get what the registry has. */

// What stands in a command runs where people paste it: a stranger's platform must be no more than a platform.
const PLATFORM = /^\w[\w.-]*(\/\w[\w.-]*){1,2}$/;
const VERSION = /^v?\d+(\.\d+){0,2}([-_][\w.-]+)?$/;

/**
 * @param {{kind: "image" | "chart" | "files" | "artifact", address: string, name: string, tag?: string, digest?: string,
 *   platform?: string, isPlain: boolean}} wanted
 * `address` is the registry's, as image names carry it; by its digest where one is given; `isPlain`: without TLS.
 * @returns {{tool: "docker" | "podman" | "skopeo" | "kubernetes" | "helm" | "oras", line: string}[]}
 */
export function pullCommands({ kind, address, name, tag, digest, platform = "", isPlain }) {
  const image = `${address}/${name}` + (digest ? `@${digest}` : `:${tag}`);
  const file = name.slice(name.lastIndexOf("/") + 1);
  const wanted = PLATFORM.test(platform) ? platform : "";
  const lines = {
    docker: ["docker pull", option("--platform", wanted), image],
    // Both ask for TLS on localhost too, where Docker does not.
    podman: ["podman pull", isPlain && "--tls-verify=false", option("--platform", wanted), image],
    skopeo: ["skopeo", ...overrides(wanted), "copy", isPlain && "--src-tls-verify=false", `docker://${image}`, copied()],
    kubernetes: ["image:", image],
    helm: ["helm pull", isPlain && "--plain-http", ...chart()],
    oras: ["oras pull", isPlain && "--plain-http", image],
  };

  /** Something to carry to a machine that does not reach the registry: `docker load` takes the archive. */
  function copied() {
    const label = digest ? "" : `:${tag}`;
    if (kind === "image") return `docker-archive:${file}${digest ? "" : "-" + tag}.tar` + (label && `:${name}${label}`);
    return `oci:${file}${label}`;
  }

  /** Helm writes the plus sign of a version as an underscore in tags. */
  function chart() {
    if (digest || !VERSION.test(tag)) return [`oci://${image}`];
    return [`oci://${address}/${name}`, `--version ${tag.replaceAll("_", "+")}`];
  }

  return TOOLS[kind].map((tool) => ({ tool, line: lines[tool].filter(Boolean).join(" ") }));
}

/**
 * The one command that a list shows for a tag.
 * @param {import("./overview.js").Details | undefined} details of the tag
 * @param {{address: string, name: string, tag: string, isPlain: boolean}} wanted as above
 * @returns {string}
 */
export function pullCommand(details, wanted) {
  const isChart = details?.artifactType.startsWith("application/vnd.cncf.helm.");
  const kind = !["artifact", "cache"].includes(details?.kind) ? "image" : isChart ? "chart" : "artifact";
  return pullCommands({ kind, ...wanted })[0].line;
}

const TOOLS = {
  image: ["docker", "podman", "skopeo", "kubernetes"],
  chart: ["helm", "skopeo"],
  // ORAS takes what has a file's name; what has none only skopeo copies.
  files: ["oras", "skopeo"],
  artifact: ["skopeo"],
};

const option = (name, value) => value && `${name} ${value}`;

function overrides(platform) {
  const [os, architecture, variant] = platform.split("/");
  return [
    option("--override-os", os), option("--override-arch", architecture), option("--override-variant", variant),
  ];
}
