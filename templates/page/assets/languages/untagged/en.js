/** English, of the view of what has no tag; it is loaded with it. */
import { of } from "../en.js";

export const words = {
  title: "Without a tag",
  heading: (name) => `${name}: without a tag`,
  count: (all) => of(all, "manifest", "manifests"),
  loading: "Loading the manifests…",
  none: "Every manifest of this repository has a tag, is part of an index that has one, or is attached to one.",
  advice: "No tag leads to these: a later push took the tag, or it was deleted. They can still be pulled by their digest. On the machine that runs the registry, this removes those of all repositories and frees their space; it asks first:",
  unread: (count) => `${of(count, "tag or manifest", "tags and manifests")} of this repository could not be read, and may need any of the others: those are not listed here. On the machine that runs the registry, this says what is damaged and how to fix it:`,
};
