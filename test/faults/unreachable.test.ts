/** The collector cannot be reached from the first invocation on, and then it can. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { type Certificate, createAuthority } from "../support/certificates.ts";
import {
  expectAnswer,
  FaultFunction,
  type FaultOptions,
  SHORT_FLUSH_MS,
  SLACK_MS,
} from "./support/fault-function.ts";
import { crossed, MODES, PROTOCOLS, startRow } from "./support/fault-row.ts";

const INVOCATIONS = 5;
/** The breaker's third pause, at its longest, and a flush. */
const RECOVERY_MS = 10_000;

const FILES = mkdtempSync(join(tmpdir(), "coldspan-unreachable-"));
const CA_FILE = join(FILES, "ca.pem");
const LATE_NAME = fileURLToPath(new URL("support/late-name.cjs", import.meta.url));

const trusted = createAuthority();
const stranger = createAuthority("a stranger");
writeFileSync(CA_FILE, trusted.cert);
afterAll(() => rmSync(FILES, { recursive: true }));

interface Unreachable {
  readonly fault: string;
  readonly options: FaultOptions;
  readonly end: (receiver: OtlpReceiver) => void | Promise<void>;
}

function presenting(fault: string, tls: Certificate): Unreachable {
  return {
    fault: `TLS, certificate ${fault}`,
    options: { receiver: { tls }, env: () => ({ OTEL_EXPORTER_OTLP_CERTIFICATE: CA_FILE }) },
    end: (receiver) => receiver.useCertificate(trusted.issue({ usage: "server" })),
  };
}

/** RFC 6761 §6.4: `.invalid` never resolves. A file of its own tells each function when it does. */
function unresolved(protocol: string, mode: string): Unreachable {
  const nameServerIsUp = join(FILES, `${protocol}-${mode}`.replace("/", "-"));
  return {
    fault: "name does not resolve",
    options: {
      env: (receiver) => ({
        NAME_SERVER_IS_UP: nameServerIsUp,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: (protocol === "grpc"
          ? receiver.grpcUrl
          : receiver.httpUrl
        ).replace("127.0.0.1", "collector.invalid"),
      }),
      function: { execArgv: ["--require", LATE_NAME] },
    },
    end: () => writeFileSync(nameServerIsUp, ""),
  };
}

const FAULTS: readonly Unreachable[] = [
  {
    fault: "refuses connections from the start",
    options: { before: (receiver) => receiver.stop() },
    end: (receiver) => receiver.restart(),
  },
  {
    fault: "reads nothing from the start",
    options: { before: (receiver) => receiver.welcome("ignore") },
    end: (receiver) => receiver.welcome("relay"),
  },
  presenting("of a stranger", stranger.issue({ usage: "server" })),
  presenting("of another host", trusted.issue({ usage: "server", hosts: ["other.example"] })),
  presenting("expired", trusted.issue({ usage: "server", expired: true })),
];

const ROWS = [
  ...crossed(FAULTS),
  ...PROTOCOLS.flatMap((protocol) =>
    MODES.map((mode) => ({ ...unresolved(protocol, mode), protocol, mode })),
  ),
];

describe.concurrent("a collector that cannot be reached costs no span and no answer", () => {
  test.for(ROWS)("$fault: $protocol, $mode", async (fault, context) => {
    const row = startRow(context, fault);
    const traced = await FaultFunction.start(context, row, {
      flushTimeoutMs: SHORT_FLUSH_MS,
      ...fault.options,
    });

    for (let i = 0; i < INVOCATIONS; i++) expectAnswer(await traced.invoke());
    expect(traced.receiver.spans()).toEqual([]);
    await fault.end(traced.receiver);

    const account = traced.fill(await traced.untilArrived(RECOVERY_MS));
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expect(row.dropped).toBe(0);
    expect(row.longestWaitMs).toBeLessThan(SHORT_FLUSH_MS + SLACK_MS);
  });
});
