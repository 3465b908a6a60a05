/** The page's modules, in Node.js. */
import { register } from "node:module";

// Node.js takes `.js` for its own older kind of module, unless a package.json says otherwise; the page has none.
const AS_MODULES = `export const load = (url, context, next) =>
  next(url, url.includes("/templates/page/") ? { ...context, format: "module" } : context);`;

register(`data:text/javascript,${encodeURIComponent(AS_MODULES)}`);

// The tests read English, whatever this machine speaks.
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });

/** @param {string} name under assets/ */
export const load = (name) => import(new URL(`../../../templates/page/assets/${name}`, import.meta.url));
