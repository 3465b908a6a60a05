/** English, for who may not list the repositories. */
export const words = {
  mayNotListAdvice: "The access rules of this registry let you into some of them only. Open one by its name:",
  repositoryName: "Name of the repository",
  open: "Open",
};
