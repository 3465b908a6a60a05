/** The way to the dialog that deletes, which is loaded when it is first wanted. */
import { addStyle, retryOnce } from "../../browser/loading.js";
import { showUnloaded } from "../parts.js";

/**
 * Open the dialog.
 * @param {any} options those of `openDeleting`
 */
export async function askToDelete(options) {
  const [module] = await Promise.all([retryOnce(() => import("./deleting.js")).catch(() => null), addStyle("deleting")]);
  if (module) module.openDeleting(options);
  else showUnloaded();
}
