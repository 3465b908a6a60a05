/** Logging in where the page itself needs no login: the browser asks for it at an address that does. */

const KEY = "place-before-login";

/** Ask for the login, and come back to where the reader is. */
export function signIn() {
  try {
    sessionStorage.setItem(KEY, location.pathname + location.search);
  } catch {
    // Without storage one comes back to the beginning.
  }
  location.assign("/sign-in");
}

/** After the login the reader is at the address that asked for it: go on where they were. */
export function comeBack() {
  if (location.pathname !== "/sign-in") return;
  let place = "/";
  try {
    place = sessionStorage.getItem(KEY) ?? place;
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
  history.replaceState(null, "", place);
}
