/** The image's tool: `coldspan warm | doctor`. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { thisProcess } from "./config.ts";
import { examine, type Finding } from "./dev/doctor.ts";
import { warmUp } from "./dev/warm-up.ts";

const IMAGE_DIRECTORY = "/opt/coldspan";
/** What AWS's base images start. */
const AWS_ENTRYPOINT = "/lambda-entrypoint.sh";
const LOAD_TIMEOUT_MS = 60_000;
const USAGE_ERROR = 2;
const SIGNS: Readonly<Record<Finding["verdict"], string>> = { good: "✔", doubtful: "!", bad: "✖" };

const USAGE = `Usage:
  coldspan warm <handler> [-- <command…>]
      Loads the handler's module once, as the image's runtime does, without calling the handler, and
      keeps what V8 compiled. For a Dockerfile: RUN coldspan warm app.handler
      The command starts the runtime where the base is not AWS's: -- node_modules/.bin/aws-lambda-ric
  coldspan doctor
      Says what would keep a function in this image from being traced, or make it slow.`;

async function warm(handler: string, command: readonly string[]): Promise<number> {
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
  const { fileCount, bytes, problem } = await warmUp({
    command: [join(IMAGE_DIRECTORY, "coldspan-wrapper"), ...command, handler],
    handler,
    env: { ...thisProcess().env, OTEL_TRACES_EXPORTER: "none" },
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
  const [, , command, handler, separator, ...runtime] = thisProcess().argv;
  const isRuntimeGiven = separator === "--" && runtime.length > 0;
  if (command === "doctor" && handler === undefined) return doctor();
  if (command === "warm" && handler !== undefined && (separator === undefined || isRuntimeGiven)) {
    return warm(handler, isRuntimeGiven ? runtime : [AWS_ENTRYPOINT]);
  }
  console.error(USAGE);
  return command === "--help" ? 0 : USAGE_ERROR;
}

process.exitCode = await main();
