import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Suites of their own: `npm run test:faults`, `npm run test:peers`.
    exclude: [...configDefaults.exclude, "test/faults/**", "test/peers/**"],
    globalSetup: ["test/support/build.ts", "test/support/runtimes.ts"],
    // A shared CI machine stalls now and then; what fails three times has failed.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 30_000,
    // Vitest's own second is too short for a machine that does something else as well.
    expect: { poll: { timeout: 15_000, interval: 10 } },
    hookTimeout: 120_000,
    // Two cores are the common CI size, and tests wait on child processes and sockets half the time.
    maxWorkers: 3,
  },
});
