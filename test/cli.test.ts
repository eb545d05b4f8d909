/** `coldspan invoke` as a project has it: the package's program, with the `aws-lambda-ric` of the project. */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureNode, ensureRuntime } from "../runtimes/runtimes.ts";

const PROGRAM = resolve("dist/cli.js");
/** The file of each client's package that npm links into `.bin`. */
const CLIENT_PROGRAMS = { 3: "bin/index.mjs", 4: "index.mjs" } as const;

const FILES = {
  "app.mjs": `console.log("loaded");
const { AWS_REGION: region, AWS_ACCESS_KEY_ID: key, OTEL_TRACES_SAMPLER: sampler } = process.env;
export const handler = async (event) => ({ event, region, key, sampler });
export const sync = (event) => event;
export const fails = async () => { throw new RangeError("too far"); };
export const hangs = async () => new Promise((done) => setTimeout(done, 60_000));
export const exits = async () => process.kill(process.pid, "SIGKILL");`,
  "wrapped.cjs": `const { withTracing } = require("coldspan");
exports.handler = withTracing(async () => "done", { names: { invocation: "by hand" } });`,
  "order.json": '{ "order": 7 }',
  "broken.json": "{ order: 7 }",
};

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

interface Project {
  readonly path: string;
  /** The Node.js that runs tool and function. */
  readonly node: string;
}

interface Surroundings {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory with the test's functions, and the package as installed from this checkout. */
async function createProject(nodeMajor: 22 | 24): Promise<Project> {
  const path = await mkdtemp(join(tmpdir(), "coldspan-project-"));
  await mkdir(join(path, "node_modules/.bin"), { recursive: true });
  await symlink(resolve("."), join(path, "node_modules/coldspan"));
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(path, name), content);
  return { path, node: (await ensureNode(nodeMajor)).path };
}

async function installClient(project: Project, major: 3 | 4): Promise<void> {
  const program = CLIENT_PROGRAMS[major];
  const client = join(project.path, "node_modules/aws-lambda-ric");
  const { path } = await ensureRuntime(major);
  await cp(path.slice(0, -program.length), client, { recursive: true, dereference: true });
  await writeFile(
    join(project.path, "node_modules/.bin/aws-lambda-ric"),
    `#!/bin/sh\nexec node "${join(client, program)}" "$@"\n`,
    { mode: 0o755 },
  );
}

async function run(
  { path, node }: Project,
  words: readonly string[],
  { input = "", env = {} }: Surroundings = {},
): Promise<Run> {
  const child = spawn(node, [PROGRAM, ...words], {
    cwd: path,
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, ...env },
  });
  child.stdin.end(input);
  const exited = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  return { stdout, stderr, code };
}

