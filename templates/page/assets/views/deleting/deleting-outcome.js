/** How deletions have ended, in a heading and a sentence. Knows nothing of the document. */

/** What is not there any more. @param {{outcome: string}} result */
export const isDone = ({ outcome }) => ["deleted", "gone"].includes(outcome);
/** What is as it was, though it was to go. @param {{outcome: string}} result */
const hasFailed = ({ outcome }) => ["failed", "mayNotPush"].includes(outcome);
/** What may have been deleted, or half of it. @param {{outcome: string}} result */
const isUnsure = ({ outcome }) => ["partial", "unknown"].includes(outcome);
/** What is to be tried again. @param {{outcome: string}} result */
export const isOpen = (result) => hasFailed(result) || isUnsure(result);

/** @param {{going: string[]}[]} items @returns {string[]} */
export const tagsOf = (items) => items.flatMap(({ going }) => going);

/**
 * @typedef {{outcome: string, going: string[]}} Ended
 * @param {any} words the dialog's @param {Ended[]} results @param {string[]} rest tags that were not tried
 * @returns {string}
 */
export function outcomeHeading(words, results, rest) {
  if (results.some(isUnsure)) return words.unfinished;
  if (results.every(({ outcome }) => outcome === "gone") && !rest.length) return words.goneAlready;
  if (results.every(isDone) && !rest.length) return words.done;
  return results.some(isDone) ? words.notAllDeleted : words.noneDeleted;
}

/** @param {any} words the dialog's @param {Ended[]} results @param {string[]} rest @returns {string} */
export function outcomeSummary(words, results, rest) {
  if (!results.length) return words.nothingThere;
  const [failed, unsure] = [results.filter(hasFailed).length, results.filter(isUnsure).length];
  const left = results.filter((result) => !isDone(result) && !isOpen(result)).length;
  return [
    results.some(isDone) && words.deleted(tagsOf(results.filter(isDone)).length),
    left && words.leftAlone(left),
    failed && words.failed(failed),
    unsure && words.unsure(unsure),
    rest.length && words.untouched(rest.length),
  ].filter(Boolean).join(" ");
}
