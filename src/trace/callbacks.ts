/** Callback-style handlers, where the runtime still has them (`aws-lambda-ric` 3 on Node 22). */
import type { Invocation } from "./invocation.ts";

type Callback = (error?: unknown, result?: unknown) => void;

/** The older runtime's context: a handler may answer through any of these. */
interface LegacyContext {
  done: Callback;
  succeed(result?: unknown): void;
  fail(error?: unknown): void;
}

const CALLBACK = 2;
/** Longer than any invocation; `setInterval` takes no more than 2^31 − 1. */
const FOREVER_MS = 2_147_483_647;

/**
 * Where the runtime passes a callback, makes every way to call back end the invocation first.
 * Replaces `args[2]` and the context's `done`, `succeed` and `fail`.
 * @returns what to call when the handler returned no promise, and so ends by calling back;
 *   `undefined` where the runtime has no callbacks.
 */
export function takeOverCallbacks(
  args: unknown[],
  invocation: Invocation,
): (() => void) | undefined {
  const callback = args[CALLBACK];
  const legacy = args[1];
  if (typeof callback !== "function" || !isLegacyContext(legacy)) return undefined;
  // Neither called nor a promise returned: the runtime answers when the loop is empty, and so do we.
  const onIdle = (): void => void invocation.succeed(undefined);
  let isWaiting = false;
  const answer = (failed: boolean, value: unknown, respond: () => void): void => {
    // The runtime takes the first call only; while that one waits, a second must not overtake it.
    if (isWaiting) return;
    process.removeListener("beforeExit", onIdle);
    const sent = failed ? invocation.fail(value) : invocation.succeed(value);
    if (sent === undefined) {
      respond();
      return;
    }
    isWaiting = true;
    // The runtime answers `null` as soon as the event loop is empty: it must not be while we wait.
    const hold = setInterval(() => {}, FOREVER_MS);
    void sent.then(() => {
      clearInterval(hold);
      isWaiting = false;
      // Outside the promise: what the runtime throws on an answer is an exception, not a rejection.
      queueMicrotask(respond);
    });
  };
  const wrap =
    (respond: Callback): Callback =>
    (error, result) =>
      answer(isError(error), isError(error) ? error : result, () => respond(error, result));
  const { succeed, fail } = legacy;
  args[CALLBACK] = wrap(callback as Callback);
  legacy.done = wrap(legacy.done);
  legacy.succeed = (result) => answer(false, result, () => succeed(result));
  legacy.fail = (error) => answer(true, error, () => fail(error));
  return () => {
    if (!invocation.hasEnded) process.prependOnceListener("beforeExit", onIdle);
  };
}

function isLegacyContext(value: unknown): value is LegacyContext {
  const context = value as Partial<LegacyContext> | null | undefined;
  return typeof context?.done === "function" && typeof context.succeed === "function";
}

/** The runtime's own rule: anything but `null` and `undefined` is an error. */
function isError(error: unknown): boolean {
  return error !== undefined && error !== null;
}
