/** OTLP over gRPC with `@grpc/grpc-js`: for proxies, and for who trusts nothing else. */
import type { SecureContext } from "node:tls";
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { OtlpConfig } from "../config.ts";
import type { Destination } from "./destination.ts";
import {
  GRPC_MAX_REQUEST_BYTES,
  GRPC_PATH,
  type GrpcAnswer,
  judgeGrpcAnswer,
} from "./grpc-answer.ts";
import type { GrpcEndpoint } from "./grpc-endpoint.ts";
import { parseGrpcStatus } from "./grpc-status.ts";
import type { RequestHeaders } from "./headers.ts";
import { encodeTraces } from "./otlp-encoder.ts";
import { createOtlpTransport, type OtlpRequest, type OtlpRoute } from "./otlp-transport.ts";
import type { Attempt } from "./retry.ts";
import { USER_AGENT } from "./user-agent.ts";

/** `grpc.default_compression_algorithm` of gzip. */
const GZIP = 2;

/** First wait before a refused connection is tried again; the default of a second outlasts short flushes. */
const RECONNECT_MS = 100;

/** After a longer gap a connection may have died in a freeze, which grpc-js notices only after minutes. */
const TRUSTED_IDLE_MS = 1000;

/** grpc-js's own words for a request that went out on a connection and stayed without an answer. */
const LOST = /^Deadline exceeded after .*remote_addr=|Connection dropped|RST_STREAM|ECONNRESET/;

export function createGrpcJsDestination(
  config: OtlpConfig,
  endpoint: GrpcEndpoint,
  tls: SecureContext | undefined,
): Destination {
  const channelCredentials = createCredentials(endpoint, tls);
  const target =
    endpoint.socketPath === undefined ? endpoint.authority : `unix:${endpoint.socketPath}`;
  const createClient = (): Client =>
    new Client(target, channelCredentials, {
      "grpc.primary_user_agent": USER_AGENT,
      "grpc.initial_reconnect_backoff_ms": RECONNECT_MS,
      // Clients of the same target would share a connection, and with it its death.
      "grpc.use_local_subchannel_pool": 1,
      ...(config.compression === "gzip" ? { "grpc.default_compression_algorithm": GZIP } : {}),
    });
  return {
    name: `otlp/grpc-js ${endpoint.socketPath ?? endpoint.authority}`,
    maxRequestBytes: GRPC_MAX_REQUEST_BYTES,
    encode: encodeTraces,
    // grpc-js compresses by itself.
    ...createOtlpTransport(config, new GrpcJsRoute(createClient), undefined),
  };
}

function createCredentials(
  endpoint: GrpcEndpoint,
  tls: SecureContext | undefined,
): ChannelCredentials {
  if (!endpoint.secure) return credentials.createInsecure();
  return tls === undefined ? credentials.createSsl() : credentials.createFromSecureContext(tls);
}

class GrpcJsRoute implements OtlpRoute {
  readonly #createClient: () => Client;
  #client: Client;
  #lastUsedMs = Date.now();

  constructor(createClient: () => Client) {
    this.#createClient = createClient;
    this.#client = createClient();
  }

  attempt({ headers, body }: OtlpRequest, timeoutMs: number): Promise<Attempt> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        GRPC_PATH,
        identity,
        identity,
        Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        toMetadata(headers),
        { deadline: Date.now() + timeoutMs },
        (error, message) => {
          this.#lastUsedMs = Date.now();
          const wasLost = error !== null && LOST.test(error.details);
          // Left alone, grpc-js keeps asking a dead connection.
          if (wasLost) this.#replace();
          const outcome = judgeGrpcAnswer(toAnswer(error, message), headers);
          const isInDoubt = outcome.status === "retryable" && wasLost;
          resolve({ outcome: isInDoubt ? { ...outcome, answerLost: true } : outcome });
        },
      );
    });
  }

  connect(): void {
    this.#client.getChannel().getConnectivityState(true);
  }

  wake(): void {
    if (Date.now() - this.#lastUsedMs > TRUSTED_IDLE_MS) this.#replace();
  }

  shutdown(): void {
    this.#client.close();
  }

  #replace(): void {
    // Calls under way on the old one may still end.
    this.#client.close();
    this.#client = this.#createClient();
  }
}

function toAnswer(error: ServiceError | null, message: Buffer | undefined): GrpcAnswer {
  if (error === null) return { status: "OK", text: "", message, details: undefined };
  const [details] = error.metadata.get("grpc-status-details-bin");
  return {
    status: parseGrpcStatus(String(error.code)),
    text: error.details,
    message: undefined,
    details: typeof details === "string" ? undefined : details,
  };
}

function toMetadata(headers: RequestHeaders): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    // Binary metadata goes over the wire in base64, which is how a header is configured.
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
