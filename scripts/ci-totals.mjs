// The closing line of a CI run: the true totals over all suites; a failed step without tests counts as one.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [directory, failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let suitesWithFailures = 0;
for (const name of readdirSync(directory)) {
  const { numPassedTests, numFailedTests, success } = JSON.parse(
    readFileSync(join(directory, name), "utf8"),
  );
  passed += numPassedTests;
  failed += numFailedTests;
  if (!success) suitesWithFailures += 1;
}
// A suite that failed is a failed step too: it is not counted twice.
failed += Math.max(0, Number(failedSteps) - suitesWithFailures);
// A suite can fail without a failed test, such as a file that cannot be loaded.
if (failed === 0 && Number(failedSteps) > 0) failed = Number(failedSteps);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
