/** Preloaded: everything by itself, and the ESM hook that the instrumentation of Lambda needs. */

require("@opentelemetry/auto-instrumentations-node/register");
