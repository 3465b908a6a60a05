/** The dialog that deletes: it asks, deletes, and shows the results. */
import { h } from "../../browser/dom.js";
import { bytes, shortDigest } from "../../browser/format.js";
import { CHANGED } from "../../browser/store.js";
import { text } from "../../browser/text.js";
import { createWeigher, leavesUntagged, planDeletion, planImage } from "../../registry/deletion-plan.js";
import { createDeletion, refusal } from "../../registry/deletion.js";
import { button, commandBox, errorNotice, faultSentence } from "../parts.js";
import { isDone, isOpen, outcomeHeading, outcomeSummary, tagsOf } from "./deleting-outcome.js";
import { createQuestion, words } from "./deleting-question.js";

// After so many milliseconds without an answer, it is said what may be the matter.
const PATIENCE = 4000;
// After these, no other tag would fare better.
const FINAL = ["disabled", "readOnly", "maintenance", "forbidden", "unauthorized", "unreachable", "notRegistry"];

/**
 * Ask for the deletion of tags of a repository, or of an image by its digest.
 * @param {{client: any, name: string, tags?: string[], digest?: string, scope?: "tag" | "image",
 *   signal: AbortSignal, onChange?: (gone: string[]) => void}} options
 * `name` is the repository's, `tags` those to go; a `digest` goes with all its tags, whichever. For one tag the
 * person chooses between the tag and the image; `scope` is what is chosen at first. When `signal` aborts, a question
 * is taken back; a deletion in progress continues. `onChange` is called when the dialog closes after something was
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
  let onStop = () => {};
  let changed = false;

  /** While something is deleted, Escape stops it after the current tag. */
  function onCancel(event) {
    if (!running) return;
    event.preventDefault();
    stop();
  }

  function onClose() {
    stop();
    // Pressed twice, Escape closes whatever is said against it; the results are still to be shown.
    if (running) return dialog.showModal();
    dialog.remove();
    tell();
  }

  function tell() {
    if (!changed) return;
    dispatchEvent(new CustomEvent(CHANGED, { detail: name }));
    if (!signal.aborted) onChange?.([...gone]);
  }

  function stop() {
    stopping = true;
    onStop();
  }

  const close = () => dialog.close();

  function show({ heading, content = [], buttons, said = "", focus = title }) {
    dialog.removeAttribute("aria-describedby");
    title.textContent = heading;
    status.textContent = said;
    body.replaceChildren(...content);
    actions.replaceChildren(...buttons);
    focus.focus();
  }

  /** Read what is there now, not what the page showed a while ago. */
  async function ask(wanted, chosen) {
    show({ heading: words.reading, buttons: [button(words.cancel, close)] });
    try {
      const stored = await client.repository(name);
      const groups = digest ? [planImage(stored, digest)] : planDeletion(stored, wanted);
      const mayPush = stored.may.push;
      // Only where it makes a difference the registry is asked how it deletes.
      const isDamaged = Object.values(stored.tags).includes("");
      const isOld = (!mayPush || isDamaged) && (await deletion.way()) === "digests";
      if (!dialog.open) return;
      if (groups.length) put({ stored, groups, isOld, mayPush, scope: chosen });
      else finish({ results: [], rest: [], freed: { bytes: 0, isAll: true } });
    } catch (error) {
      if (dialog.open) fail(error, () => ask(wanted, chosen));
    }
  }

  function fail(error, retry) {
    const why = words.refusals[refusal(error)];
    const content = why ? [h("p", { class: "fault", role: "alert" }, why), ...told(error)] : [errorNotice(error, retry)];
    const buttons = [...(why ? [button(text.retry, retry)] : []), button(text.close, close)];
    show({ heading: words.notDeleted, content, buttons });
  }

  /** @param {any} options */
  function put({ stored, groups, ...known }) {
    const onConfirm = (whole, going) => run(work({ deletion, stored, groups, whole, going }));
    const { heading, form, ready, field } = createQuestion({ name, digest, stored, groups, onConfirm, ...known });
    const cancel = button(words.cancel, close);
    show({ heading, content: [form], buttons: [cancel, ready], focus: field() ?? cancel });
    if (groups.length === 1) dialog.setAttribute("aria-describedby", "deleting-explanation");
  }

  /** One after the other: several at once make 2.8 stumble, and are hardly faster. */
  async function run({ items, ...about }) {
    const progress = createProgress(items, stop);
    const results = [];
    running = changed = true;
    stopping = false;
    onStop = progress.stopping;
    addEventListener("beforeunload", warn);
    show({ heading: words.deleting, content: progress.content, buttons: progress.buttons });
    for (const item of items) {
      if (stopping) break;
      const ended = progress.begin(results.length, item);
      const result = await item.run();
      ended();
      results.push({ ...item, ...result });
      if (["failed", "partial", "unknown"].includes(result.outcome) && FINAL.includes(refusal(result.error))) break;
    }
    running = false;
    onStop = () => {};
    removeEventListener("beforeunload", warn);
    for (const tag of tagsOf(results.filter(isDone))) gone.add(tag);
    if (!dialog.open) return tell();
    const freed = about.weigh(tagsOf(results.filter(({ outcome }) => outcome === "deleted")));
    finish({ results, rest: tagsOf(items.slice(results.length)), freed, ...about });
  }

  /** @param {{results: any[], rest: string[], freed: import("../../content/weight.js").Sum, command?: string, scope?: string}} options */
  function finish({ results, rest, freed, command, scope: chosen }) {
    const open = results.filter(isOpen);
    const again = [...tagsOf(open), ...rest];
    const content = results.length ? [resultList(results)] : [];
    const announce = (copied) => (status.textContent = copied);
    const space = freed.isAll && words.space(bytes(freed.bytes));
    if (freed.bytes || !freed.isAll) content.push(h("p", {}, space || words.space("")), commandBox({ lines: [command], announce }).element);
    const retry = button(open.length ? text.retry : words.rest, () => ask(chosen === "image" ? again.slice(0, 1) : again, chosen));
    show({
      heading: outcomeHeading(words, results, rest),
      content,
      buttons: [...(open.length || rest.length ? [retry] : []), button(text.close, close)],
      said: outcomeSummary(words, results, rest),
    });
  }

  signal.addEventListener("abort", () => running || close());
  document.body.append(dialog);
  dialog.showModal();
  ask(tags, scope);
}

