/** Begins the page. Where a connection breaks just then, it is loaded once more; where that fails too, says so. */
const TRIED = "tried";

try {
  await import("./main.js");
  sessionStorage.removeItem(TRIED);
} catch (error) {
  if (sessionStorage.getItem(TRIED)) {
    document.querySelector("#unloaded").hidden = false;
    throw error;
  }
  sessionStorage.setItem(TRIED, "yes");
  location.reload();
}
