import { DiagLogLevel, diag } from "@opentelemetry/api";
import { onTestFinished } from "vitest";

/** Gathers what the code under test says through `diag` until the test ends. */
export function captureDiagnostics(): readonly string[] {
  const lines: string[] = [];
  const write = (message: string): void => {
    lines.push(message);
  };
  diag.setLogger(
    { error: write, warn: write, info: write, debug: write, verbose: write },
    { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true },
  );
  onTestFinished(() => diag.disable());
  return lines;
}
