/** An image of several platforms: each of them behind a tab, and many of them in a list. */
import { enclosed } from "../../browser/direction.js";
import { h } from "../../browser/dom.js";
import { bytes, shortDigest } from "../../browser/format.js";
import { digestPath } from "../../browser/router.js";
import { text } from "../../browser/text.js";
import { kindOf } from "../../content/kinds.js";
import { describe } from "../../content/manifest.js";
import { realTime } from "../../content/moments.js";
import { completedPlatform, platformLabel } from "../../content/platform.js";
import { askedPlatform, readPlatforms } from "../../content/platforms.js";
import { stateSentence } from "../../content/states.js";
import { notice } from "../parts.js";
import { builderFacts, manifestSections, readManifest } from "./image-manifest.js";
import { beginningOf, digestButton, facts, originFacts, timeAgo } from "./image-parts.js";
import { referrersSection } from "./image-referrers.js";
import { readOrigin } from "./origin.js";

// From so many on they are chosen from a list.
const LISTED = 8;
// More than any image has, and no more than a browser lists at once.
const MOST = 2000;
// Characters of what an index calls a platform.
const LABEL = 80;

/** @param {any} shown the view's @returns {Promise<HTMLElement[]>} the tabs, and the platform that is chosen */
export async function drawIndex(shown) {
  const { document, entryOf, query, signal, setQuery, announce } = shown;
  const { platforms: all, attestations } = readPlatforms(document, entryOf);
  const platforms = all.slice(0, MOST);
  const isList = platforms.length >= LISTED;
  const panel = h("div", { id: "platform", role: isList ? "group" : "tabpanel" });
  let turn = 0;

  async function show(platform, isChosen) {
    const mine = (turn += 1);
    panel.setAttribute("aria-busy", "true");
    // What is attested of none of them is shown with each.
    const about = attestations.filter(({ of }) => of === platform.digest || !all.some(({ digest }) => digest === of));
    const { content, config } = await platformContent(shown, { ...platform, attestations: about }, isChosen);
    if (signal.aborted || mine !== turn) return;
    panel.removeAttribute("aria-busy");
    panel.replaceChildren(...content);
    // Its configuration may say what the index does not, such as the version of Windows.
    const told = platformLabel(completedPlatform(platform.named, config));
    const label = platform.key === platform.digest ? `${told} ${shortDigest(platform.digest)}` : told;
    if (told && label !== platform.label) chooser.rename(platform.key, shortLabel(label));
  }

  /** A press is a step that "back" undoes; keys that go along the row are not. */
  function onChoose(key, byPointer) {
    const platform = platforms.find((one) => one.key === key);
    if (byPointer) history.pushState({ scroll: scrollY }, "");
    setQuery({ platform: key });
    announce(text.image.shown(platform.label));
    show(platform, true);
  }

  const asked = askedPlatform(platforms, query.get("platform"));
  const chosen = asked ?? platforms.find(({ document: there }) => there) ?? platforms[0];
  if (!chosen) return [notice(stateSentence(shown.title, shown.details)), panel];
  const entries = platforms.map(({ key, label, document: there }) =>
    ({ key, label: shortLabel(label), note: there ? "" : text.image.notHere }));
  const more = all.length > MOST ? h("p", { class: "unknown" }, text.image.notListed(all.length - MOST)) : "";
  const chooser = (isList ? platformList : tabs)({ label: text.tags.platforms, entries, chosen: chosen.key, panel, onChoose });
  await show(chosen, Boolean(asked));
  return [chooser.element, more, panel];
}

const shortLabel = (label) => (label.length > LABEL ? `${beginningOf(label, LABEL)}…` : label);

