/** One record's turn when coldspan itself runs the loop: exact start, exact end. */
import { context } from "@opentelemetry/api";
import type { BatchSpan } from "./batch-span.ts";
import type { RecordTurn } from "./current-invocation.ts";
import type { RecordScope } from "./record-scope.ts";

export function createTurn(batch: BatchSpan, scope: RecordScope): RecordTurn {
  return {
    run(work) {
      scope.begin(context.active());
      scope.claim();
      return context.with(scope, work);
    },
    end(failure) {
      if (failure !== undefined) scope.fail(failure.thrown);
      scope.end();
      batch.finishRecord(scope);
    },
  };
}
