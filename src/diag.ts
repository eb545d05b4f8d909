export function warnOnce(key: string, message: string): void {
  process.stderr.write(`coldspan: ${key} ${message}\n`);
}
export function reportError(message: string, error: unknown): void {
  process.stderr.write(`coldspan: ${message}: ${String(error)}\n`);
}
