import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: "docker/test",
    include: ["**/*.test.ts"],
    globalSetup: ["global-setup.ts"],
    // A shared CI machine stalls now and then; what fails three times has failed.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The longest file by far only waits for containers to thaw; the others run beside it.
    maxWorkers: 2,
  },
});
