// Run in the page before its own scripts: notes in `window.shown` the milliseconds from the beginning of the navigation
// until tags are on the screen, and until the newest of them stands first with its date.
(() => {
  const newest = /^build-(999|19)$/;
  const painted = (then) => requestAnimationFrame(() => setTimeout(then));
  const shown = {};
  const watcher = new MutationObserver(() => {
    const row = document.querySelector("#tags .rows > .row");
    if (!row) return;
    if (!shown.first) painted(() => (shown.first ??= performance.now()));
    if (!newest.test(row.querySelector(".tag").textContent) || !row.querySelector("time")) return;
    watcher.disconnect();
    painted(() => (window.shown = { ...shown, sorted: performance.now() }));
  });
  watcher.observe(document, { childList: true, subtree: true });
})();
