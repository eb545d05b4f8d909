/** The trace service on gRPC for Node.js, in the test's own process. */
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  status as Status,
} from "@grpc/grpc-js";
import {
  ANSWER_HEADER,
  type GrpcPeer,
  type GrpcPeerOptions,
  type PeerCall,
  sha256,
  TRACE_SERVICE,
  type WireAnswer,
} from "./grpc-peer.ts";

/** `grpc.default_compression_algorithm`: gzip. */
const GZIP = 2;

type Unary = handleUnaryCall<Buffer, Buffer>;

export async function startGrpcJsServer(options: GrpcPeerOptions = {}): Promise<GrpcPeer> {
  const { port = 0, channelArgs = {}, compressAnswers = false } = options;
  const calls: PeerCall[] = [];
  const server = new Server({
    ...channelArgs,
    ...(compressAnswers ? { "grpc.default_compression_algorithm": GZIP } : {}),
  });
  server.addService({ Export: EXPORT }, { Export: answerCalls(calls) });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials(options.tls), (error, boundPort) =>
      error === null ? resolve(boundPort) : reject(error),
    );
  });
  return {
    port: bound,
    calls: async () => calls,
    async stop(graceMs) {
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      await new Promise((resolve) => server.tryShutdown(resolve));
      clearTimeout(timer);
    },
    async kill() {
      server.forceShutdown();
    },
  };
}

const asIs = (bytes: Buffer): Buffer => bytes;

const EXPORT = {
  path: `/${TRACE_SERVICE}/Export`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
} as const;

function credentials(tls: GrpcPeerOptions["tls"]): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const clientCa = tls.clientCa === undefined ? null : Buffer.from(tls.clientCa);
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
}

function answerCalls(calls: PeerCall[]): Unary {
  const granted = new Map<string, number>();
  return (call, done) => {
    const metadata = Object.fromEntries(
      Object.entries(call.metadata.getMap()).map(([key, value]) => [key, String(value)]),
    );
    const deadline = call.getDeadline();
    calls.push({
      sha256: sha256(call.request),
      bytes: call.request.length,
      metadata,
      connection: call.getPeer(),
      timeLeftMs: Number(deadline) - Date.now(),
    });
    const header = metadata[ANSWER_HEADER];
    const times = (granted.get(header ?? "") ?? 0) + 1;
    granted.set(header ?? "", times);
    const answer = readAnswer(header, times);
    setTimeout(() => reply(answer, done), answer.delayMs ?? 0);
  };
}

function readAnswer(header: string | undefined, times: number): WireAnswer {
  if (header === undefined) return {};
  const answer: WireAnswer = JSON.parse(Buffer.from(header, "base64url").toString());
  return times <= (answer.times ?? times) ? answer : {};
}

function reply(answer: WireAnswer, done: Parameters<Unary>[1]): void {
  const trailers = new Metadata();
  if (answer.details !== undefined) {
    trailers.set("grpc-status-details-bin", Buffer.from(answer.details, "base64"));
  }
  const { status = Status.OK, text = "", body = "" } = answer;
  if (status === Status.OK) done(null, Buffer.from(body, "base64"), trailers);
  else done({ code: status, details: text, metadata: trailers });
}
