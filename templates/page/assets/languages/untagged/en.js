/** English, of the view of what has no tag; it is loaded with it. */
import { of } from "../en.js";

export const words = {
  title: "Without a tag",
  heading: (name) => `${name}: without a tag`,
  count: (all) => of(all, "manifest", "manifests"),
  loading: "Loading the manifests…",
  none: "Every manifest of this repository has a tag, is part of an index that has one, or is attached to one.",
  advice: "No tag leads to these: a later push took the tag, or it was deleted. They can still be pulled by their digest. On the machine that runs the registry, this removes those of all repositories and frees their space; it asks first:",
  unsure: (count) => `${of(count, "tagged manifest", "tagged manifests")} could not be read. What belongs to them may be listed here too.`,
};
