/** OTLP/HTTP: protobuf and JSON, plain or gzip, over http or https. */
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { gunzipSync } from "node:zlib";
import { isTooLarge } from "./grpc-message.ts";
import { answerHttp, refuseHttp } from "./http-answer.ts";
import { decodeTraces } from "./otlp-definitions.ts";
import {
  type Arrival,
  type Body,
  type Endpoint,
  type EndpointServer,
  judge,
  type Refusal,
  readBody,
  refuse,
  toServerTls,
  waitBeforeAnswer,
} from "./otlp-exchange.ts";
import { decodeTracesJson } from "./otlp-json.ts";

export const TRACES_PATH = "/v1/traces";

/** A server that hands each export to the endpoint and answers as it says. */
export function createHttpServer(endpoint: Endpoint): EndpointServer {
  const { tls } = endpoint;
  const server = tls === undefined ? createPlainServer() : createTlsServer(toServerTls(tls));
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    // Never rejects by a client's doing: a rejection is a defect here, and ends the process.
    void serve(request, response, endpoint);
  });
  return {
    server,
    drain: () => server.closeIdleConnections(),
    destroy: () => server.closeAllConnections(),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
): Promise<void> {
  if (request.url !== TRACES_PATH) {
    refuseHttp(response, 404, `nothing at ${request.url}`);
    return;
  }
  const arrival = await readArrival(request, endpoint);
  if (arrival === undefined) return;
  const exchange = endpoint.receive(arrival);
  const { judgement, transport } = arrival;
  if (judgement.kind === "traces") {
    await waitBeforeAnswer(exchange);
    answerHttp(response, exchange, transport === "http/json");
    return;
  }
  refuseHttp(response, judgement.outcome === "too-large" ? 413 : 400, judgement.reason, exchange);
}

async function readArrival(
  request: IncomingMessage,
  { maxMessageBytes }: Endpoint,
): Promise<Arrival | undefined> {
  const { headers, socket } = request;
  const body = await readBody(request, maxMessageBytes);
  if (body === undefined) return undefined;
  const isJson = headers["content-type"] === "application/json";
  const facts = {
    transport: isJson ? "http/json" : "http/protobuf",
    headers,
    remotePort: socket.remotePort,
    wireBytes: body.wireBytes,
    compressed: headers["content-encoding"] === "gzip",
  } as const;
  const message = checkHttpHeaders(request) ?? readMessage(body, headers, maxMessageBytes);
  if (!Buffer.isBuffer(message)) return { ...facts, message: Buffer.alloc(0), judgement: message };
  const decode = isJson ? decodeTracesJson : decodeTraces;
  return { ...facts, message, judgement: judge(message, decode) };
}

function checkHttpHeaders({ method, headers }: IncomingMessage): Refusal | undefined {
  const contentType = headers["content-type"];
  const encoding = headers["content-encoding"] ?? "identity";
  if (method !== "POST") return refuse("malformed", `method is ${method}, not POST`);
  if (contentType !== "application/x-protobuf" && contentType !== "application/json") {
    return refuse("malformed", `content-type is "${contentType}"`);
  }
  if (encoding !== "gzip" && encoding !== "identity") {
    return refuse("malformed", `content-encoding is "${encoding}"`);
  }
  return undefined;
}

function readMessage(
  body: Body,
  headers: IncomingMessage["headers"],
  maxBytes: number,
): Buffer | Refusal {
  if (body.wireBytes > maxBytes) return refuse("too-large", `body is larger than ${maxBytes} B`);
  if (headers["content-encoding"] !== "gzip") return body.bytes;
  try {
    return gunzipSync(body.bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (isTooLarge(error)) return refuse("too-large", `body is larger than ${maxBytes} B unzipped`);
    return refuse("malformed", `body is not gzip: ${String(error)}`);
  }
}
