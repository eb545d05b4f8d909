import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/faults/**/*.test.ts"],
    globalSetup: [
      "test/support/build.ts",
      "test/support/runtimes.ts",
      "test/faults/support/task-root.ts",
    ],
    reporters: ["default", "./test/faults/support/fault-table.ts"],
    // A shared CI machine stalls now and then; what fails three times has failed.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One file has the machine for itself; within a file, rows that mostly wait run side by side.
    maxWorkers: 1,
    maxConcurrency: 6,
  },
});
