/** The dialog that deletes: it says what goes and what stays, asks, does it, and tells how it ended. */
import { createDeletion, refusal } from "../deletion.js";
import { createWeigher, planDeletion, planImage } from "../deletion-plan.js";
import { h } from "../dom.js";
import { bytes, shortDigest } from "../format.js";
import { language, text } from "../text.js";
import { button, commandBox, errorNotice, faultSentence } from "./parts.js";

// More than so many at once want the repository's name typed.
const FEW = 10;
// After these, no other tag would fare better.
const FINAL = ["disabled", "readOnly", "heldOff", "forbidden", "unauthorized", "unreachable", "alien"];
const DONE = ["deleted", "gone"];
const { words } = await import(`../languages/deleting/${language}.js`);

/**
 * Ask for the deletion of tags of a repository, or of an image by its digest.
 * @param {{client: any, name: string, tags?: string[], digest?: string, scope?: "tag" | "image",
 *   signal: AbortSignal, onChange?: (gone: string[]) => void}} options
 * `name` is the repository's, `tags` those to go; a `digest` goes with all its tags, whichever. For one tag the
 * person chooses between the tag and the image; `scope` is what is chosen at first. When `signal` aborts, a question
 * is taken back; a deletion under way goes on. `onChange` is called when the dialog closes after something was
 * done, with the tags that are gone.
 */
