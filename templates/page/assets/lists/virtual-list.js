/**
 * A list of any length that keeps only the rows near the window in the document. The page itself scrolls. On paper
 * stand all rows.
 */

const BEYOND = 8;
const CONTROLS = ":is(a, button, input):not([hidden], [hidden] *)";
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: 1, End: -1 };

/**
 * All rows are of one height, the root's `min-height` in the style sheet. Arrow keys, Home and End go from row to
 * row, staying on the same control of each.
 * @template {{key: string}} T
 * @param {{root: HTMLElement, createRow: (item: T) => {element: HTMLElement, update?: (item: T) => void},
 *   place?: (element: HTMLElement, item: T, index: number) => void, onDraw?: (inSight: T[]) => void,
 *   signal: AbortSignal}} options
 * `place` tells screen readers where a row is; `onDraw` receives what the window shows.
 */
export function createVirtualList({ root, createRow, place, onDraw, signal }) {
  /** @type {T[]} */
  let items = [];
  let height = 1;
  let range = [0, 0];
  let waiting = 0;
  let printing = false;
  const paper = matchMedia("print");
  const rows = new Map();

  function measure() {
    height = parseFloat(getComputedStyle(root).minHeight) || 1;
    root.style.height = `${items.length * height}px`;
    draw();
  }

  /** The first of the rows that the window shows, and the one after the last. */
  function inSight() {
    if (printing || paper.matches) return [0, items.length];
    const top = -root.getBoundingClientRect().top;
    const last = Math.min(items.length, Math.max(0, Math.ceil((top + innerHeight) / height)));
    return [Math.min(last, Math.max(0, Math.floor(top / height))), last];
  }

  function draw() {
    range = inSight();
    const first = Math.max(0, range[0] - BEYOND);
    const last = Math.min(items.length, range[1] + BEYOND);
    const shown = new Set(Array.from({ length: last - first }, (_, step) => first + step));
    // The row that has the focus stays, or the focus would be lost in scrolling and sorting.
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const focused = indexOfRow(active);
    if (focused >= 0) shown.add(focused);
    const order = [...shown].sort((one, other) => one - other);
    dropAllBut(new Set(order.map((index) => items[index].key)));
    let next = null;
    for (const index of order.reverse()) next = put(index, next);
    if (focused >= 0 && document.activeElement !== active) active.focus({ preventScroll: true });
    // On paper all rows are in sight, which is no reason to ask about all.
    if (!printing && !paper.matches) onDraw?.(items.slice(...range));
  }

  /** Where the row around this element is now; -1 if it is in none. */
  function indexOfRow(element) {
    const [key] = [...rows].find(([, row]) => row.element.contains(element)) ?? [];
    return key === undefined ? -1 : items.findIndex((item) => item.key === key);
  }

  function dropAllBut(keys) {
    for (const [key, row] of rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      rows.delete(key);
    }
  }

  /** Rows are in the document in their order, for the Tab key and for screen readers. */
  function put(index, next) {
    const item = items[index];
    if (!rows.has(item.key)) rows.set(item.key, { ...createRow(item), item: null });
    const row = rows.get(item.key);
    const { element } = row;
    if (row.item !== item) row.update?.(item);
    row.item = item;
    if (element.parentNode !== root || element.nextSibling !== next) root.insertBefore(element, next);
    element.style.top = `${index * height}px`;
    place?.(element, item, index);
    return element;
  }

  function schedule() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      if (!signal.aborted) draw();
    });
  }

  function bringIntoView(index) {
    const top = root.getBoundingClientRect().top + index * height;
    const margin = height * 2;
    if (top < margin) scrollBy(0, top - margin);
    else if (top + margin > innerHeight) scrollBy(0, top + margin - innerHeight);
    draw();
  }

  /** Focus a row's control, or that of the next row in this direction that has one. */
  function focusRow(index, step, control) {
    for (; index >= 0 && index < items.length; index += step) {
      bringIntoView(index);
      const controls = rows.get(items[index].key)?.element.querySelectorAll(CONTROLS) ?? [];
      if (!controls.length) continue;
      controls[Math.min(Math.max(control, 0), controls.length - 1)].focus({ preventScroll: true });
      return true;
    }
    return false;
  }

  function onKey(event) {
    const step = STEPS[event.key];
    const index = indexOfRow(event.target);
    if (!step || index < 0 || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const controls = rows.get(items[index].key).element.querySelectorAll(CONTROLS);
    const start = { Home: 0, End: items.length - 1 }[event.key] ?? index + step;
    if (focusRow(start, step, [...controls].indexOf(event.target))) event.preventDefault();
  }

  root.addEventListener("keydown", onKey);
  addEventListener("scroll", schedule, { passive: true, signal });
  addEventListener("resize", measure, { signal });
  paper.addEventListener("change", draw, { signal });
  for (const name of ["beforeprint", "afterprint"]) {
    addEventListener(name, () => ((printing = name === "beforeprint"), draw()), { signal });
  }

  return {
    /** @param {T[]} list to be given when all above it is, as that decides which rows are in sight */
    setItems(list) {
      items = list;
      measure();
    },
    /** Draw the rows in the document again, in place. */
    refresh() {
      for (const row of rows.values()) row.update?.(row.item);
    },
    /** @returns {T[]} those in the window */
    visible: () => items.slice(...range),
    /** @param {Element} element @returns {number} where the row around it is; -1 if it is in none */
    indexOf: indexOfRow,
    /** @param {number} index of the row to go to; the next one if it has nothing to go to */
    focus: (index) => focusRow(index, 1, 0),
    focusFirst: () => focusRow(0, 1, 0),
  };
}
