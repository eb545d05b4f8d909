/** A real OpenTelemetry Collector whose file exporter says what it received. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import type { WireTraces } from "../../../src/dev/otlp-definitions.ts";
import { decodeTracesJson } from "../../../src/dev/otlp-json.ts";
import { type ReceivedSpan, readSpans } from "../../../src/dev/received-span.ts";
import type { CertificateAuthority } from "../../support/certificates.ts";
import { type CollectorEndpoints, configureCollector } from "./collector-config.ts";
import { Program, requireProgram } from "./program.ts";

const WAIT_TIMEOUT_MS = 5000;

export interface Collector {
  readonly endpoints: CollectorEndpoints;
  /** Everything in the file so far: as requests, and as their spans. */
  requests(): readonly WireTraces[];
  spans(): readonly ReceivedSpan[];
  /** Resolves to the spans that fit once there are so many of them in the file. */
  waitForSpans(
    count: number,
    fits: (span: ReceivedSpan) => boolean,
  ): Promise<readonly ReceivedSpan[]>;
  /** Ends in order and starts again, on the same ports and with the same file. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A Collector for the tests of a file: started before the first and gone after the last of them.
 * Its certificate and those that it asks clients for are of this authority.
 */
export function useCollector(authority: CertificateAuthority): () => Collector {
  const directory = mkdtempSync(join(tmpdir(), "coldspan-collector-"));
  let collector: Collector | undefined;
  beforeAll(async () => {
    collector = await startCollector(directory, authority);
  });
  afterAll(async () => {
    await collector?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    if (collector === undefined) throw new Error("The Collector runs only while tests do");
    return collector;
  };
}

async function startCollector(
  directory: string,
  authority: CertificateAuthority,
): Promise<Collector> {
  const { configFile, outputFile, endpoints } = await configureCollector(directory, authority);
  const start = async (): Promise<Program> => {
    const started = new Program(requireProgram("collector"), ["--config", configFile]);
    await started.waitFor((lines) => lines.find((line) => line.includes("Everything is ready")));
    return started;
  };
  const file = new SpanFile(outputFile);
  let program = await start();
  return {
    endpoints,
    requests: () => file.read(),
    spans: () => spansOf(file.read()),
    waitForSpans: (count, fits) =>
      vi.waitFor(
        () => {
          const found = spansOf(file.read()).filter(fits);
          if (found.length >= count) return found;
          throw new Error(`${found.length} of ${count} spans are in the Collector's file`);
        },
        { timeout: WAIT_TIMEOUT_MS, interval: 10 },
      ),
    async restart() {
      await program.stop();
      program = await start();
    },
    stop: () => program.stop(),
  };
}

/** A file of requests, one per line, that is still being written. */
class SpanFile {
  readonly #path: string;
  readonly #requests: WireTraces[] = [];
  #readBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every whole line so far. */
  read(): readonly WireTraces[] {
    if (!existsSync(this.#path)) return [];
    const unread = readFileSync(this.#path).subarray(this.#readBytes);
    const whole = unread.subarray(0, unread.lastIndexOf("\n") + 1);
    this.#readBytes += whole.length;
    for (const line of whole.toString("utf8").split("\n")) {
      if (line !== "") this.#requests.push(decodeTracesJson(Buffer.from(line)));
    }
    return this.#requests;
  }
}

function spansOf(requests: readonly WireTraces[]): ReceivedSpan[] {
  return requests.flatMap((request, index) => readSpans(request, index));
}
