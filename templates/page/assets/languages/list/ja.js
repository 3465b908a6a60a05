/** Japanese, of the list of repositories. */
import { number, some } from "../ja.js";

const ROOM = {
  low: "（ディスクの空き容量がほとんどありません）",
  refused: "（ディスクの空き容量がほとんどないため、push を受け付けていません）",
};

export const words = {
  repositoryCount: (all) => `リポジトリ ${some(all, "件")}`,
  shown: (shown, all) => `${some(all, "件")}中 ${some(shown, "件")}`,
  repositoriesShown: (shown, all) => `リポジトリ ${some(all, "件")}中 ${some(shown, "件")}`,
  filterRepositories: "リポジトリを絞り込む",
  loadingRepositories: "リポジトリを読み込んでいます…",
  noRepositories: "まだ何も push されていません",
  noRepositoriesAdvice: "このレジストリのアドレスで始まる名前をイメージに付けてから、push してください。",
  inFolder: (folder, count) => `${folder}、リポジトリ ${some(count, "件")}`,
  shownAs: "表示形式",
  shapes: { list: "一覧", folders: "フォルダー" },
  empty: (count) => `空 ${number.format(count)} 件`,
  emptyOnes: "タグのないリポジトリ",
  emptyAdvice: "タグがすべて削除されたか、push が中断されたため、これらのリポジトリには pull できるイメージがありません。削除するには、レジストリが動作しているマシンで次のコマンドを実行してください。実行前に確認があります。",
  openReference: (reference) => `${reference} を開く`,
  elsewhere: (registry) => `これは ${registry} のイメージです。このレジストリで名前が一致するリポジトリ：`,
  onlyElsewhere: (registry, name) => `これは ${registry} のイメージです。このレジストリに ${name} というリポジトリはありません。`,
  noTags: "タグなし",
  unknownTags: "タグ不明",
  sortBy: "並べ替え",
  columns: { name: "リポジトリ", pushed: "最後の push", size: "サイズ", tags: "タグ" },
  pushedAt: (tag, moment) => `最後の push：${tag}（${moment}）`,
  pushedPart: "タグが多すぎてすべてを確認できないため、一部のリポジトリの最後の push は不明です。",
  sizesRead: (read, all, waiting) => `リポジトリ ${number.format(all)} 件中 ${number.format(read)} 件のサイズを読み込みました${waiting ? "（読み込み中）" : ""}。`,
  stored: (size, isAll) => `保存量 ${size}${isAll ? "" : " 以上"}`,
  storedTitle: "ストレージにあるすべてのコンテンツの合計です。重複は 1 回だけ数えます。削除したコンテンツも、deployer gc を実行するまで含まれます。",
  free: (free, all, state) => `空き ${free}／${all}${state ? ROOM[state] : ""}`,
};
