import { VERSION } from "../version.ts";

/** OTLP exporter specification, "User Agent"; a distribution's own name goes first. */
export const USER_AGENT: string = `coldspan/${VERSION} OTel-OTLP-Exporter-JavaScript/${VERSION}`;
