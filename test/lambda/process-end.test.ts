import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type BundledScript, bundleScript } from "../support/bundle-script.ts";
import { type Child, startScript } from "../support/child.ts";

class Receiver {
  readonly names: string[] = [];
  /** False: requests are read and never answered. */
  answers = true;
  url = "";

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        if (!this.answers) return;
        this.names.push(...body.split("\n"));
        response.end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

let script: BundledScript;
let receiver: Receiver;
let directory: string;

beforeAll(async () => {
  script = await bundleScript("test/fixtures/process-end/start.ts");
});

afterAll(() => script.remove());

beforeEach(async () => {
  receiver = new Receiver();
  await receiver.listen();
  const parent = mkdtempSync(join(tmpdir(), "coldspan-end-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  directory = join(parent, "coldspan");
});

/** A process that runs this code with `engine`, `end` and `invoke` at hand, on the same disk. */
function startProcess(code: string, before = ""): Child {
  return startScript(`
    import { start } from ${JSON.stringify(script.path)};
    ${before}
    const { engine, end, invoke } = start(${JSON.stringify([receiver.url, directory]).slice(1, -1)});
    await new Promise((resolve) => setTimeout(resolve, 10));
    ${code}
  `);
}

/** What the next process of the environment finds and sends. */
async function restart(): Promise<void> {
  receiver.answers = true;
  const { code, stderr } = await startProcess("await engine.flush();").finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

function leftFiles(): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

describe("spans arrive in the next init, once, after", () => {
  test.each([
    ["process.exit", "process.exit(3);", 3, "process.exit"],
    ["an uncaught exception", "throw new TypeError('bug');", 1, "TypeError"],
    ["an unhandled rejection", "void Promise.reject(new RangeError('bug'));", 1, "RangeError"],
    ["a string that is thrown", "setTimeout(() => { throw 'bug'; });", 1, "Error"],
  ])("%s", async (_, code, exitCode, errorType) => {
    const finished = await startProcess(`end("child"); invoke("handler"); ${code}`).finished;
    expect(finished.code).toBe(exitCode);
    expect(receiver.names).toEqual([]);
    await restart();
    expect(receiver.names).toEqual(["child", `handler aborted by ${errorType}`]);
    expect(leftFiles()).toEqual([]);
    await restart();
    expect(receiver.names).toHaveLength(2);
  });

  test("an unhandled rejection that the runtime client answers by an exit", async () => {
    const code = `invoke("handler"); void Promise.reject(new RangeError("bug"));`;
    const client = `process.on("unhandledRejection", () => process.exit(128));`;
    expect((await startProcess(code, client).finished).code).toBe(128);
    await restart();
    expect(receiver.names).toEqual(["handler aborted by RangeError"]);
  });

  test("an exit while a request is under way", async () => {
    receiver.answers = false;
    const code = `end("a"); void engine.flush(); setTimeout(() => process.exit(), 100);`;
    await startProcess(code).finished;
    await restart();
    expect(receiver.names).toEqual(["a"]);
  });

  test("two crashes in a row", async () => {
    await startProcess(`end("first"); process.exit();`).finished;
    receiver.answers = false;
    await startProcess(`end("second"); process.exit();`).finished;
    await restart();
    expect(receiver.names.toSorted()).toEqual(["first", "second"]);
    expect(leftFiles()).toEqual([]);
  });

  test("a SIGKILL while recovered spans were being sent", async () => {
    await startProcess(`end("a"); process.exit();`).finished;
    receiver.answers = false;
    const sending = startProcess(`console.log("up"); setInterval(() => {}, 1000);`);
    await sending.printed("up");
    sending.process.kill("SIGKILL");
    await sending.finished;
    await restart();
    expect(receiver.names).toEqual(["a"]);
    expect(leftFiles()).toEqual([]);
  });
});

describe("a crash stays what it was", () => {
  test("its message and exit code are Node's own", async () => {
    const { code, stderr } = await startProcess("throw new TypeError('bug');").finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/TypeError: bug\n {4}at .+\n\nNode\.js v\d+/s);
  });

  test("a handler of uncaught exceptions decides, and a later exit is not blamed on the exception", async () => {
    const code = `
      process.on("uncaughtException", () => setTimeout(() => process.exit(7), 50));
      invoke("handler");
      throw new TypeError("survived");
    `;
    const finished = await startProcess(code).finished;
    expect(finished.code).toBe(7);
    expect(finished.stderr).toBe("");
    await restart();
    expect(receiver.names).toEqual(["handler aborted by process.exit"]);
  });
});

describe("SIGTERM", () => {
  const WAIT = `console.log("up"); setInterval(() => {}, 1000);`;

  test("flushes what is buffered and ends the process as Node would", async () => {
    const child = startProcess(`end("a"); ${WAIT}`);
    await child.printed("up");
    child.process.kill("SIGTERM");
    const { code, signal } = await child.finished;
    expect({ code, signal }).toEqual({ code: null, signal: "SIGTERM" });
    expect(receiver.names).toEqual(["a"]);
    expect(leftFiles()).toEqual([]);
  });

  test("spools what no answer comes for, long before a flush would give up", async () => {
    receiver.answers = false;
    const child = startProcess(`end("a"); ${WAIT}`);
    await child.printed("up");
    const killTimer = setTimeout(() => child.process.kill("SIGKILL"), 3_000);
    child.process.kill("SIGTERM");
    const { signal } = await child.finished;
    clearTimeout(killTimer);
    expect(signal).toBe("SIGTERM");
    await restart();
    expect(receiver.names).toEqual(["a"]);
  });

  test("leaves the end to the user's own listener", async () => {
    const listener = `process.on("SIGTERM", () => setTimeout(() => process.exit(9), 200));`;
    const child = startProcess(`${listener} end("a"); ${WAIT}`);
    await child.printed("up");
    child.process.kill("SIGTERM");
    expect((await child.finished).code).toBe(9);
    expect(receiver.names).toEqual(["a"]);
  });

  test("spools when the user's own listener exits at once", async () => {
    const listener = `process.on("SIGTERM", () => process.exit(9));`;
    const child = startProcess(`${listener} end("a"); ${WAIT}`);
    await child.printed("up");
    child.process.kill("SIGTERM");
    expect((await child.finished).code).toBe(9);
    await restart();
    expect(receiver.names).toContain("a");
  });
});

test("a process with nothing left to do ends by itself", async () => {
  const { code, signal } = await startProcess(`end("a"); await engine.flush();`).finished;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(receiver.names).toEqual(["a"]);
  expect(leftFiles()).toEqual([]);
});
