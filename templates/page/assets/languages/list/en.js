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
  newestTag: "newest: ",
  newest: (tag, moment) => `Newest tag: ${tag}, ${moment}`,
};
