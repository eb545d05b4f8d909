import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type RuntimeApi,
  type RuntimeApiOptions,
  startRuntimeApi,
} from "../../src/dev/runtime-api.ts";
import { registerForInvocations } from "../../src/lambda/extension.ts";
import { startScript } from "../support/child.ts";

async function startApi(options: RuntimeApiOptions = {}): Promise<RuntimeApi> {
  const api = await startRuntimeApi(options);
  onTestFinished(() => api.close());
  return api;
}

/** The runtime's half of a function that answers everything with `null`. */
class Runtime {
  readonly #base: string;

  constructor(api: RuntimeApi) {
    this.#base = `http://${api.address}/2018-06-01/runtime`;
  }

  /** Resolves with the id of the next invocation. */
  async next(): Promise<string> {
    const response = await fetch(`${this.#base}/invocation/next`);
    await response.text();
    return response.headers.get("lambda-runtime-aws-request-id") ?? "";
  }

  async respond(id: string): Promise<void> {
    const url = `${this.#base}/invocation/${id}/response`;
    await (await fetch(url, { method: "POST", body: "null" })).text();
  }
}

/** Announcements, each held until it is let go. */
class Holds {
  readonly open: PromiseWithResolvers<void>[] = [];
  count = 0;

  readonly hold = (): Promise<void> => {
    this.count++;
    const held = Promise.withResolvers<void>();
    this.open.push(held);
    return held.promise;
  };

  letGo(): void {
    this.open.shift()?.resolve();
  }
}

const HOLD_NOTHING = (): Promise<void> => Promise.resolve();
const IGNORE_LOSS = (): void => {};

describe("an extension for invocations", () => {
  test("registers with INVOKE, ends init, and holds the environment until it is let go", async () => {
    const api = await startApi();
    const holds = new Holds();
    expect(await registerForInvocations(api.address, holds.hold, IGNORE_LOSS)).toBe(true);
    expect(api.extensions).toMatchObject([
      { name: "coldspan", external: false, events: ["INVOKE"] },
    ]);
    const runtime = new Runtime(api);
    const next = runtime.next();
    const invoked = api.invoke({});
    const id = await next;
    await expect.poll(() => holds.open.length).toBe(1);
    await runtime.respond(id);
    const { settled } = await invoked;
    void runtime.next().catch(() => undefined);
    let kind: string | undefined;
    void settled.then((settlement) => {
      kind = settlement.kind;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(kind).toBeUndefined();
    holds.letGo();
    await expect.poll(() => kind).toBe("idle");
  });

  test("sees every one of many invocations", async () => {
    const api = await startApi();
    let announced = 0;
    const hold = () => {
      announced++;
      return Promise.resolve();
    };
    await registerForInvocations(api.address, hold, IGNORE_LOSS);
    const runtime = new Runtime(api);
    for (let turn = 0; turn < 30; turn++) {
      const invoked = api.invoke({});
      const id = await runtime.next();
      await runtime.respond(id);
      await invoked;
    }
    await expect.poll(() => announced).toBe(30);
  });

  test("is refused after init, says so once and names the remedy", async () => {
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => stderr.mockRestore());
    const api = await startApi();
    void new Runtime(api).next().catch(() => undefined);
    await api.initialized;
    for (let turn = 0; turn < 2; turn++) {
      expect(await registerForInvocations(api.address, HOLD_NOTHING, IGNORE_LOSS)).toBe(false);
    }
    // An extension of another test may only now find its Lambda gone, and say so.
    const lines = stderr.mock.calls
      .map(([line]) => String(line))
      .filter((line) => line.includes("Lambda refused the extension"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("Extension.RegistrationClosed");
    expect(lines[0]).toContain("NODE_OPTIONS=--import");
  });

  test("is refused where nothing listens", async () => {
    expect(await registerForInvocations("127.0.0.1:1", HOLD_NOTHING, IGNORE_LOSS)).toBe(false);
  });

  test("polls again when a poll breaks", async () => {
    const fake = await startFakeApi();
    const holds = new Holds();
    await registerForInvocations(fake.address, holds.hold, IGNORE_LOSS);
    await expect.poll(() => fake.polls).toBe(1);
    fake.server.closeAllConnections();
    await expect.poll(() => fake.polls).toBe(2);
  });

  test("is lost when Lambda refuses a poll", async () => {
    const fake = await startFakeApi(500);
    let isLost = false;
    await registerForInvocations(fake.address, new Holds().hold, () => {
      isLost = true;
    });
    await expect.poll(() => isLost).toBe(true);
    expect(fake.polls).toBe(1);
  });
});

test("neither registration nor poll keeps a process alive", async () => {
  const api = await startApi();
  const { code, stdout } = await startScript(`
    import { registerForInvocations } from "./src/lambda/extension.ts";
    const isRegistered = registerForInvocations("${api.address}", () => Promise.resolve(), () => {});
    void isRegistered.then((is) => console.log(is));
    setTimeout(() => {}, 300);
  `).finished;
  expect({ code, stdout }).toEqual({ code: 0, stdout: "true\n" });
});

/** Registers everyone and leaves polls open, or answers them with a status. */
async function startFakeApi(
  nextStatus?: number,
): Promise<{ address: string; server: Server; readonly polls: number }> {
  let polls = 0;
  const server = createServer((request, response) => {
    if (request.url?.endsWith("/register")) {
      response.writeHead(200, { "lambda-extension-identifier": "id" }).end("{}");
      return;
    }
    polls++;
    if (nextStatus !== undefined) response.writeHead(nextStatus).end("no");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    server,
    get polls() {
      return polls;
    },
  };
}
