/** English, of the commands that run by themselves. */
import { of } from "../en.js";

const DAYS = { mon: "Mondays", tue: "Tuesdays", wed: "Wednesdays", thu: "Thursdays", fri: "Fridays", sat: "Saturdays", sun: "Sundays", daily: "every day", monthly: "on the 1st" };

export const words = {
  title: "Scheduled commands",
  loading: "Loading scheduled commands…",
  nothing: "Nothing is scheduled, and nothing has run yet.",
  problems: (count) => (count ? of(count, "problem", "problems") : "No problems"),
  planned: "Schedule",
  ran: "Recent runs",
  columns: { command: "Command", when: "Server time", next: "Next run", last: "Last run", started: "Started", result: "Result", took: "Took", size: "Stored or freed" },
  when: (written) => { const [day, time] = written.split(" "); return `${DAYS[day] ?? day} ${time}`; },
  results: { running: "running", done: "done", failed: "failed", skipped: "skipped", interrupted: "interrupted" },
  never: "none yet",
  missed: "missed",
  missedAt: (job, moment) => `The ${job} scheduled for ${moment} did not run`,
  ended: (job, moment, result) => `The scheduled ${job} of ${moment}: ${result}`,
  advice: (hasLog) => `On the machine that runs the registry, ${hasLog ? "these commands show the log and run it again" : "this command runs it now"}:`,
  backup: "Last backup",
  tested: "Restore drill",
  drill: (passed) => (passed ? "passed" : "failed"),
  noDrill: "The last backup's target has not been tested yet.",
};
