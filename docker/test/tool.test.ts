/** `docker run <image> coldspan …`: a function's own image runs and examines it, with nothing around it. */
import { afterAll, describe, expect, inject, test } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { startContainer } from "./container.ts";
import { connectEngine } from "./engine.ts";
import { functionImages } from "./function-image.ts";
import { buildAnyBase } from "./stand-in-base.ts";

const engine = connectEngine(inject("dockerHost"));
const built = functionImages(engine);
afterAll(() => built.remove());

const files = {
  "app.mjs": `export const handler = async (event) => ({ event });
export const fails = async () => { throw new RangeError("too far"); };`,
  "event.json": '{ "order": 7 }',
};

async function run(
  image: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const container = await startContainer(engine, { image, command: ["coldspan", ...words], env });
  const code = await container.exitCode();
  const { stdout, stderr } = await container.logs();
  await container.remove();
  return { stdout, stderr, code };
}

describe.each(inject("images"))("Node $major", ({ major, coldspan }) => {
  const onAws = () => built.build({ base: coldspan, files, handler: "app.handler" });
  const onAnyBase = async () =>
    built.build({
      base: await buildAnyBase(engine, major),
      files,
      handler: "app.handler",
      dockerfile: [
        `COPY --from=${inject("filesImage")} / /`,
        'ENTRYPOINT ["/opt/coldspan/coldspan-wrapper", "node_modules/.bin/aws-lambda-ric"]',
      ],
    });

  test.each([
    ["AWS's base", onAws],
    ["any other base", onAnyBase],
  ])("a function on %s answers, and its trace is shown", async (_name, build) => {
    const { stdout, stderr, code } = await run(await build(), [
      "invoke",
      "app.handler",
      "event.json",
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toEqual({ event: { order: 7 } });
    expect(stderr).toMatch(/SERVER my-function .*cold start\n.*INTERNAL init /);
  });

  test("a function that fails ends the container with an error", async () => {
    const { stderr, code } = await run(await onAws(), ["invoke", "app.fails"]);
    expect(stderr).toContain("✖ RangeError: too far");
    expect(code).toBe(1);
  });

  test("a handler that is not there is named, and where it was looked for", async () => {
    const { stderr, code } = await run(await onAws(), ["invoke", "gone.handler"]);
    expect(stderr).toContain("Runtime.ImportModuleError: Error: Cannot find module 'gone'");
    expect(stderr).toContain("gone.handler was to be loaded from /var/task");
    expect(code).toBe(1);
  });

  test("doctor finds what a traced function needs, and a collector that is there", async () => {
    const receiver = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl };
    const { stdout, code } = await run(await onAws(), ["doctor"], env);
    expect(stdout).toMatch(new RegExp(`^✔ Node\\.js v${major}\\.`));
    expect(stdout).toContain("✔ runtime client /var/runtime/index.mjs");
    expect(stdout).toContain("✔ handlers are traced without code");
    expect(stdout).toMatch(/✔ compile cache of \d+ files/);
    expect(stdout).toMatch(/✔ otlp\/grpc to 127\.0\.0\.1:\d+ accepts connections/);
    expect(stdout).not.toMatch(/^[!✖]/m);
    expect(code).toBe(0);
    await receiver.close();
    const alone = await run(await onAws(), ["doctor"], env);
    expect(alone.stdout).toMatch(/✖ otlp\/grpc to 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    expect(alone.code).toBe(1);
  });
});
