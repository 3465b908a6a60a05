/** English, of the list of repositories; it is loaded with it. */
import { number, of } from "../en.js";

const ROOM = { low: ": the disk is almost full", refused: ": the disk is almost full, and pushes are refused" };

export const words = {
  repositoryCount: (all) => of(all, "repository", "repositories"),
  shown: (shown, all) => `${number.format(shown)} of ${number.format(all)}`,
  repositoriesShown: (shown, all) => `${number.format(shown)} of ${of(all, "repository", "repositories")}`,
  filterRepositories: "Filter repositories",
  loadingRepositories: "Loading repositories…",
  noRepositories: "Nothing has been pushed here yet",
  noRepositoriesAdvice: "Tag an image with this registry's address, then push it:",
  inFolder: (folder, count) => `${folder}, ${of(count, "repository", "repositories")}`,
  shownAs: "View",
  shapes: { list: "List", folders: "Folders" },
  empty: (count) => `${number.format(count)} empty`,
  emptyOnes: "Without tags",
  emptyAdvice: "Nothing can be pulled from these repositories: their tags were deleted, or a push was interrupted. To remove them, run this command on the machine that runs the registry. It asks for confirmation:",
  openReference: (reference) => `Open ${reference}`,
  elsewhere: (registry) => `This is an image in ${registry}. Repositories in this registry that contain its name:`,
  onlyElsewhere: (registry, name) => `This is an image in ${registry}. There is no repository ${name} in this registry.`,
  noTags: "no tags",
  unknownTags: "tags unknown",
  sortBy: "Sort by",
  columns: { name: "Repository", pushed: "Last push", size: "Size", tags: "Tags" },
  pushedAt: (tag, moment) => `Last push: ${tag}, ${moment}`,
  pushedPart: "There are too many tags to check, so the last push of some repositories is unknown.",
  sizesRead: (read, all, waiting) => `Sizes known for ${number.format(read)} of ${number.format(all)} repositories${waiting ? " so far" : ""}.`,
  stored: (size, isAll) => `${isAll ? "" : "more than "}${size} stored`,
  storedTitle: "All content in the storage, each item counted once. Deleted content is included until you run deployer gc.",
  free: (free, all, state) => `${free} of ${all} free${state ? ROOM[state] : ""}`,
};
