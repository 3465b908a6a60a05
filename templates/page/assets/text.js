/** Every word that people read. A language is one object of this shape; what holds numbers or names is a function. */

/** For numbers, times and plurals. */
export const language = "en";

const plural = new Intl.PluralRules(language);
const number = new Intl.NumberFormat(language);
const of = (count, one, many) => `${number.format(count)} ${plural.select(count) === "one" ? one : many}`;

export const text = {
  repositories: "Repositories",
  repositoryCount: (all) => of(all, "repository", "repositories"),
  shown: (shown, all) => `${number.format(shown)} of ${number.format(all)}`,
  repositoriesShown: (shown, all) => `${number.format(shown)} of ${of(all, "repository", "repositories")}`,
  filterRepositories: "Filter repositories",
  loadingRepositories: "Loading the repositories…",
  noRepositories: "Nothing has been pushed here yet",
  noRepositoriesAdvice: "Give an image a name that begins with this registry's address, then push it:",
  noMatch: (filter) => `Nothing here matches “${filter}”.`,
  clearFilter: "Clear the filter",
  inFolder: (folder, count) => `${folder}, ${of(count, "repository", "repositories")}`,

  breadcrumb: "You are here",
  tag: "Tag",
  tagCount: (all) => of(all, "tag", "tags"),
  tagsShown: (shown, all) => `${number.format(shown)} of ${of(all, "tag", "tags")}`,
  tagsOf: (name) => `Tags of ${name}`,
  filterTags: "Filter tags",
  loadingTags: "Loading the tags…",
  readingDetails: (done, all) => `Reading details, ${number.format(done)} of ${number.format(all)}`,
  detailsFailed: (count) => `The details of ${of(count, "tag", "tags")} could not be read.`,
  noTags: (name) => `${name} has no tags`,
  noTagsAdvice: "They were deleted, or none was pushed yet. Push one:",
  unknownRepository: (name) => `There is no repository ${name} here`,
  unknownRepositoryAdvice: "Nothing was pushed under this name, or all of it was removed. Push it:",
  invalidName: "No repository can have this name",
  invalidNameAdvice: "Names are of small letters, digits and, between them, dots, dashes, underscores and slashes.",

  platforms: "Platforms",
  morePlatforms: (count) => `+${number.format(count)}`,
  size: "Size",
  sizeOfAll: (count) => `${of(count, "platform", "platforms")} together`,
  sizeUnknown: "Not all of its platforms are in this registry",
  created: "Created",
  unknown: "unknown",
  pull: "Pull",
  sameImage: (tags) => `same image: ${tags}`,
  noneKnown: "–",
  legacy: "Docker schema 1",
  artifact: "Artifact",
  unread: "could not be read",
  gone: "no longer there",
  sortedBy: (column, descending) => `Sorted by ${column.toLowerCase()}, ${descending ? "descending" : "ascending"}`,

  copyDigest: (tag) => `Copy the digest of ${tag}`,
  copyPull: (tag) => `Copy the pull command of ${tag}`,
  copyCommand: "Copy the command",
  copied: "Copied",
  copyFailed: "The browser does not let this page copy. Select the words and copy them yourself.",

  retry: "Try again",
  failed: "This could not be loaded",
  faults: {
    unauthorized: "The registry asks you to sign in. Reload the page to be asked again.",
    forbidden: "You are signed in, but you may not see this.",
    missing: "The registry does not know this.",
    busy: "The registry is asked too much at the moment. Wait a little.",
    unavailable: "The registry does not answer. It may be starting; `deployer status` tells more.",
    unreachable: "The server cannot be reached. Is this machine connected, and is the registry running?",
    alien: "What answers here is not a registry, or its answer was cut off.",
    failed: "The registry met a fault. `deployer logs` tells more.",
  },
  answered: (status, message) => [status && `HTTP ${status}`, message].filter(Boolean).join(": "),

  unknownPage: "There is no such page",
  unknownPageAdvice: "The address may be mistyped. The repositories are on the first page.",
};
