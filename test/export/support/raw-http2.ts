/** HTTP/2 servers written frame by frame (RFC 9113 §4.1), for what well-behaved servers never say. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;

const PREFACE_BYTES = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const END_STREAM = 1;

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/**
 * Calls `onRequest` for each stream that was sent to its end; connections are numbered from 0.
 * Calls `onFrame` for every frame.
 */
export async function startRawServer(
  onRequest: (socket: Socket, stream: number, connection: number) => void,
  onFrame: (frame: RawFrame) => void = () => undefined,
): Promise<string> {
  let connections = 0;
  return startTcpServer((socket) => {
    const connection = connections++;
    let buffered = Buffer.alloc(0);
    let skip = PREFACE_BYTES;
    socket.write(rawFrame(FRAME.settings, 0, Buffer.alloc(0)));
    socket.on("data", (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      if (buffered.length < skip) return;
      buffered = buffered.subarray(skip);
      skip = 0;
      for (let frame = takeFrame(buffered); frame !== undefined; frame = takeFrame(buffered)) {
        buffered = buffered.subarray(9 + frame.payload.length);
        onFrame(frame);
        if (frame.type === FRAME.settings && frame.flags === 0) {
          socket.write(rawFrame(FRAME.settings, 0, Buffer.alloc(0), 1));
        }
        const isRequest = frame.type === FRAME.data || frame.type === FRAME.headers;
        if (isRequest && (frame.flags & END_STREAM) !== 0)
          onRequest(socket, frame.stream, connection);
      }
    });
  });
}

/** Listens until the test ends; gives an endpoint. */
export async function startTcpServer(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function rawFrame(type: number, stream: number, payload: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function goaway(lastStream: number, code = 0): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStream, 0);
  payload.writeUInt32BE(code, 4);
  return rawFrame(FRAME.goaway, 0, payload);
}

export function reset(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return rawFrame(FRAME.reset, stream, payload);
}

/** A whole gRPC answer with status 0: headers, an empty message, trailers; HPACK literals (RFC 7541 §6.2.2). */
export function okAnswer(stream: number): Buffer {
  const headers = Buffer.concat([Buffer.from([0x88]), literal("content-type", "application/grpc")]);
  return Buffer.concat([
    rawFrame(FRAME.headers, stream, headers, 4),
    rawFrame(FRAME.data, stream, Buffer.alloc(5)),
    rawFrame(FRAME.headers, stream, literal("grpc-status", "0"), 4 | END_STREAM),
  ]);
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

function takeFrame(bytes: Buffer): RawFrame | undefined {
  if (bytes.length < 9) return undefined;
  const length = bytes.readUIntBE(0, 3);
  if (bytes.length < 9 + length) return undefined;
  const [type = 0, flags = 0] = bytes.subarray(3, 5);
  return { type, flags, stream: bytes.readUInt32BE(5), payload: bytes.subarray(9, 9 + length) };
}
