/** Our end of HTTP/2 against Node's (nghttp2) as it limits, compresses and asks, and against hostile bytes. */
import { once } from "node:events";
import { createServer, type Http2Session as NodeSession, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { HeaderFields } from "../../src/export/hpack.ts";
import { FRAME, frameHead, settingsFrame } from "../../src/export/http2-frames.ts";
import { Http2Session } from "../../src/export/http2-session.ts";
import type { StreamEnding } from "../../src/export/http2-stream.ts";

const POST = [
  [":method", "POST"],
  [":scheme", "http"],
  [":authority", "collector"],
  [":path", "/"],
] as const;
const LARGE_BYTES = 200_000;

interface Exchange {
  readonly headers: readonly HeaderFields[];
  readonly body: Buffer;
  readonly ending: StreamEnding;
}

test("values of any characters that a server compresses are read as they were", async () => {
  const port = await serve((stream, body) => {
    stream.respond({ ":status": 200, ...(JSON.parse(body.toString()) as object) });
    stream.end();
  });
  const session = await open(port);
  // Every character that a value may have, alone and in company; Huffman codes are 5 to 30 bits long.
  const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const value = fc.array(visible, { minLength: 1, maxLength: 40 }).map((all) => all.join(""));
  const every = Array.from({ length: 0x7e - 0x20 }, (_, index) =>
    String.fromCharCode(0x21 + index),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (values) => {
      const fields = Object.fromEntries(values.map((text, index) => [`x-field-${index}`, text]));
      const { headers, ending } = await exchange(session, [Buffer.from(JSON.stringify(fields))]);
      expect(ending).toEqual({ kind: "complete" });
      expect(Object.fromEntries(headers[0] ?? [])).toMatchObject(fields);
    }),
    { numRuns: 100, examples: [[every], [[every.join("")]]] },
  );
});

test("a body goes out through windows and frames as small as the server sets them", async () => {
  const received: Buffer[] = [];
  const port = await serve(
    (stream, body) => {
      received.push(body);
      stream.respond({ ":status": 200 });
      stream.end("taken");
    },
    { initialWindowSize: 1_000 },
  );
  const session = await open(port);
  const bodies = [numbered(LARGE_BYTES, 3), numbered(10, 5), numbered(LARGE_BYTES, 7)];

  const answers = await Promise.all(bodies.map((body) => exchange(session, [body])));

  expect(answers.map(({ body, ending }) => [`${body}`, ending.kind])).toEqual(
    bodies.map(() => ["taken", "complete"]),
  );
  expect(received.toSorted(Buffer.compare)).toEqual(bodies.toSorted(Buffer.compare));
});

test("requests beyond the server's limit of streams wait for their turn", async () => {
  let underWay = 0;
  let most = 0;
  const port = await serve(
    (stream) => {
      most = Math.max(most, ++underWay);
      setTimeout(() => {
        underWay--;
        stream.respond({ ":status": 200 });
        stream.end();
      }, 5);
    },
    { maxConcurrentStreams: 2 },
  );
  const session = await open(port);
  // The limit is known with the server's first answer.
  await exchange(session, [Buffer.of(1)]);

  const answers = await Promise.all(
    Array.from({ length: 12 }, () => exchange(session, [Buffer.of(1)])),
  );

  expect(answers.every(({ ending }) => ending.kind === "complete")).toBe(true);
  // The server refuses what is beyond its limit, and so would not have completed it.
  expect(most).toBeLessThanOrEqual(2);
});

test("heads of many frames are put together, too large ones end their stream only", async () => {
  const port = await serve((stream, body) => {
    stream.respond({ ":status": 200, "x-long": "x".repeat(Number(`${body}`)) });
    stream.end();
  });
  const session = await open(port);

  const [long, tooLong] = await Promise.all([
    exchange(session, [Buffer.from("30000")]),
    exchange(session, [Buffer.from("110000")]),
  ]);
  const after = await exchange(session, [Buffer.from("1")]);

  expect(long.headers[0]?.get("x-long")).toHaveLength(30_000);
  expect(tooLong.ending).toEqual({ kind: "headers-too-large" });
  expect(after.ending).toEqual({ kind: "complete" });
});

