/** The image's one file: the OpenTelemetry API, the library, and what puts both into the runtime. */
export * as api from "@opentelemetry/api";
export * as coldspan from "../index.ts";
export { traceRuntime } from "../zero-code.ts";
