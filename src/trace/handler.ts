/** Wraps a handler: the one place where an invocation starts and ends. */
import { context } from "@opentelemetry/api";
import { useLifecycle } from "../seam.ts";
import { takeOverCallbacks } from "./callbacks.ts";
import { createHandlerSetup } from "./handler-setup.ts";
import type { Invocation } from "./invocation.ts";
import type { AnyHandler, TracingOptions } from "./options.ts";
import { createStarter, type StartInvocation } from "./start-invocation.ts";
import { isStreaming, traceStreaming } from "./streaming.ts";
import { isThenable } from "./thenable.ts";

/** Present on every wrapped handler, whichever copy of coldspan wrapped it. */
const WRAPPED: symbol = Symbol.for("coldspan.wrapped.v1");

/**
 * Wraps a Lambda handler so that every invocation is traced; the function itself does not change.
 *
 * Result, thrown value, synchronous or asynchronous nature, streaming, `length` and type stay those
 * of the handler. The SDK is started on first use, configured by the `OTEL_*` variables. A handler
 * that is wrapped already, by hand or by the image, is returned as it is; with
 * `OTEL_SDK_DISABLED=true` every handler is.
 *
 * @param options Span names, parents and hooks of this handler; see {@link TracingOptions}.
 * @throws TypeError when `handler` is not a function.
 * @example
 * ```ts
 * import { withTracing } from "coldspan";
 *
 * export const handler = withTracing(async (event: { name: string }) => `Hello, ${event.name}`);
 * ```
 */
export function withTracing<H extends AnyHandler>(handler: H, options: TracingOptions = {}): H {
  if (typeof handler !== "function") {
    throw new TypeError(`withTracing: expected a handler function, got ${typeof handler}`);
  }
  if (WRAPPED in handler) return handler;
  const lifecycle = useLifecycle();
  if (lifecycle === null) return handler;
  const start = createStarter(createHandlerSetup(lifecycle, options));
  const buffered = traceBuffered(handler, start);
  const streaming = traceStreaming(handler, start);
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    // Asked per call: `awslambda.streamifyResponse` may mark the wrapper after it was made.
    return Reflect.apply(isStreaming(wrapper) ? streaming : buffered, this, args);
  };
  return dressAs(wrapper, handler);
}

function traceBuffered(handler: AnyHandler, start: StartInvocation): AnyHandler {
  return function (this: unknown, ...args: unknown[]): unknown {
    const invocation = start(args[0], args[1]);
    if (invocation === undefined) return Reflect.apply(handler, this, args);
    const awaitCallback = takeOverCallbacks(args, invocation);
    let result: unknown;
    try {
      result = context.with(invocation.context, handler, this, ...args);
    } catch (error) {
      // A synchronous throw cannot wait: the flush is under way when the runtime reports the error.
      void invocation.fail(error);
      throw error;
    }
    if (isThenable(result)) return settle(invocation, result);
    if (awaitCallback !== undefined) awaitCallback();
    else void invocation.succeed(result);
    return result;
  };
}

/** A promise of the same outcome that also waits for what the invocation's end asks to wait for. */
function settle(invocation: Invocation, work: PromiseLike<unknown>): PromiseLike<unknown> {
  return Promise.resolve(work).then(
    (value) => {
      const sent = invocation.succeed(value);
      return sent === undefined ? value : sent.then(() => value);
    },
    (error: unknown) => {
      const sent = invocation.fail(error);
      if (sent === undefined) throw error;
      return sent.then(() => {
        throw error;
      });
    },
  );
}

/**
 * Makes the wrapper look like the handler to the runtime, to a debugger, and to code that reads the
 * handler's own properties: the streaming symbols, or what a middleware engine hangs on its handlers.
 */
function dressAs<H extends AnyHandler>(wrapper: AnyHandler, handler: H): H {
  Object.setPrototypeOf(wrapper, handler);
  Object.defineProperties(wrapper, {
    name: { value: handler.name, configurable: true },
    length: { value: handler.length, configurable: true },
    [WRAPPED]: { value: true },
  });
  return wrapper as H;
}
