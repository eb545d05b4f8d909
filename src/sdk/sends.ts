/** The requests of one destination that are under way. */
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import type { Destination, SendOutcome } from "../export/destination.ts";
import type { Parcel } from "./backlog.ts";

/** Our own requests are no spans, whichever span's context they happen to start in. */
const UNTRACED = suppressTracing(ROOT_CONTEXT);

export class Sends {
  readonly #destination: Destination;
  readonly #timeoutMs: number;
  readonly #underWay = new Set<Parcel>();
  /** Replaced each time a send is settled. */
  #nextSettled = Promise.withResolvers<void>();

  /** A flush that a deadline cuts short leaves its sends running for `timeoutMs`, so their answers count. */
  constructor(destination: Destination, timeoutMs: number) {
    this.#destination = destination;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Those under way now. */
  get parcels(): readonly Parcel[] {
    return [...this.#underWay];
  }

  /** Resolves when the next send is settled. */
  get nextSettled(): Promise<void> {
    return this.#nextSettled.promise;
  }

  /** Sends in this tick; `onOutcome` is called once, unless the parcel is abandoned before. */
  start(parcel: Parcel, onOutcome: (outcome: SendOutcome) => void): void {
    this.#underWay.add(parcel);
    void this.#try(parcel).then((outcome) => {
      if (this.#underWay.delete(parcel)) onOutcome(outcome);
      this.#nextSettled.resolve();
      this.#nextSettled = Promise.withResolvers();
    });
  }

  /** The parcel's outcome will not be heard. */
  abandon(parcel: Parcel): void {
    this.#underWay.delete(parcel);
  }

  /** Resolves when those that are under way now are settled, or `isOver` says so after one of them was. */
  async drain(isOver: () => boolean): Promise<void> {
    const last = this.parcels;
    while (!isOver() && last.some((parcel) => this.#underWay.has(parcel))) await this.nextSettled;
  }

  /** A destination that breaks its word and throws has failed for good. */
  async #try({ request }: Parcel): Promise<SendOutcome> {
    try {
      return await context.with(UNTRACED, () => this.#destination.send(request, this.#timeoutMs));
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      return { status: "failure", error: reason };
    }
  }
}
