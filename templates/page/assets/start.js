/**
 * Begins the page. Where a connection breaks just then, it is loaded once more; where that fails too, says so at once.
 * Where not even this comes or is understood, the style sheet shows the same sentence a while later, until the first
 * view takes its place.
 */
const AGAIN = "#again";

try {
  await import("./main.js");
  if (location.hash === AGAIN) history.replaceState(history.state, "", location.pathname + location.search);
} catch (error) {
  if (location.hash === AGAIN) {
    document.querySelector("#unloaded").classList.remove("late");
    throw error;
  }
  location.hash = AGAIN;
  location.reload();
}
