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
  sortBy: "並べ替え",
  columns: { name: "リポジトリ", pushed: "最後の push", size: "サイズ", tags: "タグ" },
  pushedAt: (tag, moment) => `最後の push：${tag}（${moment}）`,
  pushedPart: "タグが多すぎてすべては調べられないため、一部のリポジトリの最後の push は分かりません。",
  sizesRead: (read, all, waiting) => `リポジトリ ${number.format(all)} 件中 ${number.format(read)} 件のサイズが分かっています${waiting ? "（読み込み中）" : ""}。`,
  stored: (size, isAll) => `保存量 ${size}${isAll ? "" : " 以上"}`,
  storedTitle: "ストレージにあるすべての内容の合計で、それぞれ一度だけ数えます。削除したものは deployer gc で解放されるまで含まれます。",
  free: (free, all, isLeast) => `空き ${free}／${all}${isLeast ? "（ディスクの空きがほとんどありません）" : ""}`,
};
