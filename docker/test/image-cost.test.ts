/** What coldspan's image adds to its base: bytes to fetch, files to read. */
import { afterAll, describe, expect, inject, test } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { startContainer } from "./container.ts";
import { connectEngine } from "./engine.ts";
import { filesRead, underTrace } from "./files-read.ts";
import { functionImages } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";
import { addedBytes } from "./image-size.ts";

const MAX_ADDED_BYTES = 3_000_000;
const MAX_FILES_READ = 25;
const OWN_FOLDER = "/opt/coldspan";
const OWN_FILE = /^\/opt\/coldspan\/|^\/tmp\/coldspan-compile-cache\//;

const engine = connectEngine(inject("dockerHost"));
const built = functionImages(engine);
afterAll(() => built.remove());

describe.each(inject("images"))("Node $major", ({ major, base, coldspan }) => {
  test("the image adds little, and no file but its own", async () => {
    const added = await addedBytes(engine, base, coldspan);
    const history = await engine.docker("history", "--format={{.Size}}\t{{.CreatedBy}}", coldspan);
    console.log(`Node ${major}: ${(added / 1e6).toFixed(2)} MB compressed\n${history}`);
    expect(added).toBeLessThan(MAX_ADDED_BYTES);
    expect(added).toBeGreaterThan(100_000);
  });

  test("everybody may read its files, nobody but root write them, and no package manager was there", async () => {
    const wrong = "! -user root -o -type d ! -perm 755 -o -type f ! -perm 644 ! -perm 755";
    const residue = "-name 'package-lock.json' -o -name '.npm*' -o -name '.bin'";
    const container = await startContainer(engine, {
      image: coldspan,
      entrypoint: "/bin/sh",
      command: ["-c", `find ${OWN_FOLDER} ${wrong} -o ${residue}; find ${OWN_FOLDER} | wc -l`],
    });
    expect(await container.exitCode()).toBe(0);
    const lines = (await container.logs()).stdout.trim().split("\n");
    await container.remove();
    expect(lines).toHaveLength(1);
    expect(Number(lines[0])).toBeGreaterThan(10);
  });

  test("few files are read while a function starts", async () => {
    const handler = "esm.handler";
    const image = await built.build({
      base: coldspan,
      files: { "esm.mjs": "export const handler = async (event) => event;" },
      handler,
    });
    const entrypoint = ["/opt/coldspan/coldspan-wrapper", "/lambda-entrypoint.sh"];
    const receiver = await startOtlpReceiver();
    const { api, container } = await runImageFunction(engine, {
      ...underTrace({ image, command: [handler] }, entrypoint),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
    });
    await (await api.invoke({})).settled;
    const read = filesRead((await container.logs()).stderr);
    const own = read.filter((file) => OWN_FILE.test(file));
    console.log(`Node ${major}: ${read.length} files read, of coldspan:\n${own.join("\n")}`);
    expect(own).toContain("/opt/coldspan/coldspan.cjs");
    await receiver.close();
    expect(own.length).toBeLessThanOrEqual(MAX_FILES_READ);
  });
});
