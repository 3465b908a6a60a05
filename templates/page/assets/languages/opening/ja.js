/** Japanese, for users who may not list the repositories. */
export const words = {
  mayNotListAdvice: "このレジストリのアクセス規則により、一部のリポジトリだけを利用できます。名前を指定して開いてください。",
  repositoryName: "リポジトリの名前",
  open: "開く",
};
