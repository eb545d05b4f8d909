/** `coldspan/files` in an image that is not AWS's: Debian, Node, and `aws-lambda-ric` from npm. */
import { afterAll, describe, expect, inject, test } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { connectEngine } from "./engine.ts";
import { buildFunctionImage } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";
import { buildAnyBase } from "./stand-in-base.ts";

const engine = connectEngine(inject("dockerHost"));
const built: string[] = [];
afterAll(async () => {
  for (const image of built) await engine.tryDocker("rmi", "--force", image);
});

describe.each(inject("images"))("Node $major", ({ major }) => {
  const entrypoint = ["/opt/coldspan/coldspan-wrapper", "node_modules/.bin/aws-lambda-ric"];

  test.each([
    // What client 4 needs to be told, the entrypoint knows.
    ["an entrypoint", ["ENV LAMBDA_TASK_ROOT=", `ENTRYPOINT ${JSON.stringify(entrypoint)}`]],
    [
      "NODE_OPTIONS alone",
      [
        'ENTRYPOINT ["node_modules/.bin/aws-lambda-ric"]',
        "ENV NODE_OPTIONS=--require=/opt/coldspan/preload.cjs _HANDLER=app.handler",
      ],
    ],
    [
      "a warm cache",
      [
        "RUN /opt/coldspan/bin/coldspan warm app.handler",
        'RUN test -n "$(ls /opt/coldspan/compile-cache/*)"',
        `ENTRYPOINT ${JSON.stringify(entrypoint)}`,
      ],
    ],
  ])("a function is traced through %s", async (_name, dockerfile) => {
    const receiver = await startOtlpReceiver();
    const image = await buildFunctionImage(engine, {
      base: await buildAnyBase(engine, major),
      files: { "app.mjs": 'import "coldspan"; export const handler = async (event) => event;' },
      handler: "app.handler",
      dockerfile: [`COPY --from=${inject("filesImage")} / /`, ...dockerfile],
    });
    built.push(image);
    const { api } = await runImageFunction(engine, {
      image,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
    });
    expect(JSON.parse((await api.invoke({ n: 1 })).body.toString())).toEqual({ n: 1 });
    const spans = await receiver.waitForSpans(2);
    expect(spans.map(({ name }) => name).sort()).toEqual(["init", "orders"]);
    await receiver.close();
  });
});