export function openDeleting({ client, name, tags = [], digest = "", scope = "tag", signal, onChange }) {
  const title = h("h2", { id: "deleting-title", tabindex: "-1" }, words.reading);
  const status = h("p", { role: "status" });
  const body = h("div", { class: "asked" });
  const actions = h("div", { class: "answers" });
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": title.id, oncancel: onCancel, onclose: onClose },
    title, status, body, actions);
  const deletion = createDeletion({ client, name });
  const gone = new Set();
  let running = false;
  let stopping = false;
  let changed = false;

  /** While something is deleted, Escape stops it after the tag that is under way. */
  function onCancel(event) {
    if (!running) return;
    event.preventDefault();
    stop();
  }

  function onClose() {
    stop();
    dialog.remove();
    tell();
  }

  function tell() {
    if (changed && !signal.aborted) onChange?.([...gone]);
  }

  function stop() {
    stopping = true;
  }

  const close = () => dialog.close();

  function show(heading, content, buttons, said = "") {
    title.textContent = heading;
    status.textContent = said;
    body.replaceChildren(...content);
    actions.replaceChildren(...buttons);
  }

  /** Read what is there now, not what the page showed a while ago. */
  async function ask(wanted, chosen) {
    show(words.reading, [], [button(words.cancel, close)]);
    title.focus();
    try {
      const stored = await client.repository(name);
      const groups = digest ? [planImage(stored, digest)] : planDeletion(stored, wanted);
      if (!groups.length) return finish([]);
      const mayUntag = stored.may.push || (await deletion.way()) === "tags";
      if (dialog.open) question({ stored, groups, mayUntag, scope: chosen });
    } catch (error) {
      if (dialog.open) fail(error, () => ask(wanted, chosen));
    }
  }

  function fail(error, retry) {
    const why = words.refusals[refusal(error)];
    const content = why ? [h("p", { class: "fault", role: "alert" }, why), told(error)] : [errorNotice(error, retry)];
    show(words.notDeleted, content.filter(Boolean), [...(why ? [button(text.retry, retry)] : []), button(text.close, close)]);
  }

  function question({ stored, groups, mayUntag, scope: chosen }) {
    const all = Object.keys(stored.tags).length;
    const damaged = Object.keys(stored.tags).filter((tag) => !stored.tags[tag]);
    const single = groups.length === 1 && groups[0].going.length <= 1;
    const [group] = groups;
    let whole = Boolean(digest) || (single && chosen === "image" && !group.lost);
    const going = () => (whole ? [...group.going, ...group.staying] : groups.flatMap((one) => one.going));
    const form = h("form", { id: "deleting", novalidate: true, onsubmit: (event) => { event.preventDefault(); run(); } });
    const explanation = h("div", { class: "explanation", id: "deleting-explanation" });
    const confirm = nameField({ name, onInput: update });
    const ready = h("button", { class: "button danger", form: form.id }, words.delete);

    /** 2.8 reads all tags when it deletes, and ends half-way at a damaged one. */
    const inTheWay = () => damaged.filter((tag) => !going().includes(tag));
    const blocked = () => (!whole && !mayUntag) || inTheWay().length > 0;
    const mustType = () => going().length > FEW || (all > 1 && going().length === all);

    function update() {
      confirm.element.hidden = !mustType() || blocked();
      ready.disabled = blocked() || (mustType() && !confirm.isRight());
    }

    function draw() {
      explanation.replaceChildren(...(whole ? imageWords(group) : single ? tagWords(group) : listWords(groups)),
        ...(going().length === all ? [h("p", {}, text.deleting.nameStays, " ", h("code", {}, `deployer delete --repository ${name}`))] : []),
        ...(blocked() ? [h("p", { class: "fault" }, inTheWay().length ? words.inTheWay(inTheWay().join(", ")) : words.mayNotPush(single))] : []));
      update();
    }

    function run() {
      if (ready.disabled) return;
      const weigh = createWeigher(stored);
      const items = whole
        ? [{ label: shortDigest(group.digest), tags: going(), run: () => deletion.image({ digest: group.digest, tags: going() }) }]
        : groups.flatMap(({ digest: named, lost, going: own }) => own.map((tag) =>
            ({ label: tag, tags: [tag], run: () => deletion.tag({ tag, digest: named, lost }) })));
      const isLeft = !whole && groups.some((one) => !one.staying.length && !one.lost && !one.halfDeleted);
      execute({ items, freed: (tags) => weigh(new Set(tags), whole && [group.digest]), command: isLeft ? "deployer gc --untagged" : "deployer gc", scope: whole ? "image" : "tag" });
    }

    const choices = single && !digest && !group.lost && !group.halfDeleted && (group.staying.length || !mayUntag)
      ? [scopeChoice({ group, whole, mayUntag, onChoose: (value) => { whole = value; draw(); } })] : [];
    if (single) dialog.setAttribute("aria-describedby", explanation.id);
    form.append(...(single ? [h("p", { class: "digest" }, h("span", {}, words.digest), h("code", {}, group.digest || text.noneKnown))] : []),
      ...choices, explanation, confirm.element);
    const heading = digest ? words.titleImage(name) : single ? words.titleTag(`${name}:${group.going[0]}`)
      : going().length === all ? words.titleAll(all, name) : words.titleTags(going().length, name);
    show(heading, [form], [button(words.cancel, close), ready]);
    draw();
    (confirm.element.hidden ? actions.querySelector("button") : confirm.input).focus();
  }

  /** One after the other: several at once make 2.8 stumble, and are hardly faster. */
  async function execute({ items, freed, command, scope: chosen }) {
    const bar = h("progress", { max: items.length, value: 0, "aria-label": words.deleting });
    const line = h("p");
    const results = [];
    const last = h("button", { type: "button", class: "button", onclick: () => { stop(); last.disabled = true; line.textContent = words.stopping; } }, words.stop);
    running = true;
    stopping = false;
    addEventListener("beforeunload", warn);
    show(words.deleting, [bar, line], items.length > 1 ? [last] : []);
    title.focus();
    for (const item of items) {
      if (stopping) break;
      if (items.length > 1) line.textContent = words.progress(results.length + 1, items.length, item.label);
      const result = await item.run();
      results.push({ ...item, ...result });
      if (DONE.includes(result.outcome)) for (const tag of item.tags) gone.add(tag);
      changed = true;
      bar.value = results.length;
      if (result.outcome === "failed" && FINAL.includes(refusal(result.error))) break;
    }
    running = false;
    removeEventListener("beforeunload", warn);
    const rest = items.slice(results.length).flatMap((item) => item.tags);
    finish(results, { rest, bytesFreed: freed(results.filter(({ outcome }) => outcome === "deleted").flatMap((item) => item.tags)), command, scope: chosen });
  }

  function finish(results, { rest = [], bytesFreed = 0, command, scope: chosen } = {}) {
    if (!dialog.open) return tell();
    const of = (...outcomes) => results.filter(({ outcome }) => outcomes.includes(outcome));
    const failed = of("failed", "half", "mayNotPush");
    const again = [...failed.flatMap((item) => item.tags), ...rest];
    const done = of(...DONE);
    const left = of("anew", "shared").length;
    const summary = [
      done.length && words.deleted(done.flatMap((item) => item.tags).length), left && words.leftAlone(left),
      failed.length && words.failed(failed.length), rest.length && words.untouched(rest.length),
    ];
    const said = results.length ? summary.filter(Boolean).join(" ") : words.nothingThere;
    const announce = (copied) => (status.textContent = copied);
    const content = results.length ? [h("ul", { class: "results", tabindex: "0", "aria-label": words.results }, ...results.map(resultLine))] : [];
    if (bytesFreed) content.push(h("p", {}, words.space(bytes(bytesFreed))), commandBox({ lines: [command], announce }).element);
    const retry = again.length ? [button(failed.length ? text.retry : words.rest, () => ask(chosen === "image" ? again.slice(0, 1) : again, chosen))] : [];
    show(done.length === results.length && !rest.length ? words.done : words.notAllDeleted, content, [...retry, button(text.close, close)], said);
    title.focus();
  }

  signal.addEventListener("abort", () => running || close());
  document.body.append(dialog);
  dialog.showModal();
  ask(tags, scope);
}

