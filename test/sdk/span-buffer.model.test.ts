import fc from "fast-check";
import { expect, test } from "vitest";
import type { SendOutcome } from "../../src/export/destination.ts";
import {
  LOST,
  numbered,
  REFUSED,
  ScriptedDestination,
  SENT,
  settle,
  startEngine,
  type TestEngine,
  UNAVAILABLE,
  VirtualClock,
} from "../support/flush.ts";

const OUTCOMES = { sent: SENT, unavailable: UNAVAILABLE, lost: LOST, refused: REFUSED } as const;
const MAX_SPANS = 40;
/** Some thirty spans. */
const MAX_BYTES = 27_000;

type Step =
  | { readonly kind: "end"; readonly count: number }
  | { readonly kind: "flush" }
  | { readonly kind: "answer"; readonly outcome: keyof typeof OUTCOMES; readonly pick: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "freeze"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("end" as const), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant("flush" as const) }),
  fc.record({
    kind: fc.constant("answer" as const),
    outcome: fc.constantFrom("sent", "unavailable", "lost", "refused"),
    pick: fc.nat(3),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({ kind: fc.constant("freeze" as const), ms: fc.integer({ min: 1, max: 3_600_000 }) }),
);

/** A receiver whose answers the test gives one by one, and which knows what it was told about each span. */
class Receiver extends ScriptedDestination {
  readonly waiting: { names: readonly string[]; answer: (outcome: SendOutcome) => void }[] = [];
  readonly final = new Map<string, SendOutcome["status"]>();
  possibleRepeats = 0;
  readonly #lost = new Set<string>();

  constructor() {
    // Small enough that full chunks must be split.
    super((names) => this.#receive(names), "model", 45);
  }

  answer(outcome: SendOutcome, pick: number): void {
    const [request] = this.waiting.splice(pick % Math.max(1, this.waiting.length), 1);
    if (request === undefined) return;
    for (const name of request.names) {
      if (outcome.status !== "retryable") this.final.set(name, outcome.status);
      else if (outcome.answerLost) this.#lost.add(name);
    }
    request.answer(outcome);
  }

  #receive(names: readonly string[]): Promise<SendOutcome> {
    const underWay = this.waiting.flatMap((request) => request.names);
    for (const name of names) {
      expect(underWay, "a span under way is not sent a second time").not.toContain(name);
      expect(this.final.get(name), "a span with an answer is not sent again").toBeUndefined();
      if (this.#lost.has(name)) this.possibleRepeats++;
    }
    return new Promise((answer) => this.waiting.push({ names, answer }));
  }
}

function checkCounts(engine: TestEngine, receiver: Receiver, ended: number): void {
  const counts = engine.counts();
  const { overflow, permanent, tooLarge } = counts.dropped;
  const answered = [...receiver.final.values()];
  expect(counts.recorded).toBe(ended);
  expect(counts.sent).toBe(answered.filter((status) => status === "success").length);
  expect(permanent).toBe(answered.filter((status) => status === "failure").length);
  expect(counts.sent + overflow + permanent + tooLarge + counts.buffered).toBe(ended);
  expect(counts.buffered).toBeLessThanOrEqual(MAX_SPANS);
  expect(counts.resentAfterLostAnswer).toBe(receiver.possibleRepeats);
}

test("nothing is lost, doubled or miscounted, whatever ends, fails, waits or freezes in any order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const clock = new VirtualClock();
      const receiver = new Receiver();
      const engine = startEngine(
        [receiver],
        { maxBufferSpans: MAX_SPANS, maxBufferBytes: MAX_BYTES },
        { clock },
      );
      await settle();
      const ended: string[] = [];
      for (const action of steps) {
        switch (action.kind) {
          case "end": {
            const names = numbered(`${ended.length}`, action.count);
            ended.push(...names);
            engine.end(...names);
            break;
          }
          case "flush":
            void engine.flush();
            break;
          case "answer":
            receiver.answer(OUTCOMES[action.outcome], action.pick);
            break;
          case "pass":
            await clock.pass(action.ms);
            break;
          case "freeze":
            await clock.freeze(action.ms);
        }
        await settle();
        checkCounts(engine, receiver, ended.length);
      }
      for (let turn = 0; turn < 100 && engine.counts().buffered > 0; turn++) {
        void engine.flush();
        await clock.pass(1_000);
        while (receiver.waiting.length > 0) {
          receiver.answer(SENT, 0);
          await settle();
        }
      }
      checkCounts(engine, receiver, ended.length);
      expect(engine.counts().buffered).toBe(0);
      const missing = ended.filter((name) => !receiver.final.has(name));
      expect(missing).toHaveLength(engine.counts().dropped.overflow);
    }),
    { numRuns: 60 },
  );
});
