/** Bounded work. */

/**
 * Run what `next` gives, at most `size` at a time, until it gives undefined or the signal aborts. `next` is asked
 * as late as possible, so that what matters may change meanwhile. `run` must not fail.
 * @template T
 * @param {{size: number, next: () => T | undefined, run: (item: T) => Promise<void>, signal: AbortSignal}} work
 * @returns {Promise<void>}
 */
export async function runPool({ size, next, run, signal }) {
  async function worker() {
    for (let item = next(); item !== undefined && !signal.aborted; item = next()) await run(item);
  }
  await Promise.all(Array.from({ length: size }, worker));
}
