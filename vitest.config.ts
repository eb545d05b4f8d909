import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/faults/**"],
    globalSetup: ["test/support/build.ts", "test/support/runtimes.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two cores are the common CI size; most tests wait on child processes and sockets.
    maxWorkers: 2,
  },
});
