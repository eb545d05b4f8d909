import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Config, type OtlpConfig, resolveConfig } from "../src/config.ts";
import type { InitOptions } from "../src/options.ts";
import { LAMBDA_VARIABLES, VARIABLES } from "../src/variables.ts";

type Env = Record<string, string>;

function configOf(env: Env, options?: InitOptions): Config {
  return resolveConfig(env, options).config;
}

function otlpOf(env: Env, options?: InitOptions): OtlpConfig {
  const [first] = configOf(env, options).exporters;
  if (first?.kind !== "otlp") throw new Error("no OTLP exporter");
  return first.otlp;
}

describe("a value is used", () => {
  const rows: readonly [env: Env, read: (config: Config) => unknown, expected: unknown][] = [
    [{}, (c) => c.enabled, true],
    [{ OTEL_SDK_DISABLED: "TRUE" }, (c) => c.enabled, false],
    [{ OTEL_SDK_DISABLED: "" }, (c) => c.enabled, true],
    [{ OTEL_SDK_DISABLED: "false" }, (c) => c.enabled, true],
    [{}, (c) => c.logLevel, "warn"],
    [{ OTEL_LOG_LEVEL: "DEBUG" }, (c) => c.logLevel, "debug"],
    [{}, (c) => c.resourceAttributes, {}],
    [
      {
        OTEL_RESOURCE_ATTRIBUTES: "a=b, team%20name=caf%C3%A9,x=1=2,",
        OTEL_SERVICE_NAME: "orders",
      },
      (c) => c.resourceAttributes,
      { a: "b", "team name": "café", x: "1=2", "service.name": "orders" },
    ],
    [
      { OTEL_RESOURCE_ATTRIBUTES: "service.name=list", OTEL_SERVICE_NAME: "own" },
      (c) => c.resourceAttributes,
      { "service.name": "own" },
    ],
    [
      { CX_APPLICATION: "shop", CX_SUBSYSTEM: "orders" },
      (c) => c.resourceAttributes,
      { "cx.application.name": "shop", "cx.subsystem.name": "orders" },
    ],
    [{}, (c) => c.propagators, ["tracecontext", "baggage"]],
    [
      { OTEL_PROPAGATORS: " b3 , TraceContext,b3,, xray " },
      (c) => c.propagators,
      ["b3", "tracecontext", "xray"],
    ],
    [{ OTEL_PROPAGATORS: "none" }, (c) => c.propagators, []],
    [{}, (c) => c.sampler, { name: "parentbased_always_on", ratio: 1 }],
    [
      { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
      (c) => c.sampler,
      { name: "traceidratio", ratio: 0.25 },
    ],
    [
      { OTEL_TRACES_SAMPLER: "always_off", OTEL_TRACES_SAMPLER_ARG: "endpoint=x" },
      (c) => c.sampler,
      { name: "always_off", ratio: 1 },
    ],
    [{}, (c) => c.spanLimits.attributeCountLimit, 128],
    [{}, (c) => c.spanLimits.linkCountLimit, 100_000],
    [{ OTEL_SPAN_LINK_COUNT_LIMIT: "128" }, (c) => c.spanLimits.linkCountLimit, 128],
    [{}, (c) => c.spanLimits.attributeValueLengthLimit, Number.POSITIVE_INFINITY],
    [
      { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "99", OTEL_ATTRIBUTE_COUNT_LIMIT: "7" },
      (c) => [c.spanLimits.attributeValueLengthLimit, c.spanLimits.attributeCountLimit],
      [99, 7],
    ],
    [
      { OTEL_ATTRIBUTE_COUNT_LIMIT: "7", OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "0" },
      (c) => c.spanLimits.attributeCountLimit,
      0,
    ],
    [
      { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "9", OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "5" },
      (c) => c.spanLimits.attributeValueLengthLimit,
      5,
    ],
    [{ OTEL_SPAN_EVENT_COUNT_LIMIT: "1" }, (c) => c.spanLimits.eventCountLimit, 1],
    [{ OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "2" }, (c) => c.spanLimits.attributePerEventCountLimit, 2],
    [{ OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: "3" }, (c) => c.spanLimits.attributePerLinkCountLimit, 3],
    [{ OTEL_TRACES_EXPORTER: "none" }, (c) => c.exporters, []],
    [{ OTEL_TRACES_EXPORTER: "console,otlp" }, kindsOf, ["console", "otlp"]],
    [
      { OTEL_TRACES_EXPORTER: "xray" },
      (c) => c.exporters,
      [{ kind: "xray-udp", host: "127.0.0.1", port: 2000 }],
    ],
    [
      { OTEL_TRACES_EXPORTER: "xray", AWS_XRAY_DAEMON_ADDRESS: "169.254.79.129:2001" },
      (c) => c.exporters,
      [{ kind: "xray-udp", host: "169.254.79.129", port: 2001 }],
    ],
    [
      { OTEL_TRACES_EXPORTER: "xray", AWS_XRAY_DAEMON_ADDRESS: "tcp:10.0.0.1:1 udp:10.0.0.2:2" },
      (c) => c.exporters,
      [{ kind: "xray-udp", host: "10.0.0.2", port: 2 }],
    ],
    [{}, (c) => c.flush.mode, "before-return"],
    [{ COLDSPAN_FLUSH: "after-return" }, (c) => c.flush.mode, "after-return"],
    [
      { COLDSPAN_FLUSH: "after-return", AWS_LAMBDA_MAX_CONCURRENCY: "64" },
      (c) => [c.flush.mode, c.lambda.managedInstances],
      ["periodic", true],
    ],
    [{}, (c) => c.flush.timeoutMs, 4_000],
    [{ COLDSPAN_FLUSH_TIMEOUT_MS: "250" }, (c) => c.flush.timeoutMs, 250],
    [{}, (c) => c.flush.maxBufferBytes, 2 ** 25],
    [{ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024" }, (c) => c.flush.maxBufferBytes, 2 ** 28],
    [{}, (c) => c.flush.spoolDirectory, "/tmp/coldspan"],
    [{ COLDSPAN_SPOOL_DIRECTORY: "/tmp/a" }, (c) => c.flush.spoolDirectory, "/tmp/a"],
    [{ OTEL_BSP_SCHEDULE_DELAY: "1000" }, (c) => c.flush.intervalMs, 1_000],
    [{}, (c) => [c.flush.maxBufferSpans, c.flush.maxChunkSpans], [50_000, 512]],
    [
      { OTEL_BSP_MAX_QUEUE_SIZE: "100", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "200" },
      (c) => [c.flush.maxBufferSpans, c.flush.maxChunkSpans],
      [100, 100],
    ],
    [{}, (c) => c.trace.recordParent, "producer"],
    [{ COLDSPAN_RECORD_PARENT: "batch" }, (c) => c.trace.recordParent, "batch"],
    [{}, (c) => c.trace.semconv, "1.44"],
    [{ OTEL_SEMCONV_STABILITY_OPT_IN: "http,messaging" }, (c) => c.trace.semconv, "1.45"],
    [{ OTEL_SEMCONV_STABILITY_OPT_IN: "http/dup,database" }, (c) => c.trace.semconv, "1.44"],
    [{}, (c) => c.trace.inboundContext, { default: "parent", bySource: {} }],
    [
      { COLDSPAN_INBOUND_CONTEXT: "ignore, http=link ,sqs=PARENT" },
      (c) => c.trace.inboundContext,
      { default: "ignore", bySource: { http: "link", sqs: "parent" } },
    ],
    [
      {
        AWS_LAMBDA_FUNCTION_NAME: "f",
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
        AWS_REGION: "eu-west-1",
        AWS_LAMBDA_LOG_GROUP_NAME: "",
        AWS_LAMBDA_LOG_STREAM_NAME: "s",
        AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
        AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
        AWS_LAMBDA_LOG_FORMAT: "JSON",
      },
      (c) => c.lambda,
      {
        functionName: "f",
        functionVersion: "$LATEST",
        memorySizeMb: 512,
        region: "eu-west-1",
        logGroupName: undefined,
        logStreamName: "s",
        initializationType: "on-demand",
        runtimeApi: "127.0.0.1:9001",
        managedInstances: false,
        jsonLogs: true,
      },
    ],
  ];
  test.each(rows)("%o", (env, read, expected) => {
    const { config, warnings } = resolveConfig(env);
    expect(read(config)).toEqual(expected);
    expect(warnings).toEqual([]);
  });
});

function kindsOf(config: Config): string[] {
  return config.exporters.map((exporter) => exporter.kind);
}

describe("an OTLP endpoint decides", () => {
  const GRPC = "http://localhost:4317";
  const HTTP = "http://localhost:4318/v1/traces";
  const rows: readonly [env: Env, protocol: string, endpoint: string][] = [
    [{}, "grpc", GRPC],
    [{ PROTOCOL: "http/protobuf" }, "http/protobuf", HTTP],
    [{ PROTOCOL: "HTTP/JSON" }, "http/json", HTTP],
    [{ PROTOCOL: "http/json", TRACES_PROTOCOL: "grpc" }, "grpc", GRPC],
    [{ ENDPOINT: "https://c.example:4317" }, "grpc", "https://c.example:4317"],
    [{ ENDPOINT: "collector:4317" }, "grpc", "collector:4317"],
    [{ ENDPOINT: "collector" }, "grpc", "collector"],
    [{ ENDPOINT: "[::1]:4317" }, "grpc", "[::1]:4317"],
    [{ ENDPOINT: "http://a:1", TRACES_ENDPOINT: "http://b:2" }, "grpc", "http://b:2"],
    [{ ENDPOINT: "http://a:1", TRACES_ENDPOINT: " " }, "grpc", "http://a:1"],
    [{ ENDPOINT: "http://c:4318" }, "http/protobuf", "http://c:4318/v1/traces"],
    [{ ENDPOINT: "http://c:4318", PROTOCOL: "grpc" }, "grpc", "http://c:4318"],
    [{ ENDPOINT: "https://c/otlp/" }, "http/protobuf", "https://c/otlp/v1/traces"],
    [{ ENDPOINT: "https://c/otlp?k=1" }, "http/protobuf", "https://c/otlp/v1/traces?k=1"],
    [{ ENDPOINT: "https://c/v1/traces" }, "http/protobuf", "https://c/v1/traces"],
    [{ TRACES_ENDPOINT: "https://c/own" }, "http/protobuf", "https://c/own"],
    [{ TRACES_ENDPOINT: "http://c:4318" }, "http/protobuf", "http://c:4318/"],
    [
      { ENDPOINT: "https://xray.eu-west-1.amazonaws.com" },
      "http/protobuf",
      "https://xray.eu-west-1.amazonaws.com/v1/traces",
    ],
  ];
  test.each(rows)("%o", (short, protocol, endpoint) => {
    const env = Object.fromEntries(
      Object.entries(short).map(([key, value]) => [`OTEL_EXPORTER_OTLP_${key}`, value]),
    );
    expect(otlpOf(env)).toMatchObject({ protocol, endpoint });
    expect(resolveConfig(env).warnings).toEqual([]);
  });

  test("X-Ray's endpoint is never spoken to in gRPC", () => {
    const { config, warnings } = resolveConfig({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://xray.eu-west-1.amazonaws.com/v1/traces",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    });
    expect(config.exporters[0]).toMatchObject({ otlp: { protocol: "http/protobuf" } });
    expect(warnings).toHaveLength(1);
  });
});

test("X-Ray's endpoint is signed for its region with the function's own credentials", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "https://xray.eu-west-1.amazonaws.com" };
  const keys = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s3cr3t" };
  const { sigv4 } = otlpOf({ ...endpoint, ...keys, AWS_SESSION_TOKEN: "t0ken" });

  expect(sigv4).toMatchObject({ region: "eu-west-1", service: "xray" });
  expect(sigv4?.credentials()).toEqual({
    accessKeyId: "AKID",
    secretAccessKey: "s3cr3t",
    sessionToken: "t0ken",
  });
  expect(() => otlpOf(endpoint).sigv4?.credentials()).toThrow(/AWS_ACCESS_KEY_ID/);
  expect(otlpOf(keys).sigv4).toBeUndefined();
});

describe("the form for traces wins over the form for all signals", () => {
  const rows: readonly [
    key: string,
    general: string,
    traces: string,
    field: keyof OtlpConfig,
    expected: unknown,
  ][] = [
    ["INSECURE", "false", "true", "insecure", true],
    ["CERTIFICATE", "/a.pem", "/b.pem", "caFile", "/b.pem"],
    ["CLIENT_KEY", "/a.pem", "/b.pem", "clientKeyFile", "/b.pem"],
    ["CLIENT_CERTIFICATE", "/a.pem", "/b.pem", "clientCertificateFile", "/b.pem"],
    ["COMPRESSION", "none", "gzip", "compression", "gzip"],
    ["TIMEOUT", "1", "2", "timeoutMs", 2],
    ["HEADERS", "a=1", "B=two%20words,c=x=y==", "headers", { b: "two words", c: "x=y==" }],
  ];
  test.each(rows)("%s", (key, general, traces, field, expected) => {
    const env = { [`OTEL_EXPORTER_OTLP_${key}`]: general };
    const both = { ...env, [`OTEL_EXPORTER_OTLP_TRACES_${key}`]: traces };
    expect(otlpOf(both)[field]).toEqual(expected);
    expect(otlpOf(env)[field]).not.toEqual(expected);
  });

  test("the batch processor's export timeout can only shorten the exporter's", () => {
    expect(otlpOf({}).timeoutMs).toBe(10_000);
    expect(otlpOf({ OTEL_BSP_EXPORT_TIMEOUT: "30000" }).timeoutMs).toBe(10_000);
    expect(otlpOf({ OTEL_BSP_EXPORT_TIMEOUT: "3000" }).timeoutMs).toBe(3_000);
  });
});

describe("the gRPC client is the stock one only where it is needed", () => {
  const REMOTE = "https://collector.example:4317";
  const rows: readonly [env: Env, endpoint: string, client: string, warnings: number][] = [
    [{}, REMOTE, "lean", 0],
    [{ COLDSPAN_GRPC_CLIENT: "grpc-js" }, REMOTE, "grpc-js", 0],
    [{ https_proxy: "http://proxy:3128" }, REMOTE, "grpc-js", 0],
    [{ http_proxy: "http://proxy:3128" }, REMOTE, "grpc-js", 0],
    [{ grpc_proxy: "http://proxy:3128" }, "collector.example:4317", "grpc-js", 0],
    [{ grpc_proxy: "http://proxy:3128", COLDSPAN_GRPC_CLIENT: "lean" }, REMOTE, "lean", 0],
    [{ https_proxy: "http://proxy:3128", NO_PROXY: "a.b, .example" }, REMOTE, "lean", 0],
    [{ https_proxy: "http://proxy:3128", no_proxy: "other.example" }, REMOTE, "grpc-js", 0],
    [{ https_proxy: "http://proxy:3128", no_grpc_proxy: "*" }, REMOTE, "lean", 0],
    [{ https_proxy: "http://proxy:3128" }, "http://localhost:4317", "lean", 0],
    [{ https_proxy: "http://proxy:3128" }, "[::1]:4317", "lean", 0],
    [{ HTTPS_PROXY: "http://proxy:3128" }, REMOTE, "lean", 1],
    [{ HTTP_PROXY: "http://proxy:3128" }, REMOTE, "lean", 1],
    [{ HTTPS_PROXY: "http://proxy:3128", NO_PROXY: "collector.example" }, REMOTE, "lean", 0],
    [{}, "unix:/tmp/otlp.sock", "lean", 0],
    [{ http_proxy: "http://proxy:3128" }, "unix:/tmp/otlp.sock", "lean", 0],
  ];
  test.each(rows)("%o to %s: %s", (env, endpoint, client, warnings) => {
    const all = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    expect(otlpOf(all).grpcClient).toBe(client);
    expect(resolveConfig(all).warnings).toHaveLength(warnings);
  });
});

describe("a bad value warns once and leaves the default", () => {
  const rows: readonly [env: Env, mentions: string, read: (config: Config) => unknown][] = [
    [{ OTEL_SDK_DISABLED: "1" }, "true or false", (c) => c.enabled],
    [{ OTEL_LOG_LEVEL: "loud" }, "using warn", (c) => c.logLevel],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=b,broken" }, "ignored", (c) => c.resourceAttributes],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, "ignored", (c) => c.resourceAttributes],
    [{ OTEL_RESOURCE_ATTRIBUTES: "=b" }, "ignored", (c) => c.resourceAttributes],
    [{ OTEL_PROPAGATORS: "jaeger" }, "b3multi", (c) => c.propagators],
    [{ OTEL_PROPAGATORS: "ottrace,tracecontext,baggage" }, "ottrace", (c) => c.propagators],
    [{ OTEL_PROPAGATORS: "none,tracecontext,baggage" }, "none", (c) => c.propagators],
    [{ OTEL_TRACES_SAMPLER: "xray" }, "parentbased_traceidratio", (c) => c.sampler],
    [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "using parentbased_always_on", (c) => c.sampler],
    [{ OTEL_SPAN_EVENT_COUNT_LIMIT: "-1" }, "from 0 up", (c) => c.spanLimits],
    [{ OTEL_ATTRIBUTE_COUNT_LIMIT: "1.5" }, "whole number", (c) => c.spanLimits],
    [{ OTEL_TRACES_EXPORTER: "zipkin" }, "otlp, xray, console", (c) => c.exporters],
    [{ OTEL_TRACES_EXPORTER: "jaeger" }, "otlp, xray, console", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http" }, "http/protobuf", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://x" }, "using http://localhost:4317", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://" }, "host:4317", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "10s" }, "TRACES_TIMEOUT", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "0" }, "from 1 up", (c) => c.exporters],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" }, "gzip", (c) => c.exporters],
    [{ COLDSPAN_GRPC_CLIENT: "native" }, "grpc-js", (c) => c.exporters],
    [{ COLDSPAN_FLUSH: "never" }, "after-return", (c) => c.flush],
    [{ COLDSPAN_FLUSH_TIMEOUT_MS: "1e3" }, "using 4000", (c) => c.flush],
    [{ COLDSPAN_RECORD_PARENT: "queue" }, "producer", (c) => c.trace],
    [{ COLDSPAN_INBOUND_CONTEXT: "http=trust" }, "kind=policy", (c) => c.trace],
    [{ COLDSPAN_INBOUND_CONTEXT: "https=link" }, "kind=policy", (c) => c.trace],
    [{ OTEL_CONFIG_FILE: "/otel.yaml" }, "not read", (c) => c],
  ];
  test.each(rows)("%o", (env, mentions, read) => {
    const { config, warnings } = resolveConfig(env);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(mentions);
    expect(warnings[0]).toContain(Object.keys(env)[0]);
    expect(read(config)).toEqual(read(configOf({})));
  });

  test("a ratio outside 0 to 1 is 1", () => {
    const env = { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1.5" };
    expect(resolveConfig(env)).toMatchObject({
      config: { sampler: { ratio: 1 } },
      warnings: [expect.stringContaining("from 0 to 1")],
    });
  });

  test("an HTTP endpoint needs a scheme", () => {
    const env = {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
    };
    expect(otlpOf(env).endpoint).toBe("http://localhost:4318/v1/traces");
    expect(resolveConfig(env).warnings).toHaveLength(1);
  });

  test.each(["x:y", "127.0.0.1:0", "127.0.0.1:70000", "tcp:127.0.0.1:2000", "2000"])(
    "the daemon address %s is no address",
    (address) => {
      const env = { OTEL_TRACES_EXPORTER: "xray", AWS_XRAY_DAEMON_ADDRESS: address };
      const { config, warnings } = resolveConfig(env);
      expect(config.exporters).toEqual([{ kind: "xray-udp", host: "127.0.0.1", port: 2000 }]);
      expect(warnings).toHaveLength(1);
    },
  );

  test("xray gives way to xray-lambda, with a warning", () => {
    const { config, warnings } = resolveConfig({
      OTEL_PROPAGATORS: "xray,tracecontext,xray-lambda",
    });
    expect(config.propagators).toEqual(["tracecontext", "xray-lambda"]);
    expect(warnings).toEqual([expect.stringContaining("xray-lambda, which replaces it")]);
  });
});

describe("no warning shows a secret", () => {
  const SECRET = "s3cr3t";
  const rows: readonly Env[] = [
    { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${SECRET}%` },
    { OTEL_EXPORTER_OTLP_TRACES_HEADERS: `${SECRET}` },
    { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRET}%0d%0ax: y` },
    { OTEL_EXPORTER_OTLP_HEADERS: `${SECRET} key=x` },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `ftp://user:${SECRET}@collector/path` },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `ftp://collector/path?api-key=${SECRET}` },
    { OTEL_RESOURCE_ATTRIBUTES: `${SECRET}` },
  ];
  test.each(rows)("%o", (env) => {
    const { warnings } = resolveConfig(env);
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toContain(SECRET);
  });
});

describe("an option wins over its variable", () => {
  const env: Env = Object.fromEntries(
    VARIABLES.filter((row) => !/PROXY|CONFIG_FILE/i.test(row.name)).map(({ name }) => [
      name,
      "bad",
    ]),
  );

  test("each one", () => {
    const sampler = { shouldSample: () => ({ decision: 0 }), toString: () => "mine" };
    const exporter = { export: () => undefined, shutdown: async () => undefined };
    const headers = (): Record<string, string> => ({ authorization: "fresh" });
    const { config, warnings } = resolveConfig(
      { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://env:1" },
      {
        serviceName: "orders",
        resourceAttributes: { "deployment.id": 7, "service.name": "not this" },
        propagators: ["xray"],
        sampler,
        exporters: ["console", exporter, "otlp"],
        otlp: {
          endpoint: "https://c.example",
          protocol: "http/json",
          headers,
          compression: "gzip",
          timeoutMs: 77,
          insecure: true,
          caFile: "/ca.pem",
          clientKeyFile: "/key.pem",
          clientCertificateFile: "/cert.pem",
        },
        flush: { mode: "after-return", timeoutMs: 5 },
        spanLimits: { linkCountLimit: 3, attributeCountLimit: 4 },
        instrumentations: false,
        recordParent: "batch",
        inboundContext: { default: "link", sqs: "parent" },
        semconv: "1.45",
      },
    );
    expect(config).toMatchObject({
      resourceAttributes: { "service.name": "orders", "deployment.id": 7 },
      propagators: ["xray"],
      sampler,
      exporters: [
        { kind: "console" },
        {
          kind: "otlp",
          otlp: {
            endpoint: "https://c.example/v1/traces",
            protocol: "http/json",
            headers,
            compression: "gzip",
            timeoutMs: 77,
            insecure: true,
            caFile: "/ca.pem",
            clientKeyFile: "/key.pem",
            clientCertificateFile: "/cert.pem",
          },
        },
        { kind: "custom", exporter },
      ],
      flush: { mode: "after-return", timeoutMs: 5 },
      spanLimits: { linkCountLimit: 3, attributeCountLimit: 4, eventCountLimit: 128 },
      instrumentations: false,
      trace: {
        recordParent: "batch",
        semconv: "1.45",
        inboundContext: { default: "link", bySource: { sqs: "parent" } },
      },
    });
    const overridden = ["PROPAGATORS", "SAMPLER", "TRACES_EXPORTER", "PROTOCOL", "ENDPOINT"];
    for (const name of overridden) expect(warnings.join()).not.toContain(`${name}=`);
  });

  test("a named sampler and headers as an object", () => {
    const options: InitOptions = {
      sampler: { name: "traceidratio", ratio: 0.5 },
      otlp: { headers: { Authorization: "x" } },
    };
    expect(configOf({}, options).sampler).toEqual({ name: "traceidratio", ratio: 0.5 });
    expect(otlpOf({ OTEL_EXPORTER_OTLP_HEADERS: "a=b" }, options).headers).toEqual({
      authorization: "x",
    });
  });

  test("an empty list means nothing at all", () => {
    const config = configOf({}, { exporters: [], propagators: [] });
    expect(config).toMatchObject({ exporters: [], propagators: [] });
  });

  test("only an exporter object means no other exporter", () => {
    const exporter = { export: () => undefined, shutdown: async () => undefined };
    expect(kindsOf(configOf({}, { exporters: [exporter] }))).toEqual(["custom"]);
  });

  test("a bad option warns by its own name, and what was expected", () => {
    const options = {
      propagators: ["b4"],
      sampler: { name: "sometimes" },
      exporters: [{}],
      otlp: { protocol: "udp", timeoutMs: {}, headers: { a: "b\n" } },
      flush: { timeoutMs: -1 },
      semconv: "2.0",
      spanLimits: null,
    } as unknown as InitOptions;
    const { config, warnings } = resolveConfig({}, options);
    for (const name of ["propagators", "sampler.name", "exporters", "flush.timeoutMs", "semconv"]) {
      expect(warnings.filter((line) => line.startsWith(`init option "${name}"`))).toHaveLength(1);
    }
    expect(config).toMatchObject({ flush: { timeoutMs: 4_000 }, trace: { semconv: "1.44" } });
  });
});

describe("the table of variables", () => {
  const names = [...VARIABLES.map((row) => row.name), ...LAMBDA_VARIABLES];

  test("names exactly the variables that are read", async () => {
    const read = new Set<string>();
    const record = (values: Env): Env =>
      new Proxy(values, {
        get: (target, name) => {
          read.add(String(name));
          return target[String(name)];
        },
      });
    resolveConfig(record({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_EXPORTER: "xray" }));
    resolveConfig(
      record({ HTTP_PROXY: "http://p:1", OTEL_EXPORTER_OTLP_ENDPOINT: "https://c.example:4317" }),
    );
    const signed = record({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://xray.eu-west-1.amazonaws.com",
      AWS_ACCESS_KEY_ID: "AKID",
      AWS_SECRET_ACCESS_KEY: "s3cr3t",
    });
    await otlpOf(signed).sigv4?.credentials();
    expect([...read].sort()).toEqual([...names].sort());
  });

  test("names each once", () => {
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(VARIABLES.filter((row) => row.default !== "").map((row) => [row.name, row.default]))(
    "%s=%s is what happens without it",
    (name, value) => {
      const base = { OTEL_TRACES_EXPORTER: "otlp,xray", OTEL_TRACES_SAMPLER: "traceidratio" };
      const others = Object.fromEntries(Object.entries(base).filter(([key]) => key !== name));
      const { config, warnings } = resolveConfig({ ...others, [name]: value });
      expect(config).toEqual(configOf(others));
      expect(warnings).toEqual([]);
    },
  );
});

test("no environment makes it throw, and the result is frozen", () => {
  const names = [...VARIABLES.map((row) => row.name), ...LAMBDA_VARIABLES];
  const likely = fc.constantFrom(
    "otlp",
    "xray",
    "none",
    "a=b",
    "https://x:1/y",
    "%",
    "=",
    ",",
    "1",
  );
  const value = fc.oneof(fc.string({ unit: "binary" }), likely, fc.array(likely).map(String));
  const environment = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(environment, (env) => {
      const { config, warnings } = resolveConfig(env);
      expect(Object.isFrozen(config)).toBe(true);
      for (const warning of warnings) expect(warning).not.toContain("\n");
    }),
    { numRuns: 250 },
  );
});

test("the process's own environment is read when none is given", () => {
  expect(resolveConfig().config).toEqual(configOf(process.env as Env));
});
