/** Watches the handler's own loops over an array of records: each record's scope is current in its turn. */
import { type Context, context } from "@opentelemetry/api";
import type { RecordScope } from "./record-scope.ts";

const AsyncFunction = (async () => {}).constructor;

type Callback = (value: unknown, index: number, array: readonly unknown[]) => unknown;

/**
 * Puts own, non-enumerable `map`, `forEach`, `entries`, `values` and iterator on the array: unlike
 * a Proxy they leave `structuredClone`, `JSON.stringify`, `Array.isArray` and identity as they were.
 * An array that cannot take them (frozen) is left alone.
 */
export function watchLoops(
  records: readonly unknown[],
  scopeAt: (index: number) => RecordScope | undefined,
): void {
  if (!Object.isExtensible(records)) return;
  const define = (name: PropertyKey, value: unknown) =>
    Object.defineProperty(records, name, { value, writable: true, configurable: true });
  const iterate = () => new TurnIterator(Array.prototype.values.call(records), scopeAt);
  define(Symbol.iterator, iterate);
  define("values", iterate);
  define("entries", () => new TurnIterator(Array.prototype.entries.call(records), scopeAt));
  define("map", (callback: unknown, thisArg?: unknown) =>
    Array.prototype.map.call(
      records,
      typeof callback === "function"
        ? takeTurns(callback as Callback, scopeAt, true)
        : (callback as Callback),
      thisArg,
    ),
  );
  define("forEach", (callback: unknown, thisArg?: unknown) =>
    Array.prototype.forEach.call(
      records,
      typeof callback === "function"
        ? takeTurns(callback as Callback, scopeAt, false)
        : (callback as Callback),
      thisArg,
    ),
  );
}

function takeTurns(
  callback: Callback,
  scopeAt: (index: number) => RecordScope | undefined,
  resultIsUsed: boolean,
): Callback {
  const isAsync = callback instanceof AsyncFunction;
  return function (this: unknown, value, index, array) {
    const scope = scopeAt(index);
    if (scope === undefined) return callback.call(this, value, index, array);
    scope.begin(context.active());
    let result: unknown;
    try {
      result = context.with(scope, callback, this, value, index, array);
    } catch (error) {
      scope.fail(error);
      scope.end();
      throw error;
    }
    if (!(result instanceof Promise)) {
      scope.end();
      return result;
    }
    // What a plain function returned to forEach may be somebody else's promise: it stays untouched,
    // and the record's turn lasts until the invocation ends. So it does for a promise that can more.
    return isPlain(result) && (resultIsUsed || isAsync) ? settleTurn(scope, result) : result;
  };
}

/**
 * True for a promise that another one can stand in for. Libraries return promises with methods (a
 * child process and its `kill`), or of classes that begin their work when `then` is called.
 */
function isPlain(promise: Promise<unknown>): boolean {
  return (
    Object.getPrototypeOf(promise) === Promise.prototype &&
    Object.getOwnPropertyNames(promise).length === 0
  );
}

/** A promise of the same outcome: rejections stay as handled or unhandled as the handler leaves them. */
function settleTurn(scope: RecordScope, work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      scope.end();
      return value;
    },
    (error: unknown) => {
      scope.fail(error);
      scope.end();
      throw error;
    },
  );
}

/** An array iterator whose turns last from one `next` to the following one. */
class TurnIterator<T> extends Iterator<T> {
  readonly #steps: Iterator<T, unknown>;
  readonly #scopeAt: (index: number) => RecordScope | undefined;
  readonly #outer: Context = context.active();
  #index = 0;
  #turn: RecordScope | undefined;

  constructor(steps: Iterator<T, unknown>, scopeAt: (index: number) => RecordScope | undefined) {
    super();
    this.#steps = steps;
    this.#scopeAt = scopeAt;
  }

  override get [Symbol.toStringTag](): string {
    return "Array Iterator";
  }

  override next(): IteratorResult<T, undefined> {
    const step = this.#steps.next();
    this.#turn?.end();
    this.#turn = undefined;
    if (step.done === true) {
      context.attach(this.#outer);
      return { done: true, value: undefined };
    }
    this.#turn = this.#scopeAt(this.#index++);
    this.#turn?.begin(this.#outer);
    context.attach(this.#turn ?? this.#outer);
    return step;
  }

  /** The loop was left early: by `break`, `return` or a thrown error. */
  override return(value?: unknown): IteratorResult<T, undefined> {
    this.#turn?.leave();
    this.#turn = undefined;
    context.attach(this.#outer);
    return { done: true, value: value as undefined };
  }
}
