/** Japanese, of the commands that run by themselves. */
import { some } from "../ja.js";

const DAYS = { mon: "毎週月曜", tue: "毎週火曜", wed: "毎週水曜", thu: "毎週木曜", fri: "毎週金曜", sat: "毎週土曜", sun: "毎週日曜", daily: "毎日", monthly: "毎月 1 日" };

export const words = {
  title: "定期実行",
  loading: "定期実行の状況を読み込んでいます…",
  nothing: "定期実行の設定はなく、まだ何も実行されていません。",
  problems: (count) => (count ? `問題 ${some(count, "件")}` : "問題はありません"),
  planned: "スケジュール",
  ran: "最近の実行",
  columns: { command: "コマンド", when: "サーバーの時刻", next: "次回", last: "前回", started: "開始", result: "結果", took: "所要時間", size: "保存・解放した量" },
  when: (written) => { const [day, time] = written.split(" "); return `${DAYS[day] ?? day} ${time}`; },
  results: { running: "実行中", done: "成功", failed: "失敗", skipped: "スキップ", interrupted: "中断" },
  never: "まだありません",
  missed: "未実行",
  missedAt: (job, moment) => `${moment} に予定されていた ${job} が実行されませんでした`,
  ended: (job, moment, result) => `${moment} に定期実行した ${job}：${result}`,
  advice: (hasLog) => (hasLog ? "レジストリが動作しているマシンで次のコマンドを使うと、ログの確認と再実行ができます。" : "レジストリが動作しているマシンで次のコマンドを使うと、今すぐ実行できます。"),
  backup: "最後のバックアップ",
  tested: "ドリル",
  drill: (passed) => (passed ? "成功" : "失敗"),
  noDrill: "最後のバックアップの保存先は、まだドリルで試していません。",
};