/** What is shown of a platform, and its configuration. */
async function platformContent(shown, platform, isChosen) {
  const { announce, name, tag } = shown;
  const { digest, document, label, within, attestations } = platform;
  const own = [
    [text.image.digest, [digestButton(digest, announce), document && h("a", { href: digestPath(name, digest) }, text.image.alone)]],
    [text.image.platform, label.length > LABEL && label],
    [text.image.within, within && h("a", { href: digestPath(name, within) }, shortDigest(within))],
  ];
  if (!document) return { content: [facts(own), notice(h("h2", {}, text.image.absent), h("p", {}, text.image.absentAdvice))], config: null };
  const part = { digest, attestations, ...(await readManifest(shown, document)) };
  const { size } = describe(document, document.mediaType);
  const words = size === null ? text.tags.noneKnown : bytes(size);
  own.push([text.tags.size, part.kind === "legacy" ? null : words], [text.tags.created, timeAgo(realTime(part.config?.created, new Date()))], ...builderFacts(part));
  // If the index itself says it, it is above already.
  const origin = readOrigin(part.config?.config?.Labels, document.annotations);
  const above = JSON.stringify(readOrigin(shown.document.annotations));
  if (JSON.stringify(origin) !== above) own.push(...originFacts(origin));
  // What no platform's name chooses is got by its own digest.
  const named = { tag, digest: shown.digest, platform: isChosen ? platform.platform : "" };
  // Nor does another client choose one of an index, as Docker does.
  const isAlone = kindOf(document).client !== "docker" || (isChosen && !platform.platform);
  const inner = within ? { ...named, tag: "", digest: within, why: text.image.nested } : named;
  const got = isAlone ? { tag: "", digest, platform: "" } : inner;
  const sections = manifestSections({ ...shown, got: shown.damageOf(digest).length ? null : got }, part);
  return { content: [facts(own), ...sections, referrersSection(shown, part)], config: part.config };
}

/**
 * As `tabs`: of many, one in a list.
 * @param {Parameters<typeof tabs>[0]} options @returns {ReturnType<typeof tabs>}
 */
function platformList({ entries, chosen, panel, onChoose }) {
  const options = entries.map(({ key, label, note }) =>
    h("option", { value: key, selected: key === chosen }, note ? `${label} (${note})` : label));
  const name = () => panel.setAttribute("aria-label", choice.selectedOptions[0].textContent);
  const choice = h("select", { id: "platforms", "aria-controls": panel.id, onchange: () => (name(), onChoose(choice.value, false)) }, ...options);
  name();
  return {
    element: h("div", { class: "platform-list" }, h("label", { for: choice.id }, text.image.choosePlatform(entries.length)), choice),
    rename(key, label) {
      options[entries.findIndex((entry) => entry.key === key)].textContent = enclosed(label);
      name();
    },
  };
}

/**
 * @param {{label: string, entries: {key: string, label: string, note?: string}[], chosen: string, panel: HTMLElement,
 *   onChoose: (key: string, byPointer: boolean) => void}} options
 * @returns {{element: HTMLElement, rename: (key: string, label: string) => void}}
 */
function tabs({ label, entries, chosen, panel, onChoose }) {
  const buttons = entries.map((entry, index) =>
    h("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": panel.id, onclick: () => choose(index, true) },
      h("span", {}, entry.label), entry.note ? h("small", {}, entry.note) : null));

  function mark(index) {
    for (const [position, button] of buttons.entries()) {
      button.setAttribute("aria-selected", position === index);
      button.tabIndex = position === index ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `tab-${index}`);
  }

  function choose(index, byPointer) {
    if (buttons[index].ariaSelected === "true") return;
    mark(index);
    onChoose(entries[index].key, byPointer);
  }

  function onkeydown(event) {
    const now = buttons.indexOf(event.target);
    const last = buttons.length - 1;
    const next = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last }[event.key];
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    buttons[next].focus();
    choose(next, false);
  }

  mark(entries.findIndex(({ key }) => key === chosen));
  return {
    element: h("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown }, ...buttons),
    rename(key, words) {
      buttons[entries.findIndex((entry) => entry.key === key)].firstChild.textContent = enclosed(words);
    },
  };
}
