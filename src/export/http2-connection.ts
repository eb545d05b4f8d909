/** One HTTP/2 connection: is it open, is it alive, and what has its peer said about its streams. */
import { type Dialer, describeSocketError } from "./dialer.ts";
import { Http2Session } from "./http2-session.ts";

/**
 * A ping unanswered for so long means a dead connection: many round trips even across regions,
 * yet a fraction of the shortest useful flush bound.
 */
const PING_LIMIT_MS = 1000;

/** A TCP and TLS handshake that takes longer than this is given up; a new one has better odds. */
const CONNECT_LIMIT_MS = 5000;

/** A connection heard from so recently is alive enough: Lambda's thaws come after longer gaps. */
const RECENT_MS = 500;

/** Without a freeze, only middleboxes kill silently; the impatient ones do so after a minute. */
const IDLE_MS = 30_000;

/**
 * gRPC servers count pings between two of their answers and send GOAWAY at the fourth
 * (grpc-go and C-core: two strikes are forgiven after the first); one is left in reserve.
 */
const MAX_PINGS_BETWEEN_ANSWERS = 2;

export class Http2Connection {
  readonly session: Http2Session;
  /** Resolves when requests can be sent; rejects with the reason when the connection failed. */
  readonly opened: Promise<void>;
  readonly #startedMs = Date.now();
  #isOpen = false;
  #heardMs = Date.now();
  #needsProof = false;
  #pings = 0;

  constructor(dial: Dialer) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.opened = promise;
    // Whoever waits for `opened` sees the failure; a connection nobody waits for may fail unseen.
    promise.catch(() => undefined);
    const timer = setTimeout(
      () => this.session.destroy(new Error(`No connection within ${CONNECT_LIMIT_MS} ms`)),
      CONNECT_LIMIT_MS,
    );
    timer.unref();
    this.session = new Http2Session(dial(), dial.isSecure, {
      opened: () => {
        clearTimeout(timer);
        this.#isOpen = true;
        this.heard();
        resolve();
      },
      closed: (reason) => {
        clearTimeout(timer);
        reject(new Error(describeSocketError(reason)));
      },
    });
  }

  /** False once the connection takes no new requests: closed, closing, or told to go away. */
  get isUsable(): boolean {
    return this.session.isUsable;
  }

  /** True when nothing shows that the peer is still there. */
  get isSuspect(): boolean {
    return this.#needsProof || Date.now() - this.#heardMs > IDLE_MS;
  }

  /** True while another ping would not count as abuse. */
  get mayPing(): boolean {
    return this.#isOpen && this.#pings < MAX_PINGS_BETWEEN_ANSWERS;
  }

  /** Called when the process may have been frozen; what was heard just now still counts. */
  doubt(): void {
    if (Date.now() - this.#heardMs <= RECENT_MS) return;
    this.#needsProof = true;
    if (!this.#isOpen && Date.now() - this.#startedMs > RECENT_MS) this.destroy();
  }

  /** Called when a request went unanswered for its whole time. */
  distrust(): void {
    this.#needsProof = true;
  }

  /** Called with every sign of life from the peer. */
  heard(): void {
    this.#heardMs = Date.now();
    this.#needsProof = false;
  }

  /** Called with every answer: the peer forgives pings then. */
  answered(): void {
    this.#pings = 0;
    this.heard();
  }

  /** Resolves to whether the peer answered a ping; within {@link PING_LIMIT_MS}. */
  ping(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), PING_LIMIT_MS);
      timer.unref();
      this.#pings++;
      this.session.ping(() => {
        clearTimeout(timer);
        this.heard();
        resolve(true);
      });
    });
  }

  /** Lets requests under way finish, and takes no new ones. */
  close(): void {
    this.session.close();
  }

  /** Ends at once; requests under way fail. */
  destroy(): void {
    this.session.destroy();
  }
}
