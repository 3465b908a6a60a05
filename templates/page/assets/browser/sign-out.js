/** Logging out: HTTP authentication has no way to do it. */

/**
 * Let the browser forget the login: it keeps one for an address until another is accepted, and the server
 * accepts this one here, and nowhere else.
 * @returns {Promise<void>} fails if the server does not answer
 */
export function signOut() {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("GET", "/sign-out", true, "signed-out", "--");
    request.addEventListener("load", () => done());
    request.addEventListener("error", () => fail(new Error("unreachable")));
    request.send();
  });
}
