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
    // Containers are measured and frozen: one file at a time has the machine for itself.
    maxWorkers: 1,
  },
});
