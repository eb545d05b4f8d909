/** Telling the thread in which Lambda's runtime loads the handler from every other Node process. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Client 3 as a program (`bin`), client 3's library (`dist`), client 4. */
const CLIENT_FILE = /\/aws-lambda-ric\/(?:bin\/|dist\/)?index\.mjs$/;
/** Client 3's program takes the handler as an argument; everything else reads `_HANDLER`. */
const CLIENT_3_PROGRAM = /\/aws-lambda-ric\/bin\/index\.mjs$/;
const DEFAULT_RUNTIME_DIRECTORY = "/var/runtime";

export interface ProcessFacts {
  /** `process.argv`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: what Node says. */
  readonly isMainThread?: boolean;
}

export interface RuntimeProcess {
  /** The handler string that the client will load. */
  readonly handler: string;
  /** Tells a module of the client by its URL. */
  readonly isRuntime: (url: string) => boolean;
}

/**
 * What the client is about to load in this thread; `undefined` where no client runs: child processes,
 * the user's own worker threads, `npx`, and on Managed Instances the main thread, which only starts workers.
 */
export function runtimeProcess({
  argv,
  env,
  isMainThread,
}: ProcessFacts): RuntimeProcess | undefined {
  const entry = realPath(argv[1]);
  if (entry === undefined || !isClient(entry, env.LAMBDA_RUNTIME_DIR)) return undefined;
  const isManaged = env.AWS_LAMBDA_MAX_CONCURRENCY !== undefined;
  if (isManaged && (isMainThread ?? askIsMainThread())) return undefined;
  const handler = CLIENT_3_PROGRAM.test(entry) ? argv[2] : env._HANDLER;
  if (!handler) return undefined;
  const entryUrl = pathToFileURL(entry).href;
  return { handler, isRuntime: (url) => url === entryUrl || CLIENT_FILE.test(url) };
}

/** True in the main thread of a client on Managed Instances: the handler is loaded by threads it starts. */
export function startsWorkers(facts: ProcessFacts): boolean {
  if (runtimeProcess(facts) !== undefined) return false;
  return runtimeProcess({ ...facts, isMainThread: false }) !== undefined;
}

/** Asked for on Managed Instances only: elsewhere nothing else loads this module, for 10 ms. */
function askIsMainThread(): boolean {
  return process.getBuiltinModule("node:worker_threads").isMainThread;
}

function isClient(file: string, directory: string = DEFAULT_RUNTIME_DIRECTORY): boolean {
  return file === join(directory, "index.mjs") || CLIENT_FILE.test(file);
}

/** Programs in `node_modules/.bin` are links. */
function realPath(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

/** `NODE_OPTIONS` without these: what child processes inherit once they have done their work. */
export function withoutOptions(nodeOptions: string, options: readonly string[]): string {
  return nodeOptions
    .split(" ")
    .filter((word) => !options.includes(word) && word !== "")
    .join(" ");
}