const warn = (event) => event.preventDefault();

/** What is to be done, one by one, and what comes after it. */
function work({ deletion, stored, groups, whole, going }) {
  const [{ digest }] = groups;
  const weigh = createWeigher(stored);
  const image = { label: shortDigest(digest), going, run: () => deletion.image({ digest, tags: going }) };
  const items = whole ? [image] : groups.flatMap((group) =>
    group.going.map((tag) => ({ label: tag, going: [tag], run: () => deletion.tag({ ...group, tag }) })));
  return {
    items,
    weigh: (gone) => weigh(new Set(gone), whole ? [digest] : []),
    command: leavesUntagged(groups, whole) ? "deployer gc --untagged" : "deployer gc",
    scope: whole ? "image" : "tag",
  };
}

function createProgress(items, stop) {
  const bar = h("progress", { max: items.length, value: 0, "aria-label": words.deleting });
  const line = h("p");
  const last = button(words.stop, stop);
  const say = (what) => {
    if (!last.disabled) line.textContent = what;
  };
  return {
    content: [bar, line],
    buttons: items.length > 1 ? [last] : [],

    /** Said however it is stopped; nothing else is said after it. */
    stopping() {
      if (items.length === 1) return;
      say(words.stopping);
      last.disabled = true;
    },

    /** @returns {() => void} to be called when it has ended */
    begin(position, { label }) {
      say(items.length > 1 ? words.progress(position + 1, items.length, label) : "");
      const waiting = setTimeout(() => say(words.waiting), PATIENCE);
      return () => {
        clearTimeout(waiting);
        bar.value = position + 1;
      };
    },
  };
}

const resultList = (results) =>
  h("ul", { class: "results", tabindex: "0", "aria-label": words.results }, ...results.map(resultLine));

function resultLine({ label, outcome, error, digest = "", tags = [] }) {
  const fault = error && outcome !== "mayNotPush" ? words.refusals[refusal(error)] ?? faultSentence(error).replaceAll("`", "") : "";
  const said = words.outcomes[outcome]({ digest: shortDigest(digest), tags: tags.join(", ") });
  return h("li", { class: isDone({ outcome }) ? "done" : "fault" },
    h("strong", {}, label), " ", [said, fault].filter(Boolean).join(" "), ...(error ? told(error) : []));
}

/** What the registry itself answered, if anything. */
function told({ status, message }) {
  const answer = text.answered(status, message);
  return answer ? [h("p", { class: "answer" }, answer)] : [];
}
