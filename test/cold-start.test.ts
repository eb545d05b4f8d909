/** What tracing loads, and when: in the real runtime, from the package as it is built. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import { deploy, RUNTIMES, type Runtime } from "./support/deployed.ts";

/** What `AsyncLocalStorage` itself is made of; nothing in Lambda can do without. */
const CONTEXT = /^NativeModule internal\/(?:async_local_storage\/|promise_hooks$)/;

const CASES = RUNTIMES.flatMap((runtime) =>
  (["esm", "cjs"] as const).map((format) => ({ ...runtime, format })),
);

describe.each(CASES)("Node $node, client $ric, $format", ({ node, ric, format }) => {
  let taskRoot: TaskRoot;
  const runtime: Runtime = { node, ric };

  beforeAll(async () => {
    taskRoot = await createTaskRoot("test/fixtures/functions/loaded.ts", format);
  });

  afterAll(() => taskRoot?.remove());

  test.each(["grpc", "http/protobuf"])(
    "over %s, loads nothing of Node's that the runtime does not",
    async (protocol) => {
      const receiver = await startOtlpReceiver();
      onTestFinished(() => receiver.close());
      const loadedBy = async (name: string): Promise<readonly string[]> => {
        const running = await deploy(runtime, taskRoot, {
          handler: `app.${name}`,
          env: {
            OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
            OTEL_EXPORTER_OTLP_ENDPOINT:
              protocol === "grpc" ? receiver.grpcUrl : receiver.httpUrl.replace("/v1/traces", ""),
          },
        });
        onTestFinished(() => running.close());
        // The second one sees what the flush of the first has loaded.
        await running.invoke({});
        return JSON.parse((await running.invoke({})).body.toString()) as string[];
      };

      const [bare, traced] = await Promise.all([loadedBy("bare"), loadedBy("handler")]);

      const added = traced.filter((entry) => !bare.includes(entry) && !CONTEXT.test(entry));
      expect(added).toEqual([]);
      await expect.poll(() => receiver.spans().filter(({ name }) => name === "own").length).toBe(2);
    },
  );
});
