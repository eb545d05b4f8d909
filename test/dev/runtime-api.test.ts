import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  type RuntimeApi,
  type RuntimeApiOptions,
  startRuntimeApi,
} from "../../src/dev/runtime-api.ts";

const REQUEST_ID = "lambda-runtime-aws-request-id";
const EXTENSION_ID = "lambda-extension-identifier";

async function startApi(options?: RuntimeApiOptions): Promise<RuntimeApi> {
  const api = await startRuntimeApi(options);
  onTestFinished(() => api.close());
  return api;
}

function runtime(api: RuntimeApi) {
  const base = `http://${api.address}/2018-06-01/runtime`;
  const post = (path: string, body: string, headers = {}): Promise<Response> =>
    fetch(`${base}/${path}`, { method: "POST", body, headers });
  return {
    next: (signal?: AbortSignal) => fetch(`${base}/invocation/next`, { signal: signal ?? null }),
    respond: (id: string, body: string) => post(`invocation/${id}/response`, body),
    fail: (id: string, body: string, headers = {}) => post(`invocation/${id}/error`, body, headers),
    failInit: (body: string) => post("init/error", body),
  };
}

function extension(api: RuntimeApi, name: string) {
  const base = `http://${api.address}/2020-01-01/extension`;
  return {
    register: (events: readonly string[]) =>
      fetch(`${base}/register`, {
        method: "POST",
        headers: { "lambda-extension-name": name },
        body: JSON.stringify({ events }),
      }),
    next: (id: string) => fetch(`${base}/event/next`, { headers: { [EXTENSION_ID]: id } }),
    failInit: (id: string) =>
      fetch(`${base}/init/error`, {
        method: "POST",
        headers: { [EXTENSION_ID]: id, "lambda-extension-function-error-type": "My.Failure" },
      }),
  };
}

async function registered(api: RuntimeApi, name: string, events: readonly string[]) {
  const calls = extension(api, name);
  const id = (await calls.register(events)).headers.get(EXTENSION_ID) ?? "";
  return { id, next: () => calls.next(id) };
}

