/** English, of the view of untagged manifests; it is loaded with it. */
import { of } from "../en.js";

export const words = {
  title: "Untagged manifests",
  heading: (name) => `${name}: untagged manifests`,
  count: (all) => of(all, "manifest", "manifests"),
  loading: "Loading manifests…",
  none: "No untagged manifests: every manifest in this repository has a tag, belongs to a tagged index, or is attached to a tagged image.",
  advice: "No tag points to these manifests: the tag was deleted, or moved by a later push. They can still be pulled by digest. To remove the untagged manifests of all repositories and free their space, run this command on the machine that runs the registry. It asks for confirmation:",
  unread: (count) => `${of(count, "tag or manifest", "tags and manifests")} of this repository could not be read. They may depend on other manifests, which are therefore not listed here. To see what is damaged and how to fix it, run this command on the machine that runs the registry:`,
};
