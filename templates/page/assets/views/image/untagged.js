/** What a repository holds without a tag: each can be looked at and deleted by its digest. */
import { h, say } from "../../browser/dom.js";
import { bytes, shortDigest } from "../../browser/format.js";
import { digestPath, repositoryPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { artifactName, describe } from "../../content/manifest.js";
import { readUntagged } from "../../registry/untagged.js";
import { askToDelete } from "../deleting/ask-to-delete.js";
import { breadcrumb, button, commandBox, errorNotice, keepingFocus, notice, skeleton, stepsTo } from "../parts.js";
import { fill, timeAgo } from "./image-parts.js";

/** @param {any} context the router's and the application's, of a repository whose name is one */
export function showUntagged(context) {
  const { root, name, client, signal, announce, setTitle, restoreScroll } = context;
  const words = text.untagged;
  const number = h("span", { class: "count" });
  const body = h("div", { class: "image" }, skeleton(6));
  const rows = new Map();
  setTitle(`${name}: ${words.title}`);
  root.append(
    breadcrumb([...stepsTo(name, repositoryPath(name)), { label: words.title }]),
    h("div", { class: "title" }, h("h1", { tabindex: "-1" }, words.heading(name)), number),
    body,
  );

  async function load() {
    announce(words.loading);
    try {
      const answer = await client.untagged(name, signal);
      const found = readUntagged(answer);
      const said = found.unread && !found.untagged.length ? "" : words.count(found.untagged.length);
      say(number, said);
      draw(found, answer.may?.delete === true);
      announce(said || words.unread(found.unread));
      restoreScroll();
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(errorNotice(error, load));
    }
  }

  /** After a deletion what is left stays where it is; the focus goes to the next of it. */
  function draw({ untagged, unread }, mayDelete) {
    const left = new Set(untagged.map(({ digest }) => digest));
    const isLess = !unread && left.size > 0 && rows.size > 0 && [...left].every((digest) => rows.has(digest));
    if (!isLess) {
      rows.clear();
      return body.replaceChildren(...content({ untagged, unread }, mayDelete));
    }
    for (const [digest, element] of [...rows].filter(([digest]) => !left.has(digest))) {
      const next = element.nextElementSibling ?? element.previousElementSibling;
      element.remove();
      rows.delete(digest);
      if (document.activeElement === document.body) next?.querySelector("button")?.focus();
    }
  }

  function content({ untagged, unread }, mayDelete) {
    const doubt = unread ? [notice(h("p", { class: "fault" }, words.unread(unread)), commandBox({ lines: ["deployer doctor"], announce }).element)] : [];
    if (!untagged.length) return unread ? doubt : [notice(h("p", {}, words.none))];
    const list = h("ul", { class: "untagged" });
    const rest = fill(list, untagged, (one) => row(one, mayDelete));
    const advice = notice(h("p", {}, words.advice), commandBox({ lines: ["deployer gc --untagged"], announce }).element);
    return [...(unread ? doubt : [advice]), list, ...(rest ? [rest] : [])];
  }

  function row({ digest, document: manifest, pushed, bytes: size }, mayDelete) {
    const description = manifest && describe(manifest);
    const remove = () => askToDelete({ client, name, digest, signal, onChange: () => keepingFocus(load) });
    const element = h("li", {},
      h("a", { href: digestPath(name, digest), title: digest }, h("code", {}, shortDigest(digest))),
      h("span", {}, description ? kindWords(description) : text.tags.states.words.unread),
      h("span", {}, bytes((["index", "legacy"].includes(description?.kind) ? null : description?.size) ?? size)),
      h("span", {}, text.tags.pushed, " ", timeAgo(pushed) ?? text.tags.noneKnown),
      mayDelete ? button(text.tags.deleting.open, remove) : null);
    rows.set(digest, element);
    return element;
  }
  load();
}

function kindWords({ kind, purpose, artifactType }) {
  if (kind === "legacy") return text.tags.legacy;
  if (kind === "index") return text.image.index;
  if (kind === "image") return text.image.image;
  return text.image.purposes[purpose] ?? (artifactName(artifactType) || text.tags.artifact);
}
