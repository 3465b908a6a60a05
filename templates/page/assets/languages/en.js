/** English. */
const plural = new Intl.PluralRules("en");
export const number = new Intl.NumberFormat("en");
export const of = (count, one, many) => `${number.format(count)} ${plural.select(count) === "one" ? one : many}`;

export const text = {
  repositories: "Repositories",
  filter: "Filter",
  mayNotList: "No repository is listed for you",
  noMatch: (filter) => `No results for “${filter}”.`,
  clearFilter: "Clear filter",

  breadcrumb: "Breadcrumb",
  tagCount: (all) => of(all, "tag", "tags"),
  invalidName: "Invalid repository name",
  invalidNameAdvice: "Names use lowercase letters and digits, separated by dots, dashes, underscores or slashes.",

  atLeast: (size) => `at least ${size}`,
  justNow: "just now",
  future: "in the future",
  sortedBy: (column, descending) => `Sorted by ${column.toLowerCase()}, ${descending ? "descending" : "ascending"}`,

  copyCommand: "Copy the command",
  copied: "Copied",
  copyFailed: "The browser does not allow copying. Select the text and copy it manually.",

  retry: "Try again",
  signIn: "Log in",
  signInAgain: "Log in again",
  failed: "Loading failed",
  refusals: {
    unauthorized: "You are logged out",
    forbidden: "Access denied",
  },
  faults: {
    unauthorized: "You are not logged in, your password was changed, or your user was removed. Log in: the browser asks for your user name and password.",
    forbidden: "You are logged in, but the access rules of this registry do not allow you to read this. Ask the administrator of the registry.",
    missing: "Not found in the registry.",
    busy: "The registry is receiving too many requests. Try again in a moment.",
    unavailable: "The registry is not responding. It may be starting; for details, run `deployer status`.",
    large: "The response is too large for the page. Use `deployer tags` and `deployer inspect` on the command line.",
    unreachable: "Cannot connect to the server. Check this machine’s network connection, and that the registry is running.",
    misplaced: "In the registry's storage, a file is in the place of a directory (path below). Move the file away, or restore the directory; for details, run `deployer doctor`.",
    notRegistry: "The server is not a registry, or its response was truncated.",
    failed: "The registry reported an error. For details, run `deployer logs`.",
  },
  answered: (status, message) => [status && `HTTP ${status}`, message].filter(Boolean).join(": "),

  language: "Language",
  signedInAs: (user) => user,
  signOut: "Log out",
  signedOut: "You are logged out",
  signedOutAdvice: "Your user name and password for this registry were removed from this browser.",
  schedulePath: (problems) => (problems ? `Schedule (${of(problems, "problem", "problems")})` : "Schedule"),
  keys: "Keyboard shortcuts",
  close: "Close",

  unknownPage: "Page not found",
  unknownPageAdvice: "Check the address. The repositories are on the home page.",
};
