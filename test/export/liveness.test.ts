/** What keeps a process alive: sends under way, and nothing else. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { answerCall } from "./support/grpc-server.ts";
import { serveHttp } from "./support/http-server.ts";
import { otlpConfig, serveGrpc } from "./support/open-destination.ts";

const ANSWER_AFTER_MS = 300;
const destinations = new URL("../../src/export/destinations.ts", import.meta.url).href;

test.each(["grpc", "http/protobuf"] as const)(
  "over %s, an awaited send keeps the process alive to its end, and an open connection does not",
  async (protocol) => {
    const { endpoint, calls } = await serve(protocol);
    const config = { kind: "otlp", otlp: otlpConfig({ protocol, endpoint, timeoutMs: 60_000 }) };
    const script = `
      const { createDestination } = await import(${JSON.stringify(destinations)});
      const destination = await createDestination(${JSON.stringify(config)});
      destination.connect();
      const { status } = await destination.send(new Uint8Array(9), 60000);
      const another = await createDestination(${JSON.stringify(config)});
      another.connect();
      destination.wake();
      console.log(status);`;

    expect(await run(script)).toEqual({ exitCode: 0, output: "success\n" });
    expect(calls).toHaveLength(1);
  },
);

function serve(protocol: "grpc" | "http/protobuf") {
  if (protocol === "grpc")
    return serveGrpc((call) => setTimeout(answerCall, ANSWER_AFTER_MS, call));
  return serveHttp(({ response }) => setTimeout(() => response.end(), ANSWER_AFTER_MS));
}

async function run(script: string): Promise<{ exitCode: number; output: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  const [exitCode] = await once(child, "close");
  return { exitCode, output };
}
