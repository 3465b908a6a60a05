/** English, for users who may not list the repositories. */
export const words = {
  mayNotListAdvice: "This registry's access rules give you access to some repositories only. Open one by name:",
  repositoryName: "Repository name",
  open: "Open",
};
