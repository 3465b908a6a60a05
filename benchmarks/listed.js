// Run in the page before its own scripts: notes in `window.shown` the milliseconds from the beginning of the navigation
// until the list of repositories is on the screen, and until the repository that is asked for has been found in it.
(() => {
  const wanted = "team99/app09999";
  const painted = (then) => requestAnimationFrame(() => setTimeout(then));
  const watcher = new MutationObserver(() => {
    const field = document.querySelector("main [type=search]");
    const rows = document.querySelectorAll("#repositories a");
    if (!rows.length || !field) return;
    watcher.disconnect();
    painted(() => {
      const listed = performance.now();
      field.value = wanted;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      painted(() => {
        const found = document.querySelector("#repositories a").textContent === wanted;
        window.shown = { listed, searched: found ? performance.now() : Infinity };
      });
    });
  });
  watcher.observe(document, { childList: true, subtree: true });
})();
