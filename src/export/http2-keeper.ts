/** Keeps one live HTTP/2 connection to an endpoint: opens it, doubts it after a freeze, replaces it. */
import type { Http2Connection } from "./http2-connection.ts";

/**
 * A ping that takes longer than this makes a fresh connection start beside it, and the faster one wins.
 * Above a round trip within a continent, so that a healthy connection is rarely doubled.
 */
const PING_PATIENCE_MS = 100;

export class Http2Keeper {
  readonly #dial: () => Http2Connection;
  #current: Http2Connection | undefined;
  #pending: Promise<Http2Connection> | undefined;
  #isShutdown = false;

  constructor(dial: () => Http2Connection) {
    this.#dial = dial;
  }

  /** Resolves to a connection that is open and believed alive; rejects when none can be had. */
  acquire(): Promise<Http2Connection> {
    if (this.#isShutdown) return Promise.reject(new Error("The exporter is shut down"));
    const current = this.#current;
    if (this.#pending === undefined && current?.isUsable && !current.isSuspect) {
      return Promise.resolve(current);
    }
    this.#pending ??= this.#settle().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Opens the connection ahead of need. */
  connect(): void {
    // The next acquire meets the same failure and reports it.
    this.acquire().catch(() => undefined);
  }

  /** Called when the process may have been frozen: finds out at once whether the connection outlived it. */
  wake(): void {
    const current = this.#current;
    if (current === undefined) return;
    current.doubt();
    // An invocation may send nothing, so a lost connection is reopened only when it is needed.
    if (current.isUsable && current.isSuspect && current.mayPing) this.connect();
  }

  shutdown(): void {
    this.#isShutdown = true;
    this.#current?.destroy();
  }

  async #settle(): Promise<Http2Connection> {
    const current = this.#current;
    if (!current?.isUsable) return this.#open();
    if (!current.mayPing) {
      current.close();
      return this.#open();
    }
    const answer = current.ping();
    if (await Promise.race([answer, elapsed(PING_PATIENCE_MS)])) return current;
    return this.#race(current, answer);
  }

  async #open(): Promise<Http2Connection> {
    const connection = this.#dial();
    this.#current = connection;
    await connection.opened;
    return connection;
  }

  /** The old connection's late answer against a fresh connection: the first one is used. */
  async #race(old: Http2Connection, answer: Promise<boolean>): Promise<Http2Connection> {
    const fresh = this.#open();
    const replacement = this.#current;
    const proof = answer.then((isAlive) => {
      if (isAlive && old.isUsable && !this.#isShutdown) return old;
      // Requests still under way there fail now, and are sent again on the fresh connection.
      old.destroy();
      throw new Error("The connection died");
    });
    // When both fail, the fresh connection's failure is the one that tells something.
    const winner = await Promise.any([proof, fresh]).catch(() => fresh);
    if (winner === old) {
      this.#current = old;
      if (replacement !== old) replacement?.destroy();
    } else {
      proof.then(
        () => old.close(),
        () => undefined,
      );
    }
    return winner;
  }
}

function elapsed(timeMs: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), timeMs).unref();
  });
}
