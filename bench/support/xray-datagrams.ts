/** Counts the spans in datagrams to X-Ray's daemon, whichever library sent them. */
import { decodeTraces } from "../../src/dev/otlp-definitions.ts";

/** After the header line: OTLP in base64, of sampled or of unsampled spans. */
const OTLP_MARK = /^T1[SU]/;

interface Segment {
  readonly subsegments?: readonly Segment[];
}

/** Spans, or X-Ray segments with their subsegments. Throws on what neither is. */
export function countDatagramSpans(datagram: Buffer): number {
  const text = datagram.toString("utf8");
  const body = text.slice(text.indexOf("\n") + 1);
  if (!OTLP_MARK.test(body)) return countSegments(JSON.parse(body) as Segment);
  const { resourceSpans } = decodeTraces(Buffer.from(body.replace(OTLP_MARK, ""), "base64"));
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .reduce((sum, { spans }) => sum + spans.length, 0);
}

function countSegments({ subsegments = [] }: Segment): number {
  return subsegments.reduce((sum, segment) => sum + countSegments(segment), 1);
}
