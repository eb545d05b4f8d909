/** What arrived, counted; the words the collector's process and the benchmark exchange. */

export type Transport = "grpc" | "http" | "xray-udp";

export interface Received {
  readonly spans: Readonly<Record<Transport, number>>;
  readonly links: number;
  readonly requests: number;
  /** Spans that came twice. */
  readonly duplicates: number;
}

/** Where the collector's process listens. */
export interface Addresses {
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** `host:port`, as in `AWS_XRAY_DAEMON_ADDRESS`. */
  readonly xrayDaemon: string;
  /** Answers every call of the AWS SDK with an empty object. */
  readonly awsUrl: string;
}

/** Waits until `spans` are there or `timeoutMs` are over, answers what is there, and forgets it. */
export interface Take {
  readonly spans: number;
  readonly timeoutMs: number;
}

export function totalSpans({ spans }: Received): number {
  return spans.grpc + spans.http + spans["xray-udp"];
}
