/** Tells whether two moments belong to the same synchronous run of the event loop. */

let tick = 0;
let scheduled = false;

function advance(): void {
  tick++;
  scheduled = false;
}

/**
 * A number that stays the same until the running synchronous code has returned to the event loop.
 * One microtask per run, however often it is asked.
 */
export function currentTick(): number {
  if (!scheduled) {
    scheduled = true;
    queueMicrotask(advance);
  }
  return tick;
}
