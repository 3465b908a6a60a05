/** Japanese, of the view of what has no tag. */
import { some } from "../ja.js";

export const words = {
  title: "タグなし",
  heading: (name) => `${name}：タグなし`,
  count: (all) => `マニフェスト ${some(all, "件")}`,
  loading: "マニフェストを読み込んでいます…",
  none: "このリポジトリのマニフェストにはすべてタグがあるか、タグのあるインデックスやイメージに属しています。",
  advice: "これらを指すタグはありません。後の push でタグが移ったか、タグが削除されました。ダイジェストでは今も pull できます。レジストリを動かしているマシンで次を実行すると、すべてのリポジトリのものを取り除いて容量を解放します。実行前に確認があります。",
  unsure: (count) => `タグのあるマニフェスト ${some(count, "件")}を読み取れませんでした。それに属するものもここに表示されている可能性があります。`,
};
