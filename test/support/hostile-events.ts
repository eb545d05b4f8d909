/** Events as broken or hostile senders make them: any JSON, and real events with foreign parts. */
import fc from "fast-check";
import { fixture, fixtureNames } from "./events.ts";

const MEGABYTE = "x".repeat(1_048_576);

/** Objects and arrays inside one another. */
export function deep(levels: number): unknown {
  let value: unknown = "traceparent";
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { metadata: value };
  return value;
}

/** What hostile or broken producers put where something else belongs. */
export const intruder: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    "",
    0,
    -1,
    1e308,
    true,
    [],
    {},
    MEGABYTE,
    `{"TopicArn":${MEGABYTE}`,
    '{"TopicArn":{},"Message":"{\\"detail-type\\":1}","MessageAttributes":[]}',
    '{"detail-type":"x","source":[],"detail":{"metadata":[]}}',
    '{"Records":{"eventSource":"aws:s3"}}',
    "\ud800%E0%A4%A",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "arn:aws:::",
    "aws:sqs",
    JSON.parse('{"__proto__":{"traceparent":"x"},"constructor":1,"toString":2,"length":3}'),
    Array.from({ length: 1_000 }, () => null),
    Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, [null]])),
    deep(500),
  ),
  fc.jsonValue(),
  fc.string(),
);

export type Json = Record<string, unknown>;

/** Every place of a value, as the object that holds it and the key there. */
export function places(value: unknown, found: [Json, string][] = []): [Json, string][] {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Json, key]);
    places((value as Json)[key], found);
  }
  return found;
}

/** Real events of which one to four places are gone, or hold something else. */
export const mutated: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.constantFrom(...fixtureNames()),
    fc.array(fc.tuple(fc.nat(), fc.option(intruder, { nil: undefined })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([name, changes]) => {
    const event = fixture(name);
    const all = places(event);
    for (const [choice, value] of changes) {
      const [holder, key] = all[choice % all.length] as [Json, string];
      if (value !== undefined) holder[key] = value;
      else if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
    }
    return event;
  });

/** The lists of records that an event may have. */
export function listsOf(event: unknown): unknown[][] {
  if (typeof event !== "object" || event === null) return [];
  if (Array.isArray(event)) return [event];
  const { Records, records, messages, rmqMessagesByQueue } = event as Json;
  const nested = [records, rmqMessagesByQueue].flatMap((byKey) =>
    typeof byKey === "object" && byKey !== null ? Object.values(byKey) : [],
  );
  return [Records, messages, ...nested].filter((list): list is unknown[] => Array.isArray(list));
}

/** As many records as a batch may have, as long as they fit an event. */
const MOST_RECORDS = 10_000;
const MAX_EVENT_LENGTH = 6_000_000;

/** Mutated events whose lists of records are as long as Lambda makes them. */
export const grown: fc.Arbitrary<unknown> = mutated
  .filter((event) => listsOf(event).some(({ length }) => length > 0))
  .map((event) => {
    const lists = listsOf(event).filter(({ length }) => length > 0);
    for (const list of lists) {
      const { length } = list;
      const fitting = (MAX_EVENT_LENGTH / JSON.stringify(list).length) * length;
      const most = Math.min(MOST_RECORDS, fitting) / lists.length;
      while (list.length < most) {
        const record = list[list.length % length];
        list.push(isPlain(record) ? { ...record } : record);
      }
    }
    return event;
  });

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What callers write into headers of context. */
const header: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01,00-f",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=",
    "Root=;;;=;Parent;Sampled=1;Root=1-1-1",
    "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
    "0",
    "=;=,%,%zz=%zz,a=b;c,\u0000=1",
    `a=${MEGABYTE}`,
    "a=b,".repeat(5_000),
    ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ),
  fc.string(),
  intruder,
);

const HEADERS = ["traceparent", "Tracestate", "baggage", "B3", "x-b3-TraceId", "X-Amzn-Trace-Id"];

/** Headers of context, in any letter case, with anything in them. */
const headers: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  fc.constantFrom(...HEADERS, ...HEADERS.map((name) => name.toUpperCase()), "__proto__"),
  header,
);

/** Requests and messages with such headers. */
const withHeaders: fc.Arbitrary<unknown> = fc
  .tuple(headers, fc.constantFrom("api-gateway-v1", "api-gateway-v2", "sqs-trace-context", "sns"))
  .map(([fields, name]) => {
    const event = fixture(name) as Json & { Records?: Json[] };
    const attributes = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, { stringValue: value, Value: value }]),
    );
    for (const record of event.Records ?? []) {
      record.messageAttributes = attributes;
      record.attributes = { AWSTraceHeader: fields["X-Amzn-Trace-Id"] };
      record.Sns = { MessageAttributes: attributes };
    }
    return { ...event, headers: fields, multiValueHeaders: undefined };
  });

/** Any event at all; parts of it may be shared with another. */
export const anyEvent: fc.Arbitrary<unknown> = fc.oneof(
  mutated,
  withHeaders,
  fc.jsonValue(),
  fc.constantFrom(...fixtureNames()).map(fixture),
);

/** The second argument, as tests and other runtimes may pass it. */
export const anyContext: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(undefined),
  fc.record(
    {
      functionName: fc.oneof(fc.constant("orders"), intruder),
      functionVersion: fc.oneof(fc.constant("7"), intruder),
      awsRequestId: fc.oneof(fc.uuid(), intruder),
      invokedFunctionArn: fc.oneof(
        fc.constant("arn:aws:lambda:us-east-1:123456789012:function:orders:live"),
        intruder,
      ),
      xRayTraceId: header,
      tenantId: intruder,
      clientContext: fc.oneof(
        headers.map((custom) => ({ custom })),
        intruder,
      ),
      getRemainingTimeInMillis: fc.constantFrom(
        () => 1_000,
        () => Number.NaN,
        () => "soon",
        () => {
          throw new Error("no clock");
        },
        "no function",
      ),
    },
    { requiredKeys: [] },
  ),
  intruder,
);