/** The state of a promise after everything that is due has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const turn = new Promise((resolve) => setTimeout(resolve, 50, pending));
  return (await Promise.race([promise, turn])) === pending;
}

/** The server learns of a broken connection some turns after the client broke it. */
function letSocketsClose(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

async function errorType(response: Response): Promise<unknown> {
  return ((await response.json()) as { errorType: unknown }).errorType;
}

test("an invocation is handed out as posted by its caller and answered as posted by the runtime", async () => {
  const api = await startApi({ functionArn: "arn:mine" });
  const answered = api.invoke(Buffer.from('{ "raw" : 1 }'), {
    requestId: "id-1",
    deadlineMs: 4_102_444_800_000,
    traceId: "Root=1-a-b",
    clientContext: { name: "ж" },
    cognitoIdentity: { cognitoIdentityId: "i", cognitoIdentityPoolId: "p" },
    tenantId: "tenant",
  });
  const next = await runtime(api).next();
  expect(await next.text()).toBe('{ "raw" : 1 }');
  expect(Object.fromEntries(next.headers)).toMatchObject({
    "content-type": "application/json",
    [REQUEST_ID]: "id-1",
    "lambda-runtime-deadline-ms": "4102444800000",
    "lambda-runtime-invoked-function-arn": "arn:mine",
    "lambda-runtime-trace-id": "Root=1-a-b",
    "lambda-runtime-client-context": Buffer.from('{"name":"ж"}').toString("latin1"),
    "lambda-runtime-cognito-identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
    "lambda-runtime-aws-tenant-id": "tenant",
  });
  expect((await runtime(api).respond("id-1", '"é"')).status).toBe(202);
  const result = await answered;
  expect(result).toMatchObject({ outcome: "response", requestId: "id-1", error: undefined });
  expect(result.body).toEqual(Buffer.from('"é"'));
});

test("a posted error keeps its type, message, trace and X-Ray cause", async () => {
  const api = await startApi();
  const answered = api.invoke({}, { requestId: "id-1" });
  await runtime(api).next();
  await runtime(api).fail("id-1", '{"errorType":"E","errorMessage":"m","trace":["t"]}', {
    "lambda-runtime-function-error-type": "Header.Type",
    "lambda-runtime-function-xray-error-cause": '{"cause":1}',
  });
  expect(await answered).toMatchObject({
    outcome: "error",
    error: { type: "Header.Type", message: "m", trace: ["t"], xrayCause: '{"cause":1}' },
  });
});

test("the next invocation is handed out only when the runtime is back from the last", async () => {
  const api = await startApi();
  const first = api.invoke({}, { requestId: "first" });
  const second = api.invoke({}, { requestId: "second" });
  await runtime(api).next();
  await runtime(api).respond("first", "1");
  const { settled } = await first;
  expect(await isPending(settled)).toBe(true);
  const next = await runtime(api).next();
  expect(next.headers.get(REQUEST_ID)).toBe("second");
  expect(await settled).toMatchObject({ kind: "idle" });
  await runtime(api).respond("second", "2");
  expect((await second).body.toString()).toBe("2");
});

test("a runtime that owes an answer gets no work, and no invocation takes two answers", async () => {
  const api = await startApi();
  const answered = api.invoke({}, { requestId: "id-1" });
  await runtime(api).next();
  const tooEarly = await runtime(api).next();
  expect([tooEarly.status, await errorType(tooEarly)]).toEqual([403, "InvalidStateTransition"]);
  await runtime(api).respond("id-1", "1");
  const twice = await runtime(api).respond("id-1", "2");
  expect([twice.status, await errorType(twice)]).toEqual([400, "InvalidRequestID"]);
  expect((await answered).body.toString()).toBe("1");
});

test("a poll that was given up gets no invocation", async () => {
  const api = await startApi();
  const poll = new AbortController();
  const givenUp = runtime(api).next(poll.signal);
  await api.initialized;
  poll.abort();
  await expect(givenUp).rejects.toThrow();
  await letSocketsClose();
  const answered = api.invoke({}, { requestId: "id-1" });
  const next = await runtime(api).next();
  expect(next.headers.get(REQUEST_ID)).toBe("id-1");
  await runtime(api).respond("id-1", "1");
  expect((await answered).outcome).toBe("response");
});

test("init ends when the runtime and every extension have asked for work", async () => {
  const api = await startApi();
  const inner = await registered(api, "inner", []);
  const answered = api.invoke({}, { requestId: "id-1" });
  const next = runtime(api).next();
  expect(await isPending(api.initialized)).toBe(true);
  void inner.next().catch(() => "closed with the API");
  expect(await api.initialized).toMatchObject({ kind: "ready" });
  expect((await next).headers.get(REQUEST_ID)).toBe("id-1");
  await runtime(api).respond("id-1", "1");
  await answered;
});

test("an invocation is settled when the extensions with INVOKE are back as well", async () => {
  const api = await startApi();
  const silent = await registered(api, "silent", []);
  const inner = await registered(api, "inner", ["INVOKE"]);
  void silent.next().catch(() => "closed with the API");
  const firstEvent = inner.next();
  const next = runtime(api).next();
  const answered = api.invoke({}, { requestId: "id-1", traceId: "Root=1-a-b" });
  await next;
  expect(await (await firstEvent).json()).toMatchObject({
    eventType: "INVOKE",
    requestId: "id-1",
    deadlineMs: expect.any(Number),
    invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:my-function",
    tracing: { type: "X-Amzn-Trace-Id", value: "Root=1-a-b" },
  });
  await runtime(api).respond("id-1", "1");
  const { settled } = await answered;
  void runtime(api)
    .next()
    .catch(() => "closed with the API");
  expect(await isPending(settled)).toBe(true);
  void inner.next().catch(() => "closed with the API");
  expect(await settled).toMatchObject({ kind: "idle" });
});

test("an extension that comes back for one invocation is waited for again in the next that waits", async () => {
  const api = await startApi();
  const inner = await registered(api, "inner", ["INVOKE"]);
  const event = inner.next();
  const next = runtime(api).next();
  const first = api.invoke({}, { requestId: "id-1" });
  const second = api.invoke({}, { requestId: "id-2" });
  await Promise.all([next, event]);
  await runtime(api).respond("id-1", "1");
  await first;
  const secondNext = runtime(api).next();
  await Promise.all([inner.next(), secondNext]);
  await runtime(api).respond("id-2", "2");
  const { settled } = await second;
  void runtime(api)
    .next()
    .catch(() => "closed with the API");
  expect(await isPending(settled)).toBe(true);
  void inner.next().catch(() => "closed with the API");
  expect(await settled).toMatchObject({ kind: "idle" });
});

test("an internal extension registers for INVOKE or nothing, under a name of its own, before the first next", async () => {
  const api = await startApi({ functionName: "orders", handler: "app.handler" });
  const accepted = await extension(api, "inner").register(["INVOKE"]);
  expect(await accepted.json()).toEqual({
    functionName: "orders",
    functionVersion: "$LATEST",
    handler: "app.handler",
  });
  expect(api.extensions).toMatchObject([
    { name: "inner", external: false, events: ["INVOKE"], id: accepted.headers.get(EXTENSION_ID) },
  ]);
  const shutdown = await extension(api, "greedy").register(["INVOKE", "SHUTDOWN"]);
  expect([shutdown.status, await shutdown.json()]).toEqual([
    403,
    {
      errorType: "Extension.InvalidEventType",
      errorMessage: "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
    },
  ]);
  const taken = await extension(api, "inner").register([]);
  expect(await errorType(taken)).toBe("Extension.InvalidExtensionState");
  void runtime(api)
    .next()
    .catch(() => "closed with the API");
  await expect
    .poll(async () => errorType(await extension(api, `late-${Math.random()}`).register([])))
    .toBe("Extension.RegistrationClosed");
});

test("an unknown or missing extension identifier is refused", async () => {
  const api = await startApi();
  const unknown = await extension(api, "x").next("no-such-id");
  expect([unknown.status, await errorType(unknown)]).toEqual([
    403,
    "Extension.UnknownExtensionIdentifier",
  ]);
  const missing = await fetch(`http://${api.address}/2020-01-01/extension/event/next`);
  expect(await errorType(missing)).toBe("Extension.MissingExtensionIdentifier");
});

test("an external extension gets SHUTDOWN", async () => {
  const api = await startApi({ externalExtensions: ["collector"] });
  const collector = await registered(api, "collector", ["INVOKE", "SHUTDOWN"]);
  const event = collector.next();
  api.sendShutdown("SPINDOWN", 123);
  expect(await (await event).json()).toEqual({
    eventType: "SHUTDOWN",
    shutdownReason: "SPINDOWN",
    deadlineMs: 123,
  });
});

test("registration can be refused, or left without an answer", async () => {
  const refusing = await startApi({ refuseRegistration: 500 });
  expect((await extension(refusing, "inner").register([])).status).toBe(500);
  const silent = await startApi({ refuseRegistration: "never-answer" });
  const registration = extension(silent, "inner").register([]);
  expect(await isPending(registration)).toBe(true);
  await silent.close();
  await expect(registration).rejects.toThrow();
});

test("Managed Instances run many invocations at once, each settled with its answer", async () => {
  const api = await startApi({ managedInstances: true });
  const invocations = ["a", "b", "c"].map((requestId) => api.invoke({}, { requestId }));
  const polls = await Promise.all(invocations.map(() => runtime(api).next()));
  const ids = polls.map((poll) => poll.headers.get(REQUEST_ID) ?? "");
  expect(ids.toSorted()).toEqual(["a", "b", "c"]);
  for (const id of ids.toReversed()) await runtime(api).respond(id, `"${id}"`);
  const results = await Promise.all(invocations);
  expect(results.map((result) => result.body.toString())).toEqual(['"a"', '"b"', '"c"']);
  expect(await results[0]?.settled).toMatchObject({ kind: "idle" });
});

test("on Managed Instances an internal extension registers for nothing, an external one for SHUTDOWN", async () => {
  const api = await startApi({ managedInstances: true, externalExtensions: ["collector"] });
  const invoke = await extension(api, "inner").register(["INVOKE"]);
  expect(await errorType(invoke)).toBe("Extension.InvalidEventType");
  expect((await extension(api, "inner").register([])).status).toBe(200);
  const external = extension(api, "collector");
  expect(await errorType(await external.register(["INVOKE"]))).toBe("Extension.InvalidEventType");
  expect((await external.register(["SHUTDOWN"])).status).toBe(200);
});

test("a failed init answers every invocation with its error", async () => {
  const api = await startApi();
  const waiting = api.invoke({});
  await runtime(api).failInit('{"errorType":"Boom","errorMessage":"at load"}');
  expect(api.initError).toMatchObject({ type: "Boom", message: "at load" });
  expect(await api.initialized).toMatchObject({ kind: "error", error: { type: "Boom" } });
  for (const result of [await waiting, await api.invoke({})]) {
    expect(result).toMatchObject({ outcome: "error", handedOutMs: undefined });
    expect(await result.settled).toMatchObject({ kind: "ended" });
  }
});

test("an extension that fails to start fails init", async () => {
  const api = await startApi();
  const { id } = await registered(api, "inner", []);
  await extension(api, "inner").failInit(id);
  expect(await api.initialized).toMatchObject({ kind: "error", error: { type: "My.Failure" } });
  expect(api.extensions[0]?.errorType).toBe("My.Failure");
});

test("an exit answers open and waiting invocations, and those that come later", async () => {
  const api = await startApi();
  const open = api.invoke({}, { requestId: "open" });
  const waiting = api.invoke({});
  await runtime(api).next();
  api.processExited("Runtime exited with error: exit status 1");
  expect(JSON.parse((await open).body.toString())).toEqual({
    errorType: "Runtime.ExitError",
    errorMessage: "RequestId: open Error: Runtime exited with error: exit status 1",
  });
  for (const result of [await open, await waiting, await api.invoke({})]) {
    expect(result.outcome).toBe("exit");
    expect(await result.settled).toMatchObject({ kind: "ended" });
  }
});

test("an invocation that outlives its deadline is answered and reported", async () => {
  const timedOut = Promise.withResolvers<void>();
  const api = await startApi({ onTimeout: () => timedOut.resolve() });
  const answered = api.invoke({}, { requestId: "id-1", timeoutMs: 20 });
  await runtime(api).next();
  await timedOut.promise;
  expect(await answered).toMatchObject({ outcome: "timeout", error: { type: "Sandbox.Timedout" } });
  expect((await answered).error?.message).toBe(
    "RequestId: id-1 Error: Task timed out after 0.02 seconds",
  );
});

test("a response that breaks off is an error of its own and keeps what had arrived", async () => {
  const api = await startApi();
  const answered = api.invoke({}, { requestId: "id-1" });
  await runtime(api).next();
  const [host = "", port] = api.address.split(":");
  const socket = connect(Number(port), host);
  await once(socket, "connect");
  socket.write("POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nhost: x\r\n");
  socket.write("transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", () => {
    setTimeout(() => socket.destroy(), 50);
  });
  const result = await answered;
  expect(result).toMatchObject({
    outcome: "error",
    error: { type: "Runtime.TruncatedResponse" },
  });
  expect(result.chunks.map((chunk) => chunk.bytes.toString())).toEqual(["half"]);
});
