/** Japanese. */
export const number = new Intl.NumberFormat("ja");
export const some = (count, unit) => `${number.format(count)} ${unit}`;

export const text = {
  repositories: "リポジトリ",
  filter: "絞り込み",
  mayNotList: "リポジトリの一覧を見る権限がありません",
  noMatch: (filter) => `「${filter}」に一致する項目はありません。`,
  clearFilter: "絞り込みを解除",

  breadcrumb: "パンくずリスト",
  tagCount: (all) => `タグ ${some(all, "件")}`,
  invalidName: "リポジトリの名前として使えません",
  invalidNameAdvice: "名前に使えるのは英小文字と数字です。その間には、ピリオド、ハイフン、アンダースコア、スラッシュも使えます。",

  atLeast: (size) => `${size} 以上`,
  justNow: "たった今",
  future: "未来の日時",
  sortedBy: (column, descending) => `${column}の${descending ? "降順" : "昇順"}に並べました`,

  copyCommand: "コマンドをコピー",
  copied: "コピーしました",
  copyFailed: "ブラウザーがこのページからのコピーを許可していません。文字を選択してコピーしてください。",

  retry: "再試行",
  signInAgain: "ログインし直す",
  failed: "読み込めませんでした",
  refusals: {
    unauthorized: "ログインしていません",
    forbidden: "見る権限がありません",
  },
  faults: {
    unauthorized: "パスワードが変更されたか、ユーザーが削除されたか、まだログインしていません。ログインし直してください。ページを再読み込みすると、ブラウザーにログイン画面が表示されます。",
    forbidden: "ログインしていますが、このレジストリのアクセス規則により読み取れません。レジストリの管理者に相談してください。",
    missing: "レジストリにありません。",
    busy: "レジストリへの要求が多すぎます。少し待ってください。",
    unavailable: "レジストリが応答しません。起動中かもしれません。`deployer status` で詳しく分かります。",
    large: "ページに一度に表示できる量を超えています。コマンドラインの `deployer tags` や `deployer inspect` で確認できます。",
    unreachable: "サーバーに接続できません。このマシンがネットワークにつながっているか、レジストリが動いているかを確認してください。",
    misplaced: "レジストリのストレージで、このディレクトリの場所にファイルがあります。ファイルを移動するか、ディレクトリを復元してください。`deployer doctor` で詳しく分かります。",
    notRegistry: "応答したのはレジストリではないか、応答が途中で切れました。",
    failed: "レジストリで問題が起きました。`deployer logs` で詳しく分かります。",
  },
  answered: (status, message) => [status && `HTTP ${status}`, message].filter(Boolean).join(": "),

  language: "言語",
  signedInAs: (user) => user,
  signOut: "ログアウト",
  signedOut: "ログアウトしました",
  signedOutAdvice: "このレジストリのユーザー名とパスワードを、ブラウザーから消去しました。",
  keys: "キーボードショートカット",
  close: "閉じる",

  unknownPage: "ページがありません",
  unknownPageAdvice: "アドレスが間違っているかもしれません。リポジトリの一覧はトップページにあります。",
};
