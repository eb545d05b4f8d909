/** What a user may choose about the shape of traces. */

/** What becomes of a context that arrives with an event. */
export type InboundPolicy =
  /** The caller's span is the parent, and its sampling flag counts. */
  | "parent"
  /** A new trace with a link to the caller: for public endpoints that trust no stranger's flag. */
  | "link"
  | "ignore";

export interface InboundContext {
  readonly default: InboundPolicy;
  /** By source name (`sqs`, `api-gateway-v2`) or trigger kind (`http`, `pubsub`); the name wins. */
  readonly bySource: Readonly<Record<string, InboundPolicy>>;
}

/** `producer`: a record span continues its message's trace; `batch`: it is a child of the batch span. */
export type RecordParent = "producer" | "batch";

/** Names of attributes: `1.44` is what backends read today, `1.45` renamed some of them. */
export type SemconvVersion = "1.44" | "1.45";

export interface TraceConfig {
  readonly recordParent: RecordParent;
  readonly semconv: SemconvVersion;
  readonly inboundContext: InboundContext;
}
