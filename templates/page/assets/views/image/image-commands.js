/** The commands that get an image, each to be copied. */
import { h } from "../../browser/dom.js";
import { registryAddress } from "../../browser/format.js";
import { text } from "../../browser/text.js";
import { pullCommands } from "../../content/commands.js";
import { commandLine, copyButton } from "../parts.js";
import { choice, section } from "./image-parts.js";

// Names are the same in all languages.
const TOOLS = {
  docker: "Docker", podman: "Podman", skopeo: "skopeo", kubernetes: "Kubernetes", helm: "Helm", oras: "ORAS", flux: "Flux",
  compose: "Compose", model: "Docker Model", plugin: "Docker", buildx: "Buildx",
};

/**
 * @param {{client: import("../../content/kinds.js").Client, why?: string, name: string, tag: string, digest: string, platform: string, wish: {byDigest: boolean},
 *   announce: (words: string) => void}} options
 * `why` it is not got as most are; `wish` outlives this: by the tag, where there is one, or by the digest.
 * @returns {HTMLElement}
 */
export function commandsSection({ client, why = "", name, tag, digest, platform, wish, announce }) {
  const rows = h("div", { class: "commands" });

  function show() {
    const pinned = wish.byDigest || !tag ? digest : "";
    const wanted = { client, address: registryAddress(location), name, tag, digest: pinned, platform };
    const commands = pullCommands({ ...wanted, isPlain: location.protocol === "http:" });
    rows.replaceChildren(...commands.map((command) => row(command, announce)));
  }

  const how = tag && choice({
    legend: text.image.pullBy,
    name: "pull-by",
    options: [["tag", text.image.byTag], ["digest", text.image.byDigest]],
    value: wish.byDigest ? "digest" : "tag",
    onChange(value) {
      wish.byDigest = value === "digest";
      show();
    },
  });
  show();
  return section(text.tags.pull, why ? h("p", {}, why) : null, how || null, rows);
}

function row({ tool, line }, announce) {
  const label = TOOLS[tool];
  const code = h("pre", { tabindex: "0", role: "group", "aria-label": label }, h("code", {}, line));
  const copier = copyButton({ label: text.image.copyCommand(label), words: () => line, announce });
  return h("div", {}, h("span", { class: "tool" }, label), commandLine(code, copier));
}
