/** Work on what is in sight, and on nothing else. */

/**
 * What is wanted changes while one scrolls. Work begins when that has rested for `pause` milliseconds, at most `size`
 * at a time; what is wanted no longer is broken off at once. `run` must not fail.
 * @template T
 * @param {{size: number, pause: number, run: (item: T, signal: AbortSignal) => Promise<void>, signal: AbortSignal}} work
 * @returns {(wanted: T[]) => void} sets what is wanted now, the most urgent first; what is running continues
 */
export function createPool({ size, pause, run, signal }) {
  const running = new Map();
  let waiting = [];
  let timer = 0;

  function fill() {
    while (running.size < size && waiting.length) start(waiting.shift());
  }

  async function start(item) {
    const ending = new AbortController();
    running.set(item, ending);
    await run(item, ending.signal);
    // Broken off and begun again, it is another's.
    if (running.get(item) === ending) running.delete(item);
    fill();
  }

  function want(wanted) {
    clearTimeout(timer);
    waiting = [];
    for (const [item, ending] of running) {
      if (wanted.includes(item)) continue;
      running.delete(item);
      ending.abort();
    }
    if (signal.aborted || !wanted.length) return;
    timer = setTimeout(() => {
      waiting = [...new Set(wanted)].filter((item) => !running.has(item));
      fill();
    }, pause);
  }

  signal.addEventListener("abort", () => want([]), { once: true });
  return want;
}
