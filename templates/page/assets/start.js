/**
 * Begins the page, and loads it once more if a part of it does not come: connections break when networks change, or
 * while the frontend starts again. Never twice: the address tells, by its end, that this is the second time.
 *
 * No module, so that the page, which asks for it twice in a row, has it at the second time at least; and the first of
 * all, so that it sees what becomes of the others. Where not even this comes or is understood, the style sheet shows a
 * sentence a while later. Where this runs, the rest may be slow: then the sentence is shown only when all of it has failed.
 */
self.reloader ??= (() => {
  const MARK = "#again";
  // Milliseconds between the times that the server is asked whether it answers; the last of them goes on.
  const PAUSES = [300, 1000, 2000, 4000, 8000];
  let begun = false;
  /** @type {(value?: any) => void} */
  let wake = () => {};
  let settled = false;

  const answers = () => fetch(location.pathname, { method: "HEAD", cache: "no-store" }).then(() => true, () => false);

  /** Where nothing helps, that sentence is shown at once. */
  function giveUp() {
    document.querySelector("#unloaded")?.classList.remove("late");
  }

  async function load() {
    for (let turn = 0; turn === 0 || !(await answers()); turn += 1) {
      await new Promise((done) => setTimeout((wake = done), PAUSES[Math.min(turn, PAUSES.length - 1)]));
    }
    history.replaceState(history.state, "", MARK);
    location.reload();
  }

  /** @returns {boolean} whether the page will be loaded once more, as soon as the server answers */
  function ask() {
    if (location.hash === MARK) giveUp();
    else if (begun) wake();
    else begun = Boolean(load());
    return begun;
  }

  /** The page is. */
  function done() {
    settled = true;
    if (location.hash === MARK) history.replaceState(history.state, "", location.pathname + location.search);
  }

  addEventListener("error", ({ target }) => {
    if (!settled && target instanceof HTMLLinkElement && target.relList.contains("stylesheet")) ask();
  }, true);
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("#unloaded")?.classList.add("begun");
    return import("./main.js").catch((error) => {
      ask();
      throw error;
    });
  });
  return { ask, done };
})();
