/** What the buffer needs of a place in which requests outlive the process. */

/** One encoded request of the process. */
export interface SpooledRequest {
  /** The destination's name. */
  readonly destination: string;
  readonly request: Uint8Array;
  readonly spanCount: number;
  /** True when the receiver may have it already. */
  readonly mayRepeat: boolean;
}

/** A request that a process of this environment left behind, now this process's own. */
export interface RecoveredRequest extends SpooledRequest {
  /** Forgets it for good: it was sent or refused. Never throws. */
  readonly remove: () => void;
}

export interface Spool {
  /** False when something may wait there. Never throws. */
  readonly isEmpty: boolean;
  /** Keeps a request; false when it cannot. Synchronous; never throws. */
  write(request: SpooledRequest): boolean;
  /** What waits there for these destinations, each request to exactly one caller. Never throws. */
  claim(destinations: readonly string[]): readonly RecoveredRequest[];
}
