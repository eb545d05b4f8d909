/**
 * The promise's outcome, or a rejection that names `what` did not come in time.
 * The timer keeps the event loop alive: someone awaits this.
 */
export function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`No ${what} within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
