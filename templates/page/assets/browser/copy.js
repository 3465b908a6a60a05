/** The clipboard, on plain HTTP too. */

/**
 * @param {string} words
 * @returns {Promise<boolean>} whether they were copied
 */
export async function copy(words) {
  // Browsers give the clipboard to secure pages only, and even there it may be refused.
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return copyBySelection(words);
  }
}

function copyBySelection(words) {
  const before = /** @type {HTMLElement} */ (document.activeElement);
  const field = document.createElement("textarea");
  field.value = words;
  field.className = "unseen";
  field.readOnly = true;
  document.body.append(field);
  field.focus({ preventScroll: true });
  field.select();
  try {
    return document.execCommand("copy");
  } finally {
    field.remove();
    before?.focus({ preventScroll: true });
  }
}