test("a request's head may be larger than a frame, and larger than the server says it takes is told", async () => {
  const seen: number[] = [];
  const port = await serve(
    (stream, _body, headers) => {
      seen.push(`${headers["x-long"]}`.length);
      stream.respond({ ":status": 200 });
      stream.end();
    },
    { maxHeaderListSize: 60_000 },
  );
  const session = await open(port);
  const fields = [...POST, ["x-long", "x".repeat(40_000)]] as const;

  await exchange(session, [Buffer.of(1)], fields);

  expect(seen).toEqual([40_000]);
  expect(session.findExcess(fields)).toBeUndefined();
  expect(session.findExcess([...POST, ["x-long", "x".repeat(70_000)]])).toMatch(
    /^The headers take 70\d\d\d bytes, and the server takes 60000$/,
  );
});

test("pings of both sides are answered", async () => {
  const sessions: NodeSession[] = [];
  const port = await serve(
    () => undefined,
    {},
    (session) => sessions.push(session),
  );
  const session = await open(port);
  await expect.poll(() => sessions).toHaveLength(1);

  await new Promise<void>((resolve) => session.ping(resolve));
  const payload = Buffer.from("12345678");
  const echoed = await new Promise((resolve, reject) => {
    sessions[0]?.ping(payload, (error, _ms, answer) => (error ? reject(error) : resolve(answer)));
  });

  expect(echoed).toEqual(payload);
});

test("whatever a server sends, an exchange ends once, and nothing is thrown", async () => {
  const kinds = fc.constantFrom(...Object.values(FRAME), 0xfa);
  const frame = fc
    .tuple(kinds, fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2, 3, 5), fc.uint8Array())
    .map(([kind, flags, id, payload]) =>
      Buffer.concat([frameHead(kind, flags, id, payload.length), payload]),
    );
  const settings = settingsFrame([]);
  const bytes = fc.oneof(
    fc.array(frame, { maxLength: 8 }).map((frames) => Buffer.concat([settings, ...frames])),
    fc.uint8Array({ maxLength: 200 }).map((garbage) => Buffer.from(garbage)),
  );
  let script = Buffer.alloc(0);
  const port = await listen(
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(script));
    }),
  );

  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      script = sent;
      const { ending } = await exchange(await open(port), [Buffer.alloc(100_000)]);
      expect(["complete", "reset", "connection", "headers-too-large"]).toContain(ending.kind);
    }),
    { numRuns: 300 },
  );
});

/** A body in which every byte that is lost, doubled or moved shows. */
function numbered(bytes: number, step: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => (index * step) % 251));
}

async function serve(
  onRequest: (
    stream: ServerHttp2Stream,
    body: Buffer,
    headers: Readonly<Record<string, unknown>>,
  ) => void,
  settings: object = {},
  onSession: (session: NodeSession) => void = () => undefined,
): Promise<number> {
  const server = createServer({ settings, maxSendHeaderBlockLength: 200_000 });
  server.on("session", onSession);
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => onRequest(stream, Buffer.concat(chunks), headers));
  });
  return listen(server);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function open(port: number): Promise<Http2Session> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const session = new Http2Session(connect(port, "127.0.0.1"), false, {
    opened: resolve,
    closed: reject,
  });
  promise.catch(() => undefined);
  onTestFinished(() => session.destroy());
  await promise;
  return session;
}

/** Fails when the exchange ends twice, or goes on after its end. */
function exchange(
  session: Http2Session,
  body: readonly Buffer[],
  fields: Parameters<Http2Session["request"]>[0] = POST,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const headers: HeaderFields[] = [];
    const chunks: Buffer[] = [];
    let isOver = false;
    const checked = (act: () => void): void => {
      if (isOver) reject(new Error("there was more after the end"));
      act();
    };
    session.request(fields, body, {
      headers: (received) => checked(() => headers.push(received)),
      data: (chunk) => checked(() => chunks.push(chunk)),
      endedEarly: () => checked(() => undefined),
      closed: (ending) =>
        checked(() => {
          isOver = true;
          resolve({ headers, body: Buffer.concat(chunks), ending });
        }),
    });
  });
}
