/** Lambda's X-Ray daemon as far as OTLP over UDP goes: datagrams in, spans out, never an answer. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { ACCEPT } from "./otlp-behaviour.ts";
import { decodeTraces } from "./otlp-definitions.ts";
import { type Judgement, judge, refuse } from "./otlp-exchange.ts";
import { questions, type ReceiverQuestions } from "./receiver-questions.ts";
import { SpanLedger } from "./span-ledger.ts";

const HEADER = '{"format":"json","version":1}';
/** `T1S` stands before sampled spans, `T1U` before unsampled ones. */
const DATAGRAM = /^(?<header>.*)\n(?<prefix>T1[SU])(?<payload>.*)$/s;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SAMPLED = 1;

export interface XrayReceiver extends ReceiverQuestions {
  /** As `AWS_XRAY_DAEMON_ADDRESS` has it: `127.0.0.1:40003`. */
  readonly address: string;
  close(): Promise<void>;
}

/** Starts a sink for X-Ray datagrams on a free UDP port of 127.0.0.1. */
export async function startXrayReceiver(): Promise<XrayReceiver> {
  const ledger = new SpanLedger();
  const socket = createSocket("udp4");
  socket.on("message", (datagram) => {
    const { header, prefix, message, judgement } = readDatagram(datagram);
    const arrival = {
      transport: "xray/udp",
      headers: { header, prefix },
      remotePort: undefined,
      wireBytes: datagram.length,
      message,
      compressed: false,
      judgement,
    } as const;
    ledger.add(arrival, ACCEPT, 0);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    ...questions(ledger),
    close: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

interface Datagram {
  readonly header: string;
  readonly prefix: string;
  readonly message: Uint8Array;
  readonly judgement: Judgement;
}

function readDatagram(datagram: Buffer): Datagram {
  const {
    header = "",
    prefix = "",
    payload = "",
  } = DATAGRAM.exec(datagram.toString("latin1"))?.groups ?? {};
  const message = Buffer.from(payload, "base64");
  const facts = { header, prefix, message };
  if (header !== HEADER) return { ...facts, judgement: refuse("malformed", "no X-Ray header") };
  if (payload === "" || !BASE64.test(payload)) {
    return { ...facts, judgement: refuse("malformed", "the spans are not in base64") };
  }
  return { ...facts, judgement: checkSampling(judge(message, decodeTraces), prefix) };
}

function checkSampling(judgement: Judgement, prefix: string): Judgement {
  if (judgement.kind === "refusal") return judgement;
  const expected = prefix === "T1S" ? SAMPLED : 0;
  const spans = judgement.traces.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((entry) => entry.spans),
  );
  const isHonest = spans.every(({ flags }) => ((flags ?? 0) & SAMPLED) === expected);
  return isHonest ? judgement : refuse("malformed", `${prefix} does not fit the spans' flags`);
}
