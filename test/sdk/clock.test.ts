import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/sdk/clock.ts";

it("comes at once to a moment that has passed, and Node does not warn of it", async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  const fired = Promise.withResolvers<void>();
  systemClock().after(-100, fired.resolve, true);
  await fired.promise;
  process.emitWarning("end of the test");
  await once(process, "warning");
  expect(warnings.map(({ message }) => message)).toEqual(["end of the test"]);
});
