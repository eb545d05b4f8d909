import { expect, test } from "vitest";
import { startScript } from "../support/child.ts";

test("worker threads finish their spans before SIGTERM ends the process", async () => {
  const worker = `
    import { writeSync } from "node:fs";
    import { parentPort } from "node:worker_threads";
    // A worker's console goes through the main thread, which may be gone first.
    const print = (line) => writeSync(1, line + "\\n");
    const { followSigterm } = await import("file://" + process.cwd() + "/src/lambda/sigterm-relay.ts");
    followSigterm({
      abortInvocations: () => print("aborted"),
      flushLast: async () => print("flushed"),
      spool: () => print("spooled"),
    });
    parentPort.on("message", () => {});
    print("up");
  `;
  const child = startScript(`
    import { Worker } from "node:worker_threads";
    import { relaySigterm } from "./src/lambda/sigterm-relay.ts";
    relaySigterm(2_000);
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    new Worker(url, { execArgv: [] });
    new Worker(url, { execArgv: [] });
  `);
  await child.printed("up\nup");
  child.process.kill("SIGTERM");
  const { signal, stdout } = await child.finished;
  expect(signal).toBe("SIGTERM");
  for (const step of ["aborted", "flushed", "spooled"]) {
    expect(stdout.match(new RegExp(step, "g"))).toHaveLength(2);
  }
});

test("a worker thread that waits for the relay ends by itself", async () => {
  const { code } = await startScript(`
    import { followSigterm } from "./src/lambda/sigterm-relay.ts";
    followSigterm({ abortInvocations() {}, flushLast: () => Promise.resolve(), spool() {} });
  `).finished;
  expect(code).toBe(0);
});
