/** Containers that are really frozen (`docker pause`) between invocations lose no span. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, inject, test } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { connectEngine } from "./engine.ts";
import { functionImages } from "./function-image.ts";
import { type ImageFunctionOptions, runImageFunction } from "./image-function.ts";

const FREEZES = 20;
const FREEZE_MS = 10_000;
const TEST_TIMEOUT_MS = 600_000;

const engine = connectEngine(inject("dockerHost"));
const built = functionImages(engine);
afterAll(() => built.remove());
const files = { "app.mjs": "export const handler = async (n) => n;" };

interface Case {
  readonly name: string;
  readonly base: string;
  readonly env: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = inject("images").flatMap(({ major, coldspan }) => [
  { name: `Node ${major}`, base: coldspan, env: {} },
  { name: `Node ${major}, after-return`, base: coldspan, env: { COLDSPAN_FLUSH: "after-return" } },
]);

/** Invokes, freezes, thaws; resolves with how many spans are expected. */
async function runFrozen(options: ImageFunctionOptions): Promise<number> {
  const { api, container } = await runImageFunction(engine, options);
  for (let count = 0; count < FREEZES; count += 1) {
    const result = await api.invoke(count);
    expect(JSON.parse(result.body.toString())).toBe(count);
    await result.settled;
    await container.pause();
    await sleep(FREEZE_MS);
    await container.unpause();
  }
  await (await api.invoke(FREEZES)).settled;
  return FREEZES + 2; // The invocation after the last freeze, and `init`.
}

test(
  `frozen ${FREEZES} times for ${FREEZE_MS} ms, every span arrives once`,
  async () => {
    const receiver = await startOtlpReceiver();
    const counts = await Promise.all(
      cases.map(async ({ name, base, env }) =>
        runFrozen({
          image: await built.build({ base, files, handler: "app.handler" }),
          functionName: name,
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl, ...env },
        }),
      ),
    );
    const spans = await receiver.waitForSpans(counts.reduce((sum, count) => sum + count, 0));
    const received = cases.map(
      ({ name }) => spans.filter(({ resource }) => resource["faas.name"] === name).length,
    );
    expect(received).toEqual(counts);
    expect(receiver.duplicates()).toEqual([]);
    await receiver.close();
  },
  TEST_TIMEOUT_MS,
);
