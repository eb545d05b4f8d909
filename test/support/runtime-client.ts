/** Runs a function under the real `aws-lambda-ric`, versions 3 and 4, against a minimal Runtime API. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { type Answer, type PostedError, startRuntimeApi } from "./runtime-api.ts";

export type ClientVersion = "3.3.0" | "4.0.2";

/** As the managed Node 22 runtime starts Node; client 4's runtime passes neither. */
const NODE_22_FLAGS = ["--no-experimental-require-module", "--no-experimental-detect-module"];
/** A function that neither fails nor answers within this time is a failed test. */
const MAX_RUN_MS = 15_000;
const NATIVE_CLIENT = resolve("test/support/native-client.cjs");

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
  readonly initError: PostedError | undefined;
  readonly answer: Answer | undefined;
  readonly stdout: string;
  readonly exit: number | NodeJS.Signals | null;
}

/** A new task root inside `parent` with the given files. */
export function taskRootIn(parent: string, files: Record<string, string>): string {
  const root = mkdtempSync(join(parent, "task-"));
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
  rmSync(unpacked, { recursive: true });
  if (!existsSync(home)) renameSync(ready, home);
  return file;
}

function run(command: string, parameters: string[]): void {
  const { status, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")}: ${stderr}`);
}

/** Starts the function, gives it one event, and ends it when that is answered. */
export async function runFunction({
  client,
  taskRoot,
  handler,
  preload,
  env = {},
}: Run): Promise<Outcome> {
  const api = await startRuntimeApi();
  const flags = client.startsWith("3.") ? NODE_22_FLAGS : [];
  const preloads = preload === undefined ? [] : ["--import", preload];
  const child = spawn(
    process.execPath,
    [...flags, "--require", NATIVE_CLIENT, ...preloads, clientFile(client)],
    { cwd: taskRoot, env: { ...platformEnvironment(taskRoot, handler, api.address), ...env } },
  );
  const guard = setTimeout(() => child.kill("SIGKILL"), MAX_RUN_MS);
  const exit = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const stdout = text(child.stdout);
  const answered = api.invoke({}).then((answer) => {
    child.kill();
    return answer;
  });
  const [code, signal] = await exit;
  clearTimeout(guard);
  // A function that neither fails nor answers leaves these open: the exit tells.
  const ended = Promise.resolve(undefined);
  const [initError, answer] = await Promise.all([
    Promise.race([api.initialized, ended]),
    Promise.race([answered, ended]),
  ]);
  await api.close();
  return { initError, answer, stdout: await stdout, exit: code ?? signal };
}

function platformEnvironment(
  taskRoot: string,
  handler: string,
  address: string,
): Record<string, string> {
  return {
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: taskRoot,
    AWS_LAMBDA_RUNTIME_API: address,
    AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: "true",
    AWS_LAMBDA_FUNCTION_NAME: "orders",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/orders",
    AWS_LAMBDA_LOG_STREAM_NAME: "stream",
  };
}