describe.each([
  { node: 24, ric: 4 },
  { node: 22, ric: 3 },
] as const)("coldspan invoke, Node $node and client $ric", ({ node, ric }) => {
  let project: Project;
  const invoke = (words: readonly string[], surroundings?: Surroundings) =>
    run(project, ["invoke", ...words], surroundings);

  beforeAll(async () => {
    project = await createProject(node);
    await installClient(project, ric);
  });

  afterAll(() => rm(project.path, { recursive: true, force: true }));

  test("prints the answer, apart from it what the function logs and its trace", async () => {
    const { stdout, stderr, code } = await invoke(["app.handler", "order.json"]);
    expect(JSON.parse(stdout)).toMatchObject({ event: { order: 7 } });
    expect(stderr).toContain("loaded");
    expect(stderr).toMatch(/SERVER my-function .*cold start\n.*INTERNAL init /);
    expect(code).toBe(0);
  });

  test("takes the event from standard input, and has one where none is given", async () => {
    const [piped, none] = await Promise.all([
      invoke(["app.handler", "-"], { input: '["piped"]' }),
      invoke(["app.handler"]),
    ]);
    expect(JSON.parse(piped.stdout)).toMatchObject({ event: ["piped"] });
    expect(JSON.parse(none.stdout)).toMatchObject({ event: {} });
  });

  test("shows every trace, wherever the function would send some of them", async () => {
    const { stdout, stderr } = await invoke(["app.handler"], {
      env: {
        AWS_LAMBDA_FUNCTION_NAME: "orders",
        OTEL_TRACES_SAMPLER: "always_off",
        OTEL_TRACES_EXPORTER: "none",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector.invalid:4317",
        http_proxy: "http://proxy.invalid",
      },
    });
    expect(JSON.parse(stdout)).toMatchObject({ sampler: "always_on" });
    expect(stderr).toContain("SERVER orders ");
  });

  test("leaves role and region to the user's own AWS configuration", async () => {
    const { stdout } = await invoke(["app.handler"], { env: { AWS_REGION: "eu-west-3" } });
    expect(JSON.parse(stdout)).toMatchObject({ region: "eu-west-3" });
    expect(JSON.parse(stdout).key).toBe(process.env.AWS_ACCESS_KEY_ID);
  });

  test("shows what a synchronous handler left behind, and one wrapped by hand once", async () => {
    const [sync, wrapped] = await Promise.all([invoke(["app.sync"]), invoke(["wrapped.handler"])]);
    expect(sync.stderr).toContain("SERVER my-function ");
    expect(wrapped.stdout).toBe('"done"\n');
    expect(wrapped.stderr.match(/SERVER/g)).toHaveLength(1);
    expect(wrapped.stderr).toContain("SERVER by hand ");
  });

  test("shows an error, and fails", async () => {
    const { stdout, stderr, code } = await invoke(["app.fails"]);
    expect(JSON.parse(stdout)).toMatchObject({ errorType: "RangeError", errorMessage: "too far" });
    expect(stderr).toMatch(/SERVER my-function .*\n.*✖ RangeError: too far/);
    expect(stderr).toMatch(/^✖ RangeError: too far$/m);
    expect(code).toBe(1);
  });

  test.each([
    ["app.nothing", "Runtime.HandlerNotFound: app.nothing is undefined or not exported"],
    ["gone.handler", "Runtime.ImportModuleError: Error: Cannot find module 'gone'"],
  ])("says why %s cannot be loaded, and from where", async (handler, reason) => {
    const { stderr, code } = await invoke([handler]);
    expect(stderr).toContain(`✖ ${reason}`);
    expect(stderr).toContain(`${handler} was to be loaded from ${project.path}`);
    expect(code).toBe(1);
  });

  test("ends a function at its deadline, and survives one that ends itself", async () => {
    const [hung, gone] = await Promise.all([
      invoke(["app.hangs"], { env: { AWS_LAMBDA_FUNCTION_TIMEOUT: "1" } }),
      invoke(["app.exits"]),
    ]);
    expect(hung.stderr).toMatch(/✖ Sandbox\.Timedout: .*timed out after 1\.00 seconds/);
    expect(gone.stderr).toMatch(/✖ Runtime\.ExitError: .*signal: SIGKILL/);
    expect([hung.code, gone.code]).toEqual([1, 1]);
  });
});

describe("coldspan invoke without a runtime client", () => {
  let project: Project;

  beforeAll(async () => {
    project = await createProject(24);
  });

  afterAll(() => rm(project.path, { recursive: true, force: true }));

  test.each([
    [["app.handler"], "npm install --save-dev aws-lambda-ric"],
    [["app.handler", "gone.json"], "no event in gone.json: ENOENT"],
    [["app.handler", "broken.json"], "no event in broken.json: Expected property name"],
    [["app.handler", "-"], "no event in standard input: Unexpected end"],
    [["app.handler", "--", "./gone"], "spawn ./gone ENOENT"],
    [[], "Usage:"],
    [["app.handler", "a.json", "b.json"], "Usage:"],
    [["app.handler", "--"], "Usage:"],
  ])("refuses %j", async (words, reason) => {
    const { stdout, stderr, code } = await run(project, ["invoke", ...words]);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toContain(reason);
  });

  test("coldspan warm makes no cache where there is no image", async () => {
    const { stderr, code } = await run(project, ["warm", "app.handler"]);
    expect(stderr).toContain("warm is for an image with coldspan");
    expect(code).toBe(2);
  });
});
