/** Faults that have nothing to do with the protocol spoken: they hit the connection. */
import { randomBytes } from "node:crypto";
import type { Exchange } from "./otlp-exchange.ts";

export const GARBAGE_BYTES = 64;
/** The head of a TLS 1.2/1.3 record that promises 256 bytes, and 2 of them. */
export const HALF_TLS_RECORD: Buffer = Buffer.from([0x17, 3, 3, 1, 0, 0, 0]);

/**
 * Does to the connection what the behaviour asks; false when the behaviour asks for an answer.
 * `half` is the beginning of an answer as the connection carries it.
 */
export function disturb({ behaviour, connection }: Exchange, half: Buffer): boolean {
  switch (behaviour.kind) {
    case "black-hole":
      return true;
    case "close-connection":
      connection?.end();
      return true;
    case "reset-connection":
      connection?.reset();
      return true;
    case "garbage":
      if (behaviour.layer === "message") return false;
      connection?.inject(randomBytes(GARBAGE_BYTES));
      return true;
    case "half-answer":
      if (behaviour.layer === "message") return false;
      connection?.inject(half);
      connection?.end();
      return true;
    default:
      return false;
  }
}