const warn = (event) => event.preventDefault();

const told = ({ status, message }) => {
  const answer = text.answered(status, message);
  return answer ? h("p", { class: "answer" }, answer) : null;
};

function resultLine({ label, outcome, error, digest, tags }) {
  const isDone = DONE.includes(outcome);
  const why = error && outcome !== "mayNotPush" ? " " + (words.refusals[refusal(error)] ?? faultSentence(error).replaceAll("`", "")) : "";
  const said = words.outcomes[outcome]({ digest: shortDigest(digest ?? ""), tags: (tags ?? []).join(", ") }) + why;
  return h("li", { class: isDone ? "done" : "fault" }, h("strong", {}, label), ` ${said}`, ...(error ? [told(error)].filter(Boolean) : []));
}

/** For many, or all: the repository's name, typed. */
function nameField({ name, onInput }) {
  const input = h("input", { id: "deleting-name", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", oninput: onInput });
  const element = h("div", { class: "typed" }, h("label", { for: input.id }, ...words.typeName(h("code", {}, name))), input);
  return { element, input, isRight: () => input.value.trim() === name };
}

function scopeChoice({ group, whole, mayUntag, onChoose }) {
  const choice = (value, label, id) => h("label", {},
    h("input", { type: "radio", name: "scope", id, checked: mayUntag && value === whole, disabled: !value && !mayUntag, onchange: () => onChoose(value) }), label);
  return h("fieldset", { class: "scope" }, h("legend", {}, words.scope),
    choice(false, words.onlyTag, "only-tag"), choice(true, words.whole(group.staying.length + 1), "whole-image"));
}

const tagsIn = (tags) => tags.join(", ");

function tagWords({ digest, staying, partOf, lost, halfDeleted }) {
  if (halfDeleted) return [h("p", {}, words.halfWhat)];
  if (lost) return [h("p", {}, words.lostWhat)];
  const stays = staying.length ? words.imageStays(tagsIn(staying)) : words.lastTag;
  return [h("p", {}, stays), ...(partOf.length ? [h("p", {}, words.partStays(tagsIn(partOf)))] : [])];
}

function imageWords({ going, staying, partOf, attached }) {
  const own = [...going, ...staying];
  return [
    h("p", {}, own.length ? words.imageGoes(tagsIn(own)) : words.imageGoesAlone),
    ...(partOf.length ? [h("p", { class: "fault" }, words.breaks(tagsIn(partOf)))] : []),
    ...(attached.length ? [h("p", {}, words.signaturesStay(tagsIn(attached)))] : []),
  ];
}

/** For several: each image with its tags that go, and those that stay. */
function listWords(groups) {
  const lines = groups.map(({ digest, going, staying, partOf, lost, halfDeleted }) => {
    const stays = halfDeleted ? words.halfWhat : lost ? words.lostWhat
      : staying.length ? words.imageStays(tagsIn(staying)) : words.lastTagShort;
    return h("li", {}, h("code", { title: digest }, digest ? shortDigest(digest) : text.noneKnown), " ", h("strong", {}, tagsIn(going)),
      h("span", {}, stays, ...(partOf.length && !lost ? [` ${words.partStays(tagsIn(partOf))}`] : [])));
  });
  return [h("ul", { class: "going", tabindex: "0", "aria-label": words.goingList }, ...lines)];
}
