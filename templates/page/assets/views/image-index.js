/** An image of several platforms: each of them behind a tab. */
import { h } from "../dom.js";
import { bytes, shortDigest } from "../format.js";
import { describe, moment } from "../manifest.js";
import { readPlatforms } from "../platforms.js";
import { digestPath } from "../router.js";
import { text } from "../text.js";
import { builderFacts, manifestSections, readManifest } from "./image-manifest.js";
import { digestButton, facts, timeAgo } from "./image-parts.js";
import { referrersSection } from "./image-referrers.js";
import { notice } from "./parts.js";

// More than any image has, and no more than a browser draws at once.
const TABS = 100;

/** @param {any} shown the view's @returns {Promise<HTMLElement[]>} the tabs, and the platform that is chosen */
export async function drawIndex(shown) {
  const { document, entryOf, query, signal, setQuery, announce } = shown;
  const { platforms: all, attestations } = readPlatforms(document, entryOf);
  const platforms = all.slice(0, TABS);
  const panel = h("div", { id: "platform", role: "tabpanel" });
  let turn = 0;

  async function show(platform, isChosen) {
    const mine = (turn += 1);
    panel.setAttribute("aria-busy", "true");
    // What is attested of none of them is told with each.
    const about = attestations.filter(({ of }) => of === platform.digest || !all.some(({ digest }) => digest === of));
    const content = await platformContent(shown, { ...platform, attestations: about }, isChosen);
    if (signal.aborted || mine !== turn) return;
    panel.removeAttribute("aria-busy");
    panel.replaceChildren(...content);
  }

  /** A press is a step that "back" undoes; keys that go along the row are not. */
  function onChoose(key, byPointer) {
    const platform = platforms.find((one) => one.key === key);
    if (byPointer) history.pushState({ scroll: scrollY }, "");
    setQuery({ platform: key });
    announce(text.image.shown(platform.label));
    show(platform, true);
  }

  const asked = platforms.find(({ key }) => key === query.get("platform"));
  const chosen = asked ?? platforms.find(({ document: there }) => there) ?? platforms[0];
  if (!chosen) return [notice(text.image.emptyIndex), panel];
  await show(chosen, Boolean(asked));
  const entries = platforms.map(({ key, label, document: there }) => ({ key, label, note: there ? "" : text.image.notHere }));
  const more = all.length > TABS ? h("p", { class: "unknown" }, text.morePlatforms(all.length - TABS)) : "";
  return [tabs({ label: text.platforms, entries, chosen: chosen.key, panel, onChoose }), more, panel];
}

async function platformContent(shown, platform, isChosen) {
  const { announce, name } = shown;
  const { digest, document, within, attestations } = platform;
  const own = [
    [text.image.digest, [digestButton(digest, announce), document && h("a", { href: digestPath(name, digest) }, text.image.alone)]],
    [text.image.within, within && h("a", { href: digestPath(name, within) }, shortDigest(within))],
  ];
  if (!document) return [facts(own), notice(h("h2", {}, text.image.absent), h("p", {}, text.image.absentAdvice))];
  const part = { digest, attestations, ...(await readManifest(shown, document)) };
  const size = part.kind === "legacy" ? null : bytes(describe(document, document.mediaType).size);
  own.push([text.size, size], [text.created, timeAgo(moment(part.config?.created))], ...builderFacts(part));
  const sections = manifestSections({ ...shown, platform: isChosen ? platform.platform : "" }, part);
  return [facts(own), ...sections, referrersSection(shown, part)];
}

/**
 * @param {{label: string, entries: {key: string, label: string, note?: string}[], chosen: string, panel: HTMLElement,
 *   onChoose: (key: string, byPointer: boolean) => void}} options
 * @returns {HTMLElement}
 */
export function tabs({ label, entries, chosen, panel, onChoose }) {
  const buttons = entries.map((entry, index) =>
    h("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": panel.id, onclick: () => choose(index, true) },
      entry.label, entry.note ? h("small", {}, entry.note) : null));

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
  return h("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown }, ...buttons);
}
