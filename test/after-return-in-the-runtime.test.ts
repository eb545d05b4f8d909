/** Flushing after the return, in Lambda's own runtime clients. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { deploy, LAMBDA_RUNTIMES, type Runtime } from "./support/deployed.ts";

const NANOS_PER_MS = 1e6;
/** From this process's Unix ms to the machine's monotonic ms, which all processes share. */
const TO_MONOTONIC_MS =
  Number(process.hrtime.bigint()) / NANOS_PER_MS - (performance.timeOrigin + performance.now());

interface Arrival {
  /** Monotonic ms at which the function encoded the first span of the flush. */
  readonly encodedAtMs: number;
  readonly names: readonly string[];
}

let taskRoot: string;
let server: Server;
let arrivals: Arrival[];

beforeAll(async () => {
  taskRoot = await mkdtemp(join(tmpdir(), "coldspan-order-"));
  await build({
    entryPoints: ["test/fixtures/functions/flush-order.ts"],
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["import", "module"],
    mainFields: ["module", "main"],
    outfile: join(taskRoot, "app.mjs"),
    logLevel: "warning",
  });
  server = createServer((request, response) => {
    void json(request).then((arrival) => {
      arrivals.push(arrival as Arrival);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

beforeEach(() => {
  arrivals = [];
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(taskRoot, { recursive: true });
});

async function start(
  runtime: Runtime,
  handler: string,
  options: Partial<Parameters<typeof deploy>[2]> = {},
): Promise<FunctionProcess> {
  const { port } = server.address() as AddressInfo;
  const env = { RECEIVER: `http://127.0.0.1:${port}` };
  const running = await deploy(
    runtime,
    { path: taskRoot, remove: () => Promise.resolve() },
    { handler: `app.${handler}`, env, ...options },
  );
  onTestFinished(() => running.close());
  return running;
}

function arrived(): number {
  return arrivals.flatMap(({ names }) => names).length;
}

describe.each(LAMBDA_RUNTIMES)("Node $node with runtime client $ric", (runtime) => {
  test.each(["asynchronous", "synchronous", "failing"])(
    "nothing of 3,000 spans is encoded before the response of a handler that is %s has been posted",
    async (handler) => {
      const running = await start(runtime, handler);
      for (let turn = 1; turn <= 2; turn++) {
        arrivals = [];
        const result = await running.invoke({ spans: 3_000 });
        expect(result.outcome).toBe(handler === "failing" ? "error" : "response");
        expect((await result.settled).kind).toBe("idle");
        // Lambda may freeze the process only now, and all is out.
        expect(arrived()).toBe(3_000);
        const encodedAtMs = Math.min(...arrivals.map((arrival) => arrival.encodedAtMs));
        expect(encodedAtMs).toBeGreaterThanOrEqual(result.postedMs + TO_MONOTONIC_MS);
      }
    },
  );

  test("a streamed response is complete, and the environment held until all is out", async () => {
    const running = await start(runtime, "streaming");
    for (let turn = 1; turn <= 2; turn++) {
      const result = await running.invoke({ spans: 2_000 });
      expect(result.body.toString()).toBe("answer");
      expect((await result.settled).kind).toBe("idle");
      expect(arrived()).toBe(2_000 * turn);
    }
  });

  test("the extension registers in time when it is loaded before the runtime client, too", async () => {
    const execArgv = ["--import", join(taskRoot, "app.mjs")];
    const running = await start(runtime, "asynchronous", { execArgv });
    const { settled } = await running.invoke({ spans: 1 });
    await settled;
    expect(running.api.extensions).toMatchObject([{ events: ["INVOKE"] }]);
    expect(arrived()).toBe(1);
  });

  test("every span arrives although the environment freezes as soon as Lambda may", async () => {
    const running = await start(runtime, "asynchronous", { freezeWhenIdle: true });
    for (let turn = 0; turn < 5; turn++) {
      const { settled } = await running.invoke({ spans: 700 });
      await settled;
      expect(arrived()).toBe(700 * (turn + 1));
    }
  });

  test("a refused registration is said once, and the caller waits for the flush", async () => {
    const running = await start(runtime, "asynchronous", { api: { refuseRegistration: 403 } });
    for (let turn = 1; turn <= 3; turn++) {
      const result = await running.invoke({ spans: 1 });
      expect(result.outcome).toBe("response");
      expect(arrived()).toBe(turn);
    }
    expect(running.stderr.match(/COLDSPAN_FLUSH=after-return is not possible/g)).toHaveLength(1);
  });

  test("a registration without an answer does not stop the function", async () => {
    const running = await start(runtime, "asynchronous", {
      api: { refuseRegistration: "never-answer" },
    });
    const result = await running.invoke({ spans: 1 });
    expect(result.outcome).toBe("response");
    expect(arrived()).toBe(1);
  });

  test("a handler that never ends has its spans sent before the deadline", async () => {
    const running = await start(runtime, "hanging");
    const result = await running.invoke({ spans: 0 }, { timeoutMs: 3_000 });
    expect(result.outcome).toBe("timeout");
    expect(arrivals.flatMap(({ names }) => names)).toEqual(["aborted"]);
    expect(arrivals[0]?.encodedAtMs).toBeLessThan(result.postedMs + TO_MONOTONIC_MS);
  });

  test("a handler that the engine never hears of is answered, and lets the environment go", async () => {
    const running = await start(runtime, "unwrapped");
    for (let turn = 0; turn < 3; turn++) {
      const result = await running.invoke({ spans: 0 });
      expect(result.outcome).toBe("response");
      expect((await result.settled).kind).toBe("idle");
    }
  });
});
