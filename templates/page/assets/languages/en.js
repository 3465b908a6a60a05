/** English. */
const plural = new Intl.PluralRules("en");
export const number = new Intl.NumberFormat("en");
export const of = (count, one, many) => `${number.format(count)} ${plural.select(count) === "one" ? one : many}`;

export const text = {
  repositories: "Repositories",
  filter: "Filter",
  mayNotList: "You may not list all repositories",
  noMatch: (filter) => `Nothing here matches “${filter}”.`,
  clearFilter: "Clear the filter",

  breadcrumb: "You are here",
  tagCount: (all) => of(all, "tag", "tags"),
  invalidName: "No repository can have this name",
  invalidNameAdvice: "Names are of small letters, digits and, between them, dots, dashes, underscores and slashes.",

  atLeast: (size) => `at least ${size}`,
  justNow: "just now",
  future: "in the future",
  sortedBy: (column, descending) => `Sorted by ${column.toLowerCase()}, ${descending ? "descending" : "ascending"}`,

  copyCommand: "Copy the command",
  copied: "Copied",
  copyFailed: "The browser does not let this page copy. Select the words and copy them yourself.",

  retry: "Try again",
  signInAgain: "Sign in again",
  failed: "This could not be loaded",
  refusals: {
    unauthorized: "You are signed out",
    forbidden: "You may not see this",
  },
  faults: {
    unauthorized: "The password has changed, the user was removed, or nobody signed in. Sign in again: the page is loaded again, and the browser asks.",
    forbidden: "You are signed in, but the access rules of this registry do not let you read this. Ask its administrator.",
    missing: "The registry does not know this.",
    busy: "The registry is asked too much at the moment. Wait a little.",
    unavailable: "The registry does not answer. It may be starting; `deployer status` tells more.",
    large: "This holds more than the page can show at once. On the command line, `deployer tags` and `deployer inspect` show it.",
    unreachable: "The server cannot be reached. Is this machine connected, and is the registry running?",
    alien: "What answers here is not a registry, or its answer was truncated.",
    failed: "The registry met a fault. `deployer logs` tells more.",
  },
  answered: (status, message) => [status && `HTTP ${status}`, message].filter(Boolean).join(": "),

  language: "Language",
  signedInAs: (user) => user,
  signOut: "Sign out",
  signedOut: "You are signed out",
  signedOutAdvice: "This browser has forgotten your name and password for this registry.",
  keys: "Keys",
  close: "Close",

  unknownPage: "There is no such page",
  unknownPageAdvice: "The address may be mistyped. The repositories are on the first page.",
};
