/** Runs a function under the real `aws-lambda-ric`, versions 3 and 4, against a minimal Runtime API. */
import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";

export type ClientVersion = "3.3.0" | "4.0.2";

/** As the managed Node 22 runtime starts Node; client 4's runtime passes neither. */
const NODE_22_FLAGS = ["--no-experimental-require-module", "--no-experimental-detect-module"];
/** A function that neither fails nor answers within this time is a failed test. */
const MAX_RUN_MS = 15_000;

export interface Run {
  readonly client: ClientVersion;
  readonly taskRoot: string;
  readonly handler: string;
  /** Module given to Node by `--import`. */
  readonly preload?: string;
  readonly env?: Record<string, string>;
}

/** All that the platform and the log would see of a function that got one invocation. */
export interface Outcome {
  initError?: unknown;
  initErrorType?: string | string[] | undefined;
  response?: unknown;
  invokeError?: unknown;
  stdout: string;
  exit: number | NodeJS.Signals | null;
}

/** A new directory with the given files. */
export function taskRootWith(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "coldspan-task-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Path of the client's single file, laid out as in `/var/runtime`; fetched from npm once. */
export function clientFile(version: ClientVersion): string {
  const home = resolve(".cache", `runtime-client-${version}`);
  const file = join(home, "index.mjs");
  if (existsSync(file)) return file;
  mkdirSync(".cache", { recursive: true });
  const unpacked = mkdtempSync(resolve(".cache", "unpack-"));
  run("npm", ["pack", "--silent", `aws-lambda-ric@${version}`, "--pack-destination", unpacked]);
  run("tar", ["xzf", join(unpacked, `aws-lambda-ric-${version}.tgz`), "-C", unpacked]);
  const ready = mkdtempSync(resolve(".cache", "client-"));
  const isOld = version.startsWith("3.");
  copyFileSync(
    join(unpacked, "package", isOld ? "dist/index.mjs" : "index.mjs"),
    join(ready, "index.mjs"),
  );
  if (isOld) {
    const start = "await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n";
    appendFileSync(join(ready, "index.mjs"), `\n${start}`);
  }
  writeFileSync(join(ready, "rapid-client.node"), "");
  if (!existsSync(home)) renameSync(ready, home);
  return file;
}

function run(command: string, parameters: string[]): void {
  const { status, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")}: ${stderr}`);
}

/** Starts the function, gives it one event, and ends it when it asks for the next. */
export async function runFunction({
  client,
  taskRoot,
  handler,
  preload,
  env = {},
}: Run): Promise<Outcome> {
  const outcome: Outcome = { stdout: "", exit: null };
  const server = await startRuntimeApi(outcome, () => child.kill());
  const { port } = server.address() as AddressInfo;
  const flags = client.startsWith("3.") ? NODE_22_FLAGS : [];
  const preloads = preload === undefined ? [] : ["--import", preload];
  const child = spawn(
    process.execPath,
    [
      ...flags,
      "--require",
      resolve("test/support/native-client.cjs"),
      ...preloads,
      clientFile(client),
    ],
    {
      cwd: taskRoot,
      env: {
        _HANDLER: handler,
        LAMBDA_TASK_ROOT: taskRoot,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: "true",
        AWS_LAMBDA_FUNCTION_NAME: "orders",
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
        AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/orders",
        AWS_LAMBDA_LOG_STREAM_NAME: "stream",
        ...env,
      },
    },
  );
  child.stdout.on("data", (chunk: Buffer) => {
    outcome.stdout += chunk.toString();
  });
  const guard = setTimeout(() => child.kill("SIGKILL"), MAX_RUN_MS);
  outcome.exit = await new Promise((done) => {
    child.on("close", (code, signal) => done(code ?? signal));
  });
  clearTimeout(guard);
  server.closeAllConnections();
  server.close();
  return outcome;
}

function startRuntimeApi(outcome: Outcome, end: () => void): Promise<Server> {
  let isDelivered = false;
  let isAnswered = false;
  let isNextAsked = false;
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const body = await text(request);
    if (path.endsWith("/next") && !isDelivered) {
      isDelivered = true;
      response.writeHead(200, invocationHeaders()).end("{}");
      return;
    }
    if (path.endsWith("/next")) isNextAsked = true;
    else response.writeHead(202, { "Content-Type": "application/json" }).end("{}");
    if (path.endsWith("/init/error")) {
      outcome.initError = JSON.parse(body);
      outcome.initErrorType = request.headers["lambda-runtime-function-error-type"];
    } else if (path.endsWith("/response")) {
      outcome.response = JSON.parse(body);
      isAnswered = true;
    } else if (path.endsWith("/error")) {
      outcome.invokeError = JSON.parse(body);
      isAnswered = true;
    }
    if (isAnswered && isNextAsked) end();
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

function invocationHeaders(): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Deadline-Ms": String(Date.now() + 3000),
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
  };
}
