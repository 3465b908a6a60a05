/** English, of the list of repositories; it is loaded with it. */
const number = new Intl.NumberFormat("en");

export const words = {
  shownAs: "Shown as",
  shapes: { list: "List", folders: "Folders" },
  empty: (count) => `${number.format(count)} empty`,
  emptyOnes: "Without tags",
  emptyAdvice: "Nothing can be pulled from these: their tags were deleted, or a push was broken off. They stay listed until this command removes them, on the machine that runs the registry; it asks first:",
  openReference: (reference) => `Open ${reference}`,
  elsewhere: (registry) => `This names an image of ${registry}. These repositories here have the name too:`,
  onlyElsewhere: (registry, name) => `This names an image of ${registry}. No repository here is called ${name}.`,
  noTags: "no tags",
  sortBy: "Sort by",
  columns: { name: "Repository", pushed: "Last push", size: "Size", tags: "Tags" },
  pushedAt: (tag, moment) => `Last push: ${tag}, ${moment}`,
  pushedPart: "There are too many tags to look at all: the last push of some repositories is not known.",
  sizesRead: (read, all, waiting) => `Sizes of ${number.format(read)} of ${number.format(all)} repositories are known${waiting ? " so far" : ""}.`,
  stored: (size, isAll) => `${isAll ? "" : "more than "}${size} stored`,
  storedTitle: "All content in the storage, each counted once. What was deleted counts until deployer gc frees it.",
  free: (free, all, isLeast) => `${free} of ${all} free${isLeast ? ": the disk is almost full" : ""}`,
};
