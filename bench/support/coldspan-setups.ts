/** coldspan as a dependency of the function, and as a part of its image. */
import type { Addresses } from "./received.ts";
import { OTLP_GRPC, OTLP_HTTP, type Setup, XRAY_UDP } from "./setup.ts";

const COLDSPAN = { entry: "coldspan.mjs", packages: "coldspan" } as const;
const COLDSPAN_GRPC = {
  ...COLDSPAN,
  env: (addresses: Addresses) => ({
    ...OTLP_GRPC(addresses),
    OTEL_PROPAGATORS: "tracecontext,baggage,xray",
  }),
  exportsBy: "grpc",
} as const;

const AFTER_RETURN = (addresses: Addresses) => ({
  ...COLDSPAN_GRPC.env(addresses),
  COLDSPAN_FLUSH: "after-return",
});
const XRAY_EXPORTER = (addresses: Addresses) => ({
  ...XRAY_UDP(addresses),
  OTEL_TRACES_EXPORTER: "xray",
});

export const COLDSPAN_SETUPS: readonly Setup[] = [
  { ...COLDSPAN_GRPC, id: "coldspan", name: "coldspan, imported", format: "cjs" },
  { ...COLDSPAN_GRPC, id: "coldspan-esm", name: "coldspan, imported, ES module", format: "esm" },
  {
    ...COLDSPAN_GRPC,
    id: "coldspan-after-return",
    name: "coldspan, imported, after-return",
    format: "cjs",
    env: AFTER_RETURN,
  },
  {
    ...COLDSPAN,
    id: "coldspan-http",
    name: "coldspan, imported, http/protobuf",
    format: "cjs",
    env: OTLP_HTTP,
    exportsBy: "http",
  },
  {
    ...COLDSPAN,
    id: "coldspan-xray",
    name: "coldspan, imported, X-Ray UDP",
    format: "cjs",
    env: XRAY_EXPORTER,
    exportsBy: "xray-udp",
  },
];

/** Its own loop over records, besides the handler's loop that it watches. */
export const COLDSPAN_RECORDS: Setup = {
  ...COLDSPAN_GRPC,
  id: "coldspan-records",
  name: "coldspan, processRecords",
  entry: "coldspan-records.mjs",
  format: "cjs",
};

const IMAGE = { entry: "bare.cjs", format: "cjs", image: "primed" } as const;
const IMAGE_GRPC = { ...IMAGE, env: COLDSPAN_GRPC.env, exportsBy: "grpc" } as const;

/** The image's own layout: the handler knows nothing, a preload wraps it. */
export const IMAGE_SETUPS: readonly Setup[] = [
  {
    ...IMAGE_GRPC,
    id: "image-files",
    name: "coldspan image, files only",
    image: "files",
    note: "`coldspan/files` on a base of one's own: nothing is compiled ahead",
  },
  { ...IMAGE_GRPC, id: "image", name: "coldspan image" },
  { ...IMAGE_GRPC, id: "image-warm", name: "coldspan image, warm", image: "warmed" },
  {
    ...IMAGE_GRPC,
    id: "image-after-return",
    name: "coldspan image, after-return",
    env: AFTER_RETURN,
  },
  {
    ...IMAGE_GRPC,
    id: "image-warm-after-return",
    name: "coldspan image, warm, after-return",
    image: "warmed",
    env: AFTER_RETURN,
  },
  {
    ...IMAGE,
    id: "image-http",
    name: "coldspan image, http/protobuf",
    env: OTLP_HTTP,
    exportsBy: "http",
  },
  {
    ...IMAGE,
    id: "image-xray",
    name: "coldspan image, X-Ray UDP",
    env: XRAY_EXPORTER,
    exportsBy: "xray-udp",
  },
];
