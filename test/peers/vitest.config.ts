import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/peers/**/*.test.ts"],
    globalSetup: [
      "test/support/build.ts",
      "test/support/runtimes.ts",
      "test/peers/prerequisites.ts",
    ],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
