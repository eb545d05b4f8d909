import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["bench/test/**/*.test.ts"],
    // A shared CI machine stalls now and then; what fails three times has failed.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 120_000,
    maxWorkers: 1,
  },
});
