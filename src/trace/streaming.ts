/** Response streaming: the invocation ends when the stream does, not when the handler returns. */
import { context } from "@opentelemetry/api";
import type { Invocation } from "./invocation.ts";
import type { AnyHandler } from "./options.ts";
import type { StartInvocation } from "./start-invocation.ts";
import { isThenable } from "./thenable.ts";

const STREAMING: symbol = Symbol.for("aws.lambda.runtime.handler.streaming");
const WATCHED: symbol = Symbol.for("coldspan.preludes.v1");
/** A stream without a metadata prelude answers 200. */
const DEFAULT_PRELUDE: Prelude = { statusCode: 200 };

interface Prelude {
  readonly statusCode?: unknown;
}

interface ResponseStream {
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  once(event: string, listener: () => void): unknown;
}

interface HttpResponseStream {
  from(stream: object, prelude: Prelude): unknown;
}

/** The metadata each stream was given; the runtime itself keeps none of it. */
const preludes = new WeakMap<object, Prelude>();

/** True for what `awslambda.streamifyResponse` has marked. */
export function isStreaming(handler: AnyHandler): boolean {
  return Reflect.get(handler, STREAMING) !== undefined;
}

export function traceStreaming(handler: AnyHandler, start: StartInvocation): AnyHandler {
  return function (this: unknown, ...args: unknown[]): unknown {
    watchPreludes();
    const [event, stream, lambda] = args;
    const invocation = start(event, lambda);
    if (invocation === undefined) return Reflect.apply(handler, this, args);
    let result: unknown;
    try {
      result = context.with(invocation.context, handler, this, ...args);
    } catch (error) {
      void invocation.fail(error);
      throw error;
    }
    if (isThenable(result)) return settleStream(invocation, result, stream);
    // The runtime refuses a streaming handler that is not asynchronous.
    void invocation.succeed(undefined);
    return result;
  };
}

async function settleStream(
  invocation: Invocation,
  work: PromiseLike<unknown>,
  stream: unknown,
): Promise<unknown> {
  let result: unknown;
  try {
    result = await work;
  } catch (error) {
    await invocation.fail(error);
    throw error;
  }
  if (isResponseStream(stream)) await closed(stream);
  await invocation.succeed(preludes.get(stream as object) ?? DEFAULT_PRELUDE);
  return result;
}

function isResponseStream(value: unknown): value is ResponseStream {
  return typeof (value as Partial<ResponseStream> | undefined)?.once === "function";
}

/** Resolves when all bytes are out or never will be. */
function closed(stream: ResponseStream): Promise<void> {
  if (stream.writableFinished || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    for (const event of ["finish", "close", "error"]) stream.once(event, resolve);
  });
}

/** Notes what handlers pass to `awslambda.HttpResponseStream.from`: the status is nowhere else. */
function watchPreludes(): void {
  const host = globalThis as { awslambda?: { HttpResponseStream?: HttpResponseStream } };
  const streams = host.awslambda?.HttpResponseStream;
  if (streams === undefined || WATCHED in streams) return;
  const { from } = streams;
  streams.from = function (this: unknown, stream, prelude) {
    preludes.set(stream, prelude);
    return Reflect.apply(from, this, [stream, prelude]);
  };
  Object.defineProperty(streams, WATCHED, { value: true });
}
