/** The commands that run by themselves: when they run, how the last runs ended, and the last backup. */
import { h } from "../../browser/dom.js";
import { ago, bytes, moment } from "../../browser/format.js";
import { language, text } from "../../browser/text.js";
import { readUpkeep } from "../../lists/runs.js";
import { breadcrumb, commandBox, errorNotice, notice, skeleton } from "../parts.js";

const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** @param {any} context the router's and the application's */
export function showSchedule({ root, client, session, signal, announce, setTitle, restoreScroll }) {
  const words = text.schedule;
  const body = h("div", { class: "schedule" }, skeleton(6));
  setTitle(words.title);
  root.append(
    breadcrumb([{ label: text.repositories, path: "/" }, { label: words.title }]),
    h("h1", { tabindex: "-1" }, words.title),
    body,
  );

  async function load() {
    announce(words.loading);
    try {
      const upkeep = await client.upkeep(signal);
      const shown = upkeep && readUpkeep(upkeep);
      session.set({ upkeep });
      body.replaceChildren(...(shown ? content(shown, announce) : [notice(h("p", {}, words.nothing))]));
      announce(shown ? words.problems(shown.problems) : words.nothing);
      restoreScroll();
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(errorNotice(error, load));
    }
  }
  load();
}

function content({ jobs, runs, backup, drill }, announce) {
  const { columns, planned, ran, when } = text.schedule;
  const wrong = jobs.filter(({ isBad }) => isBad).map((job) => problem(job, announce));
  const plan = jobs.map((job) => [name(job.job), when(job.when), job.next ? at(job.next) : "–", last(job)]);
  const rows = runs.map((run) => [time(run.started), name(run.job), result(run), took(run.seconds), run.bytes === null ? "–" : bytes(run.bytes)]);
  return [
    ...wrong,
    ...(backup ? [backups(backup, drill, announce)] : []),
    ...(plan.length ? [table(planned, [columns.command, columns.when, columns.next, columns.last], plan)] : []),
    ...(rows.length ? [table(ran, [columns.started, columns.command, columns.result, columns.took, columns.size], rows)] : []),
  ];
}

/** What `deployer doctor` says of it, with the commands that help; they run on the machine of the registry. */
function problem({ job, missed, last }, announce) {
  const words = text.schedule;
  const said = missed ? words.missedAt(job, moment(missed)) : words.ended(job, moment(last.started), words.results[last.result] ?? last.result);
  const lines = [...(missed ? [] : [`deployer runs ${last.id}`]), `deployer run-scheduled ${job}`];
  return h("div", { class: "notice error" }, h("h2", {}, said), h("p", {}, words.advice(!missed)), commandBox({ lines, announce }).element);
}

function backups(backup, drill, announce) {
  const words = text.schedule;
  const failed = drill && !drill.passed;
  const tested = drill ? h("span", { class: failed ? "fault" : null }, words.drill(drill.passed), " ", time(drill.at)) : words.noDrill;
  const pairs = h("dl", { class: "backups" }, h("dt", {}, words.backup), h("dd", {}, time(backup)), h("dt", {}, words.tested), h("dd", {}, tested));
  return h("section", {}, pairs, failed ? commandBox({ lines: ["deployer status"], announce }).element : null);
}

function table(caption, columns, rows) {
  // Where there is no room for columns, each cell says of what it is; the roles are for that: without columns, browsers
  // take it for no table.
  const head = h("tr", { role: "row" }, ...columns.map((one) => h("th", { role: "columnheader", scope: "col" }, one)));
  const cells = (row) => row.map((one, index) => h("td", { role: "cell", "data-of": columns[index] }, one));
  const body = rows.map((row) => h("tr", { role: "row" }, ...cells(row)));
  const groups = [h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, ...body)];
  return h("section", {}, h("table", { role: "table" }, h("caption", {}, caption), ...groups));
}

/** Commands have their names, in every language. */
const name = (job) => h("code", {}, job);

const at = (date) => h("time", { datetime: date.toISOString(), title: moment(date) }, short.format(date));

const time = (date) => h("time", { datetime: date.toISOString(), title: moment(date) }, ago(date));

function last({ last: run, missed }) {
  if (missed) return h("span", { class: "fault" }, text.schedule.missed);
  return run ? h("span", {}, result(run), " ", time(run.started)) : text.schedule.never;
}

function result(run) {
  return h("span", { class: run.isBad ? "fault" : null }, text.schedule.results[run.result] ?? run.result);
}

function took(seconds) {
  if (seconds === null) return "–";
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds % 60)];
  return hours ? `${unit(hours, "hour")} ${unit(minutes, "minute")}` : minutes ? `${unit(minutes, "minute")} ${unit(rest, "second")}` : unit(rest, "second");
}

const unit = (value, of) => new Intl.NumberFormat(language, { style: "unit", unit: of }).format(value);
