import { configDefaults, defineConfig } from "vitest/config";

/**
 * Tests of modules that keep no state for the process. Their files share workers, and with them the loaded
 * modules: that takes 40 % less CPU than a worker for each file.
 */
const STATELESS = [
  "test/config.test.ts",
  "test/dev/{grpc,http,otlp,trace,xray}-*.test.ts",
  "test/docs/*.test.ts",
  "test/export/*.test.ts",
  "test/sdk/{bounded-queue,breaker,clock,deadline-guard,id-generator}.test.ts",
  "test/sdk/{propagators,resource,samplers,span-buffer.model}.test.ts",
  "test/trace/sources/*.test.ts",
];

export default defineConfig({
  test: {
    // A shared CI machine stalls now and then; what fails three times has failed.
    retry: process.env.CI === undefined ? 0 : 2,
    // The longest test takes 4 s alone; next to other work on two cores it has taken eight times that.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Vitest's own second is too short for a machine that does something else as well.
    expect: { poll: { timeout: 15_000, interval: 10 } },
    // Two cores are the common CI size, and tests wait on child processes and sockets half the time.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: "stateless", include: STATELESS, isolate: false } },
      {
        extends: true,
        test: {
          name: "isolated",
          include: ["test/**/*.test.ts"],
          // Suites of their own: `npm run test:faults`, `npm run test:peers`.
          exclude: [...configDefaults.exclude, ...STATELESS, "test/faults/**", "test/peers/**"],
          globalSetup: ["test/support/build.ts", "test/support/runtimes.ts"],
        },
      },
    ],
  },
});
