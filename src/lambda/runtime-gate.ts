/**
 * Makes the runtime client ask for its first invocation a moment later.
 *
 * That request ends init, and with it the time in which extensions may register. Client 4 makes it in
 * the tick in which the handler's module has been evaluated, so without a gate a registration that
 * begins in that module, or in one loaded by `--import`, has not even connected by then.
 */
import Module from "node:module";

/** Where Lambda does not answer a registration, init goes on without it after this long. */
const MAX_HOLD_MS = 500;

/** The addon through which versions 3 and 4 of the client reach the Runtime API. */
const ADDON = "rapid-client.node";

interface RuntimeAddon {
  next(): Promise<unknown>;
}

/** What `node:module` has beside its documented API, and every `require` runs through. */
interface Loader {
  _load(request: string, ...others: unknown[]): unknown;
  readonly _cache: Readonly<Record<string, { readonly exports: unknown } | undefined>>;
}

/**
 * Holds the client's first request until the promise is settled. Without effect where no such client
 * runs, or when it is past that request.
 */
export function holdRuntime(until: Promise<unknown>): void {
  const loader = Module as unknown as Loader;
  const loaded = Object.keys(loader._cache).find((path) => path.includes(`/${ADDON}`));
  if (loaded !== undefined) {
    holdFirst(loader._cache[loaded]?.exports, until);
    return;
  }
  const load = loader._load;
  let isWaiting = true;
  loader._load = function coldspanGate(request, ...others) {
    const exports = load.call(this, request, ...others);
    if (isWaiting && request.endsWith(`/${ADDON}`)) {
      isWaiting = false;
      if (loader._load === coldspanGate) loader._load = load;
      holdFirst(exports, until);
    }
    return exports;
  };
}

function holdFirst(exports: unknown, until: Promise<unknown>): void {
  if (!isAddon(exports)) return;
  const { next } = exports;
  exports.next = async () => {
    exports.next = next;
    await atMost(until);
    return next.call(exports);
  };
}

function isAddon(exports: unknown): exports is RuntimeAddon {
  return typeof (exports as Partial<RuntimeAddon> | null)?.next === "function";
}

/** The timer also keeps the event loop alive, which the extension's own connection does not. */
function atMost(work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, MAX_HOLD_MS);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(finish, finish);
  });
}
