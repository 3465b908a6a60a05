/** The question before a deletion: what goes, what stays, and what has to be chosen or typed. */
import { h } from "../../browser/dom.js";
import { shortDigest } from "../../browser/format.js";
import { retryOnce } from "../../browser/loading.js";
import { language, text } from "../../browser/text.js";

/** The dialog's own words. */
export const { words } = await retryOnce(() => import(`../../languages/deleting/${language}.js`));

// More than so many at once want the repository's name typed.
const FEW = 10;

/**
 * @typedef {import("../../registry/deletion-plan.js").Group} Group
 * @param {{name: string, digest: string, stored: import("../../registry/deletion-plan.js").Stored, groups: Group[], isOld: boolean,
 *   mayPush: boolean, scope: "tag" | "image", onConfirm: (whole: boolean, going: string[]) => void}} options
 * A `digest` was asked for, or else tags. `isOld`: the registry deletes digests only. `scope` is chosen at first.
 * `onConfirm` hears whether the image goes `whole`, and which tags go.
 * @returns {{heading: string, form: HTMLFormElement, ready: HTMLButtonElement, field: () => HTMLElement | null}}
 * `ready` is the button that confirms; `field` what has to be filled in.
 */
export function createQuestion({ name, digest, stored, groups, isOld, mayPush, scope, onConfirm }) {
  const names = Object.keys(stored.tags);
  const [group] = groups;
  const isOne = groups.length === 1 && group.going.length <= 1;
  const mayUntag = !isOld || mayPush;
  let whole = Boolean(digest) || (isOne && scope === "image" && !group.lost);
  const going = () => (whole ? [...group.going, ...group.staying] : groups.flatMap((one) => one.going));
  const isAll = () => going().length === names.length;
  const mustType = () => going().length > FEW || (names.length > 1 && isAll());

  /** Deleting a digest, the registry reads all tags, and ends half-way at a damaged one. */
  const inTheWay = () => names.filter((tag) => (whole || isOld) && !stored.tags[tag] && !going().includes(tag));
  const obstacle = () => {
    if (inTheWay().length) return words.inTheWay(listed(inTheWay()));
    return whole || mayUntag ? "" : words.mayNotPush(isOne);
  };

  const explanation = h("div", { class: "explanation", id: "deleting-explanation" });
  const typed = nameField({ name, onInput: update });
  const form = h("form", { id: "deleting", novalidate: true, onsubmit: confirm },
    isOne ? h("p", { class: "digest" }, h("span", {}, words.digest), h("code", {}, group.digest || text.tags.noneKnown)) : null);
  const ready = h("button", { class: "button danger", form: form.id }, words.delete);

  function update() {
    typed.element.hidden = !mustType() || Boolean(obstacle());
    ready.disabled = Boolean(obstacle()) || (mustType() && !typed.isRight());
  }

  function draw() {
    explanation.replaceChildren(
      ...(whole ? imageWords(group) : isOne ? tagWords(group) : listWords(groups)),
      ...(isAll() ? [h("p", {}, text.tags.deleting.nameStays, " ", h("code", {}, `deployer delete --repository ${name}`))] : []),
      ...(obstacle() ? [h("p", { class: "fault" }, obstacle())] : []),
    );
    update();
  }

  function confirm(event) {
    event.preventDefault();
    if (!ready.disabled) onConfirm(whole, going());
  }

  function choose(value) {
    whole = value;
    draw();
  }

  function heading() {
    if (digest) return words.titleImage(name);
    if (isOne) return words.titleTag(`${name}:${group.going[0]}`);
    return isAll() ? words.titleAll(names.length, name) : words.titleTags(going().length, name);
  }

  if (isOne && !digest && !group.lost && !group.halfDeleted && (group.staying.length || !mayUntag)) {
    form.append(scopeChoice({ count: group.staying.length + 1, chosen: mayUntag ? whole : null, choose }));
  }
  form.append(explanation, typed.element);
  draw();
  return { heading: heading(), form, ready, field: () => (typed.element.hidden ? null : typed.input) };
}

/** The repository's name, typed. */
function nameField({ name, onInput }) {
  const input = h("input", {
    id: "deleting-name", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", oninput: onInput,
  });
  const label = h("label", { for: input.id }, ...words.typeName(h("code", {}, name)));
  return { element: h("div", { class: "typed" }, label, input), input, isRight: () => input.value.trim() === name };
}

/** `chosen`: whether the whole image goes; null if the tag alone can't, and nothing is chosen yet. */
function scopeChoice({ count, chosen, choose }) {
  const choice = (value, label, id) => h("label", {}, h("input", {
    type: "radio", name: "scope", id, checked: value === chosen, disabled: !value && chosen === null, onchange: () => choose(value),
  }), label);
  return h("fieldset", { class: "scope" }, h("legend", {}, words.scope),
    choice(false, words.onlyTag, "only-tag"), choice(true, words.whole(count), "whole-image"));
}

const listed = (tags) => tags.join(", ");

function tagWords({ digest, staying, partOf, lost, halfDeleted }) {
  if (halfDeleted) return [h("p", {}, words.halfWhat)];
  if (lost) return [h("p", {}, words.lostWhat)];
  const stays = staying.length ? words.imageStays(listed(staying)) : words.lastTag;
  return [h("p", {}, stays), ...(partOf.length ? [h("p", {}, words.partStays(listed(partOf)))] : [])];
}

function imageWords({ going, staying, partOf, attached, isIndex }) {
  const own = [...going, ...staying];
  return [
    h("p", {}, own.length ? words.imageGoes(listed(own)) : words.imageGoesAlone),
    ...(isIndex ? [h("p", {}, words.partsAreLeft)] : []),
    ...(partOf.length ? [h("p", { class: "fault" }, words.breaks(listed(partOf)))] : []),
    ...(attached.length ? [h("p", {}, words.signaturesStay(listed(attached)))] : []),
  ];
}

/** For several: each image with its tags that go, and those that stay. */
function listWords(groups) {
  const lines = groups.map(({ digest, going, staying, partOf, lost, halfDeleted }) => {
    const stays = halfDeleted ? words.halfWhat : lost ? words.lostWhat
      : staying.length ? words.imageStays(listed(staying)) : words.lastTagShort;
    return h("li", {}, h("code", { title: digest }, digest ? shortDigest(digest) : text.tags.noneKnown), " ", h("strong", {}, listed(going)),
      h("span", {}, stays, ...(partOf.length && !lost ? [` ${words.partStays(listed(partOf))}`] : [])));
  });
  return [h("ul", { class: "going", tabindex: "0", "aria-label": words.goingList }, ...lines)];
}
