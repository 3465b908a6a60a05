/** Begins the page. Where a connection breaks just then, it is loaded once more; where that fails too, says so. */
const AGAIN = "#again";

try {
  await import("./main.js");
  if (location.hash === AGAIN) history.replaceState(history.state, "", location.pathname + location.search);
} catch (error) {
  if (location.hash === AGAIN) {
    document.querySelector("#unloaded").hidden = false;
    throw error;
  }
  location.hash = AGAIN;
  location.reload();
}
