/** How the receiver treats a request: as a good collector would, or with one chosen fault. */
import type { PartialSuccess } from "./otlp-definitions.ts";
import type { ReceiverTransport } from "./received-request.ts";

interface Common {
  /** Wait before the answer (or the fault) in ms; default 0. Spans are recorded before it. */
  readonly delayMs?: number;
  /**
   * Whether the spans count as accepted. Default: true where the answer says so
   * (`accept`, `partial-success`, `oversized-answer`, `goaway` that answers), else false.
   */
  readonly record?: boolean;
}

/** Where the fault sits: inside a well-formed HTTP answer, or in the bytes of the connection. */
type Layer = "message" | "connection";

export type Behaviour = Common &
  (
    | { readonly kind: "accept" }
    /** Accepts all but the last `rejectedSpans`; 0 with a message is a warning. */
    | {
        readonly kind: "partial-success";
        readonly rejectedSpans: number;
        readonly message?: string;
      }
    /** gRPC only: a status, by default in a trailers-only answer (headers with END_STREAM). */
    | {
        readonly kind: "grpc-status";
        readonly code: number;
        readonly message?: string;
        /** Adds `google.rpc.RetryInfo` to `grpc-status-details-bin`. */
        readonly retryDelayMs?: number;
        /** `trailers`: after headers. `headers`: among headers without END_STREAM, then an empty DATA frame. */
        readonly placement?: "trailers-only" | "trailers" | "headers";
      }
    /** An HTTP status; over gRPC it comes without `grpc-status`, as from a proxy. */
    | {
        readonly kind: "http-status";
        readonly status: number;
        /** `Retry-After`: a number in seconds, a Date as HTTP-date, a string as it is. */
        readonly retryAfter?: number | Date | string;
      }
    /** Reads the request, keeps the connection healthy (PING is answered), never answers. */
    | { readonly kind: "black-hole" }
    /** Reads the request, then closes the connection in order (FIN) without an answer. */
    | { readonly kind: "close-connection" }
    /** Reads the request, then resets the connection (RST). */
    | { readonly kind: "reset-connection" }
    /** gRPC only: RST_STREAM with an HTTP/2 error code (RFC 9113 §7), such as 7 REFUSED_STREAM. */
    | { readonly kind: "reset-stream"; readonly code: number }
    /**
     * gRPC only: GOAWAY. `before`: the last stream id excludes this request, the connection stays open
     * (not for the first request of a TLS connection);
     * `answer`: includes it, answers, then closes; `cut`: includes it, closes without an answer.
     */
    | {
        readonly kind: "goaway";
        readonly stage: "before" | "answer" | "cut";
        readonly code?: number;
      }
    /** Random bytes in place of an answer. */
    | { readonly kind: "garbage"; readonly layer: Layer }
    /** The beginning of an answer and then the end, in order. */
    | { readonly kind: "half-answer"; readonly layer: Layer }
    /** A success whose message is this large. */
    | { readonly kind: "oversized-answer"; readonly bytes: number }
  );

type BehaviourKind = Behaviour["kind"];

export const ACCEPT: Behaviour = { kind: "accept" };

const GRPC_ONLY: ReadonlySet<BehaviourKind> = new Set(["grpc-status", "reset-stream", "goaway"]);

/** Whether the spans of a request treated so count as accepted. */
export function recordsSpans(behaviour: Behaviour): boolean {
  if (behaviour.record !== undefined) return behaviour.record;
  if (behaviour.kind === "goaway") return behaviour.stage === "answer";
  return ["accept", "partial-success", "oversized-answer"].includes(behaviour.kind);
}

/** What a successful answer adds to "accepted". */
export function partialSuccessOf(behaviour: Behaviour): PartialSuccess | undefined {
  if (behaviour.kind === "partial-success") {
    const { rejectedSpans, message = "" } = behaviour;
    return { rejectedSpans, errorMessage: message };
  }
  if (behaviour.kind === "oversized-answer") {
    return { rejectedSpans: 0, errorMessage: "x".repeat(behaviour.bytes) };
  }
  return undefined;
}

/** The `retry-after` header of an HTTP status, if it has one (RFC 9110 §10.2.3). */
export function retryAfterHeader(
  value: number | Date | string | undefined,
): Record<string, string> {
  if (value === undefined) return {};
  return { "retry-after": value instanceof Date ? value.toUTCString() : String(value) };
}

/** Which behaviour the next request meets: queued ones first, then the standing one. */
export class BehaviourPlan {
  #standing: Behaviour = ACCEPT;
  #queued: Behaviour[] = [];

  /** Treats every request so from now on and forgets what was queued. */
  stand(behaviour: Behaviour): void {
    this.#standing = behaviour;
    this.#queued = [];
  }

  /** Treats the next `requests` requests so, after those already queued. */
  queue(behaviour: Behaviour, requests: number): void {
    for (let n = 0; n < requests; n++) this.#queued.push(behaviour);
  }

  /** Takes the behaviour for one request; those of the other protocol wait for theirs. */
  next(transport: ReceiverTransport): Behaviour {
    const isApplicable = ({ kind }: Behaviour) => transport === "grpc" || !GRPC_ONLY.has(kind);
    const at = this.#queued.findIndex(isApplicable);
    const [queued] = at < 0 ? [] : this.#queued.splice(at, 1);
    if (queued !== undefined) return queued;
    return isApplicable(this.#standing) ? this.#standing : ACCEPT;
  }
}
