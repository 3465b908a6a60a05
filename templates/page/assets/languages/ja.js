/** Japanese. */
export const number = new Intl.NumberFormat("ja");
export const some = (count, unit) => `${number.format(count)} ${unit}`;

export const text = {
  repositories: "リポジトリ",
  filter: "絞り込み",
  mayNotList: "表示できるリポジトリはありません",
  noMatch: (filter) => `「${filter}」に一致する項目はありません。`,
  clearFilter: "絞り込みを解除",

  breadcrumb: "パンくずリスト",
  tagCount: (all) => `タグ ${some(all, "件")}`,
  invalidName: "リポジトリ名が正しくありません",
  invalidNameAdvice: "名前に使えるのは英小文字と数字です。その間には、ピリオド、ハイフン、アンダースコア、スラッシュも使えます。",

  atLeast: (size) => `${size} 以上`,
  justNow: "たった今",
  future: "未来の日時",
  sortedBy: (column, descending) => `${column}の${descending ? "降順" : "昇順"}に並べました`,

  copyCommand: "コマンドをコピー",
  copied: "コピーしました",
  copyFailed: "ブラウザーがコピーを許可していません。テキストを選択して、手動でコピーしてください。",

  retry: "再試行",
  signIn: "ログイン",
  signInAgain: "ログインし直す",
  failed: "読み込めませんでした",
  refusals: {
    unauthorized: "ログインしていません",
    forbidden: "閲覧する権限がありません",
  },
  faults: {
    unauthorized: "ログインしていないか、パスワードが変更されたか、ユーザーが削除されました。ログインしてください。ブラウザーがユーザー名とパスワードを尋ねます。",
    forbidden: "ログインしていますが、このレジストリのアクセス規則により閲覧できません。レジストリの管理者に問い合わせてください。",
    missing: "レジストリにありません。",
    busy: "レジストリへのリクエストが多すぎます。しばらくしてから再試行してください。",
    unavailable: "レジストリが応答しません。起動中の可能性があります。詳細は `deployer status` で確認できます。",
    large: "応答が大きすぎるため、このページには表示できません。コマンドラインの `deployer tags` や `deployer inspect` で確認してください。",
    unreachable: "サーバーに接続できません。このマシンのネットワーク接続と、レジストリが動作していることを確認してください。",
    misplaced: "レジストリのストレージで、ディレクトリの場所にファイルがあります（パスは下）。ファイルを移動するか、ディレクトリを復元してください。`deployer doctor` で詳しく分かります。",
    notRegistry: "サーバーがレジストリではないか、応答が途中で切れています。",
    failed: "レジストリでエラーが発生しました。詳細は `deployer logs` で確認できます。",
  },
  answered: (status, message) => [status && `HTTP ${status}`, message].filter(Boolean).join(": "),

  language: "言語",
  signedInAs: (user) => user,
  signOut: "ログアウト",
  signedOut: "ログアウトしました",
  signedOutAdvice: "このレジストリのユーザー名とパスワードを、ブラウザーから消去しました。",
  schedulePath: (problems) => (problems ? `定期実行（問題 ${some(problems, "件")}）` : "定期実行"),
  keys: "キーボードショートカット",
  close: "閉じる",

  unknownPage: "ページが見つかりません",
  unknownPageAdvice: "アドレスが間違っているかもしれません。リポジトリの一覧はトップページにあります。",
};
