#!/usr/bin/env node
/** The tool of the image and of the package: `coldspan invoke | warm | doctor`. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { thisProcess } from "./config.ts";
import { examine, type Finding } from "./dev/doctor.ts";
import { type InvokeOnceReport, invokeOnce } from "./dev/invoke.ts";
import { findRuntime } from "./dev/runtime-command.ts";
import { renderTraces } from "./dev/trace-tree.ts";
import { warmUp } from "./dev/warm-up.ts";

const IMAGE_DIRECTORY = "/opt/coldspan";
const WRAPPER = join(IMAGE_DIRECTORY, "coldspan-wrapper");
const LOAD_TIMEOUT_MS = 60_000;
/** As AWS's local emulator has it, and the variable that sets it. */
const DEFAULT_TIMEOUT_S = 300;
const FUNCTION_FAILED = 1;
const NOT_DONE = 2;
const SIGNS: Readonly<Record<Finding["verdict"], string>> = { good: "✔", doubtful: "!", bad: "✖" };

const USAGE = `Usage:
  coldspan invoke <handler> [<event.json> | -] [-- <command…>]
      Invokes the handler once in Lambda's runtime client, with the event of a file, of standard input
      (-), or {}. Prints the answer to standard output; what the function logs and the trace it makes
      to standard error. In the image: docker run --rm <image> coldspan invoke app.handler
  coldspan warm <handler> [-- <command…>]
      Loads the handler's module once, as the image's runtime does, without calling the handler, and
      keeps what V8 compiled. For a Dockerfile: RUN coldspan warm app.handler
  coldspan doctor
      Says what would keep a function in this image from being traced, or make it slow.

  The command starts the runtime. Default: AWS's entrypoint, else the aws-lambda-ric in node_modules.`;

const NO_RUNTIME = `no Lambda runtime client here.
In a project (Linux with cmake, make, g++ and python3): npm install --save-dev aws-lambda-ric
Anywhere else, in the function's image: docker run --rm <image> coldspan invoke <handler>`;

/** Lambda's runtime with coldspan in it: by the image's wrapper, in a project by the package's door. */
interface Runtime {
  readonly command: readonly string[];
  readonly taskRoot: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function runtimeHere(given: readonly string[] | undefined): Runtime | undefined {
  const { env } = thisProcess();
  const taskRoot = env.LAMBDA_TASK_ROOT || process.cwd();
  const found = findRuntime(taskRoot);
  const command = given ?? (found === undefined ? undefined : [found]);
  if (command === undefined) return undefined;
  if (existsSync(WRAPPER)) return { command: [WRAPPER, ...command], taskRoot, env };
  const door = new URL("./esm/auto.js", import.meta.url).href;
  const options = [`--import=${door}`, env.NODE_OPTIONS].filter((word) => word).join(" ");
  return { command, taskRoot, env: { ...env, NODE_OPTIONS: options } };
}

async function invoke(
  handler: string,
  eventSource: string | undefined,
  given: readonly string[] | undefined,
): Promise<number> {
  const event = await readEvent(eventSource);
  const runtime = runtimeHere(given);
  if (runtime === undefined) throw new Error(NO_RUNTIME);
  const seconds = Number(runtime.env.AWS_LAMBDA_FUNCTION_TIMEOUT) || DEFAULT_TIMEOUT_S;
  const { result, spans } = await invokeOnce({
    ...runtime,
    command: [...runtime.command, handler],
    handler,
    event,
    timeoutMs: seconds * 1_000,
  });
  process.stdout.write(`${result.body.toString().trimEnd()}\n`);
  report(handler, runtime, { result, spans });
  return result.error === undefined ? 0 : FUNCTION_FAILED;
}

function report(
  handler: string,
  { env, taskRoot }: Runtime,
  { result: { error, handedOutMs }, spans }: InvokeOnceReport,
): void {
  const { isTTY, columns } = process.stderr;
  const tree = renderTraces(spans, {
    color: isTTY === true && !env.NO_COLOR,
    ...(columns === undefined ? {} : { width: columns }),
  });
  if (tree !== "") console.error(`\n${tree}`);
  else if (error === undefined) console.error("coldspan: no span arrived; ask coldspan doctor");
  if (error === undefined) return;
  console.error(`${SIGNS.bad} ${error.type}: ${error.message}`);
  if (handedOutMs === undefined) console.error(`  ${handler} was to be loaded from ${taskRoot}`);
}

async function readEvent(source: string | undefined): Promise<Uint8Array | undefined> {
  if (source === undefined) return undefined;
  const name = source === "-" ? "standard input" : source;
  try {
    const bytes = source === "-" ? await buffer(process.stdin) : readFileSync(source);
    JSON.parse(bytes.toString());
    return bytes;
  } catch (error) {
    throw new Error(`no event in ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

async function warm(handler: string, given: readonly string[] | undefined): Promise<number> {
  if (!existsSync(WRAPPER))
    throw new Error(`no ${IMAGE_DIRECTORY} here: warm is for an image with coldspan`);
  const cacheDirectory = join(IMAGE_DIRECTORY, "compile-cache");
  try {
    mkdirSync(cacheDirectory, { recursive: true });
    accessSync(cacheDirectory, constants.W_OK);
  } catch {
    console.warn(
      `coldspan: ${cacheDirectory} cannot be written: call coldspan warm before USER. Nothing was warmed.`,
    );
    return 0;
  }
  const runtime = runtimeHere(given);
  if (runtime === undefined) {
    console.warn(`coldspan: ${NO_RUNTIME}\nNothing was warmed.`);
    return 0;
  }
  const { fileCount, bytes, problem } = await warmUp({
    command: [...runtime.command, handler],
    handler,
    env: { ...runtime.env, OTEL_TRACES_EXPORTER: "none" },
    cacheDirectory,
    timeoutMs: LOAD_TIMEOUT_MS,
  });
  if (problem !== undefined) {
    console.warn(
      `coldspan: ${handler} could not be loaded here: ${problem}\n` +
        "The image works, but starts slower than it could. Give the module at build what it needs to load.",
    );
  }
  console.log(`coldspan: ${fileCount} files, ${(bytes / 1e6).toFixed(1)} MB of compiled code`);
  return 0;
}

async function doctor(): Promise<number> {
  const findings = await examine({ env: thisProcess().env, imageDirectory: IMAGE_DIRECTORY });
  for (const { verdict, text } of findings) console.log(`${SIGNS[verdict]} ${text}`);
  return findings.some(({ verdict }) => verdict === "bad") ? 1 : 0;
}

async function main(): Promise<number> {
  const [, , command, ...words] = thisProcess().argv;
  const separator = words.indexOf("--");
  const own = separator === -1 ? words : words.slice(0, separator);
  const runtime = separator === -1 ? undefined : words.slice(separator + 1);
  const [handler, event] = own;
  const isUsable = runtime === undefined || runtime.length > 0;
  if (command === "doctor" && words.length === 0) return doctor();
  if (command === "warm" && handler && own.length === 1 && isUsable) return warm(handler, runtime);
  if (command === "invoke" && handler && own.length <= 2 && isUsable) {
    return invoke(handler, event, runtime);
  }
  console.error(USAGE);
  return command === "--help" ? 0 : NOT_DONE;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`coldspan: ${error instanceof Error ? error.message : error}`);
  process.exitCode = NOT_DONE;
}
