/** Japanese, of the list of repositories. */
const number = new Intl.NumberFormat("ja");

export const words = {
  shownAs: "表示形式",
  shapes: { list: "一覧", folders: "フォルダー" },
  empty: (count) => `空 ${number.format(count)} 件`,
  emptyOnes: "タグのないリポジトリ",
  emptyAdvice: "タグがすべて削除されたか、push が途中で終わったため、pull できるものがありません。取り除くには、レジストリを動かしているマシンで次のコマンドを実行してください。実行前に確認があります。",
  openReference: (reference) => `${reference} を開く`,
  elsewhere: (registry) => `これは ${registry} のイメージの名前です。このレジストリで同じ名前を含むリポジトリ：`,
  onlyElsewhere: (registry, name) => `これは ${registry} のイメージの名前です。このレジストリに ${name} というリポジトリはありません。`,
  noTags: "タグなし",
  newestTag: "最新：",
  newest: (tag, moment) => `最新のタグ：${tag}（${moment}）`,
};
