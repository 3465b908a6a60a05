/** Leaving: HTTP's own sign-in has no word for it. */

/**
 * Let the browser forget the sign-in: it keeps one for an address until another is accepted, and the server
 * accepts this one here, and nowhere else.
 * @returns {Promise<void>} fails where the server does not answer
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
